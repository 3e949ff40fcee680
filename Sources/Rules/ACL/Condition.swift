import Base

/// Three-valued truth: a criterion may lack data that is still to come.
struct Truth: Equatable, Sendable {
  let bits: UInt8
  static let fail = Truth(bits: 0)
  /// Not decided yet: more data may change it.
  static let miss = Truth(bits: 1)
  static let pass = Truth(bits: 3)

  @inline(__always) func and(_ other: Truth) -> Truth { Truth(bits: bits & other.bits) }
  @inline(__always) func or(_ other: Truth) -> Truth { Truth(bits: bits | other.bits) }
  @inline(__always) var negated: Truth { Truth(bits: 3 >> bits) }
}

/// What follows `if` or `unless`: alternatives of conjunctions of ACLs. Immutable, shared by all workers.
public final class Condition: Sendable {
  struct Term: Sendable {
    let acl: ACL
    let isNegated: Bool
    /// The last term of its conjunction.
    let endsConjunction: Bool
  }

  let terms: [Term]
  /// `unless`.
  let isNegated: Bool

  init(terms: [Term], isNegated: Bool) {
    self.terms = terms
    self.isNegated = isNegated
  }

  /// Whether the condition holds, with data that is missing counted as absent.
  public func holds(_ context: RuleContext) -> Bool {
    let saved = context.evaluationIsFinal
    context.evaluationIsFinal = true
    defer { context.evaluationIsFinal = saved }
    return evaluate(context) == .pass
  }

  func evaluate(_ context: RuleContext) -> Truth {
    var result = Truth.fail
    var conjunction = Truth.pass
    var index = 0
    while index < terms.count {
      let acl = terms[index].acl
      let truth = acl.evaluate(context)
      conjunction = conjunction.and(terms[index].isNegated ? truth.negated : truth)
      if conjunction == .fail {
        while index < terms.count, !terms[index].endsConjunction { index += 1 }
      }
      if index < terms.count, terms[index].endsConjunction {
        result = result.or(conjunction)
        if result == .pass { break }
        conjunction = .pass
      }
      index += 1
    }
    if result == .miss { return .miss }
    return isNegated ? result.negated : result
  }
}
