import Base

/// Memory that matching reuses between calls.
struct RegexScratch: Sendable {
  struct Threads: Sendable {
    var dense: [Int] = []
    var mark: [Int32] = []
    var captures: [Int32] = []
  }
  var current = Threads()
  var next = Threads()
  var stack: [(state: Int, slot: Int, old: Int32)] = []
  var captures: [Int32] = []
  var generation: Int32 = 0

  init() {}
}

/// Runs a program over a text with all its alternatives in step (Pike's machine): the time is bounded by the
/// product of their lengths, whatever the text.
struct RegexMachine {
  let program: RegexProgram
  let slots: Int

  /// The captures as pairs of offsets (-1 where a group took no part), leftmost match with PCRE's preferences.
  func run(_ text: borrowing Span<UInt8>, from start: Int, _ scratch: inout RegexScratch) -> [Int32]? {
    prepare(&scratch)
    var best: [Int32]?
    var position = start
    while true {
      if scratch.current.dense.isEmpty, best != nil { break }
      if best == nil {
        for i in 0..<slots { scratch.captures[i] = -1 }
        add(0, text, position, &scratch, toNext: false)
      }
      scratch.generation += 1
      scratch.next.dense.removeAll(keepingCapacity: true)
      step(text, position, &scratch, &best)
      swap(&scratch.current, &scratch.next)
      if position >= text.count { break }
      position += 1
    }
    return best
  }

  private func prepare(_ scratch: inout RegexScratch) {
    let count = program.code.count
    if scratch.generation > Int32.max / 2 || scratch.current.mark.count < count
      || scratch.next.mark.count < count
    {
      scratch.current.mark = Array(repeating: -1, count: count)
      scratch.next.mark = Array(repeating: -1, count: count)
      scratch.generation = 0
    }
    if scratch.current.captures.count < count * slots {
      scratch.current.captures = Array(repeating: -1, count: count * slots)
    }
    if scratch.next.captures.count < count * slots {
      scratch.next.captures = Array(repeating: -1, count: count * slots)
    }
    if scratch.captures.count < slots { scratch.captures = Array(repeating: -1, count: slots) }
    scratch.current.dense.removeAll(keepingCapacity: true)
    scratch.next.dense.removeAll(keepingCapacity: true)
    scratch.generation += 1
  }

  private func step(
    _ text: borrowing Span<UInt8>, _ position: Int, _ scratch: inout RegexScratch, _ best: inout [Int32]?
  ) {
    var index = 0
    while index < scratch.current.dense.count {
      let state = scratch.current.dense[index]
      index += 1
      switch program.code[state] {
      case .set(let set):
        guard position < text.count, program.sets[set].contains(text[position]) else { continue }
        for i in 0..<slots { scratch.captures[i] = scratch.current.captures[state * slots + i] }
        add(state + 1, text, position + 1, &scratch, toNext: true)
      case .match:
        best = Array(scratch.current.captures[(state * slots)..<(state * slots + slots)])
        // Threads behind this one are preferred less.
        return
      default: continue
      }
    }
  }

  /// Adds a thread and all that it reaches without reading, in order of preference.
  private func add(
    _ start: Int, _ text: borrowing Span<UInt8>, _ position: Int, _ scratch: inout RegexScratch, toNext: Bool
  ) {
    let generation = scratch.generation
    scratch.stack.removeAll(keepingCapacity: true)
    scratch.stack.append((start, -1, 0))
    while let (state, slot, old) = scratch.stack.popLast() {
      if slot >= 0 {
        scratch.captures[slot] = old
        continue
      }
      let mark = toNext ? scratch.next.mark[state] : scratch.current.mark[state]
      // Each list is filled in one generation: the current one in that before the next one's.
      if mark == generation { continue }
      if toNext { scratch.next.mark[state] = generation } else { scratch.current.mark[state] = generation }
      switch program.code[state] {
      case .jump(let target): scratch.stack.append((target, -1, 0))
      case .split(let first, let second):
        scratch.stack.append((second, -1, 0))
        scratch.stack.append((first, -1, 0))
      case .save(let slot):
        if slot < slots {
          scratch.stack.append((0, slot, scratch.captures[slot]))
          scratch.captures[slot] = Int32(truncatingIfNeeded: position)
        }
        scratch.stack.append((state + 1, -1, 0))
      case .assertion(let kind):
        if RegexMachine.holds(kind, text, position) { scratch.stack.append((state + 1, -1, 0)) }
      case .set, .match:
        if toNext {
          scratch.next.dense.append(state)
          for i in 0..<slots { scratch.next.captures[state * slots + i] = scratch.captures[i] }
        } else {
          scratch.current.dense.append(state)
          for i in 0..<slots { scratch.current.captures[state * slots + i] = scratch.captures[i] }
        }
      }
    }
  }

  private static func holds(_ kind: RegexAssertion, _ text: borrowing Span<UInt8>, _ position: Int) -> Bool {
    switch kind {
    case .start: return position == 0
    case .lineStart: return position == 0 || text[position - 1] == ASCII.lf
    case .absoluteEnd: return position == text.count
    case .end: return position == text.count || (position == text.count - 1 && text[position] == ASCII.lf)
    case .lineEnd: return position == text.count || text[position] == ASCII.lf
    case .wordBoundary, .noWordBoundary:
      let before = position > 0 && ByteSet.word.contains(text[position - 1])
      let after = position < text.count && ByteSet.word.contains(text[position])
      return (before != after) == (kind == .wordBoundary)
    }
  }
}
