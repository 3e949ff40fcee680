import Base

/// The rules of one kind of one proxy, in order; immutable, shared by all workers.
public struct RuleSet: Sendable {
  /// What is being looked at, and whether missing data may be waited for.
  enum Kind: Sendable { case connection, requestContent, request, responseContent, response }

  var rules: [Rule] = []
  /// Runs of equality or prefix tests on one sample, answered by one look-up each.
  var runs: [RuleRun] = []
  /// The run that each rule belongs to, -1 for none; empty when there are no runs.
  var runOfRule: [Int32] = []
  var kind: Kind

  init(kind: Kind = .request, rules: [Rule] = []) {
    self.kind = kind
    self.rules = rules
    runs = kind == .requestContent || kind == .responseContent ? [] : RuleRun.find(in: rules)
    guard !runs.isEmpty else { return }
    runOfRule = Array(repeating: -1, count: rules.count)
    for (number, run) in runs.enumerated() {
      for index in run.range { runOfRule[index] = Int32(truncatingIfNeeded: number) }
    }
  }

  public var isEmpty: Bool { rules.isEmpty }
  public var count: Int { rules.count }

  /// Evaluates from the rule at `index` (0 at first). When the verdict asks to wait, `index` is where to go on.
  public func evaluate(_ context: RuleContext, resumingAt index: inout Int) -> Verdict {
    prepare(context)
    while index < rules.count {
      var isKnownToHold = false
      if !runOfRule.isEmpty, runOfRule[index] >= 0 {
        let run = runs[Int(runOfRule[index])]
        if run.isValid {
          guard let match = run.firstMatch(context, from: index) else {
            index = run.range.upperBound
            continue
          }
          index = match
          isKnownToHold = run.decides(match)
        }
      }
      let rule = rules[index]
      if !isKnownToHold, let condition = rule.condition {
        let truth = condition.evaluate(context)
        if truth == .miss, !context.evaluationIsFinal {
          context.waitingEntity = .rule(rule.origin)
          return .needMoreData
        }
        if truth != .pass {
          index += 1
          continue
        }
      }
      index += 1
      if let verdict = rule.body(context) {
        if verdict.waits { context.waitingEntity = .rule(rule.origin) } else { context.lastRule = rule.origin }
        if verdict.isRepeated { index -= 1 }
        return verdict
      }
    }
    return .next
  }

  /// The index of the first rule whose condition holds, for rules that only choose.
  func firstMatch(_ context: RuleContext, from start: Int = 0) -> Int? {
    prepare(context)
    var index = start
    while index < rules.count {
      if !runOfRule.isEmpty, runOfRule[index] >= 0 {
        let run = runs[Int(runOfRule[index])]
        if run.isValid {
          guard let match = run.firstMatch(context, from: index) else {
            index = run.range.upperBound
            continue
          }
          if run.decides(match) { return match }
          index = match
        }
      }
      guard let condition = rules[index].condition else { return index }
      if condition.evaluate(context) == .pass { return index }
      index += 1
    }
    return nil
  }

  private func prepare(_ context: RuleContext) {
    if context.waitingEntity != nil { context.waitingEntity = nil }
    switch kind {
    case .connection, .request:
      context.isResponseSide = false
      context.evaluationIsFinal = true
    case .requestContent:
      context.isResponseSide = false
      context.evaluationIsFinal = context.payloadIsFinal
    case .response:
      context.isResponseSide = true
      context.evaluationIsFinal = true
    case .responseContent:
      context.isResponseSide = true
      context.evaluationIsFinal = context.responsePayloadIsFinal
    }
  }
}
