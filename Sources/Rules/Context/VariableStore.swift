import Base
import Synchronization

/// Variables of one scope. Names were turned into numbers by the compiler; a scope holds a handful, so a
/// linear search is the quickest.
public struct VariableStore: Sendable {
  var entries: [(id: Int, value: Sample)] = []

  public init() {}

  subscript(id: Int) -> Sample? {
    get {
      for entry in entries where entry.id == id { return entry.value }
      return nil
    }
    set {
      for i in entries.indices where entries[i].id == id {
        if let newValue { entries[i].value = newValue } else { entries.remove(at: i) }
        return
      }
      if let newValue { entries.append((id, newValue)) }
    }
  }

  public mutating func removeAll() {
    if !entries.isEmpty { entries.removeAll(keepingCapacity: true) }
  }
}

/// `proc.` variables: shared by all threads for the life of the process.
public final class ProcessVariables: Sendable {
  private let store = Mutex(VariableStore())
  /// The names of all variables by their numbers, for those who show them.
  private let names = Mutex<[Bytes]>([])

  /// Stands in until the owner gives the real ones.
  public static let none = ProcessVariables()

  public init() {}

  func name(_ all: [Bytes]) { names.withLock { $0 = all } }
  func name(of id: Int) -> Bytes? { names.withLock { $0.indices.contains(id) ? $0[id] : nil } }
  /// What is set now.
  var snapshot: VariableStore { store.withLock { $0 } }

  subscript(id: Int) -> Sample? {
    get { store.withLock { $0[id] } }
    set { store.withLock { $0[id] = newValue } }
  }
}
