public import Base

/// The PROXY protocol: who the client of a connection is, told by a proxy in front of us or by us.
///
/// After the HAProxy project's specification, versions 1 and 2. The decoder takes the octets of a
/// connection's start, bounded; the encoder writes what `send-proxy` and `send-proxy-v2` send.
public enum ProxyProtocol {
  /// What a header says.
  public struct Header: Equatable, Sendable {
    public var version: ProxyHeaderVersion
    /// False for LOCAL and UNKNOWN: the connection's own addresses hold.
    public var isProxied: Bool
    public var source = SocketAddress.none
    public var destination = SocketAddress.none
    /// SOCK_DGRAM in version 2.
    public var isDatagram = false
    public var tlvs: [TLV] = []

    public init(version: ProxyHeaderVersion, isProxied: Bool) {
      self.version = version
      self.isProxied = isProxied
    }
  }

  public enum ProxyHeaderVersion: Int, Sendable { case v1 = 1, v2 }

  /// A type-length-value of version 2, in the order of the header.
  public struct TLV: Equatable, Sendable {
    public var type: UInt8
    public var value: Bytes

    public init(_ type: UInt8, _ value: Bytes) {
      self.type = type
      self.value = value
    }

    public static let alpn: UInt8 = 0x01
    public static let authority: UInt8 = 0x02
    public static let crc32c: UInt8 = 0x03
    public static let noop: UInt8 = 0x04
    public static let uniqueID: UInt8 = 0x05
    public static let ssl: UInt8 = 0x20
    public static let sslVersion: UInt8 = 0x21
    public static let sslCN: UInt8 = 0x22
    public static let sslCipher: UInt8 = 0x23
    public static let sslSignatureAlgorithm: UInt8 = 0x24
    public static let sslKeyAlgorithm: UInt8 = 0x25
    public static let netns: UInt8 = 0x30
  }

  public enum Outcome: Equatable, Sendable {
    case needMore
    case complete(consumed: Int, Header)
    /// Why the octets are no PROXY header.
    case invalid(Fault)
  }

  public enum Fault: String, Error, Sendable {
    case signature = "no PROXY protocol header"
    case line = "malformed PROXY line"
    case address = "invalid address in PROXY header"
    case version = "unsupported PROXY version or command"
    case length = "PROXY header too short for its addresses"
    case tlv = "malformed TLV in PROXY header"
    case checksum = "wrong checksum in PROXY header"
    case tooLong = "PROXY header too long"
  }

  /// Octets of a version 1 line with its CRLF.
  public static let lineBound = 107
  /// Octets of addresses and TLVs that are taken in version 2.
  public static let bodyBound = 4096
  static let signature: [UInt8] = [0x0D, 0x0A, 0x0D, 0x0A, 0x00, 0x0D, 0x0A, 0x51, 0x55, 0x49, 0x54, 0x0A]

  /// Reads the header at the start of `input`. Call again with the same octets and more after `needMore`.
  public static func decode(_ input: borrowing Span<UInt8>) -> Outcome {
    guard input.count > 0 else { return .needMore }
    let octets = [UInt8](copying: input.extracting(0..<Swift.min(input.count, 16 + bodyBound)))
    if octets[0] == signature[0] { return ProxyV2Decoder.decode(Bytes(octets)) }
    return ProxyV1Decoder.decode(Bytes(octets))
  }
}

