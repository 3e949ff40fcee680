import Base
import Config
import Glibc
import NetIO

extension Commands {
  /// Threads, and the work that waits in their event loops.
  static let threads: [Command] = [
    Command("show threads", "", "show some threads debugging information") { call in
      .gathered(
        call.gateway, "",
        { worker, _, text in
          text += threadLines(worker)
          return false
        }, render: { $0 })
    },
    Command("show tasks", "", "show running tasks") { call in
      .gathered(
        call.gateway, 0,
        { worker, _, count in
          count += worker.loop.waitingWork
          return false
        },
        render: { count in
          let row = count == 0 ? "" : "  EventLoop.enqueue            \(pad(count, 6))  100  -  -  -  -  -\n"
          return """
            Running tasks: \(count) (\(call.runtime.workerCount) threads)
              function                     places     %    lat_tot   lat_avg  calls_tot  calls_avg calls%
            \(row)
            """
        })
    },
  ]

  static func pad(_ number: Int, _ width: Int) -> String {
    let digits = String(number)
    return String(repeating: " ", count: Swift.max(0, width - digits.utf8.count)) + digits
  }

  /// Called on the worker's own thread; the first worker is the one that runs the command.
  private static func threadLines(_ worker: Worker) -> String {
    let loop = worker.loop
    let number = worker.index + 1
    return """
      \(worker.index == 0 ? "*" : " ") Thread \(number) : id=0x\(String(pthread_self(), radix: 16)) \
      wq=\(loop.timers.count) rq=\(loop.waitingWork)
            1/\(number)    loops=\(loop.turns) streams=\(worker.streams.count) fds=\(loop.watchedCount)
                   cpu_ns: now=\(WorkProfile.threadTime)

      """
  }
}
