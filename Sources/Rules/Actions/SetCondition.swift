import Base

/// The conditions of `set-var(name,cond...)`: all must hold for the variable to be set.
struct SetConditions: Sendable {
  enum Kind: String, CaseIterable, Sendable {
    case ifexists, ifnotexists, ifempty, ifnotempty, ifset, ifnotset, ifgt, iflt
  }

  let kinds: [Kind]

  static let none = SetConditions(kinds: [])

  private init(kinds: [Kind]) { self.kinds = kinds }

  init(_ words: [Bytes]) throws(RuleError) {
    var kinds: [Kind] = []
    for word in words {
      guard let kind = Kind(rawValue: word.string) else {
        throw RuleError(
          "invalid condition '\(word.string)'",
          suggestion: Suggestions.nearest(word.string, Kind.allCases.map(\.rawValue)),
          expected: Kind.allCases.map(\.rawValue).joined(separator: ", "))
      }
      kinds.append(kind)
    }
    self.kinds = kinds
  }

  /// Whether `variable` may take `value`.
  func hold(_ value: Sample?, _ variable: Variable, _ context: RuleContext) -> Bool {
    if kinds.isEmpty { return true }
    let old = variable.get(context)
    return kinds.allSatisfy { SetConditions.holds($0, value, old, isProcess: variable.scope == .proc) }
  }

  private static func holds(_ kind: Kind, _ new: Sample?, _ old: Sample?, isProcess: Bool) -> Bool {
    switch kind {
    // Variables of the process exist from the start, whether they are set or not.
    case .ifexists: isProcess || old != nil
    case .ifnotexists: !isProcess && old == nil
    case .ifempty: isEmpty(new)
    case .ifnotempty: !isEmpty(new)
    case .ifset: old != nil
    case .ifnotset: old == nil
    case .ifgt: compare(old, new).map { $0 > 0 } ?? true
    case .iflt: compare(old, new).map { $0 < 0 } ?? true
    }
  }

  /// Numbers are never empty.
  private static func isEmpty(_ sample: Sample?) -> Bool {
    switch sample {
    case nil: true
    case .string(let bytes)?, .binary(let bytes)?, .method(let bytes)?: bytes.isEmpty
    default: false
    }
  }

  /// Only integers are compared; for all other values the condition holds.
  private static func compare(_ a: Sample?, _ b: Sample?) -> Int? {
    guard case .int(let x)? = a, case .int(let y)? = b else { return nil }
    return x < y ? -1 : x > y ? 1 : 0
  }
}
