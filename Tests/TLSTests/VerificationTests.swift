import Base
import TLS
import Testing

@Suite("TLS verification")
struct VerificationTests {
  let files: MemoryFiles

  init() throws {
    let authority = try SelfSigned(names: ["Test Authority"], isAuthority: true)
    let stranger = try SelfSigned(names: ["Unknown Authority"], isAuthority: true)
    files = MemoryFiles(files: [
      "ca.pem": authority.certificatePEM,
      "other-ca.pem": stranger.certificatePEM,
      "site.pem": try SelfSigned(names: ["site.test", "127.0.0.1"], issuer: authority).bundlePEM,
      "client.pem": try SelfSigned(names: ["client"], issuer: authority).bundlePEM,
      "stranger.pem": try SelfSigned(names: ["stranger"], issuer: stranger).bundlePEM,
      "expired.pem": try SelfSigned(names: ["late"], days: -1, issuer: authority).bundlePEM,
    ])
  }

  func policy(_ verification: TLSPolicy.Verification, ca: String? = "ca.pem") -> TLSPolicy {
    var policy = TLSPolicy()
    policy.verification = verification
    policy.caFile = ca
    return policy
  }

  @Test(
    "a server's certificate must be signed by the authority and bear the name",
    arguments: [
      ("site.test", "ca.pem", true), ("127.0.0.1", "ca.pem", true), ("other.test", "ca.pem", false),
      ("site.test", "other-ca.pem", false),
    ])
  func client(_ name: String, _ ca: String, _ accepted: Bool) throws {
    let pair = try Loopback(
      client: SessionTests.client(files, policy: policy(.required, ca: ca)),
      server: SessionTests.server(files, ["site.pem"]), name: name)
    let outcome = pair.shake().client
    if accepted {
      #expect(outcome == .complete)
      #expect(pair.client.verifyResult == 0)
    } else {
      guard case .failed(let error) = outcome else {
        Issue.record("accepted")
        return
      }
      #expect(error.reason == .certificateRefused)
    }
  }

  @Test(
    "client certificates are verified as the policy says",
    arguments: [
      (TLSPolicy.Verification.required, "client.pem", true), (.required, nil, false),
      (.required, "stranger.pem", false), (.required, "expired.pem", false), (.optional, nil, true),
      (.optional, "stranger.pem", false), (.optional, "client.pem", true),
    ] as [(TLSPolicy.Verification, String?, Bool)])
  func server(_ verification: TLSPolicy.Verification, _ certificate: String?, _ accepted: Bool) throws {
    let pair = try Loopback(
      client: SessionTests.client(files, certificate: certificate),
      server: SessionTests.server(files, ["site.pem"], policy: policy(verification)), name: "site.test")
    let outcome = pair.shake().server
    #expect((outcome == .complete) == accepted)
    if accepted, certificate != nil {
      let peer = pair.server.peerCertificate
      #expect(peer?.subject.oneLine == "/CN=client")
      #expect(peer?.issuer.part("CN") == "Test Authority")
      #expect(peer?.sha1.count == 20)
    }
  }

  @Test("ignored errors let the handshake through and stay visible")
  func ignores() throws {
    var lenient = policy(.required)
    lenient.ignoredCertificateErrors = try #require(IgnoredErrors("10,20,21"))
    for (certificate, error) in [("expired.pem", 10), ("stranger.pem", 20)] {
      let pair = try Loopback(
        client: SessionTests.client(files, certificate: certificate),
        server: SessionTests.server(files, ["site.pem"], policy: lenient), name: nil)
      #expect(pair.shake().server == .complete)
      #expect(pair.server.certificateError == error)
      #expect(pair.server.verifyResult != 0)
    }
  }

  @Test("a session made under one policy does not resume under another name's stricter policy")
  func policies() throws {
    var settings = TLSServerContext.Settings()
    settings.certificates = [TLSCertificateSource(path: "site.pem")]
    var guarded = TLSCertificateSource(path: "site.pem")
    guarded.filters = ["guarded.test"]
    guarded.policy = policy(.required)
    settings.certificates.append(guarded)
    let server = try TLSServerContext(settings, files: files)
    var clientSettings = TLSClientContext.Settings()
    clientSettings.policy.maximumVersion = .tls12
    let client = try TLSClientContext(clientSettings, files: files)
    #expect(try Loopback(client: client, server: server, name: "site.test").shake().server == .complete)
    let refused = try Loopback(client: client, server: server, name: "guarded.test").shake().server
    #expect(refused != .complete)
  }

  @Test("verification without a CA file is an error of the configuration")
  func withoutCA() {
    #expect(throws: TLSError.self) {
      try SessionTests.server(files, ["site.pem"], policy: policy(.required, ca: nil))
    }
  }
}
