import Base
import NetIO
import Testing

@Suite("PROXY protocol")
struct ProxyProtocolTests {
  static func decode(_ octets: [UInt8]) -> ProxyProtocol.Outcome { ProxyProtocol.decode(Bytes(octets).span) }
  static let four = SocketAddress.ip(.v4(0xC0A8_0001), port: 56324)
  static let other = SocketAddress.ip(.v4(0x0A00_0002), port: 443)
  static let six = SocketAddress.ip(.v6(high: 0x2001_0DB8_0000_0000, low: 1), port: 80)

  @Test("what is encoded is decoded, and every proper prefix asks for more")
  func roundTrip() throws {
    let tlvs = [
      ProxyProtocol.TLV(ProxyProtocol.TLV.authority, "site.test"),
      ProxyProtocol.sslTLV(
        hasCertificate: true, verifyResult: 0,
        inner: [ProxyProtocol.TLV(ProxyProtocol.TLV.sslVersion, "TLSv1.3")]),
    ]
    let pairs: [(SocketAddress, SocketAddress)] = [
      (four, other), (six, six), (.unix("/run/a"), .unix("/run/b")),
    ].map { $0 }
    for (source, destination) in pairs {
      var headers = [
        ProxyProtocol.encodeV2(source: source, destination: destination, tlvs: tlvs, checksum: true),
        ProxyProtocol.encodeV2(source: source, destination: destination),
      ]
      if case .ip = source {
        headers.append(ProxyProtocol.encodeV1(source: source, destination: destination))
      }
      for octets in headers {
        guard case .complete(let consumed, let header) = Self.decode(octets + [1, 2, 3]) else {
          Issue.record("\(octets)")
          continue
        }
        #expect(consumed == octets.count)
        #expect(header.isProxied)
        #expect(header.source == source)
        #expect(header.destination == destination)
        for n in 0..<octets.count { #expect(Self.decode(Array(octets[..<n])) == .needMore) }
      }
    }
    let ssl = try #require(ProxyProtocol.readSSL(tlvs[1].value))
    #expect(ssl.flags == 7)
    #expect(ssl.inner.first?.value == "TLSv1.3")
  }

  private var four: SocketAddress { Self.four }
  private var other: SocketAddress { Self.other }
  private var six: SocketAddress { Self.six }

  @Test("the lines of version 1 are those of the specification")
  func lines() {
    #expect(
      ProxyProtocol.encodeV1(source: four, destination: other)
        == Array("PROXY TCP4 192.168.0.1 10.0.0.2 56324 443\r\n".utf8))
    #expect(
      ProxyProtocol.encodeV1(source: four, destination: six)
        == Array("PROXY TCP6 ::ffff:192.168.0.1 2001:db8::1 56324 80\r\n".utf8))
    #expect(
      ProxyProtocol.encodeV1(source: .none, destination: six) == Array("PROXY UNKNOWN\r\n".utf8))
    guard case .complete(_, let header) = Self.decode(Array("PROXY UNKNOWN ffff:: ffff:: 1 2\r\n".utf8))
    else {
      Issue.record("UNKNOWN was refused")
      return
    }
    #expect(!header.isProxied)
  }

  static let malformed: [String] = [
    "GET / HTTP/1.1\r\n", "PROXY TCP4 1.2.3.4 5.6.7.8 1 2\n", "PROXY TCP4 1.2.3.4 5.6.7.8 1\r\n",
    "PROXY TCP4  1.2.3.4 5.6.7.8 1 2\r\n", "PROXY TCP4 1.2.3.4 5.6.7.8 1 2 \r\n",
    "PROXY TCP4 1.2.3.4 5.6.7.8 1 65536\r\n", "PROXY TCP4 1.2.3.4 5.6.7.8 01 2\r\n",
    "PROXY TCP4 1.2.3.4 5.6.7.8 -1 2\r\n", "PROXY TCP4 ::1 ::2 1 2\r\n", "PROXY TCP6 1.2.3.4 5.6.7.8 1 2\r\n",
    "PROXY TCP4 1.2.3.4\0 5.6.7.8 1 2\r\n", "PROXY TCP5 1.2.3.4 5.6.7.8 1 2\r\n", "PROXY  UNKNOWN\r\n",
    "PROXY TCP4 " + String(repeating: "1", count: 120), "proxy TCP4 1.2.3.4 5.6.7.8 1 2\r\n",
  ]

  @Test("malformed lines are refused", arguments: malformed)
  func refusesLines(_ line: String) {
    guard case .invalid = Self.decode(Array(line.utf8)) else {
      Issue.record("accepted")
      return
    }
  }

  @Test("malformed binary headers are refused")
  func refusesBinary() {
    let good = ProxyProtocol.encodeV2(
      source: four, destination: other, tlvs: [ProxyProtocol.TLV(4, "x")], checksum: true)
    var cases: [(ProxyProtocol.Fault, [UInt8])] = []
    for (at, value, fault) in [
      (11, 0, .signature), (12, 0x31, .version), (12, 0x22, .version), (13, 0x41, .version),
      (13, 0x13, .version),
      (13, 0x21, .length), (20, 9, .checksum), (29, 9, .tlv), (14, 0xFF, .tooLong),
    ] as [(Int, UInt8, ProxyProtocol.Fault)] {
      var changed = good
      changed[at] = value
      cases.append((fault, changed))
    }
    for (fault, octets) in cases { #expect(Self.decode(octets) == .invalid(fault)) }
  }

  @Test("LOCAL leaves the connection's own addresses")
  func local() {
    let octets = ProxyProtocol.encodeV2(source: four, destination: other, isLocal: true)
    #expect(octets.count == 16)
    guard case .complete(16, let header) = Self.decode(octets) else {
      Issue.record("refused")
      return
    }
    #expect(!header.isProxied)
    #expect(header.source == .none)
  }

  @Test("random changes never trap")
  func mutations() {
    var state: UInt64 = 42
    func roll(_ n: Int) -> Int {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int(truncatingIfNeeded: state >> 33) % n
    }
    let seeds = [
      ProxyProtocol.encodeV1(source: four, destination: other),
      ProxyProtocol.encodeV2(
        source: six, destination: six, tlvs: [ProxyProtocol.TLV(2, "abc")], checksum: true),
      ProxyProtocol.encodeV2(source: .unix("a"), destination: .unix("b")),
    ]
    for round in 0..<30000 {
      var octets = seeds[round % 3]
      for _ in 0...roll(4) { octets[roll(octets.count)] = UInt8(roll(256)) }
      _ = Self.decode(octets)
      _ = Self.decode(Array(octets[..<roll(octets.count)]))
    }
  }
}
