import Base

/// Memory that matching reuses between calls.
struct RegexScratch: Sendable {
  init() {}
}

/// A compiled regular expression; immutable, shared by all workers.
final class RegularExpression: Sendable {
  static func compile(_ pattern: Bytes, ignoresCase: Bool) throws(RuleError) -> RegularExpression {
    throw RuleError("regular expressions are not supported yet")
  }
  func matches(_ text: borrowing Span<UInt8>, _ scratch: inout RegexScratch) -> Bool { false }
}
