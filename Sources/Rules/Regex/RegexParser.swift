import Base

/// Reads the PCRE syntax that configurations use. What needs backtracking (back-references, look-around,
/// possessive and atomic groups) is refused by name.
struct RegexParser {
  let pattern: Bytes
  var index = 0
  private(set) var groupCount = 0
  var flags: Flags
  private var depth = 0

  struct Flags {
    var ignoresCase: Bool
    var dotMatchesAll = false
    var isMultiline = false
    var isExtended = false
  }

  private static let deepest = 100
  private static let longestRepetition = 1000

  init(_ pattern: Bytes, ignoresCase: Bool) {
    self.pattern = pattern
    flags = Flags(ignoresCase: ignoresCase)
  }

  mutating func parse() throws(RuleError) -> RegexNode {
    let node = try alternatives()
    if index < pattern.count { throw failure("unmatched closing parenthesis") }
    return node
  }

  func failure(_ what: String) -> RuleError {
    RuleError("regex '\(pattern.string)' is invalid (error=\(what), position \(index))")
  }

  func unsupported(_ what: String) -> RuleError {
    RuleError("regex '\(pattern.string)': \(what) are not supported, because matching must take linear time")
  }

  var next: UInt8? { index < pattern.count ? pattern[index] : nil }

  mutating func accept(_ c: Character) -> Bool {
    guard let ascii = c.asciiValue, next == ascii else { return false }
    index += 1
    return true
  }

  mutating func accept(text: String) -> Bool {
    let octets = Bytes(text)
    guard pattern.dropFirst(index).starts(with: octets) else { return false }
    index += octets.count
    return true
  }

  mutating func alternatives() throws(RuleError) -> RegexNode {
    depth += 1
    defer { depth -= 1 }
    guard depth <= RegexParser.deepest else { throw failure("groups are nested too deeply") }
    let saved = flags
    defer { flags = saved }
    var all = [try sequence()]
    while accept("|") { all.append(try sequence()) }
    return all.count == 1 ? all[0] : .alternatives(all)
  }

  mutating func sequence() throws(RuleError) -> RegexNode {
    var parts: [RegexNode] = []
    while let c = next, c != 0x7C, c != 0x29 {
      if flags.isExtended, c == ASCII.space || c == ASCII.tab || c == ASCII.lf {
        index += 1
        continue
      }
      guard let atom = try atom() else { continue }
      parts.append(try quantified(atom))
    }
    return parts.count == 1 ? parts[0] : parts.isEmpty ? .empty : .sequence(parts)
  }

  mutating func quantified(_ atom: RegexNode) throws(RuleError) -> RegexNode {
    var node = atom
    while let c = next {
      let bounds: (Int, Int?)
      switch c {
      case 0x2A: bounds = (0, nil)
      case 0x2B: bounds = (1, nil)
      case 0x3F: bounds = (0, 1)
      case 0x7B:
        guard let parsed = try braces() else { return node }
        bounds = parsed
        index -= 1
      default: return node
      }
      index += 1
      let isLazy = accept("?")
      if !isLazy, next == 0x2B { throw unsupported("possessive quantifiers") }
      if case .assertion = node, bounds.0 == 0 { node = .empty }
      node = .repetition(node, minimum: bounds.0, maximum: bounds.1, isGreedy: !isLazy)
    }
    return node
  }

  /// `{n}`, `{n,}`, `{n,m}`; anything else in braces is literal.
  mutating func braces() throws(RuleError) -> (Int, Int?)? {
    guard let close = pattern.firstIndex(of: 0x7D, from: index) else { return nil }
    let parts = pattern[(index + 1)..<close].string.split(separator: ",", omittingEmptySubsequences: false)
    guard let first = parts.first, let low = Int(first), low >= 0, parts.count <= 2 else { return nil }
    var high: Int? = low
    if parts.count == 2 {
      if parts[1].isEmpty {
        high = nil
      } else if let value = Int(parts[1]) {
        high = value
      } else {
        return nil
      }
    }
    guard low <= RegexParser.longestRepetition, high ?? 0 <= RegexParser.longestRepetition else {
      throw failure("number too big in {} quantifier")
    }
    if let high, high < low { throw failure("numbers out of order in {} quantifier") }
    index = close + 1
    return (low, high)
  }

  mutating func atom() throws(RuleError) -> RegexNode? {
    guard let c = next else { return nil }
    index += 1
    switch c {
    case 0x28: return try group()
    case 0x5B: return .set(folded(try characterClass()))
    case 0x2E: return .set(flags.dotMatchesAll ? .all : ByteSet.newline.inverted)
    case 0x5E: return .assertion(flags.isMultiline ? .lineStart : .start)
    case 0x24: return .assertion(flags.isMultiline ? .lineEnd : .end)
    case 0x5C: return try escape()
    case 0x2A, 0x2B, 0x3F:
      index -= 1
      throw failure("quantifier does not follow a repeatable item")
    case 0x23 where flags.isExtended:
      while let c = next, c != ASCII.lf { index += c == ASCII.lf ? 0 : 1 }
      return nil
    default: return .set(folded(ByteSet([c])))
    }
  }

  func folded(_ set: ByteSet) -> ByteSet { flags.ignoresCase ? set.folded : set }

  mutating func group() throws(RuleError) -> RegexNode? {
    var isCapturing = true
    if accept("?") {
      isCapturing = false
      if accept(":") {
      } else if accept(text: "=") || accept(text: "!") || accept(text: "<=") || accept(text: "<!") {
        throw unsupported("look-ahead and look-behind assertions")
      } else if accept(">") {
        throw unsupported("atomic groups")
      } else if accept("#") {
        guard let close = pattern.firstIndex(of: 0x29, from: index) else {
          throw failure("missing closing parenthesis")
        }
        index = close + 1
        return nil
      } else if accept(text: "P<") || accept(text: "<") || accept(text: "'") {
        while let c = next, c != 0x3E, c != 0x27 { index += c == 0 ? 1 : 1 }
        guard next != nil else { throw failure("unterminated group name") }
        index += 1
        isCapturing = true
      } else if next == 0x50 || next == 0x26 || next == 0x52 || next.map(ASCII.isDigit) ?? false
        || next == 0x28
      {
        throw unsupported("recursion, conditions and named back-references")
      } else {
        return try inlineFlags()
      }
    } else if accept("*") {
      throw unsupported("backtracking verbs")
    }
    var number = 0
    if isCapturing {
      groupCount += 1
      number = groupCount
    }
    let node = try alternatives()
    guard accept(")") else { throw failure("missing closing parenthesis") }
    return isCapturing ? .group(node, index: number) : .sequence([node])
  }

  /// `(?i)` for the rest of the group, `(?i:...)` for its own content.
  mutating func inlineFlags() throws(RuleError) -> RegexNode? {
    var isOn = true
    var new = flags
    while let c = next {
      index += 1
      switch c {
      case 0x69: new.ignoresCase = isOn
      case 0x73: new.dotMatchesAll = isOn
      case 0x6D: new.isMultiline = isOn
      case 0x78: new.isExtended = isOn
      case 0x2D: isOn = false
      case 0x29:
        flags = new
        return nil
      case 0x3A:
        let saved = flags
        flags = new
        let node = try alternatives()
        flags = saved
        guard accept(")") else { throw failure("missing closing parenthesis") }
        return .sequence([node])
      default: throw failure("unrecognized character after (?")
      }
    }
    throw failure("missing closing parenthesis")
  }
}
