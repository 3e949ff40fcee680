import Base
import Testing

@testable import TLS

/// Certificates, authorities and lists that change while connections are served.
@Suite("certificates that change") struct CertificateChangeTests {
  private static func parts(_ made: SelfSigned) throws -> CertificateParts {
    var parts = CertificateParts()
    try parts.takeCertificate(made.bundlePEM, path: "new")
    return parts
  }

  private static func settings(_ paths: [String]) -> TLSServerContext.Settings {
    var settings = TLSServerContext.Settings()
    settings.certificates = paths.map { TLSCertificateSource(path: $0) }
    return settings
  }

  private static func shown(_ server: TLSServerContext, _ name: String, max: TLSVersion? = nil) throws -> Bytes? {
    let pair = try Loopback(client: SessionTests.client(), server: server, name: name)
    #expect(pair.shake().client == .complete)
    return pair.client.peerCertificate?.subject.part("CN")
  }

  @Test("a new context serves what changed, the old one what it did, and both share what did not change")
  func replacement() throws {
    let reader = MemoryFiles(files: [
      "a.pem": try SelfSigned(names: ["a.test"]).bundlePEM, "b.pem": try SelfSigned(names: ["b.test"]).bundlePEM,
    ])
    var files = CertificateFiles(reader)
    let settings = Self.settings(["a.pem", "b.pem"])
    let old = try TLSServerContext(settings, files: &files)
    files.isClosed = true
    files.put("b.pem", try Self.parts(try SelfSigned(names: ["c.test"])))
    let new = try TLSServerContext(settings, files: &files, previous: old)
    #expect(try Self.shown(old, "b.test") == "b.test")
    #expect(try Self.shown(new, "b.test") == "a.test")
    #expect(try Self.shown(new, "c.test") == "c.test")
    #expect(old.bundles.filter { a in new.bundles.contains { $0 === a } }.map(\.path) == ["a.pem"])
  }

  @Test("what cannot be served is refused as a whole: a key of another certificate, no key, an empty file")
  func refusal() throws {
    let (one, two) = (try SelfSigned(names: ["a.test"]), try SelfSigned(names: ["a.test"]))
    var files = CertificateFiles(MemoryFiles(files: ["a.pem": one.bundlePEM]))
    let settings = Self.settings(["a.pem"])
    _ = try TLSServerContext(settings, files: &files)
    var wrong = CertificateParts()
    try wrong.takeCertificate(one.certificatePEM, path: "a.pem")
    try wrong.takeKey(two.keyPEM, path: "a.pem")
    var keyless = CertificateParts()
    try keyless.takeCertificate(one.certificatePEM, path: "a.pem")
    for parts in [wrong, keyless, CertificateParts()] {
      var changed = files
      changed.put("a.pem", parts)
      #expect(throws: TLSError.self) { try TLSServerContext(settings, files: &changed) }
    }
    #expect(try files.bundles["a.pem"]?.checkIsWhole() != nil)
  }

  @Test("no file is read once the files are closed")
  func closed() throws {
    let reader = MemoryFiles(files: ["a.pem": try SelfSigned(names: ["a.test"]).bundlePEM])
    var files = CertificateFiles(reader)
    files.isClosed = true
    let settings = Self.settings(["a.pem"])
    #expect(throws: TLSError.self) { try TLSServerContext(settings, files: &files) }
  }

  @Test("a name with certificates of two kinds is served with the one that the client can verify")
  func abilities() throws {
    let reader = MemoryFiles(files: [
      "site.pem.rsa": try SelfSigned(names: ["s.test"], kind: .rsa2048).bundlePEM,
      "site.pem.ecdsa": try SelfSigned(names: ["s.test"]).bundlePEM,
    ])
    let server = try TLSServerContext(Self.settings(["site.pem"]), files: reader)
    for (algorithms, kind) in [
      ("ECDSA+SHA256:RSA-PSS+SHA256", "ecdsa"), ("RSA-PSS+SHA256:RSA+SHA256", "rsa"), ("ECDSA+SHA256", "ecdsa"),
    ] {
      var settings = TLSClientContext.Settings()
      settings.policy.signatureAlgorithms = algorithms
      let client = try TLSClientContext(settings, files: MemoryFiles())
      let pair = try Loopback(client: client, server: server, name: "s.test")
      #expect(pair.shake().client == .complete)
      #expect(pair.client.peerCertificate?.kindName == kind)
    }
  }

  @Test("a filter that is only an exception takes no name of the certificate")
  func onlyExceptions() throws {
    let reader = MemoryFiles(files: [
      "a.pem": try SelfSigned(names: ["a.test"]).bundlePEM, "b.pem": try SelfSigned(names: ["b.test"]).bundlePEM,
    ])
    var settings = Self.settings(["a.pem"])
    var except = TLSCertificateSource(path: "b.pem")
    except.filters = ["!*"]
    settings.certificates.append(except)
    #expect(try Self.shown(TLSServerContext(settings, files: reader), "b.test") == "a.test")
  }

  @Test("a made certificate bears the name asked for and is signed by the authority; odd names get the listener's own")
  func generated() throws {
    let authority = try SelfSigned(names: ["CA"], isAuthority: true)
    let reader = MemoryFiles(files: [
      "a.pem": try SelfSigned(names: ["a.test"]).bundlePEM, "ca.pem": authority.bundlePEM,
    ])
    var settings = Self.settings(["a.pem"])
    settings.signer = "ca.pem"
    let server = try TLSServerContext(settings, files: reader)
    #expect(try Self.shown(server, "a.test") == "a.test")
    let pair = try Loopback(client: SessionTests.client(), server: server, name: "other.test")
    #expect(pair.shake().client == .complete)
    let made = try #require(pair.client.peerCertificate)
    #expect(made.dnsNames.contains("other.test"))
    #expect(made.issuer.part("CN") == "CA")
    #expect(try Self.shown(server, "x,DNS:bank.test") == "a.test")
  }

  @Test("a failed verification leaves its error and the certificate that was shown")
  func failedVerification() throws {
    let files = MemoryFiles(files: [
      "a.pem": try SelfSigned(names: ["a.test"]).bundlePEM,
      "ca.pem": try SelfSigned(names: ["CA"], isAuthority: true).certificatePEM,
      "client.pem": try SelfSigned(names: ["stranger"]).bundlePEM,
    ])
    var settings = Self.settings(["a.pem"])
    settings.policy.verification = .required
    settings.policy.caFile = "ca.pem"
    let server = try TLSServerContext(settings, files: files)
    var ours = TLSClientContext.Settings()
    ours.certificate = "client.pem"
    let pair = try Loopback(client: try TLSClientContext(ours, files: files), server: server, name: "a.test")
    guard case .failed = pair.shake().server else {
      Issue.record("the handshake was not refused")
      return
    }
    // All that logs ask for can be asked of either side, whatever is there.
    for session in [pair.server, pair.client] {
      _ = (session.group, session.cipher, session.sessionID, session.sessionKey, session.uniqueID, session.peerChain)
    }
    let never = try TLSSession(accepting: server)
    #expect(never.group == nil && never.cipher == nil && never.sessionID.isEmpty)
    #expect(pair.server.refusal.isOfLeaf)
    #expect(pair.server.failureText.contains("certificate verify failed"))
    #expect(pair.server.peerCertificate?.subject.part("CN") == "stranger")
  }
}
