import NetIO

/// One worker's pipes for octets that pass from socket to socket.
final class PipePool {
  private var spare: [SplicePipe] = []
  private(set) var used = 0
  private let limit: Int
  /// Pipes kept for later.
  private static let spareLimit = 16

  /// - Parameter limit: pipes in use at once; with 0 everything is copied (`nosplice`).
  init(limit: Int) { self.limit = limit }

  func take() -> SplicePipe? {
    guard used < limit, let pipe = spare.popLast() ?? SplicePipe() else { return nil }
    used += 1
    return pipe
  }

  /// Takes a pipe back; one that still holds octets is of no more use.
  func give(_ pipe: SplicePipe) {
    used -= 1
    if pipe.count == 0, pipe.prefix.isEmpty, spare.count < PipePool.spareLimit { spare.append(pipe) }
  }

  var spareCount: Int { spare.count }

  /// Closes half of the spare ones.
  func shrink() { spare.removeLast((spare.count + 1) / 2) }
}
