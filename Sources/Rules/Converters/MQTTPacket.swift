import Base

/// The first packet of either side of an MQTT connection, CONNECT or CONNACK, of the versions 3.1, 3.1.1 and 5.0
/// (OASIS MQTT 3.1.1 and 5.0, sections 3.1 and 3.2).
struct MQTTPacket {
  enum Kind: Int { case connect = 1, connack = 2 }
  enum Outcome {
    case packet(MQTTPacket)
    case invalid
    case incomplete
  }

  let kind: Kind
  /// Named fields and properties as they are shown; properties by their number.
  private(set) var fields: [String: Bytes] = [:]

  static let connectFields: Set<String> = [
    "flags", "protocol_name", "protocol_version", "client_identifier", "will_topic", "will_payload", "username",
    "password", "keepalive",
  ]
  static let connackFields: Set<String> = ["flags", "protocol_version", "reason_code"]

  /// The kinds of values that properties have (MQTT 5.0, section 2.2.2.2).
  private enum Form { case octet, short, long, varying, text, data, pair }
  private static let forms: [Int: Form] = [
    1: .octet, 2: .long, 3: .text, 8: .text, 9: .data, 17: .long, 18: .text, 19: .short, 21: .text, 22: .data,
    23: .octet, 24: .long, 25: .octet, 26: .text, 28: .text, 31: .text, 33: .short, 34: .short, 36: .octet,
    37: .octet, 38: .pair, 39: .long, 40: .octet, 41: .octet, 42: .octet,
  ]
  static let connectProperties: Set<Int> = [17, 21, 22, 23, 25, 33, 34, 38, 39]
  static let willProperties: Set<Int> = [1, 2, 3, 8, 9, 24, 38]
  static let connackProperties: Set<Int> = [
    17, 18, 19, 21, 22, 26, 28, 31, 33, 34, 36, 37, 38, 39, 40, 41, 42,
  ]

  static func parse(_ message: Bytes) -> Outcome {
    guard message.count > 0 else { return .incomplete }
    guard message[0] & 0x0F == 0, let kind = Kind(rawValue: Int(message[0] >> 4)) else { return .invalid }
    var length = 0
    var index = 1
    while true {
      guard index <= 4 else { return .invalid }
      guard index < message.count else { return .incomplete }
      length |= Int(message[index] & 0x7F) << (7 * (index - 1))
      index += 1
      if message[index - 1] & 0x80 == 0 { break }
    }
    guard length >= 2 else { return .invalid }
    guard message.count - index >= length else { return .incomplete }
    var packet = MQTTPacket(kind: kind)
    var reader = Reader(message[index..<(index + length)])
    let isValid = kind == .connect ? packet.readConnect(&reader) : packet.readConnack(&reader, length)
    return isValid ? .packet(packet) : .invalid
  }

  private init(kind: Kind) { self.kind = kind }

  private mutating func note(_ name: String, _ number: Int) { fields[name] = Bytes(String(number)) }

  private mutating func readConnect(_ reader: inout Reader) -> Bool {
    guard let name = reader.text(), let version = reader.octet(), let flags = reader.octet(),
      let keepalive = reader.short()
    else { return false }
    switch version {
    case 3: guard name == "MQIsdp" else { return false }
    case 4, 5: guard name == "MQTT" else { return false }
    default: return false
    }
    let hasWill = flags & 4 != 0
    // Bit 0 is reserved; the will's quality and retention mean nothing without a will.
    guard flags & 1 == 0, hasWill || flags & 0x38 == 0, flags & 0x18 != 0x18 else { return false }
    // Before 5.0 there is no password without a user.
    if version < 5, flags & 0x40 != 0, flags & 0x80 == 0 { return false }
    fields["protocol_name"] = name
    note("protocol_version", version)
    note("flags", flags)
    note("keepalive", keepalive)
    if version == 5, !readProperties(&reader, MQTTPacket.connectProperties) { return false }
    guard let client = reader.text() else { return false }
    fields["client_identifier"] = client
    // Version 3.1.1 allows an anonymous client only a new session.
    if version < 5, client.isEmpty, flags & 2 == 0 { return false }
    if hasWill {
      if version == 5, !readProperties(&reader, MQTTPacket.willProperties) { return false }
      guard let topic = reader.text(), let payload = reader.text() else { return false }
      fields["will_topic"] = topic
      fields["will_payload"] = payload
    }
    if flags & 0x80 != 0 {
      guard let user = reader.text() else { return false }
      fields["username"] = user
    }
    if flags & 0x40 != 0 {
      guard let password = reader.text() else { return false }
      fields["password"] = password
    }
    return reader.isAtEnd
  }

  private mutating func readConnack(_ reader: inout Reader, _ length: Int) -> Bool {
    guard let flags = reader.octet(), let reason = reader.octet(), flags & 0xFE == 0 else { return false }
    let isModern = length > 2
    note("flags", flags)
    note("reason_code", reason)
    note("protocol_version", isModern ? 5 : 4)
    if !isModern { return reason <= 5 }
    return readProperties(&reader, MQTTPacket.connackProperties) && reader.isAtEnd
  }

  private mutating func readProperties(_ reader: inout Reader, _ allowed: Set<Int>) -> Bool {
    guard let length = reader.varying(), var properties = reader.part(length) else { return false }
    while !properties.isAtEnd {
      guard let id = properties.varying(), allowed.contains(id), let form = MQTTPacket.forms[id] else {
        return false
      }
      let name = String(id)
      switch form {
      case .octet: fields[name] = properties.octet().map { Bytes(String($0)) }
      case .short: fields[name] = properties.short().map { Bytes(String($0)) }
      case .long: fields[name] = properties.long().map { Bytes(String($0)) }
      case .varying: fields[name] = properties.varying().map { Bytes(String($0)) }
      case .text, .data: fields[name] = properties.text()
      case .pair:
        guard properties.text() != nil, properties.text() != nil else { return false }
        continue
      }
      if fields[name] == nil { return false }
    }
    return true
  }

  /// Takes values off the front; nil when the octets end too early.
  private struct Reader {
    private let octets: Bytes
    private var index = 0

    init(_ octets: Bytes) { self.octets = octets }

    var isAtEnd: Bool { index >= octets.count }

    mutating func octet() -> Int? {
      guard index < octets.count else { return nil }
      defer { index += 1 }
      return Int(octets[index])
    }

    mutating func short() -> Int? {
      guard let high = octet(), let low = octet() else { return nil }
      return high << 8 | low
    }

    mutating func long() -> Int? {
      guard let high = short(), let low = short() else { return nil }
      return high << 16 | low
    }

    /// A variable byte integer: seven bits an octet, four octets at most.
    mutating func varying() -> Int? {
      var value = 0
      for shift in stride(from: 0, through: 21, by: 7) {
        guard let next = octet() else { return nil }
        value |= (next & 0x7F) << shift
        if next & 0x80 == 0 { return value }
      }
      return nil
    }

    /// Octets behind their length.
    mutating func text() -> Bytes? {
      guard let length = short(), octets.count - index >= length else { return nil }
      defer { index += length }
      return octets[index..<(index + length)]
    }

    mutating func part(_ length: Int) -> Reader? {
      guard octets.count - index >= length else { return nil }
      defer { index += length }
      return Reader(octets[index..<(index + length)])
    }
  }
}
