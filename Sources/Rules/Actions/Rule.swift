import Base

/// What an action does: nil lets the next rule run.
typealias ActionBody = @Sendable (RuleContext) -> Verdict?

/// One rule: an action and the condition under which it is taken.
final class Rule: Sendable {
  let condition: Condition?
  let body: ActionBody
  let origin: RuleOrigin

  init(condition: Condition?, origin: RuleOrigin, body: @escaping ActionBody) {
    self.condition = condition
    self.origin = origin
    self.body = body
  }
}
