import Base
import Glibc
import Synchronization

/// What the process has been through and does, beyond what its proxies count; for `show info`.
final class ProcessActivity: Sendable {
  /// Times that a listener had to wait because of the process's `maxconn`.
  let fullTimes = Atomic<Int>(0)
  /// Warnings while the process started.
  let warnings = Atomic<Int>(0)
  /// Milliseconds from the start to being ready.
  let startTime = Atomic<Int>(0)
  /// Connections of peers: those that are there, those that have said who they are.
  let peers = Atomic<Int>(0)
  let establishedPeers = Atomic<Int>(0)
  /// Handshakes that computed a key: with clients, with servers.
  let clientKeys = Rate()
  let serverKeys = Rate()
  /// Octets that came out of compression.
  let compressed = Rate()
  /// Messages that broke a rule of HTTP/1.
  private let errors = Atomic<Int>(0)
  private let looks: Mutex<(output: Pace, work: Pace)>

  init(since start: Instant) {
    let beginning = Pace(at: start.microseconds)
    looks = Mutex((beginning, beginning))
  }

  /// How many broken messages were captured.
  var capturedErrors: Int { errors.load(ordering: .relaxed) }
  /// The number of the next one.
  func nextError() -> Int { errors.add(1, ordering: .relaxed).oldValue }

  /// Octets a second, of so many that were sent in all.
  func outputRate(_ total: Int, at now: Instant) -> Int {
    looks.withLock { Int($0.output.perSecond(total, at: now.microseconds)) }
  }

  /// How much of the threads' time went into waiting, in percent.
  func idleShare(threads: Int, at now: Instant) -> Int {
    var time = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    let worked = time.tv_sec &* 1_000_000 &+ time.tv_nsec / 1000
    let pace = looks.withLock { $0.work.perSecond(worked, at: now.microseconds) }
    return Swift.min(100, Swift.max(0, 100 - Int(pace / 10_000) / Swift.max(1, threads)))
  }

  /// How fast something grows, between two looks at least a second apart.
  private struct Pace {
    private var last: (time: Int64, total: Int)
    private var known: Double?
    private static let period: Int64 = 1_000_000

    init(at time: Int64) { last = (time, 0) }

    mutating func perSecond(_ total: Int, at time: Int64) -> Double {
      let span = time - last.time
      if let known, span < Pace.period { return known }
      let pace = Double(Swift.max(0, total - last.total)) * 1_000_000 / Double(Swift.max(1, span))
      known = pace
      last = (time, total)
      return pace
    }
  }
}
