import Base
import NetIO
import Synchronization

/// `show activity`: what each thread has done so far, by HAProxy's names.
struct ActivityReport {
  /// One number for each thread.
  private var rows: [(name: String, values: [Int])] = [
    ("curr_rq", []), ("loops", []), ("stream_calls", []), ("accepted", []),
  ]

  /// Called on the worker's own thread.
  mutating func add(_ worker: Worker) {
    let calls = worker.runtime.frontends.reduce(into: (streams: 0, accepted: 0)) { sums, frontend in
      sums.accepted += frontend.counters.value(.connections, worker: worker.index)
      sums.streams += frontend.counters.value(frontend.isHTTP ? .requests : .sessions, worker: worker.index)
    }
    add([worker.loop.waitingWork, worker.loop.turns, calls.streams, calls.accepted])
  }

  /// In the order of the rows.
  mutating func add(_ values: [Int]) {
    for (index, value) in values.enumerated() { rows[index].values.append(value) }
  }

  /// `thread` is -1 for all columns, 0 for the sums, or a thread's number.
  func text(_ thread: Int) -> String {
    rows.map { row in
      let sum = row.values.reduce(0, +)
      switch thread {
      case 0: return "\(row.name): \(sum)\n"
      case 1...: return "\(row.name): \(row.values[thread - 1])\n"
      default:
        let list = row.values.count > 1 ? " [ \(row.values.map(String.init).joined(separator: " ")) ]" : ""
        return "\(row.name): \(sum)\(list)\n"
      }
    }.joined()
  }
}

extension Commands {
  static func showActivity(_ call: CommandCall) -> CommandAnswer {
    let threads = call.runtime.workerCount
    let word = call.argument(0)
    let thread = word.isEmpty ? -1 : CommandNumber.value(word)
    guard thread >= -1, thread <= threads else {
      return .error("Thread ID number must be between -1 and nbthread")
    }
    func seconds(_ n: Int64) -> String {
      let fraction = String(n % 1_000_000)
      return "\(n / 1_000_000).\(String(repeating: "0", count: 6 - fraction.utf8.count))\(fraction)"
    }
    let uptime = (call.now.instant - call.runtime.started.instant).microseconds
    let head = """
      thread_id: 1 (1..\(threads))
      date_now: \(seconds(call.now.wall.microseconds))
      uptime_now: \(seconds(uptime))

      """
    return .gathered(
      call.gateway, ActivityReport(),
      { worker, _, report in
        report.add(worker)
        return false
      }, render: { head + $0.text(thread) })
  }
}
