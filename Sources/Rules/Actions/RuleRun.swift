import Base
import Synchronization

/// A run of neighbouring rules whose conditions each test the same sample for equality with some strings, or for
/// beginning with one of them: one hash look-up (or one for each length of prefix) finds the first that holds,
/// however many there are.
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

  private init(
    range: Range<Int>, sample: SampleExpression, table: StringTable, rulesOfKey: [[Int32]], lengths: [Int]?
  ) {
    self.lengths = lengths
    self.range = range
    self.sample = sample
    self.table = table
    self.rulesOfKey = rulesOfKey
  }

  var isValid: Bool { !isOutdated.load(ordering: .acquiring) }

  /// The first rule at or after `start` whose condition holds.
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
    var runs: [RuleRun] = []
    var index = 0
    while index < rules.count {
      guard let first = equality(rules[index]) else {
        index += 1
        continue
      }
      var end = index + 1
      while end < rules.count, let next = equality(rules[end]), next.allSatisfy({ $0.key == first[0].key }) {
        end += 1
      }
      if end - index >= shortest, first.allSatisfy({ $0.key == first[0].key }) {
        runs.append(make(rules, index..<end, like: first[0]))
      }
      index = end
    }
    return runs
  }

  private static func make(_ rules: [Rule], _ range: Range<Int>, like model: ACLExpression) -> RuleRun {
    var table = StringTable(folds: model.patterns.isFolded)
    var rulesOfKey: [[Int32]] = []
    var lengths: Set<Int>?
    if case .begins? = model.patterns.lookup { lengths = [] }
    for index in range {
      for expression in equality(rules[index]) ?? [] {
        for key in expression.patterns.lookup?.keys ?? [] {
          lengths?.insert(key.count)
          let number = table.insert(key)
          if number == rulesOfKey.count { rulesOfKey.append([]) }
          if rulesOfKey[number].last != Int32(index) { rulesOfKey[number].append(Int32(index)) }
        }
      }
    }
    let run = RuleRun(
      range: range, sample: model.sample, table: table, rulesOfKey: rulesOfKey, lengths: lengths?.sorted())
    for index in range {
      for reference in equality(rules[index])?.flatMap(\.patterns.references) ?? [] {
        reference.onChange { run.isOutdated.store(true, ordering: .releasing) }
      }
    }
    return run
  }

  /// The expressions of a condition that is nothing but alternatives of such tests; nil for any other.
  private static func equality(_ rule: Rule) -> [ACLExpression]? {
    guard let condition = rule.condition, !condition.isNegated, !condition.terms.isEmpty else { return nil }
    var expressions: [ACLExpression] = []
    for term in condition.terms {
      guard !term.isNegated, term.endsConjunction else { return nil }
      expressions += term.acl.expressions
    }
    guard !expressions.isEmpty,
      expressions.allSatisfy({ $0.patterns.lookup != nil && $0.sample.isStable })
    else { return nil }
    return expressions
  }
}
