public import Base

/// NetScaler's Client IP header: the IP and TCP headers of the client's own connection, behind a number that both
/// sides know. There is an older form and one with a type and a length of its own.
public enum NetscalerHeader {
  public enum Outcome: Equatable, Sendable {
    case needMore
    case complete(consumed: Int, source: SocketAddress, destination: SocketAddress)
    case invalid(Fault)
  }

  public enum Fault: String, Sendable {
    case magic = "NetScaler Client IP header with another magic number"
    case version = "unknown NetScaler Client IP protocol"
    case address = "no TCP over IPv4 or IPv6 in NetScaler Client IP header"
    case length = "NetScaler Client IP header too short for its contents"
  }

  /// Octets of headers that are taken.
  public static let bound = 512

  /// Reads the header at the start of `input`. Call again with the same octets and more after `needMore`.
  public static func decode(_ input: borrowing Span<UInt8>, magic: UInt32) -> Outcome {
    let octets = Bytes([UInt8](copying: input.extracting(0..<Swift.min(input.count, bound))))
    guard octets.count >= 4 else { return .needMore }
    guard number(octets, 0, 4) == magic else { return .invalid(.magic) }
    guard octets.count >= 12 else { return .needMore }
    let start: Int
    let length: Int
    if octets[8] & 0xD0 == 0x40 {
      start = 8
      length = Int(number(octets, 4, 4))
    } else if octets[8] == 0 {
      start = 12
      length = Int(number(octets, 10, 2))
    } else {
      return .invalid(.version)
    }
    guard length >= 40, length <= bound - 12 else { return .invalid(.length) }
    guard octets.count >= start + length else { return .needMore }
    return addresses(octets[start..<(start + length)], consumed: start + length)
  }

  private static func addresses(_ header: Bytes, consumed: Int) -> Outcome {
    switch header[0] >> 4 {
    case 4:
      let ports = Int(header[0] & 0x0F) * 4
      guard header[9] == 6, ports >= 20 else { return .invalid(.address) }
      guard header.count >= ports + 20 else { return .invalid(.length) }
      return .complete(
        consumed: consumed,
        source: .ip(.v4(UInt32(truncatingIfNeeded: number(header, 12, 4))), port: port(header, ports)),
        destination: .ip(.v4(UInt32(truncatingIfNeeded: number(header, 16, 4))), port: port(header, ports + 2)))
    case 6:
      guard header[6] == 6 else { return .invalid(.address) }
      guard header.count >= 60 else { return .invalid(.length) }
      let at = { (i: Int) in IPAddress.v6(high: number(header, i, 8), low: number(header, i + 8, 8)) }
      return .complete(
        consumed: consumed, source: .ip(at(8), port: port(header, 40)),
        destination: .ip(at(24), port: port(header, 42)))
    default: return .invalid(.address)
    }
  }

  private static func port(_ header: Bytes, _ at: Int) -> UInt16 { UInt16(truncatingIfNeeded: number(header, at, 2)) }

  private static func number(_ octets: Bytes, _ at: Int, _ count: Int) -> UInt64 {
    var value: UInt64 = 0
    for i in at..<(at + count) { value = value << 8 | UInt64(octets[i]) }
    return value
  }
}
