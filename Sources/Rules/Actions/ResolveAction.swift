public import Base
import Config

/// A name whose address a rule wants (`do-resolve`); the owner of the context finds it and goes on.
public struct NameQuery: Sendable {
  public let name: Bytes
  /// The `resolvers` section.
  public let resolvers: String
  public let prefersFour: Bool
  let variable: Variable

  /// Keeps the address in the rule's variable, which stays as it was when there is none.
  public func finish(_ address: IPAddress?, _ context: RuleContext) {
    if let address { variable.set(.ip(address), context) }
  }
}

/// `do-resolve`.
enum ResolveAction {
  static let table: [ActionEntry] = [
    ActionEntry("do-resolve", [.tcpContent, .httpRequest], "(<var>,<resolvers>[,{ ipv4 | ipv6 }]) <expr>") {
      parser throws(RuleError) in
      let words = try parser.argument().string.split(separator: ",", omittingEmptySubsequences: false).map(
        String.init)
      guard words.count >= 2 else {
        throw RuleError(
          "'do-resolve' expects a variable and a resolvers section",
          expected: "do-resolve(<varname>,<resolvers>[,<options>]) <expr>")
      }
      let variable = try parser.scope.shared.variables.variable(Bytes(words[0]))
      let section = words[1]
      let known = parser.scope.configuration.resolvers.map(\.name)
      guard known.contains(section) else {
        throw RuleError(
          "Can't find resolvers section '\(section)' for do-resolve action",
          suggestion: Suggestions.nearest(section, known))
      }
      var prefersFour = false
      for option in words.dropFirst(2) {
        guard option == "ipv4" || option == "ipv6" else {
          throw RuleError(
            "unknown option '\(option)'. Available options are 'ipv4' and 'ipv6'",
            suggestion: Suggestions.nearest(option, ["ipv4", "ipv6"]))
        }
        prefersFour = option == "ipv4"
      }
      let expression = try parser.expression("an expression that gives a name")
      return { [prefersFour] context in
        guard let name = expression.evaluate(context)?.cast(to: .string)?.text, !name.isEmpty else {
          return nil
        }
        return .resolve(
          NameQuery(name: name, resolvers: section, prefersFour: prefersFour, variable: variable))
      }
    }
  ]
}
