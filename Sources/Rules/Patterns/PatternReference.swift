public import Base
import Config
import Synchronization

/// What is compiled from the entries of references, and follows their changes.
protocol PatternView: AnyObject, Sendable {
  /// Throws when the view could not hold this entry.
  func check(_ key: Bytes, _ value: Bytes?) throws(RuleError)
  /// An entry was added to one of the references.
  func added(_ key: Bytes, _ value: Bytes?)
  /// Entries were changed or removed.
  func changed()
  /// Looks a text up, for `get map` and `get acl`.
  func report(_ text: Bytes, isMap: Bool) -> String
}

/// The entries of one map file, pattern file or inline list, which the runtime API and rules may change.
///
/// Until the first change, the views are all there is of the entries; those themselves are read from the text
/// of the file when they are first wanted. Every change is made under one lock and then told to the views.
public final class PatternReference: Sendable {
  /// The name as written, `virt@` and `opt@` included; empty for patterns that stand in the configuration.
  public let name: String
  /// The line that brought it in.
  let place: SourceLocation
  private let state: Mutex<State>
  /// Held from a change until the views know of it, so that they learn of changes in their order.
  private let changes = Mutex<Void>(())

  private struct State {
    var isMap = false
    var isACL = false
    var description: String
    var id: Int?
    var source: Source
    var entries = PatternEntries()
    var views: [any PatternView] = []
    var version: UInt32 = 0
    var nextVersion: UInt32 = 0
    /// Entries of versions that are being prepared.
    var prepared: [UInt32: [PatternEntry]] = [:]
    var nextID: UInt64 = 0x1000
    var observers: [@Sendable () -> Void] = []
  }

  /// Where the first entries are, while nobody has asked for them one by one.
  enum Source: Sendable {
    case file(Bytes, isMap: Bool)
    case words([Bytes])
    /// In `entries`.
    case loaded
  }

  init(
    name: String, description: String, source: Source, id: Int? = nil, place: SourceLocation = .none
  ) {
    self.name = name
    self.place = place
    var initial = State(description: description, source: source)
    initial.id = id
    state = Mutex(initial)
  }

  // MARK: While rules are compiled

  func use(isMap: Bool) { state.withLock { if isMap { $0.isMap = true } else { $0.isACL = true } } }
  func attach(_ view: any PatternView) { state.withLock { $0.views.append(view) } }

  func forgetViews() { state.withLock { $0.views = [] } }

  /// Calls `body` before the first change that is made at run time.
  func onChange(_ body: @escaping @Sendable () -> Void) { state.withLock { $0.observers.append(body) } }

  var givenID: Int? { state.withLock { $0.id } }
  func setID(_ id: Int) { state.withLock { $0.id = id } }

  /// Keys and values, in order.
  func pairs() -> [(key: Bytes, value: Bytes?)] {
    state.withLock { state in
      switch state.source {
      case .loaded: state.entries.all.map { ($0.key, $0.value) }
      case .file(let content, let isMap): PatternFile.pairs(content, isMap: isMap)
      case .words(let words): words.map { ($0, nil) }
      }
    }
  }

  // MARK: What the runtime API shows

  public var isMap: Bool { state.withLock { $0.isMap } }
  public var isACL: Bool { state.withLock { $0.isACL } }
  /// Whether entries have values.
  public var hasValues: Bool { isMap }
  public var id: Int { state.withLock { $0.id ?? -1 } }

  /// The line of `show map` and `show acl`.
  public var summary: String {
    state.withLock { state in
      PatternReference.load(&state)
      let count = state.entries.count + state.prepared.values.reduce(0) { $0 + $1.count }
      return "\(state.id ?? -1) (\(name)) \(state.description). curr_ver=\(state.version) "
        + "next_ver=\(state.nextVersion) entry_cnt=\(count)\n"
    }
  }

  public var version: UInt32 { state.withLock { $0.version } }
  public var nextVersion: UInt32 { state.withLock { $0.nextVersion } }

  /// The entries of a version; of the current one by default.
  public func entries(version: UInt32? = nil) -> [PatternEntry] {
    state.withLock { state in
      PatternReference.load(&state)
      let wanted = version ?? state.version
      return wanted == state.version ? state.entries.all : state.prepared[wanted] ?? []
    }
  }

  /// One line for each way in which the entries are used.
  public func reports(on text: Bytes, isMap: Bool) -> String {
    let views = state.withLock { $0.views }
    return views.map { $0.report(text, isMap: isMap) }.joined()
  }

  /// The first entry of a key. For views that cannot be rebuilt for every change.
  func first(_ key: Bytes) -> PatternEntry? {
    state.withLock { state in
      PatternReference.load(&state)
      return state.entries.first(key)
    }
  }

  private static func load(_ state: inout State) {
    let pairs: [(key: Bytes, value: Bytes?)]
    switch state.source {
    case .loaded: return
    case .file(let content, let isMap): pairs = PatternFile.pairs(content, isMap: isMap)
    case .words(let words): pairs = words.map { ($0, nil) }
    }
    state.source = .loaded
    for (key, value) in pairs { state.entries.append(entry(key, value, &state)) }
  }

