import Base
import Config
import Rules

extension Commands {
  /// Variables of the process.
  static let variables: [Command] = [
    Command("get var", "<name>", level: .restricted, "retrieve contents of a process-wide variable") { call in
      guard !call.argument(0).isEmpty else { return .error("Missing process-wide variable identifier.") }
      guard let text = call.runtime.rules.variables.describe(call.argument(0)) else {
        return .error("Variable not found.")
      }
      return .lines(text + "\n")
    },
    Command(
      "set var", "<name> [fmt|expr] {<fmt>|<expr>}", level: .admin, needs: .experimental,
      "set variable from an arbitrary expression"
    ) { call in
      var rest = call.arguments.dropFirst()
      let isFormat = rest.first == "fmt"
      if isFormat || rest.first == "expr" { rest = rest.dropFirst() }
      guard !rest.isEmpty else { return .error("Usage: set var <name> [fmt|expr] {<fmt>|<expr>}.") }
      guard let worker = call.gateway.workers.first else { return .error("No worker runs.") }
      return .outcome(
        call.runtime.rules.variables.set(
          call.argument(0), rest.joined(separator: " "), isFormat: isFormat, worker.environment, call.now))
    },
    Command("experimental-mode", "[on|off]", level: .admin, "enable experimental features for this session") { call in
      switch call.argument(0) {
      case "on": call.session.isExperimental = true
      case "off": call.session.isExperimental = false
      case "": return .info("experimental-mode is \(call.session.isExperimental ? "ON" : "OFF")")
      default: break
      }
      return .done
    },
    Command("expert-mode", "[on|off]", "enable expert mode for this session") { call in
      guard call.session.level >= .admin else { return .error("Permission denied\n") }
      switch call.argument(0) {
      case "on": call.session.isExpert = true
      case "off": call.session.isExpert = false
      case "": return .info("expert-mode is \(call.session.isExpert ? "ON" : "OFF")")
      default: break
      }
      return .done
    },
    Command("debug dev log", "[msg] ...", level: .admin, needs: .expert, "send this message to the global logs") {
      call in
      call.runtime.processLog.send(level: 6, call.arguments.joined(separator: " "), at: call.now.wall)
      return .done
    },
  ]
}
