import Config
import Synchronization

/// All references of a configuration: what the runtime API lists, and what rules change.
public final class PatternRegistry: Sendable {
  private let state = Mutex<(references: [PatternReference], byName: [String: PatternReference])>(([], [:]))
  private let retirement = Mutex<(@Sendable (any AnyObject & Sendable) -> Void)?>(nil)
  /// What was replaced before anybody said what to do with it.
  private let kept = Mutex<[any AnyObject & Sendable]>([])

  init() {}

  public var references: [PatternReference] { state.withLock { $0.references } }

  /// The reference of a name, or of `#<id>`.
  public func reference(_ text: String) -> PatternReference? {
    if text.hasPrefix("#"), let id = Int(text.dropFirst()) { return references.first { $0.id == id } }
    return state.withLock { $0.byName[text] }
  }

  /// Adds one that has a name, unless it is there.
  func named(_ name: String, _ make: () throws(RuleError) -> PatternReference) throws(RuleError)
    -> PatternReference
  {
    if let known = state.withLock({ $0.byName[name] }) { return known }
    let made = try make()
    state.withLock {
      $0.references.append(made)
      $0.byName[name] = made
    }
    return made
  }

  func add(_ reference: PatternReference) { state.withLock { $0.references.append(reference) } }

  /// Ids are given in the order of the files, around those of the configuration (`-u`).
  func assignIDs() {
    state.withLock { state in
      var files: [String: Int] = [:]
      for reference in state.references where files[reference.place.file] == nil {
        files[reference.place.file] = files.count
      }
      let order = state.references.enumerated().sorted { a, b in
        let (x, y) = (a.element.place, b.element.place)
        if x.file != y.file { return files[x.file] ?? 0 < files[y.file] ?? 0 }
        return x.line != y.line ? x.line < y.line : a.offset < b.offset
      }
      state.references = order.map(\.element)
      let given = Set(state.references.compactMap(\.givenID))
      var next = 0
      for reference in state.references where reference.givenID == nil {
        while given.contains(next) { next += 1 }
        reference.setID(next)
        next += 1
      }
      state.references.sort { $0.id < $1.id }
    }
  }

  // MARK: Replaced tables

  /// Look-ups hold nothing while they run; what they may still look at is given to `keep`, which must hold it
  /// until every thread that evaluates rules has been seen outside of them.
  public func setRetirement(_ keep: @escaping @Sendable (any AnyObject & Sendable) -> Void) {
    retirement.withLock { $0 = keep }
    kept.withLock { $0 = [] }
  }

  func retire(_ object: any AnyObject & Sendable) {
    if let keep = retirement.withLock({ $0 }) { return keep(object) }
    kept.withLock { $0.append(object) }
  }
}

/// The newest form of something that is replaced while others look at it; they pay one load.
final class Published<Value: AnyObject & Sendable>: Sendable {
  /// The address of a retained value; 0 for none.
  private let address: Atomic<UInt>
  private let registry: PatternRegistry

  init(_ value: Value?, _ registry: PatternRegistry) {
    self.registry = registry
    address = Atomic(value.map(Published.retain) ?? 0)
  }

  deinit { Published.value(at: address.load(ordering: .acquiring))?.release() }

  private static func retain(_ value: Value) -> UInt {
    UInt(bitPattern: Unmanaged.passRetained(value).toOpaque())
  }

  @inline(__always)
  private static func value(at address: UInt) -> Unmanaged<Value>? {
    UnsafeRawPointer(bitPattern: address).map { Unmanaged<Value>.fromOpaque($0) }
  }

  /// Looks at the newest value, without keeping it.
  @inline(__always)
  func read<R>(_ body: (Value) -> R) -> R? {
    Published.value(at: address.load(ordering: .acquiring))?._withUnsafeGuaranteedRef(body)
  }

  func publish(_ value: Value) {
    let old = address.exchange(Published.retain(value), ordering: .acquiringAndReleasing)
    if let old = Published.value(at: old) { registry.retire(old.takeRetainedValue()) }
  }
}
