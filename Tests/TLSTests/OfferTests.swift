import Base
import Testing

@testable import TLS

@Suite("What a session keeps of its handshake")
struct OfferTests {
  private func files() throws -> MemoryFiles {
    MemoryFiles(files: ["site": try SelfSigned(names: ["site.test"]).bundlePEM])
  }

  private func loopback(capture: Int, logsKeys: Bool) throws -> Loopback {
    var serving = TLSServerContext.Settings()
    serving.certificates = [TLSCertificateSource(path: "site")]
    serving.helloCapture = capture
    serving.policy.logsKeys = logsKeys
    var asking = TLSClientContext.Settings()
    asking.policy.logsKeys = logsKeys
    let files = try files()
    let loopback = try Loopback(
      client: TLSClientContext(asking, files: files), server: TLSServerContext(serving, files: files), name: "site.test"
    )
    #expect(loopback.shake() == (.complete, .complete))
    return loopback
  }

  @Test("a hello is kept up to the bound, in the order of its lists", arguments: [0, 1, 20, 61, 1000])
  func capture(bound: Int) throws {
    let hello = try loopback(capture: bound, logsKeys: false).server.capturedHello
    guard bound > 0 else {
      #expect(hello == nil)
      return
    }
    let whole = try #require(try loopback(capture: 1000, logsKeys: false).server.capturedHello)
    let found = try #require(hello)
    #expect(whole.version == 0x0303)
    #expect(found.cipherHash == XXHash.hash64(whole.ciphers, seed: 0))
    let parts: [KeyPath<CapturedHello, Bytes>] = [
      \.ciphers, \.extensions, \.groups, \.pointFormats, \.supportedVersions, \.signatureAlgorithms,
    ]
    #expect(parts.reduce(0) { $0 + found[keyPath: $1].count } <= bound)
    for part in parts { #expect(whole[keyPath: part].starts(with: found[keyPath: part])) }
    #expect(whole.extensions.count > 8)
    #expect(whole.groups.count > 2)
    #expect(whole.signatureAlgorithms.count > 4)
    #expect(whole.supportedVersions.starts(with: Bytes([3, 4])))
  }

  @Test("values of RFC 8701 are left out")
  func grease() {
    let list = Bytes([0x0A, 0x0A, 0x13, 0x01, 0xFA, 0xFA, 0x0A, 0x1A, 0x55, 0x55, 0x7A])
    #expect(CapturedHello.withoutGrease(list) == Bytes([0x13, 0x01, 0x0A, 0x1A, 0x55, 0x55, 0x7A]))
    #expect(CapturedHello.withoutGrease(.empty).isEmpty)
  }

  @Test("both sides keep the same secrets, and none unless told to")
  func secrets() throws {
    let logged = try loopback(capture: 0, logsKeys: true)
    #expect(logged.server.secrets == logged.client.secrets)
    #expect(
      Set(logged.server.secrets.keys)
        == [.clientHandshakeTraffic, .serverHandshakeTraffic, .clientTraffic, .serverTraffic, .exporter])
    #expect(logged.server.secrets.values.allSatisfy { $0.count >= 64 })
    #expect(try loopback(capture: 0, logsKeys: false).server.secrets.isEmpty)
  }

  @Test("the certificate that is shown has a name")
  func certificate() throws {
    let loopback = try loopback(capture: 0, logsKeys: false)
    #expect(loopback.server.certificateName == "site")
    #expect(loopback.client.certificateName == nil)
  }

  @Test(
    "cipher suites have names",
    arguments: [
      (0x1301, "TLS_AES_128_GCM_SHA256"), (0xC02B, "ECDHE-ECDSA-AES128-GCM-SHA256"), (0x0A0A, nil),
      (0x00FF, "TLS_EMPTY_RENEGOTIATION_INFO_SCSV"),
    ] as [(UInt16, String?)])
  func suites(number: UInt16, name: String?) { #expect(CipherSuite.name(of: number) == name) }
}
