import Base
import TLS
import Testing

@Suite("ClientHello parser")
struct ClientHelloTests {
  /// The first flight of a real client.
  static func hello(name: String? = "some.site.test", alpn: [String] = ["h2", "http/1.1"]) throws -> [UInt8] {
    let session = try TLSSession(connecting: SessionTests.client(), serverName: name, alpn: alpn)
    let io = TLSScratch()
    _ = session.handshake(io)
    return Array(io.outgoing.readableBytes)
  }

  static func parse(_ octets: [UInt8]) -> ClientHello.Outcome { ClientHello.parse(Bytes(octets).span) }

  @Test("name, protocols and versions of a real hello are read")
  func real() throws {
    guard case .parsed(let hello) = Self.parse(try Self.hello()) else {
      Issue.record("not parsed")
      return
    }
    #expect(hello.serverName == "some.site.test")
    #expect(hello.alpn == ["h2", "http/1.1"])
    #expect(hello.highestVersion == 0x0304)
    #expect(hello.cipherSuites.contains(0x1301))
    #expect(hello.extensions.contains(0))
    #expect(hello.random.count == 32)
  }

  @Test("every proper prefix is incomplete, also when records cut the message anywhere")
  func prefixes() throws {
    let octets = try Self.hello()
    for n in 0..<octets.count { #expect(Self.parse(Array(octets[..<n])) == .incomplete) }
    let whole = Self.parse(octets)
    let body = Array(octets[5...])
    for cut in 1..<body.count {
      let parts = [Array(body[..<cut]), Array(body[cut...])]
      var split: [UInt8] = []
      for part in parts {
        split += [0x16, 3, 1, UInt8(part.count >> 8), UInt8(part.count & 255)]
        split += part
      }
      #expect(Self.parse(split) == whole)
    }
  }

  @Test("what is not TLS is told at once")
  func foreign() throws {
    #expect(Self.parse(Array("GET / HTTP/1.1\r\n".utf8)) == .notTLS)
    #expect(Self.parse([0x80, 0x2E, 0x01, 0x03, 0x01]) == .notTLS)
    #expect(Self.parse([0x15, 3, 1, 0, 2, 2, 40]) == .notTLS)
    #expect(Self.parse([0x16, 3, 1, 0, 0]) == .notTLS)
    #expect(Self.parse([0x16, 3, 1, 0, 1, 2]) == .notTLS)
  }

  @Test("random changes never trap")
  func mutations() throws {
    let octets = try Self.hello()
    var state: UInt64 = 0x9E37_79B9
    func roll(_ n: Int) -> Int {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int(truncatingIfNeeded: state >> 33) % n
    }
    for _ in 0..<20000 {
      var changed = octets
      for _ in 0...roll(4) { changed[roll(changed.count)] = UInt8(roll(256)) }
      _ = Self.parse(changed)
      _ = Self.parse(Array(changed[..<roll(changed.count)]))
    }
  }
}
