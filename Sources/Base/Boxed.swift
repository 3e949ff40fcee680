/// A large value behind one reference, copied when it is changed while others hold it too.
///
/// Settings of proxies and servers are thousands of octets with dozens of references inside: lists of them grow, and
/// pass from one stage of a start to the next, at the price of a reference each. Members are read through it as if it
/// were the value. A computed member is then computed on a copy, and changing one makes a key path: where thousands are
/// looked at, go through `value`.
@dynamicMemberLookup
public struct Boxed<Value: Sendable>: @unchecked Sendable {
  @usableFromInline
  final class Storage {
    @usableFromInline var value: Value
    @inlinable init(_ value: Value) { self.value = value }
  }

  @usableFromInline var storage: Storage

  @inlinable
  public init(_ value: Value) { storage = Storage(value) }

  @inlinable
  public var value: Value {
    _read { yield storage.value }
    _modify {
      if !isKnownUniquelyReferenced(&storage) { storage = Storage(storage.value) }
      yield &storage.value
    }
  }

  @inlinable
  public subscript<Member>(dynamicMember path: KeyPath<Value, Member>) -> Member {
    storage.value[keyPath: path]
  }

  @inlinable
  public subscript<Member>(dynamicMember path: WritableKeyPath<Value, Member>) -> Member {
    get { storage.value[keyPath: path] }
    _modify { yield &value[keyPath: path] }
  }
}