  private static func entry(_ key: Bytes, _ value: Bytes?, _ state: inout State) -> PatternEntry {
    state.nextID += 0x40
    return PatternEntry(id: state.nextID, key: key, value: value)
  }

  // MARK: Changes

  public enum Failure: Error, Sendable {
    /// No entry has this key or id.
    case notFound
    /// The version was not prepared.
    case unknownVersion
    /// The entry cannot be compared the way the configuration asks for, or its value is of another type.
    case invalid(String)
  }

  private func check(_ views: [any PatternView], _ key: Bytes, _ value: Bytes?) throws(Failure) {
    for view in views {
      do throws(RuleError) { try view.check(key, value) } catch { throw .invalid(error.message) }
    }
  }

  /// Does `change` with entries loaded and observers told; the views are told afterwards.
  private func edit<R: Sendable>(_ change: (inout State) throws(Failure) -> R) throws(Failure) -> R {
    let outcome = state.withLock { state -> Result<R, Failure> in
      PatternReference.load(&state)
      let observers = state.observers
      state.observers = []
      for observer in observers { observer() }
      do throws(Failure) {
        return .success(try change(&state))
      } catch {
        return .failure(error)
      }
    }
    return try outcome.get()
  }

  private var views: [any PatternView] { state.withLock { $0.views } }

  private func exclusively(_ body: () throws(Failure) -> Void) throws(Failure) {
    try changes.withLock { (_) throws(Failure) in try body() }
  }

  /// Adds an entry to the current version or to one that is prepared; there may be others of the same key.
  public func add(_ key: Bytes, _ value: Bytes?, version: UInt32? = nil) throws(Failure) {
    try exclusively { () throws(Failure) in try insert(key, value, version: version) }
  }

  private func insert(_ key: Bytes, _ value: Bytes?, version: UInt32? = nil) throws(Failure) {
    let views = views
    try check(views, key, value)
    let isCurrent = try edit { (state) throws(Failure) -> Bool in
      let entry = PatternReference.entry(key, value, &state)
      guard let version, version != state.version else {
        state.entries.append(entry)
        return true
      }
      guard Int32(bitPattern: version &- state.nextVersion) <= 0 else { throw .unknownVersion }
      state.prepared[version, default: []].append(entry)
      return false
    }
    if isCurrent { for view in views { view.added(key, value) } }
  }

  /// Adds an entry unless there is one of its key.
  public func addOnce(_ key: Bytes) throws(Failure) {
    if first(key) != nil { return }
    try exclusively { () throws(Failure) in if first(key) == nil { try insert(key, nil) } }
  }

  /// Changes the value of a key; adds the key when `adding` says so.
  public func set(_ key: Bytes, _ value: Bytes, adding: Bool = false) throws(Failure) {
    if let known = first(key), known.value == value { return }
    try exclusively { () throws(Failure) in
      try check(views, key, value)
      if try edit({ (state) throws(Failure) in state.entries.set(key: key, value) }) {
        noteChange()
      } else if adding {
        try insert(key, value)
      } else {
        throw .notFound
      }
    }
  }

  public func set(id: UInt64, _ value: Bytes) throws(Failure) {
    try exclusively { () throws(Failure) in
      guard let key = entries().first(where: { $0.id == id })?.key else { throw .notFound }
      try check(views, key, value)
      _ = try edit { (state) throws(Failure) in state.entries.set(id: id, value) }
      noteChange()
    }
  }

  public func remove(_ key: Bytes) throws(Failure) {
    if first(key) == nil { throw .notFound }
    try exclusively { () throws(Failure) in
      guard try edit({ (state) throws(Failure) in state.entries.remove(key: key) }) else { throw .notFound }
      noteChange()
    }
  }

  public func remove(id: UInt64) throws(Failure) {
    try exclusively { () throws(Failure) in
      guard try edit({ (state) throws(Failure) in state.entries.remove(id: id) }) else { throw .notFound }
      noteChange()
    }
  }

  /// Removes all entries of a version.
  public func clear(version: UInt32? = nil) {
    try? exclusively { () throws(Failure) in
      let isCurrent = try edit { (state) throws(Failure) -> Bool in
        if let version, version != state.version {
          state.prepared[version] = nil
          return false
        }
        state.entries = PatternEntries()
        return true
      }
      if isCurrent { noteChange() }
    }
  }

  /// Begins another version, which nobody sees before it is committed.
  public func prepare() -> UInt32 {
    state.withLock { state in
      state.nextVersion &+= 1
      return state.nextVersion
    }
  }

  /// Makes a prepared version the current one; all others that are older go.
  public func commit(_ version: UInt32) throws(Failure) {
    try exclusively { () throws(Failure) in
      try edit { (state) throws(Failure) in
        guard version &- (state.version &+ 1) < state.nextVersion &- state.version else {
          throw .unknownVersion
        }
        let chosen = state.prepared.removeValue(forKey: version) ?? []
        state.entries = PatternEntries()
        for entry in chosen { state.entries.append(entry) }
        state.version = version
        state.prepared = state.prepared.filter { Int32(bitPattern: $0.key &- version) > 0 }
      }
      noteChange()
    }
  }

  private func noteChange() { for view in views { view.changed() } }
}
