import Base
import Synchronization

/// A map as converters use it: the table of its entries, which follows changes at run time.
///
/// Until the first change a look-up costs one more load. After a change, keys that are compared for equality are
/// looked up one by one in the entries, until so many were that a new table has paid for itself; other
/// tables are made anew by the first look-up.
final class MapView: PatternView {
  let reference: PatternReference
  private let method: MatchMethod
  private let output: SampleType
  private let first: MapTable
  private let newest: Published<MapTable>
  private let isChanged = Atomic<Bool>(false)
  /// Changes so far, and how many of them the newest table has.
  private let changes = Atomic<Int>(0)
  private let built = Atomic<Int>(0)
  private let slowLookups = Atomic<Int>(0)
  private let rebuilding = Mutex<Void>(())

  init(
    _ reference: PatternReference, _ method: MatchMethod, _ output: SampleType, _ registry: PatternRegistry
  ) throws(RuleError) {
    self.reference = reference
    self.method = method
    self.output = output
    first = try MapTable(reference.pairs(), method: method, output: output, path: reference.name)
    newest = Published(first, registry.retirement)
    reference.attach(self)
  }

  private var isStale: Bool { changes.load(ordering: .acquiring) != built.load(ordering: .acquiring) }

  // MARK: Look-ups

  @inline(__always)
  func find(_ sample: Sample, _ context: RuleContext) -> (value: Sample, key: Bytes)? {
    if isChanged.load(ordering: .acquiring) { return findChanged(sample, context) }
    return first.find(sample, context)
  }

  private func findChanged(_ sample: Sample, _ context: RuleContext) -> (value: Sample, key: Bytes)? {
    if isStale {
      let isEquality = method == .str || method == .bin
      let count = slowLookups.wrappingAdd(1, ordering: .relaxed).newValue
      if isEquality, count < 64 || newest.read({ count * 4 < $0.count }) ?? false {
        guard let entry = reference.first(sample.text), let text = entry.value,
          let value = MapTable.value(text, output)
        else { return nil }
        return (value, entry.key)
      }
      rebuild()
    }
    return newest.read { $0.find(sample, context) } ?? nil
  }

  /// `map_regm`.
  func expand(_ sample: Sample, _ context: RuleContext) -> Sample? {
    if isStale { rebuild() }
    return newest.read { $0.expand(sample, context) } ?? nil
  }

  private func rebuild() {
    rebuilding.withLock { _ in
      let seen = changes.load(ordering: .acquiring)
      guard seen != built.load(ordering: .relaxed) else { return }
      // Entries were checked one by one; a table that cannot be made leaves the old one.
      let table = try? MapTable(reference.pairs(), method: method, output: output, path: reference.name)
      if let table { newest.publish(table) }
      built.store(seen, ordering: .releasing)
    }
  }

  // MARK: Changes

  func check(_ key: Bytes, _ value: Bytes?) throws(RuleError) {
    _ = try MapTable([(key, value)], method: method, output: output, path: "")
  }

  func added(_ key: Bytes, _ value: Bytes?) { changed() }

  func changed() {
    slowLookups.store(0, ordering: .relaxed)
    changes.add(1, ordering: .acquiringAndReleasing)
    isChanged.store(true, ordering: .releasing)
  }

  func report(_ text: Bytes, isMap: Bool) -> String {
    PatternReport.text(method, isFolded: false, isMap: isMap) { context in
      guard let sample = PatternReport.sample(text, for: method), let found = find(sample, context) else {
        return nil
      }
      let value = reference.first(found.key)?.value ?? .empty
      return (found.key, value, PatternReport.typeName(output))
    }
  }
}
