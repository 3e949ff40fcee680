import Synchronization

/// The moving average over the last 1024 values, and the highest of them.
///
/// Workers update it without a lock: a value that two of them write at once may be lost, which an average bears.
struct MovingAverage: ~Copyable {
  private let sum = Atomic<Int>(0)
  private let count = Atomic<Int>(0)
  private let highest = Atomic<Int>(0)
  private static let window = 1024

  func add(_ value: Int) {
    guard value >= 0 else { return }
    let seen = count.load(ordering: .relaxed)
    let total = sum.load(ordering: .relaxed)
    if seen < MovingAverage.window {
      count.store(seen + 1, ordering: .relaxed)
      sum.store(total &+ value, ordering: .relaxed)
    } else {
      sum.store(total &- total / MovingAverage.window &+ value, ordering: .relaxed)
    }
    if value > highest.load(ordering: .relaxed) { highest.store(value, ordering: .relaxed) }
  }

  var average: Int {
    let seen = count.load(ordering: .relaxed)
    return seen == 0 ? 0 : sum.load(ordering: .relaxed) / seen
  }

  var maximum: Int { highest.load(ordering: .relaxed) }

  func resetMaximum() { highest.store(0, ordering: .relaxed) }
}

/// Milliseconds that exchanges with a server, or through a backend, spent in each stage.
final class ExchangeTimes: Sendable {
  let queue = MovingAverage()
  let connect = MovingAverage()
  let response = MovingAverage()
  let total = MovingAverage()

  /// The times of one exchange; negative ones did not happen.
  func add(queue: Int, connect: Int, response: Int, total: Int) {
    self.queue.add(queue)
    self.connect.add(connect)
    self.response.add(response)
    self.total.add(total)
  }

  func resetMaximums() {
    queue.resetMaximum()
    connect.resetMaximum()
    response.resetMaximum()
    total.resetMaximum()
  }
}
