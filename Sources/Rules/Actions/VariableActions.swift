import Base
import Config

/// `set-var`, `set-var-fmt`, `unset-var`.
enum VariableActions {
  private static let places: RulePlaces = [.http, .tcp]

  static let table: [ActionEntry] = [
    ActionEntry("set-var", places, "(<var-name>[,<cond>...]) <expr>") { parser throws(RuleError) in
      let variable = try named(parser)
      let expression = try parser.expression()
      return { context in
        if let value = expression.evaluate(context) { variable.set(value, context) }
        return nil
      }
    },
    ActionEntry("set-var-fmt", places, "(<var-name>[,<cond>...]) <fmt>") { parser throws(RuleError) in
      let variable = try named(parser)
      let format = try LogFormatParser.plain(try parser.need("a log-format string").bytes, scope: parser.scope)
      return { context in
        variable.set(.string(Bytes(format.rendered(context))), context)
        return nil
      }
    },
    ActionEntry("unset-var", places, "(<var-name>)") { parser throws(RuleError) in
      let variable = try named(parser)
      return { context in
        variable.set(nil, context)
        return nil
      }
    },
  ]

  private static func named(_ parser: ActionParser) throws(RuleError) -> Variable {
    let argument = try parser.argument()
    guard argument.firstIndex(of: 0x2C) == nil else {
      throw RuleError("conditions inside of '\(parser.name.text)' are not supported yet")
    }
    let variable = try parser.scope.shared.variables.variable(argument)
    if parser.place == .tcpConnection, variable.scope != .proc, variable.scope != .sess {
      throw RuleError("variable '\(argument.string)' is not available here: only 'proc' and 'sess' exist before a stream")
    }
    if variable.scope == .res, !parser.place.isResponse {
      throw RuleError("variable '\(argument.string)': scope 'res' is only available in response rules")
    }
    return variable
  }
}
