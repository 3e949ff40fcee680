import Base

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

  /// Reads until nothing more comes now or the buffer is full.
  func gather() {
    while input.map({ $0.count < worker.buffers.bufferSize }) ?? true {
      guard case .some = receive() else { return }
    }
  }
}
