import Base

/// The parts of a TLS ClientHello (RFC 8446, 4.1.2) that routing needs, read out of the first record.
struct ClientHello {
  var type: UInt8 = 0
  /// From the record up to TLS 1.2, from `supported_versions` beyond.
  var version: (major: UInt8, minor: UInt8) = (0, 0)
  var serverName: Bytes?
  /// The first protocol offered.
  var alpn: Bytes?
  var hasCurves = false
  /// 0 without the extension, 1 when it is empty, 2 with a ticket.
  var sessionTicket = 0
  var ciphers: Bytes?
  var signatureAlgorithms: Bytes?
  var groups: Bytes?
  /// The groups of the key shares offered, two octets each.
  var keyShares: Bytes?

  enum Outcome {
    case incomplete
    case invalid
    case hello(ClientHello)
  }

  static func parse(_ octets: Bytes) -> Outcome {
    guard octets.count > 0 else { return .incomplete }
    guard octets[0] == 0x16 else { return .invalid }
    guard octets.count >= 6 else { return .incomplete }
    guard octets[1] == 3 else { return .invalid }
    let recordLength = Int(octets[3]) << 8 | Int(octets[4])
    guard recordLength >= 4, recordLength <= 16384 + 256 else { return .invalid }
    var hello = ClientHello()
    hello.type = octets[5]
    guard hello.type == 1 else { return .hello(hello) }
    guard octets.count >= 9 else { return .incomplete }
    let length = Int(octets[6]) << 16 | Int(octets[7]) << 8 | Int(octets[8])
    guard length <= recordLength - 4 else { return .invalid }
    guard octets.count >= 9 + length else { return .incomplete }
    var reader = Reader(octets[9..<(9 + length)])
    return hello.read(&reader) ? .hello(hello) : .invalid
  }

  private mutating func read(_ reader: inout Reader) -> Bool {
    guard let major = reader.byte(), let minor = reader.byte(), reader.take(32) != nil,
      reader.vector8() != nil,
      let suites = reader.vector16(), reader.vector8() != nil
    else { return false }
    version = (major, minor)
    ciphers = suites
    guard var extensions = reader.vector16().map(Reader.init) else { return true }
    while let kind = extensions.word(), let content = extensions.vector16() { readExtension(kind, content) }
    return true
  }

  private mutating func readExtension(_ kind: Int, _ content: Bytes) {
    var reader = Reader(content)
    switch kind {
    case 0:
      guard var names = reader.vector16().map(Reader.init), names.byte() == 0 else { return }
      serverName = names.vector16()
    case 10:
      hasCurves = true
      groups = reader.vector16()
    case 13: signatureAlgorithms = reader.vector16()
    case 16:
      guard var protocols = reader.vector16().map(Reader.init) else { return }
      alpn = protocols.vector8()
    case 51:
      guard var shares = reader.vector16().map(Reader.init) else { return }
      var groups: [UInt8] = []
      while let group = shares.take(2), shares.vector16() != nil { groups.append(group) }
      keyShares = Bytes(groups)
    case 35: sessionTicket = content.isEmpty ? 1 : 2
    case 43:
      guard var versions = reader.vector8().map(Reader.init) else { return }
      while let major = versions.byte(), let minor = versions.byte() {
        if major == 3, minor > version.minor { version = (major, minor) }
      }
    default: break
    }
  }

  /// A cursor that never leaves its octets.
  private struct Reader {
    private let octets: Bytes
    private var index = 0

    init(_ octets: Bytes) { self.octets = octets }

    mutating func byte() -> UInt8? {
      guard index < octets.count else { return nil }
      index += 1
      return octets[index - 1]
    }

    mutating func word() -> Int? {
      guard let high = byte(), let low = byte() else { return nil }
      return Int(high) << 8 | Int(low)
    }

    mutating func take(_ count: Int) -> Bytes? {
      guard octets.count - index >= count else { return nil }
      index += count
      return octets[(index - count)..<index]
    }

    mutating func vector8() -> Bytes? { byte().flatMap { take(Int($0)) } }
    mutating func vector16() -> Bytes? { word().flatMap { take($0) } }
  }
}
