import Base

/// Reads the PCRE syntax that configurations use. What needs backtracking (back-references, look-around,
/// possessive and atomic groups) is refused by name.
struct RegexParser {
  private let pattern: Bytes
  private var index = 0
  private(set) var groupCount = 0
  private var flags: Flags
  private var depth = 0

  private struct Flags {
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

  private func failure(_ what: String) -> RuleError {
    RuleError("regex '\(pattern.string)' is invalid (error=\(what), position \(index))")
  }

  private func unsupported(_ what: String) -> RuleError {
    RuleError("regex '\(pattern.string)': \(what) are not supported, because matching must take linear time")
  }

  private var next: UInt8? { index < pattern.count ? pattern[index] : nil }

  private mutating func accept(_ c: Character) -> Bool {
    guard let ascii = c.asciiValue, next == ascii else { return false }
    index += 1
    return true
  }

  private mutating func accept(text: String) -> Bool {
    let octets = Bytes(text)
    guard pattern.dropFirst(index).starts(with: octets) else { return false }
    index += octets.count
    return true
  }

  private mutating func alternatives() throws(RuleError) -> RegexNode {
    depth += 1
    defer { depth -= 1 }
    guard depth <= RegexParser.deepest else { throw failure("groups are nested too deeply") }
    let saved = flags
    defer { flags = saved }
    var all = [try sequence()]
    while accept("|") { all.append(try sequence()) }
    return all.count == 1 ? all[0] : .alternatives(all)
  }

