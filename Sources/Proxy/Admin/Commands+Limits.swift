import Base
import Config
import Synchronization

extension Commands {
  /// Limits of the process and of frontends.
  static let limits: [Command] = [
    Command("set maxconn global", "<value>", level: .admin, "change the per-process maxconn setting") {
      call in
      guard !call.argument(0).isEmpty else { return .error("Expects an integer value.") }
      let value = CommandNumber.value(call.argument(0))
      guard value >= 0, value <= call.runtime.maxConnections else { return .error("Value out of range.") }
      call.runtime.limits.connections = value == 0 ? call.runtime.maxConnections : value
      return .done
    },
    Command(
      "set maxconn frontend", "<frontend> <value>", level: .admin, "change a frontend's maxconn setting"
    ) {
      call in
      withFrontend(call) { frontend in
        guard !call.argument(1).isEmpty else { return .error("Integer value expected.") }
        let value = CommandNumber.value(call.argument(1))
        guard value >= 0 else { return .error("Value out of range.") }
        frontend.administratorLimit.store(value, ordering: .relaxed)
        return .done
      }
    },
    Command(
      "set rate-limit", "<setting> <value>", level: .admin, "change a rate limiting value", run: setRate),
  ]

  private static func setRate(_ call: CommandCall) -> CommandAnswer {
    let known = ["connections", "sessions", "ssl-sessions", "http-compression"]
    guard known.contains(call.argument(0)), call.argument(1) == "global" else {
      return .error(
        """
        'set rate-limit' only supports :
           - 'connections global' to set the per-process maximum connection rate
           - 'sessions global' to set the per-process maximum session rate
           - 'ssl-sessions global' to set the per-process maximum SSL session rate
           - 'http-compression global' to set the per-process maximum compression speed in kB/s
        """)
    }
    guard !call.argument(2).isEmpty else { return .error("Expects an integer value.") }
    let value = CommandNumber.value(call.argument(2))
    guard value >= 0 else { return .error("Value out of range.") }
    let limits = call.runtime.limits
    switch call.argument(0) {
    case "connections": limits.connectionRate = value
    case "sessions": limits.sessionRate = value
    case "ssl-sessions": limits.tlsRate = value
    default: return .error("'set rate-limit http-compression' is not supported yet.")
    }
    return .done
  }

  static func withFrontend(_ call: CommandCall, _ body: (Frontend) -> CommandAnswer) -> CommandAnswer {
    let name = call.argument(0)
    guard !name.isEmpty else { return .error("A frontend name is expected.") }
    guard let frontend = call.runtime.frontend(name) else { return .error("No such frontend.") }
    return body(frontend)
  }
}
