import Base

/// The rules of one kind of one proxy, in order; immutable, shared by all workers.
public struct RuleSet: Sendable {
  /// What is being looked at, and whether missing data may be waited for.
  enum Kind: Sendable { case connection, requestContent, request, responseContent, response }

  let rules: [Rule]
  /// Runs of equality or prefix tests on one sample, answered by one look-up each.
  let runs: [RuleRun]
  private let steps: [Step]
  let kind: Kind

  /// A rule as it is evaluated: `rules` and `runs` keep the objects alive, so that no count need be kept here.
  private struct Step: Sendable {
    let rule: Unmanaged<Rule>
    let condition: Unmanaged<Condition>?
    /// The run that the rule belongs to.
    let run: Unmanaged<RuleRun>?
  }

  init(kind: Kind = .request, rules: [Rule] = []) {
    self.kind = kind
    self.rules = rules
    let runs = kind == .requestContent || kind == .responseContent ? [] : RuleRun.find(in: rules)
    self.runs = runs
    var runOfRule: [RuleRun?] = Array(repeating: nil, count: rules.count)
    for run in runs {
      for index in run.range { runOfRule[index] = run }
    }
    steps = zip(rules, runOfRule).map { rule, run in
      Step(
        rule: .passUnretained(rule), condition: rule.condition.map { .passUnretained($0) },
        run: run.map { .passUnretained($0) })
    }
  }

  public var isEmpty: Bool { rules.isEmpty }
  public var count: Int { rules.count }

  /// Evaluates from the rule at `index` (0 at first). When the verdict asks to wait, `index` is where to go on.
  public func evaluate(_ context: RuleContext, resumingAt index: inout Int) -> Verdict {
    prepare(context)
    while index < steps.count {
      var isKnownToHold = false
      if let run = steps[index].run {
        switch jump(run, context, index) {
        case .none: break
        case .behind(let next):
          index = next
          continue
        case .to(let match, let isCertain):
          index = match
          isKnownToHold = isCertain
        }
      }
      let step = steps[index]
      if !isKnownToHold, let condition = step.condition {
        let truth = condition._withUnsafeGuaranteedRef { $0.evaluate(context) }
        if truth == .miss, !context.evaluationIsFinal {
          context.waitingEntity = .rule(rules[index].origin)
          return .needMoreData
        }
        if truth != .pass {
          index += 1
          continue
        }
      }
      index += 1
      if let verdict = step.rule._withUnsafeGuaranteedRef({ $0.body(context) }) {
        let origin = rules[index - 1].origin
        if verdict.waits { context.waitingEntity = .rule(origin) } else { context.lastRule = origin }
        if verdict.isRepeated { index -= 1 }
        return verdict
      }
    }
    return .next
  }

  /// What the run of a rule says of where to go on.
  private enum Jump {
    /// Nothing: somebody changed its patterns.
    case none
    /// No rule of it holds.
    case behind(Int)
    case to(Int, isCertain: Bool)
  }

  private func jump(_ run: Unmanaged<RuleRun>, _ context: RuleContext, _ index: Int) -> Jump {
    run._withUnsafeGuaranteedRef { run in
      guard run.isValid else { return .none }
      guard let match = run.firstMatch(context, from: index) else { return .behind(run.range.upperBound) }
      return .to(match, isCertain: run.decides(match))
    }
  }

  /// The index of the first rule whose condition holds, for rules that only choose.
  func firstMatch(_ context: RuleContext, from start: Int = 0) -> Int? {
    prepare(context)
    var index = start
    while index < steps.count {
      if let run = steps[index].run {
        switch jump(run, context, index) {
        case .none: break
        case .behind(let next):
          index = next
          continue
        case .to(let match, let isCertain):
          if isCertain { return match }
          index = match
        }
      }
      guard let condition = steps[index].condition else { return index }
      if condition._withUnsafeGuaranteedRef({ $0.evaluate(context) }) == .pass { return index }
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
