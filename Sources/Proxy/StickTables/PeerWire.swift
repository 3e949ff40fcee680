import Base
import Config

/// The words of HAProxy's peers protocol 2.1 (doc/peers.txt there): pure encoding and decoding.
enum PeerWire {
  static let protocolName = "HAProxyS"

  /// Classes of messages: the first octet.
  static let control: UInt8 = 0
  static let error: UInt8 = 1
  static let table: UInt8 = 10

  enum Control: UInt8 { case resyncRequest, resyncFinished, resyncPartial, resyncConfirm, heartbeat }
  enum Fault: UInt8 { case `protocol`, sizeLimit }
  enum Table: UInt8 {
    case update = 0x80
    case incremental, define, `switch`, acknowledge, timedUpdate, timedIncremental
  }

  /// What answers a hello.
  enum Status: Int {
    case success = 200
    case tryAgain = 300
    case protocolError = 501
    case badVersion = 502
    case wrongHost = 503
    case unknownPeer = 504
  }

  /// Dictionary entries that a peer may send.
  static let dictionarySize = 128

  static func keyType(_ type: StickTableSettings.KeyType) -> UInt64 {
    switch type {
    case .integer: 2
    case .ipv4: 4
    case .ipv6: 5
    case .string: 6
    case .binary: 7
    }
  }

  /// A table's key length as the wire has it: strings count the octet that ends them.
  static func keyLength(_ type: StickTableSettings.KeyType, _ length: Int) -> UInt64 {
    UInt64(type == .string ? length + 1 : length)
  }

  // MARK: Integers

  /// One octet below 240; else four bits, then seven in each further octet, the lowest first.
  static func append(_ value: UInt64, to out: inout [UInt8]) {
    if value < 240 { return out.append(UInt8(value)) }
    out.append(UInt8(truncatingIfNeeded: value) | 0xF0)
    var rest = (value - 240) >> 4
    while rest >= 128 {
      out.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest = (rest - 128) >> 7
    }
    out.append(UInt8(rest))
  }

  static func append32(_ value: UInt32, to out: inout [UInt8]) {
    withUnsafeBytes(of: value.bigEndian) { out.append(contentsOf: $0) }
  }

  /// A whole message of the table class around its body.
  static func message(_ type: Table, _ body: [UInt8], to out: inout [UInt8]) {
    out.append(table)
    out.append(type.rawValue)
    append(UInt64(body.count), to: &out)
    out.append(contentsOf: body)
  }

  static func control(_ type: Control) -> [UInt8] { [control, type.rawValue] }
  static func fault(_ type: Fault) -> [UInt8] { [error, type.rawValue] }

  static func hello(remote: String, local: String, processID: Int) -> [UInt8] {
    Array("\(protocolName) 2.1\n\(remote)\n\(local) \(processID) 1\n".utf8)
  }

  static func status(_ status: Status) -> [UInt8] { Array("\(status.rawValue)\n".utf8) }
}

/// Reads a message body from its start; every method gives nil once the octets run out.
struct PeerCursor {
  private let octets: [UInt8]
  private(set) var index = 0

  init(_ octets: [UInt8]) { self.octets = octets }

  var isAtEnd: Bool { index >= octets.count }
  var remaining: Int { octets.count - index }

  mutating func integer() -> UInt64? {
    guard index < octets.count else { return nil }
    var value = UInt64(octets[index])
    index += 1
    if value < 240 { return value }
    var shift: UInt64 = 4
    while index < octets.count, shift < 64 {
      let octet = octets[index]
      index += 1
      value = value &+ (UInt64(octet) << shift)
      if octet < 128 { return value }
      shift += 7
    }
    return nil
  }

  mutating func word32() -> UInt32? {
    guard let bytes = take(4) else { return nil }
    return bytes.reduce(0) { $0 << 8 | UInt32($1) }
  }

  mutating func take(_ count: Int) -> ArraySlice<UInt8>? {
    guard count >= 0, count <= remaining else { return nil }
    defer { index += count }
    return octets[index..<(index + count)]
  }
}

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

/// Cuts what a peer sends into lines, then messages. Nothing is longer than `bound`.
struct PeerReader {
  enum Item: Equatable {
    case needMore
    case line(String)
    case message(class: UInt8, type: UInt8, body: [UInt8])
    case tooLong
  }

  /// Octets of a message's body, and of a line.
  static let bound = 16_384
  private static let longestLine = 256

  private var waiting: [UInt8] = []
  private var start = 0

  mutating func feed(_ octets: UnsafeRawBufferPointer) {
    if start > 0, start == waiting.count || start > PeerReader.bound {
      waiting.removeFirst(start)
      start = 0
    }
    waiting.append(contentsOf: octets)
  }

  mutating func line() -> Item {
    guard let end = waiting[start...].firstIndex(of: ASCII.lf) else {
      return waiting.count - start > PeerReader.longestLine ? .tooLong : .needMore
    }
    let line = String(decoding: waiting[start..<end], as: UTF8.self)
    start = end + 1
    return line.utf8.count > PeerReader.longestLine ? .tooLong : .line(line)
  }

  mutating func message() -> Item {
    guard waiting.count - start >= 2 else { return .needMore }
    let (kind, type) = (waiting[start], waiting[start + 1])
    if type < 0x80 {
      start += 2
      return .message(class: kind, type: type, body: [])
    }
    var cursor = PeerCursor(Array(waiting[(start + 2)..<Swift.min(waiting.count, start + 12)]))
    guard let length = cursor.integer() else { return waiting.count - start >= 12 ? .tooLong : .needMore }
    guard length <= UInt64(PeerReader.bound) else { return .tooLong }
    let from = start + 2 + cursor.index
    guard waiting.count - from >= Int(length) else { return .needMore }
    start = from + Int(length)
    return .message(class: kind, type: type, body: Array(waiting[from..<start]))
  }
}
