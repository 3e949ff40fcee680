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

  /// A term as it is evaluated: `terms` keeps the ACL alive, so that no count need be kept here.
  private struct Step: Sendable {
    let acl: Unmanaged<ACL>
    let isNegated: Bool
    let endsConjunction: Bool
  }

  let terms: [Term]
  private let steps: [Step]
  /// `unless`.
  let isNegated: Bool

  init(terms: [Term], isNegated: Bool) {
    self.terms = terms
    steps = terms.map {
      Step(acl: .passUnretained($0.acl), isNegated: $0.isNegated, endsConjunction: $0.endsConjunction)
    }
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
    while index < steps.count {
      let truth = steps[index].acl._withUnsafeGuaranteedRef { $0.evaluate(context) }
      conjunction = conjunction.and(steps[index].isNegated ? truth.negated : truth)
      if conjunction == .fail {
        while index < steps.count, !steps[index].endsConjunction { index += 1 }
      }
      if index < steps.count, steps[index].endsConjunction {
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
