import Base

/// A named or anonymous test: true when any of its expressions matches.
final class ACL: Sendable {
  /// Empty for an anonymous one.
  let name: String
  let expressions: [ACLExpression]

  /// The expression of the usual ACL, which has only one.
  private let only: Unmanaged<ACLExpression>?

  init(name: String, expressions: [ACLExpression]) {
    self.name = name
    self.expressions = expressions
    only = expressions.count == 1 ? .passUnretained(expressions[0]) : nil
  }

  func evaluate(_ context: RuleContext) -> Truth {
    if let only { return only._withUnsafeGuaranteedRef { $0.evaluate(context) } }
    var result = Truth.fail
    for expression in expressions {
      result = result.or(expression.evaluate(context))
      if result == .pass { return result }
    }
    return result
  }
}

/// One `acl` line: a sample and the patterns that it is held against.
final class ACLExpression: Sendable {
  let sample: SampleExpression
  let patterns: PatternSet
  /// The keyword as written, for messages.
  let keyword: String
  /// Equal for expressions that look at the same sample in the same way.
  let key: String

  init(sample: SampleExpression, patterns: PatternSet, keyword: String, key: String) {
    self.sample = sample
    self.patterns = patterns
    self.keyword = keyword
    self.key = key
  }

  func evaluate(_ context: RuleContext) -> Truth {
    context.mayChange = false
    let matched: Bool
    if sample.isMultiple {
      matched = sample.forEach(context) { patterns.matches($0, context) }
    } else if let value = sample.evaluate(context) {
      matched = patterns.matches(value, context)
    } else {
      matched = false
    }
    if matched { return .pass }
    return context.mayChange && !context.evaluationIsFinal ? .miss : .fail
  }
}