  private mutating func sequence() throws(RuleError) -> RegexNode {
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

  private mutating func quantified(_ atom: RegexNode) throws(RuleError) -> RegexNode {
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
  private mutating func braces() throws(RuleError) -> (Int, Int?)? {
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

  private mutating func atom() throws(RuleError) -> RegexNode? {
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

  private func folded(_ set: ByteSet) -> ByteSet { flags.ignoresCase ? set.folded : set }

  private mutating func group() throws(RuleError) -> RegexNode? {
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
  private mutating func inlineFlags() throws(RuleError) -> RegexNode? {
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

  private mutating func escape() throws(RuleError) -> RegexNode? {
    guard let c = next else { throw failure("\\ at end of pattern") }
    switch c {
    case 0x62: return advance(.assertion(.wordBoundary))
    case 0x42: return advance(.assertion(.noWordBoundary))
    case 0x41: return advance(.assertion(.start))
    case 0x5A: return advance(.assertion(.end))
    case 0x7A: return advance(.assertion(.absoluteEnd))
    case 0x51:
      index += 1
      var parts: [RegexNode] = []
      while index < pattern.count, !pattern.dropFirst(index).starts(with: "\\E") {
        parts.append(.set(folded(ByteSet([pattern[index]]))))
        index += 1
      }
      _ = accept(text: "\\E")
      return parts.isEmpty ? nil : .sequence(parts)
    case 0x45:
      index += 1
      return nil
    case 0x31...0x39, 0x67, 0x6B: throw unsupported("back-references")
    default: return .set(folded(try escapedSet()))
    }
  }

  private mutating func advance(_ node: RegexNode) -> RegexNode {
    index += 1
    return node
  }

  /// What stands behind a backslash, inside or outside of a class.
  private mutating func escapedSet() throws(RuleError) -> ByteSet {
    guard let c = next else { throw failure("\\ at end of pattern") }
    index += 1
    switch c {
    case 0x64: return .digits
    case 0x44: return ByteSet.digits.inverted
    case 0x77: return .word
    case 0x57: return ByteSet.word.inverted
    case 0x73: return .space
    case 0x53: return ByteSet.space.inverted
    case 0x68: return ByteSet([9, 32])
    case 0x48: return ByteSet([9, 32]).inverted
    case 0x52: return ByteSet([10, 11, 12, 13])
    case 0x4E: return ByteSet.newline.inverted
    case 0x6E: return ByteSet([10])
    case 0x72: return ByteSet([13])
    case 0x74: return ByteSet([9])
    case 0x66: return ByteSet([12])
    case 0x76: return ByteSet([11])
    case 0x61: return ByteSet([7])
    case 0x65: return ByteSet([27])
    case 0x78: return ByteSet([try hexEscape()])
    case 0x30:
      var value = 0
      while let digit = next, (0x30...0x37).contains(digit), value < 32 {
        value = value * 8 + Int(digit - 0x30)
        index += 1
      }
      return ByteSet([UInt8(truncatingIfNeeded: value)])
    case 0x70, 0x50, 0x58: throw unsupported("Unicode properties")
    default: return ByteSet([c])
    }
  }

  private mutating func hexEscape() throws(RuleError) -> UInt8 {
    let isBraced = accept("{")
    var value = 0
    var digits = 0
    while let c = next, let digit = ASCII.hexValue(c), digits < 2 || isBraced, value < 256 {
      value = value * 16 + Int(digit)
      digits += 1
      index += 1
    }
    if isBraced, !accept("}") { throw failure("missing } in \\x{}") }
    guard value < 256 else { throw failure("character value in \\x{} is too large") }
    return UInt8(value)
  }

  private mutating func characterClass() throws(RuleError) -> ByteSet {
    let isNegated = accept("^")
    var set = ByteSet()
    var isFirst = true
    while let c = next {
      if c == 0x5D, !isFirst {
        index += 1
        // Case is folded before the inversion: [^a] with (?i) excludes both cases.
        if flags.ignoresCase { set = set.folded }
        return isNegated ? set.inverted : set
      }
      isFirst = false
      if c == 0x5B, let named = try posixClass() {
        set = set.union(named)
        continue
      }
      index += 1
      var low = ByteSet([c])
      var lowOctet: UInt8? = c
      if c == 0x5C { (low, lowOctet) = try classEscape() }
      if let start = lowOctet, next == 0x2D, index + 1 < pattern.count, pattern[index + 1] != 0x5D {
        index += 1
        guard let end = try rangeEnd() else {
          set = set.union(low).union(ByteSet([0x2D]))
          continue
        }
        guard start <= end else { throw failure("range out of order in character class") }
        set = set.union(ByteSet(start...end))
      } else {
        set = set.union(low)
      }
    }
    throw failure("missing terminating ] for character class")
  }

  private mutating func classEscape() throws(RuleError) -> (ByteSet, UInt8?) {
    if next == 0x62 {
      index += 1
      return (ByteSet([8]), 8)
    }
    let set = try escapedSet()
    let members = (UInt8.min...UInt8.max).filter(set.contains)
    return (set, members.count == 1 ? members[0] : nil)
  }

  private mutating func rangeEnd() throws(RuleError) -> UInt8? {
    guard let c = next else { return nil }
    if c == 0x5C {
      let start = index
      index += 1
      let (_, octet) = try classEscape()
      if octet == nil { index = start }
      return octet
    }
    index += 1
    return c
  }

  private mutating func posixClass() throws(RuleError) -> ByteSet? {
    guard index + 1 < pattern.count, pattern[index + 1] == 0x3A,
      let close = TextSearch.index(of: ":]", in: pattern, from: index + 2, folding: false)
    else { return nil }
    var name = pattern[(index + 2)..<close].string
    let isNegated = name.hasPrefix("^")
    if isNegated { name.removeFirst() }
    let set: ByteSet
    switch name {
    case "alpha": set = ByteSet((UInt8.min...127).filter(ASCII.isAlpha))
    case "digit": set = .digits
    case "alnum": set = ByteSet((UInt8.min...127).filter { ASCII.isAlpha($0) || ASCII.isDigit($0) })
    case "upper": set = ByteSet(0x41...0x5A)
    case "lower": set = ByteSet(0x61...0x7A)
    case "space": set = .space
    case "blank": set = ByteSet([9, 32])
    case "punct":
      set = ByteSet((UInt8(33)...126).filter { !ASCII.isAlpha($0) && !ASCII.isDigit($0) })
    case "xdigit": set = ByteSet((UInt8.min...127).filter { ASCII.hexValue($0) != nil })
    case "cntrl": set = ByteSet((UInt8.min...127).filter { $0 < 32 || $0 == 127 })
    case "print": set = ByteSet(32...126)
    case "graph": set = ByteSet(33...126)
    case "word": set = .word
    case "ascii": set = ByteSet(0...127)
    default: throw failure("unknown POSIX class name")
    }
    index = close + 2
    return isNegated ? set.inverted : set
  }
}
