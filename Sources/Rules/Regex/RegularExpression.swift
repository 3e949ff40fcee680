import Base

/// A compiled regular expression; immutable, shared by all workers. Matching takes time linear in the text.
final class RegularExpression: Sendable {
  private let program: RegexProgram
  private let automaton: RegexAutomaton?
  let groupCount: Int

  private init(program: RegexProgram, groupCount: Int) {
    self.program = program
    self.groupCount = groupCount
    automaton = RegexAutomaton(program)
  }

  static func compile(_ pattern: Bytes, ignoresCase: Bool) throws(RuleError) -> RegularExpression {
    guard pattern.count <= 4096 else { throw RuleError("regular expression is too large") }
    var parser = RegexParser(pattern, ignoresCase: ignoresCase)
    let node = try parser.parse()
    return RegularExpression(program: try RegexProgram(node), groupCount: parser.groupCount)
  }

  /// Whether the pattern matches anywhere in the text.
  func matches(_ text: borrowing Span<UInt8>, _ scratch: inout RegexScratch) -> Bool {
    if let automaton, let answer = automaton.matches(text) { return answer }
    return RegexMachine(program: program, slots: 0).run(text, from: 0, &scratch) != nil
  }

  /// The offsets of the match and its groups, two for each; -1 where a group took no part.
  func captures(_ text: Bytes, from start: Int = 0, _ scratch: inout RegexScratch) -> [Int32]? {
    if start == 0, let automaton, automaton.matches(text.span) == false { return nil }
    return RegexMachine(program: program, slots: (groupCount + 1) * 2).run(text.span, from: start, &scratch)
  }

  /// The text with its first match, or all of them, replaced.
  func replacing(_ text: Bytes, with template: Bytes, all: Bool, _ scratch: inout RegexScratch) -> [UInt8] {
    var out: [UInt8] = []
    var position = 0
    while position <= text.count, let captures = captures(text, from: position, &scratch) {
      let start = Int(captures[0])
      let end = Int(captures[1])
      out.append(text[position..<start])
      out.append(RegexTemplate.expand(template, text, captures))
      position = end
      if end == start {
        // An empty match moves on by one octet, so that it is not found for ever.
        if position < text.count { out.append(text[position]) }
        position += 1
      }
      if !all { break }
    }
    if position < text.count { out.append(text.dropFirst(position)) }
    return out
  }
}

/// Replacement text with `\0` to `\9` for what was captured.
enum RegexTemplate {
  static func expand(_ template: Bytes, _ text: Bytes, _ captures: [Int32]) -> Bytes {
    guard template.firstIndex(of: 0x5C) != nil else { return template }
    var out: [UInt8] = []
    var i = 0
    while i < template.count {
      let c = template[i]
      guard c == 0x5C, i + 1 < template.count else {
        out.append(c)
        i += 1
        continue
      }
      let next = template[i + 1]
      i += 2
      if ASCII.isDigit(next) {
        let slot = Int(next &- 0x30) * 2
        if slot + 1 < captures.count, captures[slot] >= 0, captures[slot + 1] >= captures[slot] {
          out.append(text[Int(captures[slot])..<Int(captures[slot + 1])])
        }
      } else if next == 0x78, i + 1 < template.count, let high = ASCII.hexValue(template[i]),
        let low = ASCII.hexValue(template[i + 1])
      {
        out.append(high << 4 | low)
        i += 2
      } else {
        out.append(next)
      }
    }
    return Bytes(out)
  }
}
