import Synchronization

/// What is counted for a frontend, a backend, a listener or a server.
enum Counter: Int, CaseIterable {
  case connections, sessions, octetsIn, octetsOut
  case deniedRequests, deniedResponses, requestErrors, connectErrors, responseErrors
  case retries, redispatches, clientAborts, serverAborts, reused, connectAttempts
  case requests, responses1xx, responses2xx, responses3xx, responses4xx, responses5xx, responsesOther
  case deniedConnections, deniedSessions, failedHeaderRewrites, internalErrors, interceptedRequests
  case failedChecks, downTransitions, selected
  case cacheLookups, cacheHits, cacheHintHits, compressionIn, compressionOut, compressionBypassed, compressedResponses
  case splicedIn, splicedOut
  case sessionsHTTP1, sessionsHTTP2, requestsHTTP1, requestsHTTP2, requestsHTTP3, requestsOther
}

/// Counters of one object, with a private row for each worker.
///
/// A row is written by its own worker only, so adding is a plain load and store; readers add up the rows and
/// may see a count that is a moment old.
final class Counters: Sendable {
  private struct Row: ~Copyable {
    let cells: UnsafeMutablePointer<Atomic<Int>>
  }

  private nonisolated(unsafe) let cells: UnsafeMutablePointer<Atomic<Int>>
  private let rows: Int
  private static let width = Counter.allCases.count

  init(workers: Int) {
    rows = workers
    cells = .allocate(capacity: workers * Counters.width)
    for i in 0..<(workers * Counters.width) { (cells + i).initialize(to: Atomic(0)) }
  }

  deinit {
    cells.deinitialize(count: rows * Counters.width)
    cells.deallocate()
  }

  @inline(__always)
  func add(_ counter: Counter, _ n: Int = 1, worker: Int) {
    precondition(worker < rows)
    let cell = cells + (worker * Counters.width + counter.rawValue)
    cell.pointee.store(cell.pointee.load(ordering: .relaxed) &+ n, ordering: .relaxed)
  }

  @inline(__always)
  func addTraffic(_ octetsIn: Int, _ octetsOut: Int, worker: Int) {
    add(.octetsIn, octetsIn, worker: worker)
    add(.octetsOut, octetsOut, worker: worker)
  }

  /// The sum over all workers.
  func total(_ counter: Counter) -> Int {
    var sum = 0
    for row in 0..<rows { sum &+= cells[row * Counters.width + counter.rawValue].load(ordering: .relaxed) }
    return sum
  }

  /// What one worker has counted.
  func value(_ counter: Counter, worker: Int) -> Int {
    worker < rows ? cells[worker * Counters.width + counter.rawValue].load(ordering: .relaxed) : 0
  }

  /// Before the workers run: what an earlier process has counted.
  func set(_ counter: Counter, _ n: Int) { cells[counter.rawValue].store(n, ordering: .relaxed) }

  /// `clear counters all`.
  func reset() {
    for i in 0..<(rows * Counters.width) { cells[i].store(0, ordering: .relaxed) }
  }
}

/// A number that goes up and down, with its highest value: current and maximum sessions, queue lengths.
final class Gauge: Sendable {
  private let value = Atomic<Int>(0)
  private let highest = Atomic<Int>(0)

  var current: Int { value.load(ordering: .relaxed) }
  var maximum: Int { highest.load(ordering: .relaxed) }

  @discardableResult
  func increment() -> Int {
    let now = value.add(1, ordering: .relaxed).newValue
    raise(now)
    return now
  }

  func decrement() { value.subtract(1, ordering: .relaxed) }

  /// Increments unless that would exceed `limit`. The maximum follows with `noteMaximum`: a place may be taken before
  /// it is known whether somebody needs it.
  func increment(upTo limit: Int) -> Bool {
    var seen = value.load(ordering: .relaxed)
    while seen < limit {
      let (done, original) = value.weakCompareExchange(
        expected: seen, desired: seen + 1, ordering: .relaxed)
      if done { return true }
      seen = original
    }
    return false
  }

  func noteMaximum() { raise(current) }

  private func raise(_ now: Int) {
    if now > highest.load(ordering: .relaxed) { highest.max(now, ordering: .relaxed) }
  }

  func resetMaximum() { highest.store(current, ordering: .relaxed) }
}

/// Events a second over a sliding second, as HAProxy's frequency counters: the last whole second weighs in
/// with what of it the present one has not yet replaced.
///
/// Counting is one atomic addition; whoever comes first in a new second turns the page. What is counted while
/// it is turned may fall on either side.
final class Rate: Sendable {
  private let second = Atomic<Int64>(0)
  private let current = Atomic<Int>(0)
  private let previous = Atomic<Int>(0)
  private let highest = Atomic<Int>(0)

  @discardableResult
  func count(_ n: Int = 1, at microseconds: Int64) -> Int {
    turnPage(microseconds / 1_000_000)
    let now = current.wrappingAdd(n, ordering: .relaxed).newValue
    if now > highest.load(ordering: .relaxed) { highest.max(now, ordering: .relaxed) }
    return now
  }

  func perSecond(at microseconds: Int64) -> Int {
    turnPage(microseconds / 1_000_000)
    let passed = Int(microseconds % 1_000_000 / 1000)
    return current.load(ordering: .relaxed) + previous.load(ordering: .relaxed) * (1000 - passed) / 1000
  }

  var maximum: Int { highest.load(ordering: .relaxed) }
  func resetMaximum() { highest.store(0, ordering: .relaxed) }

  @inline(__always)
  private func turnPage(_ now: Int64) {
    if second.load(ordering: .relaxed) != now { turn(to: now) }
  }

  private func turn(to now: Int64) {
    let seen = second.load(ordering: .relaxed)
    // A worker whose clock is a little behind counts on the page that is open.
    guard now > seen || now < seen - 2,
      second.compareExchange(expected: seen, desired: now, ordering: .relaxed).exchanged
    else { return }
    let counted = current.exchange(0, ordering: .relaxed)
    previous.store(now == seen + 1 ? counted : 0, ordering: .relaxed)
  }
}
