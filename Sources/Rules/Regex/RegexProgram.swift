/// One step of the matching machine.
enum RegexInstruction: Sendable {
  case set(Int)
  /// Both ways, the first preferred.
  case split(Int, Int)
  case jump(Int)
  case save(Int)
  case assertion(RegexAssertion)
  case match
}

/// The machine that a pattern becomes.
struct RegexProgram: Sendable {
  private(set) var code: [RegexInstruction] = []
  private(set) var sets: [ByteSet] = []
  private var numbers: [ByteSet: Int] = [:]
  /// Larger patterns are refused: the time of a match grows with the product of this and the text.
  private static let longest = 5000

  init(_ node: RegexNode) throws(RuleError) {
    try emit(.save(0))
    try compile(node)
    try emit(.save(1))
    try emit(.match)
  }

  private mutating func emit(_ instruction: RegexInstruction) throws(RuleError) {
    guard code.count < RegexProgram.longest else { throw RuleError("regular expression is too large") }
    code.append(instruction)
  }

  private mutating func compile(_ node: RegexNode) throws(RuleError) {
    switch node {
    case .empty: break
    case .set(let set):
      let number = numbers[set] ?? sets.count
      if number == sets.count {
        sets.append(set)
        numbers[set] = number
      }
      try emit(.set(number))
    case .sequence(let parts):
      for part in parts { try compile(part) }
    case .alternatives(let parts): try compile(alternatives: parts)
    case .group(let inner, let index):
      try emit(.save(index * 2))
      try compile(inner)
      try emit(.save(index * 2 + 1))
    case .assertion(let assertion): try emit(.assertion(assertion))
    case .repetition(let inner, let minimum, let maximum, let isGreedy):
      try compile(repeating: inner, minimum, maximum, isGreedy)
    }
  }

  private mutating func compile(alternatives parts: [RegexNode]) throws(RuleError) {
    var jumps: [Int] = []
    for (i, part) in parts.enumerated() {
      guard i < parts.count - 1 else {
        try compile(part)
        break
      }
      let split = code.count
      try emit(.match)
      try compile(part)
      jumps.append(code.count)
      try emit(.match)
      code[split] = .split(split + 1, code.count)
    }
    for jump in jumps { code[jump] = .jump(code.count) }
  }

  private mutating func compile(
    repeating inner: RegexNode, _ minimum: Int, _ maximum: Int?, _ isGreedy: Bool
  ) throws(RuleError) {
    for _ in 0..<minimum { try compile(inner) }
    guard let maximum else {
      let split = code.count
      try emit(.match)
      try compile(inner)
      try emit(.jump(split))
      code[split] = isGreedy ? .split(split + 1, code.count) : .split(code.count, split + 1)
      return
    }
    var splits: [Int] = []
    for _ in minimum..<max(minimum, maximum) {
      splits.append(code.count)
      try emit(.match)
      try compile(inner)
    }
    for split in splits {
      code[split] = isGreedy ? .split(split + 1, code.count) : .split(code.count, split + 1)
    }
  }
}
