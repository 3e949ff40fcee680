import Base
import Glibc
import NetIO

/// What a worker's loop has worked since `set profiling tasks on`, until it was switched off.
///
/// Nothing is measured meanwhile: it is the difference of what the loop and the kernel count anyway. Used on the
/// worker's own thread.
struct WorkProfile {
  private let began: Sample
  private var end: Sample?

  private struct Sample {
    var at: Instant
    var turns: Int
    /// Nanoseconds of processor time.
    var processor: Int

    init(_ worker: Worker) {
      at = worker.loop.now.instant
      turns = worker.loop.turns
      processor = WorkProfile.threadTime
    }
  }

  init(_ worker: Worker) { began = Sample(worker) }

  var isRunning: Bool { end == nil }

  mutating func stop(_ worker: Worker) { if end == nil { end = Sample(worker) } }

  struct Result {
    var worker: Int
    /// Microseconds that the profile covers, and since it ended.
    var span: Int64
    var age: Int64
    var turns: Int
    /// Nanoseconds of processor time.
    var processor: Int
  }

  func result(_ worker: Worker) -> Result {
    let now = Sample(worker)
    let last = end ?? now
    return Result(
      worker: worker.index, span: (last.at - began.at).microseconds, age: (now.at - last.at).microseconds,
      turns: last.turns - began.turns, processor: last.processor - began.processor)
  }

  /// Nanoseconds that the calling thread has had a processor.
  static var threadTime: Int {
    var time = timespec()
    guard clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time) == 0 else { return 0 }
    return time.tv_sec * 1_000_000_000 + time.tv_nsec
  }
}
