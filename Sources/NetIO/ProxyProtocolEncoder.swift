public import Base

extension ProxyProtocol {
  /// The line of version 1; `UNKNOWN` when the addresses are not two of one IP family.
  public static func encodeV1(source: SocketAddress, destination: SocketAddress) -> [UInt8] {
    guard case .ip(let from, let fromPort) = source, case .ip(let to, let toPort) = destination else {
      return Array("PROXY UNKNOWN\r\n".utf8)
    }
    switch (from, to) {
    case (.v4, .v4): return Array("PROXY TCP4 \(from) \(to) \(fromPort) \(toPort)\r\n".utf8)
    default:
      return Array("PROXY TCP6 \(mapped(from)) \(mapped(to)) \(fromPort) \(toPort)\r\n".utf8)
    }
  }

  /// A binary header.
  ///
  /// - Parameters:
  ///   - isLocal: the connection is the proxy's own (a health check): LOCAL.
  ///   - tlvs: appended in order; those that would make the header exceed 65535 octets are left out.
  ///   - checksum: appends the CRC-32C of the header (`crc32c` of `proxy-v2-options`).
  public static func encodeV2(
    source: SocketAddress, destination: SocketAddress, isLocal: Bool = false, tlvs: [TLV] = [],
    checksum: Bool = false
  ) -> [UInt8] {
    var out = signature
    out.append(isLocal ? 0x20 : 0x21)
    var body: [UInt8] = []
    let family = isLocal ? 0 : appendAddresses(source, destination, to: &body)
    out.append(family)
    for tlv in tlvs where body.count + 3 + tlv.value.count + 7 <= 65535 { append(tlv, to: &body) }
    if checksum { append(TLV(TLV.crc32c, Bytes([0, 0, 0, 0])), to: &body) }
    out.append(UInt8(truncatingIfNeeded: body.count >> 8))
    out.append(UInt8(truncatingIfNeeded: body.count))
    out += body
    if checksum {
      let crc = CRC32C.of(out.span)
      for i in 0..<4 { out[out.count - 4 + i] = UInt8(truncatingIfNeeded: crc >> (24 - 8 * UInt32(i))) }
    }
    return out
  }

  /// The PP2_TYPE_SSL value: flags, verification result, and TLVs of its own.
  ///
  /// - Parameters:
  ///   - hasCertificate: the client showed a certificate, on this connection or its session.
  ///   - verifyResult: 0 when it was verified.
  public static func sslTLV(
    hasCertificate: Bool, verifyResult: UInt32, inner: [TLV]
  ) -> TLV {
    var value: [UInt8] = [hasCertificate ? 0x07 : 0x01]
    for i in 0..<4 { value.append(UInt8(truncatingIfNeeded: verifyResult >> (24 - 8 * UInt32(i)))) }
    for tlv in inner where value.count + 3 + tlv.value.count <= 65535 { append(tlv, to: &value) }
    return TLV(TLV.ssl, Bytes(value))
  }

  /// The parts of a PP2_TYPE_SSL value; nil when it is malformed.
  public static func readSSL(_ value: Bytes) -> (flags: UInt8, verifyResult: UInt32, inner: [TLV])? {
    guard value.count >= 5, case .success(let inner) = ProxyV2Decoder.tlvs(value.dropFirst(5)) else {
      return nil
    }
    var result: UInt32 = 0
    for i in 1..<5 { result = result << 8 | UInt32(value[i]) }
    return (value[0], result, inner)
  }

  private static func append(_ tlv: TLV, to out: inout [UInt8]) {
    out.append(tlv.type)
    out.append(UInt8(truncatingIfNeeded: tlv.value.count >> 8))
    out.append(UInt8(truncatingIfNeeded: tlv.value.count))
    out.append(tlv.value)
  }

  /// Appends both addresses and gives the family octet; 0 when they cannot be told.
  private static func appendAddresses(
    _ source: SocketAddress, _ destination: SocketAddress, to body: inout [UInt8]
  ) -> UInt8 {
    switch (source, destination) {
    case (.ip(let from, let fromPort), .ip(let to, let toPort)):
      let isV4: Bool
      if case .v4 = from, case .v4 = to { isV4 = true } else { isV4 = false }
      body += isV4 ? from.octets : mapped(from).octets
      body += isV4 ? to.octets : mapped(to).octets
      for port in [fromPort, toPort] {
        body.append(UInt8(truncatingIfNeeded: port >> 8))
        body.append(UInt8(truncatingIfNeeded: port))
      }
      return isV4 ? 0x11 : 0x21
    case (.unix(let from), .unix(let to)):
      for path in [from, to] {
        let octets = Array(path.utf8.prefix(108))
        body += octets + [UInt8](repeating: 0, count: 108 - octets.count)
      }
      return 0x31
    default: return 0
    }
  }

  /// An IPv4 address in the IPv6 family.
  private static func mapped(_ address: IPAddress) -> IPAddress {
    if case .v4(let word) = address { return .v6(high: 0, low: 0xFFFF_0000_0000 | UInt64(word)) }
    return address
  }
}
