import Base
import Config
import Rules

extension Commands {
  /// What the process says about itself.
  static let report: [Command] = [
    Command("show version", "", "show version of the current process") { _ in .info(Build.haproxyVersion) },
    Command("show backend", "", "list backends in the current running config") { call in
      .lines("# name\n" + call.runtime.backends.map { "\($0.name)\n" }.joined())
    },
    Command("show cli level", "", "display the level of the current CLI session") { call in
      .info(call.session.level.name)
    },
    Command("show cli sockets", "", "dump list of cli sockets") { call in
      .lines("# socket lvl processes\n" + call.gateway.admin.socketLines.joined())
    },
    Command("show env", "[var]", level: .restricted, "dump environment variables known to the process") {
      call in
      showEnvironment(call)
    },
    Command(
      "show errors", "[<px>] [request|response]", level: .restricted,
      "report last request and/or response errors for each proxy"
    ) { call in
      let name = call.argument(0)
      if !name.isEmpty, call.runtime.proxyID(named: name) == nil, CommandNumber.leading(name) == nil {
        return .error("No such proxy.")
      }
      return .lines("Total events captured on [\(CalendarText.access(call.now.wall))] : 0\n")
    },
    Command("show startup-logs", "", level: .restricted, "report logs emitted during start-up") { call in
      .lines(call.gateway.startupLog)
    },
    Command("show activity", "[-1|0|thread_num]", level: .restricted, "show per-thread activity stats") {
      call in
      showActivity(call)
    },
  ]

  private static func showEnvironment(_ call: CommandCall) -> CommandAnswer {
    let environment = call.runtime.configuration.environment
    let name = call.argument(0)
    if name.isEmpty {
      return .lines(environment.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)\n" }.joined())
    }
    guard let value = environment[name] else { return .error("Variable not found") }
    return .lines("\(name)=\(value)\n")
  }

  private static func showActivity(_ call: CommandCall) -> CommandAnswer {
    let runtime = call.runtime
    let microseconds = call.now.wall.microseconds
    let uptime = (call.now.instant - runtime.started.instant).microseconds
    func seconds(_ n: Int64) -> String {
      let fraction = String(n % 1_000_000)
      return "\(n / 1_000_000).\(String(repeating: "0", count: 6 - fraction.utf8.count))\(fraction)"
    }
    let sums = (0..<runtime.workerCount).map { index in
      runtime.frontends.reduce(0) { $0 + $1.counters.value(.connections, worker: index) }
    }
    let list = sums.count > 1 ? " [ \(sums.map(String.init).joined(separator: " ")) ]" : ""
    return .lines(
      """
      thread_id: 1 (1..\(runtime.workerCount))
      date_now: \(seconds(microseconds))
      uptime_now: \(seconds(uptime))
      accepted: \(sums.reduce(0, +))\(list)

      """)
  }
}
