import Base

/// Fields of raw Ethernet, IP and TCP headers, as `fc_saved_syn` gives them.
enum PacketConverters {
  static let table: [ConverterEntry] = ethernet + ip + tcp

  private static func octets(_ name: String, _ pick: @escaping @Sendable (Bytes) -> Bytes?) -> ConverterEntry {
    ConverterEntry(name, .none, .binary, .binary) { sample, _, _ in pick(sample.octets).map(Sample.binary) }
  }

  private static func number(_ name: String, _ pick: @escaping @Sendable (Bytes) -> Int64?) -> ConverterEntry {
    ConverterEntry(name, .none, .binary, .int) { sample, _, _ in pick(sample.octets).map(Sample.int) }
  }

  private static let ethernet: [ConverterEntry] = [
    octets("eth.dst") { $0.count >= 6 ? $0.prefix(6) : nil },
    octets("eth.src") { $0.count >= 12 ? $0[6..<12] : nil },
    octets("eth.data") { frame in EthernetFrame(frame).map { frame.dropFirst($0.length) } },
    octets("eth.hdr") { frame in EthernetFrame(frame).map { frame.prefix($0.length) } },
    number("eth.proto") { EthernetFrame($0).map { Int64($0.proto) } },
    number("eth.vlan") { EthernetFrame($0).flatMap { $0.vlan > 0 ? Int64($0.vlan) : nil } },
  ]

  private static let ip: [ConverterEntry] = [
    octets("ip.data") { packet in IPPacket(packet)?.headerLength.map { packet.dropFirst($0) } },
    octets("ip.hdr") { packet in IPPacket(packet)?.headerLength.map { packet.prefix($0) } },
    number("ip.df") { IPPacket($0)?.isNeverFragmented.map { $0 ? 1 : 0 } },
    number("ip.proto") { IPPacket($0)?.nextProtocol.map { Int64($0) } },
    number("ip.tos") { IPPacket($0)?.typeOfService.map { Int64($0) } },
    number("ip.ttl") { IPPacket($0)?.timeToLive.map { Int64($0) } },
    number("ip.ver") { $0.isEmpty ? nil : Int64($0[0] >> 4) },
    ConverterEntry("ip.src", .none, .binary, .address) { sample, _, _ in
      IPPacket(sample.octets)?.source.map(Sample.ip)
    },
    ConverterEntry("ip.dst", .none, .binary, .address) { sample, _, _ in
      IPPacket(sample.octets)?.destination.map(Sample.ip)
    },
    ConverterEntry("ip.fp", .optional(.integer), .binary, .binary) { sample, a, _ in
      PacketFingerprint.make(sample.octets, mode: a.int(0) ?? 0).map(Sample.binary)
    },
  ]

  private static let tcp: [ConverterEntry] = [
    number("tcp.src") { TCPSegment($0)?.field(0, 2) },
    number("tcp.dst") { TCPSegment($0)?.field(2, 2) },
    number("tcp.seq") { TCPSegment($0)?.field(4, 4) },
    number("tcp.flags") { TCPSegment($0)?.field(13, 1) },
    number("tcp.win") { TCPSegment($0)?.field(14, 2) },
    number("tcp.options.mss") { TCPSegment($0)?.option(2, size: 2) },
    number("tcp.options.wscale") { TCPSegment($0)?.option(3, size: 1) },
    number("tcp.options.tsval") { TCPSegment($0)?.option(8, size: 4) },
    number("tcp.options.wsopt") { TCPSegment($0)?.has(3).map { $0 ? 1 : 0 } },
    number("tcp.options.sack") { TCPSegment($0)?.has(4).map { $0 ? 1 : 0 } },
    number("tcp.options.tsopt") { TCPSegment($0)?.has(8).map { $0 ? 1 : 0 } },
    octets("tcp.options_list") { octets in
      guard let segment = TCPSegment(octets), let length = segment.headerLength else { return nil }
      return Bytes(segment.options(in: length).map(\.kind))
    },
  ]
}

/// The header of an Ethernet frame with its VLAN tags (IEEE 802.1Q).
private struct EthernetFrame {
  let length: Int
  let proto: UInt16
  /// Of the last tag; 0 without one.
  let vlan: UInt16

  /// nil when the header is incomplete.
  init?(_ octets: Bytes) {
    var (at, tag): (Int, UInt16) = (12, 0)
    while at + 2 < octets.count {
      let type = UInt16(octets[at]) << 8 | UInt16(octets[at + 1])
      if type != 0x8100 {
        (length, proto, vlan) = (at + 2, type, tag)
        return
      }
      guard at + 4 <= octets.count else { return nil }
      tag = (UInt16(octets[at + 2]) << 8 | UInt16(octets[at + 3])) & 0xFFF
      at += 4
    }
    return nil
  }
}
