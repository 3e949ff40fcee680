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
      showErrors(call)
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

  /// `show errors [<proxy> | <id> | -1] [request | response]`
  private static func showErrors(_ call: CommandCall) -> CommandAnswer {
    let (runtime, name) = (call.runtime, call.argument(0))
    var wanted: Int?
    if !name.isEmpty {
      wanted = runtime.proxyID(named: name) ?? CommandNumber.leading(name)?.0
      guard wanted != nil else { return .error("No such proxy.") }
    }
    let only = call.argument(1)
    var text = "Total events captured on [\(CalendarText.access(call.now.wall))] : \(runtime.activity.capturedErrors)\n"
    func add(_ capture: ErrorCapture, _ name: String, _ id: Int, isResponse: Bool) {
      guard let error = capture.newest else { return }
      if let wanted, wanted >= 0, wanted != id, wanted != error.other.id { return }
      text += error.text(
        of: CapturedError.Name(name: name, id: id), isResponse: isResponse, bufferSize: runtime.global.bufferSize)
    }
    for (frontend, backend) in runtime.proxies {
      if let frontend, only != "response" {
        add(frontend.invalidRequest, frontend.name, frontend.id, isResponse: false)
      }
      if let backend, only != "request" { add(backend.invalidResponse, backend.name, backend.id, isResponse: true) }
    }
    return .lines(text)
  }
}
