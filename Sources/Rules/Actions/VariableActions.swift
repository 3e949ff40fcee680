import Base
import Config

/// `set-var`, `set-var-fmt`, `unset-var`.
enum VariableActions {
  private static let places: RulePlaces = [.http, .tcp]

  static let table: [ActionEntry] = [
    ActionEntry("set-var", places, "(<var-name>[,<cond>...]) <expr>") { parser throws(RuleError) in
      let (variable, conditions) = try named(parser)
      let expression = try parser.expression()
      return { context in
        if let value = expression.evaluate(context), conditions.hold(value, variable, context) {
          variable.set(value, context)
        }
        return nil
      }
    },
    ActionEntry("set-var-fmt", places, "(<var-name>[,<cond>...]) <fmt>") { parser throws(RuleError) in
      let (variable, conditions) = try named(parser)
      let format = try LogFormatParser.plain(
        try parser.need("a log-format string").bytes, scope: parser.scope)
      return { context in
        let value = Sample.string(Bytes(format.rendered(context)))
        if conditions.hold(value, variable, context) { variable.set(value, context) }
        return nil
      }
    },
    ActionEntry("unset-var", places, "(<var-name>)") { parser throws(RuleError) in
      let (variable, _) = try named(parser)
      return { context in
        variable.set(nil, context)
        return nil
      }
    },
  ]

  private static func named(_ parser: ActionParser) throws(RuleError) -> (Variable, SetConditions) {
    var words = try parser.argument().string.split(separator: ",", omittingEmptySubsequences: false).map {
      Bytes($0)
    }
    let argument = words.removeFirst()
    let variable = try parser.scope.shared.variables.variable(argument)
    if parser.place == .tcpConnection, variable.scope != .proc, variable.scope != .sess {
      throw RuleError(
        "variable '\(argument.string)' is not available here: only 'proc' and 'sess' exist before a stream")
    }
    if variable.scope == .res, !parser.place.isResponse {
      throw RuleError("variable '\(argument.string)': scope 'res' is only available in response rules")
    }
    return (variable, try SetConditions(words))
  }
}
