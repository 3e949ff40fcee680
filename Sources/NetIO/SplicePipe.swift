internal import CLinux
import Glibc

/// A kernel pipe through which octets pass from one socket to another without a copy in this process.
///
/// One thread's. What is in it when it is released is lost.
public final class SplicePipe {
  private let input: Int32
  private let output: Int32
  /// Octets in the pipe.
  public private(set) var count = 0
  /// What is to be sent before them.
  public var prefix: [UInt8] = []

  /// Octets that a pipe holds at once.
  public static let capacity = 256 * 1024

  /// nil when the kernel has no more pipes for us.
  public init?() {
    guard let ends = Socket.pipe() else { return nil }
    (output, input) = ends
    // Where that many are not allowed the usual size does as well.
    _ = gh_set_pipe_size(input, Int32(SplicePipe.capacity))
  }

  deinit {
    close(input)
    close(output)
  }

  /// Takes up to `limit` octets that `socket` has received. Only for an empty pipe: a full one would look like a
  /// socket without input.
  public func fill(from socket: Int32, upTo limit: Int) -> IOResult {
    let result = Socket.splice(from: socket, to: input, count: Swift.min(limit, SplicePipe.capacity))
    if case .bytes(let n) = result { count += n }
    return result
  }

  /// Sends what `socket` takes.
  public func drain(to socket: Int32) -> IOResult {
    let result = Socket.splice(from: output, to: socket, count: count)
    if case .bytes(let n) = result { count -= Swift.min(n, count) }
    return result
  }
}
