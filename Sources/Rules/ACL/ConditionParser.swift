import Base
import Config

/// Turns `if a !b or { path_beg /x }` into a `Condition`.
enum ConditionParser {
  /// Splits a rule's words at its `if` or `unless`.
  static func split(_ words: ArraySlice<Word>) -> (action: ArraySlice<Word>, condition: ArraySlice<Word>) {
    guard let at = words.firstIndex(where: { $0.text == "if" || $0.text == "unless" }) else {
      return (words, [])
    }
    return (words[..<at], words[at...])
  }

  static func parse(_ words: ArraySlice<Word>, scope: CompileScope, line: Directive) throws(RuleError)
    -> Condition?
  {
    guard let polarity = words.first else { return nil }
    guard polarity.text == "if" || polarity.text == "unless" else {
      throw RuleError("conditions must start with either 'if' or 'unless'")
    }
    var terms: [Condition.Term] = []
    var open: [(acl: ACL, isNegated: Bool)] = []
    var isNegated = false
    var index = words.startIndex + 1
    while index < words.endIndex {
      var text = words[index].text
      if text.lowercased() == "or" || text == "||" {
        close(&open, &terms)
        isNegated = false
        index += 1
        continue
      }
      while text.hasPrefix("!") {
        isNegated.toggle()
        text.removeFirst()
      }
      if text.isEmpty {
        index += 1
        continue
      }
      let acl: ACL
      if text == "{" {
        guard let end = words[index...].firstIndex(where: { $0.text == "}" }) else {
          throw RuleError("missing closing '}' in condition")
        }
        guard end > index + 1 else { throw RuleError("empty anonymous ACL '{ }' in condition") }
        acl = ACL(
          name: "", expressions: [try ACLParser.expression(Array(words[(index + 1)..<end]), scope: scope)])
        index = end
      } else {
        acl = try scope.acl(named: text)
        scope.acls.used.insert(text)
      }
      open.append((acl, isNegated))
      isNegated = false
      index += 1
    }
    close(&open, &terms)
    guard !terms.isEmpty else { throw RuleError("missing condition behind '\(polarity.text)'") }
    let condition = Condition(terms: terms, isNegated: polarity.text == "unless")
    warnAboutPlaces(condition, scope, line)
    return condition
  }

  private static func close(_ open: inout [(acl: ACL, isNegated: Bool)], _ terms: inout [Condition.Term]) {
    for (i, term) in open.enumerated() {
      terms.append(
        Condition.Term(acl: term.acl, isNegated: term.isNegated, endsConjunction: i == open.count - 1))
    }
    open = []
  }

  /// Tells which criteria cannot work where the rule stands.
  private static func warnAboutPlaces(_ condition: Condition, _ scope: CompileScope, _ line: Directive) {
    for term in condition.terms {
      let misfits = term.acl.expressions.filter { $0.sample.fetch.places.isDisjoint(with: scope.place) }
      guard let misfit = misfits.first else { continue }
      let who = term.acl.name.isEmpty ? "anonymous acl" : "acl '\(term.acl.name)'"
      let message: String
      if misfits.count == term.acl.expressions.count {
        message =
          term.acl.name.isEmpty
          ? "\(who) will never match because it uses keyword '\(misfit.keyword)' which is incompatible with '\(scope.place.name)'"
          : "\(who) will never match because it only involves keywords that are incompatible with '\(scope.place.name)'"
      } else {
        message =
          "\(who) involves keyword '\(misfit.keyword)' which is incompatible with '\(scope.place.name)'"
      }
      scope.diagnostics.warning(message, at: line.location)
      return
    }
  }
}
