import Base

/// A deterministic automaton that tells only whether a pattern matches: one table look-up an octet. It is built
/// when the configuration is loaded, and only when it stays small.
struct RegexAutomaton: Sendable {
  /// The class of each octet: octets that no set tells apart share one.
  private let classes: [UInt8]
  private let classCount: Int
  /// `state * classCount + class` to state; state 0 is dead, and `matched` has matched already.
  private let table: [UInt16]
  /// Whether the pattern matches when the text ends in a state.
  private let matchesAtEnd: [Bool]
  /// Whether a line feed at the end of a text makes a difference that the automaton does not see.
  private var seesLineFeed = false

  private static let initial = 1
  private static let matched: UInt16 = 0xFFFF
  private static let mostStates = 300

  /// nil when the pattern needs more than an automaton of this size can tell.
  init?(_ program: RegexProgram) {
    guard program.code.count <= 400 else { return nil }
    for case .assertion(let kind) in program.code {
      switch kind {
      case .start, .absoluteEnd: continue
      case .end: seesLineFeed = true
      default: return nil
      }
    }
    (classes, classCount) = RegexAutomaton.classes(program.sets)
    var representatives = [UInt8](repeating: 0, count: classCount)
    for octet in (UInt8.min...UInt8.max).reversed() { representatives[Int(classes[Int(octet)])] = octet }

    var numbers: [[Int]: UInt16] = [[]: 0]
    var states: [[Int]] = [[]]
    var table: [UInt16] = Array(repeating: 0, count: classCount)
    var atEnd = [false]
    let first = Closure.of([0], program, atStart: true)
    if first.isMatch { return nil }
    states.append(first.states)
    // The start state is kept apart: only there do start assertions hold.
    var index = 1
    atEnd.append(RegexAutomaton.endMatch(first.states, program, atStart: true))
    let restart = Closure.of([0], program, atStart: false)
    while index < states.count {
      for octet in representatives {
        var next = Closure(program, atStart: false)
        for state in states[index] {
          if case .set(let set) = program.code[state], program.sets[set].contains(octet) {
            next.add(state + 1)
          }
        }
        // A match may begin at every place.
        for state in restart.states { next.insert(state) }
        if next.isMatch || restart.isMatch {
          table.append(RegexAutomaton.matched)
          continue
        }
        let key = next.states.sorted()
        if let known = numbers[key] {
          table.append(known)
        } else {
          guard states.count < RegexAutomaton.mostStates else { return nil }
          numbers[key] = UInt16(states.count)
          table.append(UInt16(states.count))
          states.append(key)
          atEnd.append(RegexAutomaton.endMatch(key, program, atStart: false))
        }
      }
      index += 1
    }
    self.table = table
    matchesAtEnd = atEnd
  }

  /// nil when it takes the machine to tell.
  func matches(_ text: borrowing Span<UInt8>) -> Bool? {
    if seesLineFeed, text.count > 0, text[text.count - 1] == ASCII.lf { return nil }
    var state = RegexAutomaton.initial
    for i in 0..<text.count {
      let next = table[state * classCount + Int(classes[Int(text[i])])]
      if next == RegexAutomaton.matched { return true }
      if next == 0 { return false }
      state = Int(next)
    }
    return matchesAtEnd[state]
  }

  private static func classes(_ sets: [ByteSet]) -> ([UInt8], Int) {
    var numbers: [[Bool]: UInt8] = [:]
    var classes: [UInt8] = []
    for octet in UInt8.min...UInt8.max {
      let signature = sets.map { $0.contains(octet) }
      let number = numbers[signature] ?? UInt8(numbers.count)
      numbers[signature] = number
      classes.append(number)
    }
    return (classes, numbers.count)
  }

  private static func endMatch(_ states: [Int], _ program: RegexProgram, atStart: Bool) -> Bool {
    var closure = Closure(program, atStart: atStart)
    closure.atEnd = true
    for state in states { closure.revisit(state) }
    closure.add(0)
    return closure.isMatch
  }

  /// The instructions that can be reached without reading an octet.
  private struct Closure {
    private let program: RegexProgram
    private let atStart: Bool
    var atEnd = false
    private var seen: [Bool]
    private(set) var states: [Int] = []
    private(set) var isMatch = false

    init(_ program: RegexProgram, atStart: Bool) {
      self.program = program
      self.atStart = atStart
      seen = Array(repeating: false, count: program.code.count)
    }

    static func of(_ starts: [Int], _ program: RegexProgram, atStart: Bool) -> Closure {
      var closure = Closure(program, atStart: atStart)
      for start in starts { closure.add(start) }
      return closure
    }

    mutating func insert(_ state: Int) {
      if !seen[state] {
        seen[state] = true
        states.append(state)
      }
    }

    /// Goes on from a state that waits for an octet or for the end.
    mutating func revisit(_ state: Int) { add(state) }

    mutating func add(_ start: Int) {
      var stack = [start]
      while let state = stack.popLast() {
        guard !seen[state] else { continue }
        seen[state] = true
        switch program.code[state] {
        case .set: states.append(state)
        case .split(let a, let b): stack += [b, a]
        case .jump(let target): stack.append(target)
        case .save: stack.append(state + 1)
        case .match: isMatch = true
        case .assertion(let kind):
          if kind == .start {
            if atStart { stack.append(state + 1) }
          } else if atEnd {
            stack.append(state + 1)
          } else {
            // Kept: the end of the text may come here.
            states.append(state)
          }
        }
      }
    }
  }
}