/// Version 1: one line of text.
enum ProxyV1Decoder {
  static func decode(_ input: Bytes) -> ProxyProtocol.Outcome {
    let prefix = Bytes("PROXY ")
    let n = Swift.min(prefix.count, input.count)
    guard input.prefix(n) == prefix.prefix(n) else { return .invalid(.signature) }
    guard let end = input.firstIndex(of: 0x0A) else {
      return input.count < ProxyProtocol.lineBound ? .needMore : .invalid(.tooLong)
    }
    guard end < ProxyProtocol.lineBound else { return .invalid(.tooLong) }
    guard end >= 1, input[end - 1] == 0x0D else { return .invalid(.line) }
    let words = split(input[prefix.count..<(end - 1)])
    if words.first == "UNKNOWN" {
      return .complete(consumed: end + 1, ProxyProtocol.Header(version: .v1, isProxied: false))
    }
    guard words.count == 5, words[0] == "TCP4" || words[0] == "TCP6" else { return .invalid(.line) }
    let wantsV4 = words[0] == "TCP4"
    guard let source = address(words[1], isV4: wantsV4), let destination = address(words[2], isV4: wantsV4),
      let sourcePort = port(words[3]), let destinationPort = port(words[4])
    else { return .invalid(.address) }
    var header = ProxyProtocol.Header(version: .v1, isProxied: true)
    header.source = .ip(source, port: sourcePort)
    header.destination = .ip(destination, port: destinationPort)
    return .complete(consumed: end + 1, header)
  }

  /// Splits at single spaces; two in a row give an empty word, which nothing accepts.
  private static func split(_ line: Bytes) -> [Bytes] {
    var words: [Bytes] = []
    var start = 0
    while start <= line.count {
      let end = line.firstIndex(of: 0x20, from: start) ?? line.count
      words.append(line[start..<end])
      start = end + 1
    }
    return words
  }

  private static func address(_ word: Bytes, isV4: Bool) -> IPAddress? {
    // A NUL would end the text early for the parser below.
    guard word.firstIndex(of: 0) == nil, let address = IPAddress(word.string) else { return nil }
    if case .v4 = address { return isV4 ? address : nil }
    return isV4 ? nil : address
  }

  private static func port(_ word: Bytes) -> UInt16? {
    guard word.count <= 5, word.count == 1 || word.first0 != 0x30 else { return nil }
    return ASCII.decimal(word.span).flatMap { UInt16(exactly: $0) }
  }
}

extension Bytes {
  fileprivate var first0: UInt8? { isEmpty ? nil : self[0] }
}

/// Version 2: a binary header.
enum ProxyV2Decoder {
  static func decode(_ input: Bytes) -> ProxyProtocol.Outcome {
    let signature = Bytes(ProxyProtocol.signature)
    let n = Swift.min(signature.count, input.count)
    guard input.prefix(n) == signature.prefix(n) else { return .invalid(.signature) }
    if input.count > 12, input[12] != 0x20, input[12] != 0x21 { return .invalid(.version) }
    guard input.count >= 16 else { return .needMore }
    let length = Int(input[14]) << 8 | Int(input[15])
    guard length <= ProxyProtocol.bodyBound else { return .invalid(.tooLong) }
    guard input.count >= 16 + length else { return .needMore }
    var header = ProxyProtocol.Header(version: .v2, isProxied: input[12] == 0x21)
    let body = input[16..<(16 + length)]
    let used: Int
    switch addresses(input[13], body, &header) {
    case .failure(let fault): return .invalid(fault)
    case .success(let n): used = n
    }
    switch tlvs(body.dropFirst(used)) {
    case .failure(let fault): return .invalid(fault)
    case .success(let found): header.tlvs = found
    }
    if let fault = checksumFault(header.tlvs, input.prefix(16 + length), addressEnd: 16 + used) {
      return .invalid(fault)
    }
    return .complete(consumed: 16 + length, header)
  }

