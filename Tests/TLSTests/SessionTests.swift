import Base
import TLS
import Testing

@Suite("TLS sessions over memory")
struct SessionTests {
  static func server(
    _ files: MemoryFiles, _ paths: [String], policy: TLSPolicy = TLSPolicy(), strictSNI: Bool = false
  ) throws -> TLSServerContext {
    var settings = TLSServerContext.Settings()
    settings.policy = policy
    settings.certificates = paths.map { TLSCertificateSource(path: $0) }
    settings.strictSNI = strictSNI
    return try TLSServerContext(settings, files: files)
  }

  static func client(
    _ files: MemoryFiles = MemoryFiles(), policy: TLSPolicy = TLSPolicy(), certificate: String? = nil
  ) throws -> TLSClientContext {
    var settings = TLSClientContext.Settings()
    settings.policy = policy
    settings.certificate = certificate
    return try TLSClientContext(settings, files: files)
  }

  static func oneSite() throws -> MemoryFiles {
    MemoryFiles(files: ["site.pem": try SelfSigned(names: ["site.test"]).bundlePEM])
  }

  @Test("a handshake completes and octets pass both ways", arguments: [nil, 1, 7, 1000] as [Int?])
  func exchange(_ step: Int?) throws {
    var policy = TLSPolicy()
    policy.alpn = ["h2", "http/1.1"]
    let files = try Self.oneSite()
    let pair = try Loopback(
      client: Self.client(), server: Self.server(files, ["site.pem"], policy: policy), name: "site.test",
      alpn: ["http/1.1", "h2"])
    pair.step = step
    let outcome = pair.shake()
    #expect(outcome.client == .complete)
    #expect(outcome.server == .complete)
    #expect(pair.server.version == "TLSv1.3")
    #expect(pair.server.serverName == "site.test")
    #expect(pair.server.alpn == "h2")
    #expect(pair.client.alpn == "h2")
    let size = step == 1 ? 3000 : 300_000
    let octets = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 31) }
    #expect(pair.send(octets, fromClient: true) == octets)
    #expect(pair.send(octets, fromClient: false) == octets)
    pair.step = nil
    #expect(pair.closeFromClient() == .closed)
  }

  @Test("the certificate is chosen by name: exact, wildcard, default")
  func chooses() throws {
    var files = MemoryFiles()
    for name in ["default.test", "one.test", "*.wild.test"] {
      files.files["certs/\(name).pem"] = try SelfSigned(names: [name]).bundlePEM
    }
    let server = try Self.server(files, ["certs/default.test.pem", "certs"])
    let cases: [(String?, Bytes)] = [
      ("one.test", "one.test"), ("ONE.test", "one.test"), ("a.wild.test", "*.wild.test"),
      ("a.b.wild.test", "default.test"), ("wild.test", "default.test"), ("unknown.test", "default.test"),
      (nil, "default.test"),
    ]
    for (name, subject) in cases {
      let pair = try Loopback(client: Self.client(), server: server, name: name)
      #expect(pair.shake().server == .complete)
      #expect(pair.client.peerCertificate?.subject.part("CN") == subject, "\(name ?? "none")")
    }
  }

  @Test("strict-sni refuses names without a certificate")
  func strict() throws {
    let server = try Self.server(Self.oneSite(), ["site.pem"], strictSNI: true)
    #expect(
      try Loopback(client: Self.client(), server: server, name: "site.test").shake().server == .complete)
    for name in ["other.test", nil] {
      guard case .failed = try Loopback(client: Self.client(), server: server, name: name).shake().server
      else {
        Issue.record("\(name ?? "none") was accepted")
        continue
      }
    }
  }

  @Test("one name with RSA and ECDSA serves what the client can verify")
  func algorithms() throws {
    let files = MemoryFiles(files: [
      "site.pem.rsa": try SelfSigned(names: ["site.test"], kind: .rsa2048).bundlePEM,
      "site.pem.ecdsa": try SelfSigned(names: ["site.test"], kind: .p256).bundlePEM,
    ])
    let server = try Self.server(files, ["site.pem"])
    for (sigalgs, key) in [("rsa_pss_rsae_sha256", "rsaEncryption"), ("ECDSA+SHA256", "id-ecPublicKey")] {
      var policy = TLSPolicy()
      policy.signatureAlgorithms = sigalgs
      let pair = try Loopback(client: Self.client(policy: policy), server: server, name: "site.test")
      #expect(pair.shake().client == .complete)
      #expect(pair.client.peerCertificate?.keyAlgorithm == key)
    }
  }

  @Test("versions outside the policy are refused")
  func versions() throws {
    var old = TLSPolicy()
    old.maximumVersion = .tls12
    var new = TLSPolicy()
    new.minimumVersion = .tls13
    let files = try Self.oneSite()
    let refused = try Loopback(
      client: Self.client(policy: old), server: Self.server(files, ["site.pem"], policy: new), name: nil)
    guard case .failed(let error) = refused.shake().server else {
      Issue.record("accepted")
      return
    }
    #expect(error.reason == .handshake)
    let agreed = try Loopback(
      client: Self.client(policy: old), server: Self.server(files, ["site.pem"]), name: nil)
    #expect(agreed.shake().client == .complete)
    #expect(agreed.client.version == "TLSv1.2")
  }

  @Test(
    "sessions are resumed, with tickets and without", arguments: [false, true], [TLSVersion.tls12, .tls13])
  func resumes(noTickets: Bool, version: TLSVersion) throws {
    var policy = TLSPolicy()
    policy.noTickets = noTickets
    policy.maximumVersion = version
    let server = try Self.server(Self.oneSite(), ["site.pem"], policy: policy)
    let client = try Self.client()
    for round in 0..<3 {
      let pair = try Loopback(client: client, server: server, name: "site.test")
      #expect(pair.shake().client == .complete)
      #expect(pair.send([1, 2, 3], fromClient: false) == [1, 2, 3])
      #expect(pair.server.isResumed == (round > 0))
      #expect(pair.client.isResumed == (round > 0))
    }
  }

  @Test("foreign octets fail the handshake with words")
  func foreign() throws {
    let server = try TLSSession(accepting: Self.server(Self.oneSite(), ["site.pem"]))
    let io = TLSScratch()
    io.incoming.appendGrowing(Array("GET / HTTP/1.1\r\n\r\n".utf8))
    guard case .failed(let error) = server.handshake(io) else {
      Issue.record("accepted")
      return
    }
    #expect(error.description.hasPrefix("SSL handshake failure"))
  }
}
