import Base
import Config

/// What the sender of a table says about it.
struct PeerTableDefinition: Equatable {
  let id: UInt64
  let name: Bytes
  let keyType: UInt64
  let keyLength: UInt64
  /// The types in order of the wire with the number of elements of each.
  let stores: [Store]

  struct Store: Equatable {
    let type: StickDataType
    let count: Int
  }

  /// The most elements of an array.
  private static let longestArray: UInt64 = 100

  /// nil for what is malformed or cannot be understood.
  init?(_ body: [UInt8]) {
    var cursor = PeerCursor(body)
    guard let id = cursor.integer(), let length = cursor.integer(), length > 0, length <= 255,
      let name = cursor.take(Int(length)), let keyType = cursor.integer(), let keyLength = cursor.integer(),
      let bits = cursor.integer(), bits >> UInt64(StickDataType.allCases.count) == 0
    else { return nil }
    self.id = id
    self.name = Bytes(Array(name))
    self.keyType = keyType
    self.keyLength = keyLength
    let types = StickDataType.allCases.filter { bits >> UInt64($0.rawValue) & 1 == 1 }
    // Old senders leave out what follows, which only arrays need.
    let hasParameters = cursor.integer() != nil
    var stores: [Store] = []
    for type in types {
      var count = 1
      if type.isArray || type.kind == .rate {
        if hasParameters {
          guard cursor.integer() == UInt64(type.rawValue) else { return nil }
          if type.isArray {
            guard let n = cursor.integer(), (1...PeerTableDefinition.longestArray).contains(n) else {
              return nil
            }
            count = Int(n)
          }
          if type.kind == .rate, cursor.integer() == nil { return nil }
        } else if type.isArray {
          return nil
        }
      }
      stores.append(Store(type: type, count: count))
    }
    self.stores = stores
  }

  init(id: UInt64, name: Bytes, keyType: UInt64, keyLength: UInt64, stores: [Store]) {
    self.id = id
    self.name = name
    self.keyType = keyType
    self.keyLength = keyLength
    self.stores = stores
  }

  /// The body of the message; `stores` with their periods, `expire` in milliseconds.
  static func body(
    id: UInt64, name: Bytes, type: StickTableSettings.KeyType, length: Int, expire: Int64,
    stores: [StickTableSettings.Store]
  ) -> [UInt8] {
    var out: [UInt8] = []
    PeerWire.append(id, to: &out)
    PeerWire.append(UInt64(name.count), to: &out)
    out.append(contentsOf: name.array)
    PeerWire.append(PeerWire.keyType(type), to: &out)
    PeerWire.append(PeerWire.keyLength(type, length), to: &out)
    PeerWire.append(stores.reduce(0) { $0 | 1 << UInt64($1.type.rawValue) }, to: &out)
    PeerWire.append(UInt64(Swift.max(0, expire)), to: &out)
    for store in stores where store.type.isArray || store.type.kind == .rate {
      PeerWire.append(UInt64(store.type.rawValue), to: &out)
      if store.type.isArray { PeerWire.append(UInt64(store.count), to: &out) }
      if store.type.kind == .rate { PeerWire.append(UInt64(store.period), to: &out) }
    }
    return out
  }
}

/// A change of one entry.
struct PeerUpdate {
  enum Value: Equatable {
    case number(UInt64)
    /// How long ago the present period began in milliseconds, its events and those of the period before.
    case rate(age: UInt64, current: UInt64, previous: UInt64)
    /// A text of the sender's dictionary; nil without one.
    case text(Bytes?)
  }

  /// nil in incremental messages: one more than the last.
  let id: UInt32?
  /// Milliseconds that the entry has left, where the message says so.
  let remaining: UInt32?
  let key: [UInt8]
  /// One for each element of each store, in order.
  let values: [Value]

  /// nil for what is malformed; `dictionary` learns the texts that the message brings.
  init?(
    _ body: [UInt8], _ type: PeerWire.Table, _ table: PeerTableDefinition, _ dictionary: inout [Bytes?]
  ) {
    var cursor = PeerCursor(body)
    if type == .update || type == .timedUpdate {
      guard let word = cursor.word32() else { return nil }
      id = word
    } else {
      id = nil
    }
    if type == .timedUpdate || type == .timedIncremental {
      guard let word = cursor.word32() else { return nil }
      remaining = word
    } else {
      remaining = nil
    }
    guard let key = PeerUpdate.key(&cursor, table) else { return nil }
    self.key = key
    var values: [Value] = []
    for store in table.stores {
      for _ in 0..<store.count {
        guard let value = PeerUpdate.value(store.type, &cursor, &dictionary) else { return nil }
        values.append(value)
      }
    }
    self.values = values
  }

  private static func key(_ cursor: inout PeerCursor, _ table: PeerTableDefinition) -> [UInt8]? {
    switch table.keyType {
    case PeerWire.keyType(.string):
      guard let length = cursor.integer(), length <= 16_384 else { return nil }
      return cursor.take(Int(length)).map(Array.init)
    case PeerWire.keyType(.integer): return cursor.take(4).map(Array.init)
    default: return table.keyLength <= 16_384 ? cursor.take(Int(table.keyLength)).map(Array.init) : nil
    }
  }

  private static func value(
    _ type: StickDataType, _ cursor: inout PeerCursor, _ dictionary: inout [Bytes?]
  ) -> Value? {
    guard let first = cursor.integer() else { return nil }
    switch type.kind {
    case .signed, .unsigned, .wide: return .number(first)
    case .rate:
      guard let current = cursor.integer(), let previous = cursor.integer() else { return nil }
      return .rate(age: first, current: current, previous: previous)
    case .text:
      if first == 0 { return .text(nil) }
      guard first <= UInt64(cursor.remaining), let part = cursor.take(Int(first)) else { return nil }
      return text(Array(part), &dictionary)
    }
  }

  /// The number of a text, and the text itself when it is sent for the first time.
  private static func text(_ part: [UInt8], _ dictionary: inout [Bytes?]) -> Value? {
    var cursor = PeerCursor(part)
    guard let id = cursor.integer(), id >= 1, id <= UInt64(PeerWire.dictionarySize) else { return nil }
    while dictionary.count < Int(id) { dictionary.append(nil) }
    if !cursor.isAtEnd {
      guard let length = cursor.integer(), length <= UInt64(cursor.remaining),
        let text = cursor.take(Int(length))
      else { return nil }
      dictionary[Int(id) - 1] = Bytes(Array(text))
    }
    return .text(dictionary[Int(id) - 1])
  }
}