  /// Octets that the addresses take.
  private static func addresses(
    _ family: UInt8, _ body: Bytes, _ header: inout ProxyProtocol.Header
  ) -> Result<Int, ProxyProtocol.Fault> {
    header.isDatagram = family & 0x0F == 2
    guard family & 0x0F <= 2 else { return .failure(.version) }
    switch family >> 4 {
    case 0:
      header.isProxied = false
      return .success(body.count)
    case 1:
      guard body.count >= 12 else { return short(header) }
      let at = { (i: Int) in IPAddress.v4(UInt32(truncatingIfNeeded: number(body, i, 4))) }
      header.source = .ip(at(0), port: UInt16(truncatingIfNeeded: number(body, 8, 2)))
      header.destination = .ip(at(4), port: UInt16(truncatingIfNeeded: number(body, 10, 2)))
      return done(12, &header)
    case 2:
      guard body.count >= 36 else { return short(header) }
      let at = { (i: Int) in IPAddress.v6(high: number(body, i, 8), low: number(body, i + 8, 8)) }
      header.source = .ip(at(0), port: UInt16(truncatingIfNeeded: number(body, 32, 2)))
      header.destination = .ip(at(16), port: UInt16(truncatingIfNeeded: number(body, 34, 2)))
      return done(36, &header)
    case 3:
      guard body.count >= 216 else { return short(header) }
      header.source = .unix(path(body[0..<108]))
      header.destination = .unix(path(body[108..<216]))
      return done(216, &header)
    default: return .failure(.version)
    }
  }

  /// LOCAL needs no addresses, and those it gives mean nothing.
  private static func short(_ header: ProxyProtocol.Header) -> Result<Int, ProxyProtocol.Fault> {
    header.isProxied ? .failure(.length) : .success(0)
  }

  private static func done(
    _ used: Int, _ header: inout ProxyProtocol.Header
  ) -> Result<Int, ProxyProtocol.Fault> {
    if !header.isProxied {
      header.source = .none
      header.destination = .none
    }
    return .success(used)
  }

  private static func number(_ body: Bytes, _ at: Int, _ count: Int) -> UInt64 {
    var value: UInt64 = 0
    for i in at..<(at + count) { value = value << 8 | UInt64(body[i]) }
    return value
  }

  private static func path(_ field: Bytes) -> String {
    let end = field.firstIndex(of: 0, from: field[0] == 0 ? 1 : 0) ?? field.count
    return field.prefix(end).string
  }

  static func tlvs(_ area: Bytes) -> Result<[ProxyProtocol.TLV], ProxyProtocol.Fault> {
    var found: [ProxyProtocol.TLV] = []
    var at = 0
    while at < area.count {
      guard at + 3 <= area.count else { return .failure(.tlv) }
      let length = Int(area[at + 1]) << 8 | Int(area[at + 2])
      guard at + 3 + length <= area.count else { return .failure(.tlv) }
      found.append(ProxyProtocol.TLV(area[at], area[(at + 3)..<(at + 3 + length)]))
      at += 3 + length
    }
    return .success(found)
  }

  private static func checksumFault(
    _ tlvs: [ProxyProtocol.TLV], _ header: Bytes, addressEnd: Int
  ) -> ProxyProtocol.Fault? {
    var at = addressEnd
    for tlv in tlvs {
      if tlv.type == ProxyProtocol.TLV.crc32c {
        guard tlv.value.count == 4 else { return .tlv }
        var octets = header.array
        for i in 0..<4 { octets[at + 3 + i] = 0 }
        return CRC32C.of(octets.span) == UInt32(truncatingIfNeeded: number(tlv.value, 0, 4)) ? nil : .checksum
      }
      at += 3 + tlv.value.count
    }
    return nil
  }
}

/// The checksum of RFC 3720 that PROXY headers use.
enum CRC32C {
  private static let table: [UInt32] = (0..<256).map { n in
    var c = UInt32(n)
    for _ in 0..<8 { c = c & 1 == 1 ? c >> 1 ^ 0x82F6_3B78 : c >> 1 }
    return c
  }

  static func of(_ octets: borrowing Span<UInt8>) -> UInt32 {
    var crc: UInt32 = 0xFFFF_FFFF
    let table = Self.table
    for i in 0..<octets.count {
      crc = crc >> 8 ^ table[Int((crc ^ UInt32(octets[i])) & 0xFF)]
    }
    return ~crc
  }
}
