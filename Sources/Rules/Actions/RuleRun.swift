import Base
import Synchronization

/// A run of neighbouring rules whose conditions each test the same sample for equality with some strings, or for
/// beginning with one of them: one hash look-up (or one for each length of prefix) finds the first that holds,
/// however many there are. Where a condition tests other things besides, it finds the first that may hold.
final class RuleRun: Sendable {
  let range: Range<Int>
  private let sample: SampleExpression
  private let table: StringTable
  /// For each string, the rules (ascending) whose condition names it.
  private let rulesOfKey: [[Int32]]
  /// Somebody has changed the patterns of one of the rules: they are tested one by one from then on.
  private let isOutdated = Atomic<Bool>(false)
  /// The distinct lengths of prefixes; nil when whole strings are compared.
  private let lengths: [Int]?
  /// For each rule, whether the look-up alone decides.
  private let isWhole: [Bool]

  private init(
    range: Range<Int>, sample: SampleExpression, table: StringTable, rulesOfKey: [[Int32]], lengths: [Int]?,
    isWhole: [Bool]
  ) {
    self.lengths = lengths
    self.isWhole = isWhole
    self.range = range
    self.sample = sample
    self.table = table
    self.rulesOfKey = rulesOfKey
  }

  var isValid: Bool { !isOutdated.load(ordering: .acquiring) }

  /// Whether the condition of `rule`, which `firstMatch` gave, holds for certain.
  func decides(_ rule: Int) -> Bool { isWhole[rule - range.lowerBound] }

  /// The first rule at or after `start` whose condition holds, or may hold.
  func firstMatch(_ context: RuleContext, from start: Int) -> Int? {
    var best = Int.max
    _ = sample.forEach(context) { value in
      guard case .string(let text)? = value.cast(to: .string) else { return false }
      if let lengths {
        for length in lengths where length <= text.count { note(text.prefix(length), start, &best) }
      } else {
        note(text, start, &best)
      }
      return best == start
    }
    return best < range.upperBound ? best : nil
  }

  /// The first rule from `start` on that names `text`, if it comes before `best`.
  @inline(__always)
  private func note(_ text: Bytes, _ start: Int, _ best: inout Int) {
    guard let key = table.find(text) else { return }
    for rule in rulesOfKey[key] where Int(rule) >= start {
      best = min(best, Int(rule))
      return
    }
  }

  /// Below this length testing one by one is as quick.
  private static let shortest = 3

  static func find(in rules: [Rule]) -> [RuleRun] {
    let tests = rules.map { Test.all(in: $0) }
    var runs: [RuleRun] = []
    var index = 0
    while index < rules.count {
      var longest: [Test] = []
      for first in tests[index] {
        let chosen = tests[index...].lazy.map { $0.first { $0.key == first.key } }.prefix { $0 != nil }
        let run = chosen.compactMap { $0 }
        if run.count > longest.count { longest = Array(run) }
      }
      if longest.count >= shortest { runs.append(make(longest, from: index)) }
      index += longest.count >= shortest ? longest.count : 1
    }
    return runs
  }

  private static func make(_ tests: [Test], from start: Int) -> RuleRun {
    let model = tests[0].expressions[0]
    var table = StringTable(folds: model.patterns.isFolded)
    var rulesOfKey: [[Int32]] = []
    var lengths: Set<Int>?
    if case .begins? = model.patterns.lookup { lengths = [] }
    for (offset, test) in tests.enumerated() {
      let rule = Int32(truncatingIfNeeded: start + offset)
      for key in test.expressions.flatMap({ $0.patterns.lookup?.keys ?? [] }) {
        lengths?.insert(key.count)
        let number = table.insert(key)
        if number == rulesOfKey.count { rulesOfKey.append([]) }
        if rulesOfKey[number].last != rule { rulesOfKey[number].append(rule) }
      }
    }
    let run = RuleRun(
      range: start..<(start + tests.count), sample: model.sample, table: table, rulesOfKey: rulesOfKey,
      lengths: lengths?.sorted(), isWhole: tests.map(\.isWhole))
    for reference in tests.flatMap(\.expressions).flatMap(\.patterns.references) {
      reference.onChange { run.isOutdated.store(true, ordering: .releasing) }
    }
    return run
  }

  /// A part of a rule's condition that a look-up can answer: without it the rule does not hold.
  private struct Test {
    /// Alternatives, all of one sample.
    let expressions: [ACLExpression]
    /// There is nothing else in the condition.
    let isWhole: Bool
    var key: String { expressions[0].key }

    private init?(_ expressions: [ACLExpression], isWhole: Bool) {
      guard let first = expressions.first,
        expressions.allSatisfy({ $0.patterns.lookup != nil && $0.sample.isStable && $0.key == first.key })
      else { return nil }
      self.expressions = expressions
      self.isWhole = isWhole
    }

    /// All of a rule's condition if it is alternatives of such tests, or the conditions among which all must hold.
    static func all(in rule: Rule) -> [Test] {
      guard let condition = rule.condition, !condition.isNegated, let last = condition.terms.last else { return [] }
      if condition.terms.allSatisfy({ !$0.isNegated && $0.endsConjunction }),
        let test = Test(condition.terms.flatMap(\.acl.expressions), isWhole: true)
      {
        return [test]
      }
      guard last.endsConjunction, condition.terms.dropLast().allSatisfy({ !$0.endsConjunction }) else { return [] }
      var tests: [Test] = []
      for term in condition.terms {
        if !term.isNegated, let test = Test(term.acl.expressions, isWhole: false) { tests.append(test) }
        // What stands behind a term that is not the same at each evaluation may not be decided before it.
        if !term.acl.expressions.allSatisfy(\.sample.isStable) { break }
      }
      return tests
    }
  }
}
