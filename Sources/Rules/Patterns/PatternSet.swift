import Base
import Synchronization

/// The patterns of one ACL line: those of its files and those that stand in the line.
///
/// A look-up costs one more load until something changes. Added patterns are put beside those that are there, so that
/// adding costs no more in a long list than in a short one; anything else is built anew by the next look-up.
final class PatternSet: PatternView {
  let method: MatchMethod
  let isFolded: Bool
  let references: [PatternReference]
  private let builder: PatternBuilder
  private let first: PatternMatcher
  private let newest: Published<Layers>
  private let isChanged = Atomic<Bool>(false)
  private let changes = Atomic<Int>(0)
  private let built = Atomic<Int>(0)
  private let building = Mutex<Void>(())

  /// Patterns that were built together, and some that were added since.
  private final class Layers: Sendable {
    let base: PatternMatcher
    let added: [Bytes]
    private let extra: PatternMatcher?

    init(_ base: PatternMatcher, added: [Bytes], _ extra: PatternMatcher?) {
      self.base = base
      self.added = added
      self.extra = extra
    }

    func matches(_ sample: Sample, _ context: RuleContext) -> Bool {
      base.matches(sample, context) || extra?.matches(sample, context) ?? false
    }
  }

  /// Patterns added before all are built together again.
  private static let mostAdded = 128

  init(_ references: [PatternReference], _ builder: PatternBuilder, _ registry: PatternRegistry)
    throws(RuleError)
  {
    self.references = references
    self.builder = builder
    method = builder.method
    isFolded = builder.isFolded
    first = try builder.matcher(references.flatMap { $0.pairs().map(\.key) })
    newest = Published(nil, registry.retirement)
    for reference in references { reference.attach(self) }
  }

  /// What one look-up can decide: equality with one of some strings, or beginning with one of them.
  enum Lookup: Sendable {
    case equal([Bytes])
    case begins([Bytes])

    var keys: [Bytes] {
      switch self {
      case .equal(let keys), .begins(let keys): keys
      }
    }
  }

  /// What it is at first.
  var lookup: Lookup? {
    switch first.kind {
    case .strings(let table): .equal(table.keys)
    case .prefixes(let table): .begins(table.keys)
    default: nil
    }
  }

  // MARK: Look-ups

  @inline(__always)
  func matches(_ sample: Sample, _ context: RuleContext) -> Bool {
    if isChanged.load(ordering: .acquiring) { return matchesChanged(sample, context) }
    return first.matches(sample, context)
  }

  private func matchesChanged(_ sample: Sample, _ context: RuleContext) -> Bool {
    if changes.load(ordering: .acquiring) != built.load(ordering: .acquiring) { rebuild() }
    return newest.read { $0.matches(sample, context) } ?? first.matches(sample, context)
  }

  private func rebuild() {
    building.withLock { _ in
      let seen = changes.load(ordering: .acquiring)
      guard seen != built.load(ordering: .relaxed) else { return }
      let keys = references.flatMap { $0.pairs().map(\.key) }
      if let matcher = try? builder.matcher(keys) { newest.publish(Layers(matcher, added: [], nil)) }
      built.store(seen, ordering: .releasing)
    }
  }

  // MARK: Changes

  func check(_ key: Bytes, _ value: Bytes?) throws(RuleError) { _ = try builder.matcher([key]) }

  func added(_ key: Bytes, _ value: Bytes?) {
    let isBeside = building.withLock { _ -> Bool in
      guard changes.load(ordering: .acquiring) == built.load(ordering: .relaxed) else { return false }
      let (base, known) = newest.read { ($0.base, $0.added) } ?? (first, [])
      guard known.count < PatternSet.mostAdded, let extra = try? builder.matcher(known + [key]) else {
        return false
      }
      newest.publish(Layers(base, added: known + [key], extra))
      return true
    }
    if isBeside { isChanged.store(true, ordering: .releasing) } else { changed() }
  }

  func changed() {
    changes.add(1, ordering: .acquiringAndReleasing)
    isChanged.store(true, ordering: .releasing)
  }

  func report(_ text: Bytes, isMap: Bool) -> String {
    PatternReport.text(method, isFolded: isFolded, isMap: isMap) { context in
      guard let sample = PatternReport.sample(text, for: method), matches(sample, context) else { return nil }
      for entry in references.lazy.flatMap({ $0.entries() }) {
        if let one = try? builder.matcher([entry.key]), one.matches(sample, context) {
          return (entry.key, entry.value, "str")
        }
      }
      return nil
    }
  }
}
