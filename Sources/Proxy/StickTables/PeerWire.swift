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
