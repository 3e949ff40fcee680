import Base
import Config

extension Commands {
  /// Commands about the connection itself.
  static let general: [Command] = [
    Command("echo", "<text>", "print text to the output") { call in
      .info(call.arguments.joined(separator: " "))
    },
    Command("operator", "", level: .restricted, "lower the level of the current CLI session to operator") {
      call in
      call.session.level = Swift.min(call.session.level, .operator)
      return .done
    },
    Command("user", "", "lower the level of the current CLI session to user") { call in
      call.session.level = .user
      return .done
    },
    Command("set timeout", "[cli] <delay>", "change a timeout setting") { call in
      guard call.argument(0) == "cli" else { return .error("'set timeout' only supports 'cli'.") }
      guard !call.argument(1).isEmpty else { return .error("Expects an integer value.") }
      guard let time = CommandNumber.milliseconds(call.argument(1), unit: 1000), time > 0 else {
        return .error("Invalid timeout value.")
      }
      call.session.timeout = .milliseconds(Int64(time))
      return .done
    },
    Command(
      "set severity-output", "[none|number|string]", "set presence of severity level in feedback information"
    ) { call in
      guard let output = CommandSession.SeverityOutput(rawValue: call.argument(0)) else {
        return .error("one of 'none', 'number', 'string' is a required argument")
      }
      call.session.severityOutput = output
      return .done
    },
  ]
}
