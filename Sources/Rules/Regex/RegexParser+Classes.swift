import Base

/// Escapes and character classes.
extension RegexParser {
  mutating func escape() throws(RuleError) -> RegexNode? {
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

  mutating func advance(_ node: RegexNode) -> RegexNode {
    index += 1
    return node
  }

  /// What stands behind a backslash, inside or outside of a class.
  mutating func escapedSet() throws(RuleError) -> ByteSet {
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

  mutating func hexEscape() throws(RuleError) -> UInt8 {
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

  mutating func characterClass() throws(RuleError) -> ByteSet {
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

  mutating func classEscape() throws(RuleError) -> (ByteSet, UInt8?) {
    if next == 0x62 {
      index += 1
      return (ByteSet([8]), 8)
    }
    let set = try escapedSet()
    let members = (UInt8.min...UInt8.max).filter(set.contains)
    return (set, members.count == 1 ? members[0] : nil)
  }

  mutating func rangeEnd() throws(RuleError) -> UInt8? {
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

  mutating func posixClass() throws(RuleError) -> ByteSet? {
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
