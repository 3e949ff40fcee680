import NetIO
import Synchronization

/// One worker's pipes for octets that pass from socket to socket.
final class PipePool {
  private var spare: [SplicePipe] = []
  private let limit: Int
  /// Pipes kept for later.
  private static let spareLimit = 16
  /// How many there are, which other threads may read.
  private let inUse = Atomic<Int>(0)
  private let kept = Atomic<Int>(0)

  /// - Parameter limit: pipes in use at once; with 0 everything is copied (`nosplice`).
  init(limit: Int) { self.limit = limit }

  var used: Int { inUse.load(ordering: .relaxed) }
  var spareCount: Int { kept.load(ordering: .relaxed) }

  func take() -> SplicePipe? {
    guard used < limit, let pipe = spare.popLast() ?? SplicePipe() else { return nil }
    count(used + 1)
    return pipe
  }

  /// Takes a pipe back; one that still holds octets is of no more use.
  func give(_ pipe: SplicePipe) {
    if pipe.count == 0, pipe.prefix.isEmpty, spare.count < PipePool.spareLimit { spare.append(pipe) }
    count(used - 1)
  }

  /// Closes half of the spare ones.
  func shrink() {
    spare.removeLast((spare.count + 1) / 2)
    count(used)
  }

  private func count(_ used: Int) {
    inUse.store(used, ordering: .relaxed)
    kept.store(spare.count, ordering: .relaxed)
  }
}
