public import Base
import Config
import Synchronization

/// All references of a configuration: what the runtime API lists, and what rules change.
public final class PatternRegistry: Sendable {
  private let state = Mutex<(references: [PatternReference], byName: [String: PatternReference])>(([], [:]))
  /// Of the tables that changes replace.
  public let retirement = Retirement()

  init() {}

  /// References and their views know each other. Without the registry nothing lists or changes entries any more.
  deinit { for reference in references { reference.forgetViews() } }

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
}
