import Base
import Config

extension Commands {
  /// `show info`, `show stat` and the counters behind them.
  static let statistics: [Command] = [
    Command("show info", "[desc|json|typed|float]*", "report information about the running process") { call in
      var out: [UInt8] = []
      let report = ProcessReport(call.runtime, now: call.now)
      let describes = call.arguments.contains("desc")
      if call.arguments.contains("json") {
        report.appendJSON(to: &out)
      } else if call.arguments.contains("typed") {
        report.appendTyped(describes: describes, to: &out)
      } else {
        report.appendPlain(describes: describes, to: &out)
      }
      return .text(out)
    },
    Command(
      "show stat", "[desc|json|no-maint|typed|up]*", "report counters for each proxy and server",
      run: showStat),
    Command("show schema json", "", "report schema used for stats") { _ in .lines(StatSchema.text + "\n") },
    Command("dump stats-file", "", "dump stats for a stats-file") { call in
      .lines(StatsFile(call.runtime).text)
    },
    Command(
      "clear counters", "[all|server <bk>/<srv> [force]]", level: .restricted,
      "clear max statistics counters (or all, or one server's)", run: clearCounters),
  ]

  /// `show stat [domain proxy] [<proxy> <type> <sid>] [typed|json] [desc] [up|no-maint]`
  private static func showStat(_ call: CommandCall) -> CommandAnswer {
    var arguments = call.arguments
    if arguments.first == "domain" {
      arguments = arguments.dropFirst()
      guard arguments.popFirst() == "proxy" else { return .error("Invalid statistics domain.") }
    }
    var selection = StatSelection()
    if arguments.count >= 3 {
      let words = Array(arguments.prefix(3))
      let id: Int
      if let named = call.runtime.proxyID(named: words[0]) {
        id = named
      } else if let (number, rest) = CommandNumber.leading(words[0]), rest.isEmpty {
        id = number
      } else {
        return .error("No such proxy.")
      }
      if id != -1 { selection.proxyID = id }
      selection.types = CommandNumber.value(words[1])
      selection.objectID = CommandNumber.value(words[2])
      arguments = arguments.dropFirst(3)
    }
    var options = StatOptions()
    options.showsLegends = call.session.level >= .operator
    var format = StatFormat.csv
    for argument in arguments {
      switch argument {
      case "typed": format = .typed
      case "json": format = .json
      case "desc": options.describes = true
      case "up": options.hidesDown = true
      case "no-maint": options.hidesMaintenance = true
      default: break
      }
    }
    var dump = StatDump(call.runtime, format, options, selection, now: call.now.wall)
    return .pieces { dump.next() }
  }

  private static func clearCounters(_ call: CommandCall) -> CommandAnswer {
    if call.argument(0) == "server" {
      guard call.session.level >= .admin else { return .error("Permission denied\n") }
      let name = CommandCall(
        words: call.words, arguments: call.arguments.dropFirst(), payload: nil, session: call.session,
        gateway: call.gateway, now: call.now)
      return withServer(name) { server in
        server.clearMaximums()
        server.counters.reset()
        return .info("Server counters cleared.")
      }
    }
    let all = call.argument(0) == "all"
    if all, call.session.level < .admin { return .error("Permission denied\n") }
    call.runtime.clearCounters(all: all)
    return .done
  }
}

extension Runtime {
  func proxyID(named name: String) -> Int? { frontend(name)?.id ?? backend(name)?.id }

  /// Highest values go back to the present ones; with `all`, sums go back to zero.
  func clearCounters(all: Bool) {
    for gauge in [connections, tlsConnections] { gauge.resetMaximum() }
    for rate in [connectionRate, sessionRate, tlsRate] { rate.resetMaximum() }
    for frontend in frontends {
      frontend.sessions.resetMaximum()
      for rate in [frontend.connectionRate, frontend.sessionRate, frontend.requestRate] {
        rate.resetMaximum()
      }
      if all { frontend.counters.reset() }
    }
    for listener in listeners {
      listener.sessions.resetMaximum()
      if all { listener.counters.reset() }
    }
    for backend in backends {
      backend.sessions.resetMaximum()
      backend.queueLength.resetMaximum()
      backend.sessionRate.resetMaximum()
      backend.times.resetMaximums()
      if all { backend.counters.reset() }
      for server in backend.servers {
        server.clearMaximums()
        if all { server.counters.reset() }
      }
    }
  }
}

extension Server {
  func clearMaximums() {
    sessions.resetMaximum()
    queueLength.resetMaximum()
    sessionRate.resetMaximum()
    times.resetMaximums()
  }
}
