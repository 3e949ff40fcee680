import Base
import Testing

@testable import Rules

@Suite("Headers of packets")
struct PacketTests {
  static let frame = "0000000000010000000000020800"
  static let tagged = "0000000000010000000000028100000581000123" + "0800"
  static let v4 = "4500003C0A654000400632557F0000017F000002"
  static let v6 = "6008018F00280640" + one + two
  static let extended = "6008018F00300040" + one + two + "0600000000000000"
  static let one = "00000000000000000000000000000001"
  static let two = "00000000000000000000000000000002"
  static let tcp = "E1F2115D01AF4E3E00000000A002FFD7FE3000000204FFD70402080A01C2A71A0000000001030307"

  @Test(
    "fields of Ethernet frames",
    arguments: [
      (frame + v4, "eth.dst,hex", "000000000001"), (frame + v4, "eth.src,hex", "000000000002"),
      (frame + v4, "eth.proto", "2048"), (frame + v4, "eth.hdr,hex", frame), (frame + v4, "eth.data,hex", v4),
      (frame + v4, "eth.vlan", ""), (tagged + v4, "eth.vlan", "291"), (tagged + v4, "eth.proto", "2048"),
      (tagged + v4, "eth.data,hex", v4), ("00000000", "eth.dst,hex", ""), (frame, "eth.proto", ""),
    ])
  func ethernet(packet: String, converter: String, value: String) {
    #expect(evaluated("bin(\(packet)),\(converter)") == value)
  }

  @Test(
    "fields of IP packets",
    arguments: [
      (v4 + tcp, "ip.ver", "4"), (v4 + tcp, "ip.src", "127.0.0.1"), (v4 + tcp, "ip.dst", "127.0.0.2"),
      (v4 + tcp, "ip.proto", "6"), (v4 + tcp, "ip.df", "1"), (v4 + tcp, "ip.ttl", "64"), (v4 + tcp, "ip.tos", "0"),
      (v4 + tcp, "ip.hdr,hex", v4), (v4 + tcp, "ip.data,hex", tcp), (v6 + tcp, "ip.src", "::1"),
      (v6 + tcp, "ip.dst", "::2"), (v6 + tcp, "ip.tos", "0"), (v6 + tcp, "ip.ttl", "64"),
      (extended + tcp, "ip.proto", "6"), (extended + tcp, "ip.data,hex", tcp), (String(v4.prefix(30)), "ip.src", ""),
      (String(v4.prefix(30)), "ip.proto", "6"), ("55", "ip.ver", "5"), ("55", "ip.data,hex", ""),
      (String(extended.prefix(82)), "ip.data,hex", ""),
    ])
  func ip(packet: String, converter: String, value: String) {
    #expect(evaluated("bin(\(packet)),\(converter)") == value)
  }

  @Test(
    "fields and options of TCP segments",
    arguments: [
      (tcp, "tcp.src", "57842"), (tcp, "tcp.dst", "4445"), (tcp, "tcp.seq", "28266046"), (tcp, "tcp.flags", "2"),
      (tcp, "tcp.win", "65495"), (tcp, "tcp.options.mss", "65495"), (tcp, "tcp.options.wscale", "7"),
      (tcp, "tcp.options.tsval", "29533978"), (tcp, "tcp.options.sack", "1"), (tcp, "tcp.options.wsopt", "1"),
      (tcp, "tcp.options.tsopt", "1"), (tcp, "tcp.options_list,hex", "0204080103"),
      (String(tcp.prefix(40)), "tcp.src", "57842"), (String(tcp.prefix(40)), "tcp.options.mss", ""),
      (String(tcp.prefix(38)), "tcp.src", ""),
      // An option that reaches beyond the header is listed and has no value.
      ("E1F2115D01AF4E3E000000006002FFD7FE30000002040101", "tcp.options.mss", "257"),
      ("E1F2115D01AF4E3E000000006002FFD7FE30000002080101", "tcp.options.mss", "0"),
      ("E1F2115D01AF4E3E000000006002FFD7FE30000002080101", "tcp.options_list,hex", "02"),
      ("E1F2115D01AF4E3E000000006002FFD7FE30000008000101", "tcp.options.tsopt", "0"),
    ])
  func segment(packet: String, converter: String, value: String) {
    #expect(evaluated("bin(\(packet)),\(converter)") == value)
  }

  @Test(
    "fingerprints hold what the sender's stack decides",
    arguments: [
      (v4 + tcp, "ip.fp,hex", "0050A8FFD7FFD747"), (v4 + tcp, "ip.fp(1),hex", "0050A8FFD7FFD74740"),
      (v4 + tcp, "ip.fp(2),hex", "0050A8FFD7FFD7470204080103"),
      (v4 + tcp, "ip.fp(4),hex", "0050A8FFD7FFD7477F000001"), (v4, "ip.fp,hex", ""),
    ])
  func fingerprint(packet: String, converter: String, value: String) {
    #expect(evaluated("bin(\(packet)),\(converter)") == value)
  }

  @Test("no cut of a packet is too short for any of them")
  func cuts() {
    for packet in [PacketTests.tagged + PacketTests.extended + PacketTests.tcp, PacketTests.v4 + PacketTests.tcp] {
      let octets = stride(from: 0, to: packet.count, by: 2).compactMap { at in
        UInt8(packet.dropFirst(at).prefix(2), radix: 16)
      }
      let context = Fixture([]).context
      for length in 0...octets.count {
        for start in [0, 14, 22] where start <= length {
          let sample = Sample.binary(Bytes(octets, in: start..<length))
          for entry in PacketConverters.table { _ = entry.body(sample, Arguments(), context) }
        }
      }
    }
  }
}
