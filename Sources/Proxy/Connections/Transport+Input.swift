import Base
import NetIO

/// What has come in.
extension Transport {
  /// The octets received and not consumed.
  var waiting: UnsafeRawBufferPointer { input?.readableBytes ?? UnsafeRawBufferPointer(start: nil, count: 0) }

  /// Lets a parser look at the waiting octets.
  func withWaiting<R>(_ body: (borrowing Span<UInt8>) -> R) -> R {
    guard let input else { return body(Span()) }
    return body(input.readable)
  }

  /// Whether what waits fills the buffer of the usual size: a head that long is too long.
  var inputIsFull: Bool { input.map { $0.count >= worker.buffers.bufferSize } ?? false }

  /// Reads what came before an error that the kernel told of first; false when there is nothing, or TLS is spoken.
  func salvageInput() -> Bool {
    guard !isClosed, failure != 0, tls == nil, !sawEnd else { return false }
    let buffer = inputBuffer()
    buffer.compact()
    guard buffer.room > 0, case .bytes(let n) = Socket.receive(descriptor, into: buffer.writableBytes) else {
      if buffer.isEmpty { dropInput() }
      return false
    }
    buffer.produced(n)
    octetsIn &+= n
    return true
  }

  /// Reads until nothing more comes now or the buffer is full.
  func gather() {
    while input.map({ $0.count < worker.buffers.bufferSize }) ?? true {
      guard case .some = receive() else { return }
    }
  }
}
