import Base
import Glibc
import NetIO

/// Octets that pass from one clear socket to another through a pipe of the kernel's.
///
/// The pipe is part of the receiving transport's output, and what is written behind it waits until it is empty.
extension Transport {
  /// What an attempt to pass octets on came to.
  enum Spliced {
    case moved(Int)
    /// The source has nothing now.
    case nothing
    /// This side takes nothing now.
    case blocked
    /// It cannot be done: octets must be read and written.
    case unavailable
  }

  /// Below this many it costs more than copying.
  static let spliceSize = 64 * 1024

  /// Whether the next octets of the socket are the next ones of what is received.
  var isPassable: Bool { tls == nil && input == nil && mayRead && !sawEnd && failure == 0 && !isClosed }

  /// Passes up to `limit` of the octets that `source` has received on to this side. Their end, or an error, is left
  /// for reading to find.
  func splice(from source: Transport, upTo limit: Int) -> Spliced {
    if isClosed || failure != 0 || tls != nil { return .unavailable }
    guard flush(), failure == 0 else { return failure != 0 ? .unavailable : .blocked }
    guard source.isPassable, let pipe = worker.pipes.take() else { return .unavailable }
    let result = pipe.fill(from: source.descriptor, upTo: limit)
    guard case .bytes(let n) = result else {
      worker.pipes.give(pipe)
      guard result == .wouldBlock else { return .unavailable }
      source.mayRead = false
      return .nothing
    }
    source.octetsIn &+= n
    self.pipe = pipe
    return .moved(n)
  }

  /// Sends what is in the pipe; true when nothing is left, or the connection has failed.
  func drainPipe() -> Bool {
    guard let pipe else { return true }
    while !pipe.prefix.isEmpty || pipe.count > 0 {
      let hasPrefix = !pipe.prefix.isEmpty
      let result =
        hasPrefix
        ? pipe.prefix.withUnsafeBytes { Socket.send(descriptor, $0, more: pipe.count > 0) }
        : pipe.drain(to: descriptor)
      switch result {
      case .bytes(let n):
        octetsOut &+= n
        if hasPrefix { pipe.prefix.removeFirst(Swift.min(n, pipe.prefix.count)) }
      case .wouldBlock, .endOfStream:
        mayWrite = false
        return false
      case .failed(let code):
        failure = code
        return true
      }
    }
    dropPipe()
    return true
  }

  func dropPipe() {
    guard let pipe = pipe.take() else { return }
    worker.pipes.give(pipe)
  }
}
