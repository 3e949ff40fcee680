import Base
import TLS
import Testing

@Suite("Certificates and their lists")
struct CertificateTests {
  @Test("a key beside its certificate is found, and faults are named")
  func files() throws {
    let made = try SelfSigned(names: ["a.test"])
    let other = try SelfSigned(names: ["b.test"])
    let files = MemoryFiles(files: [
      "plain.pem": made.certificatePEM, "plain.pem.key": made.keyPEM, "split.crt": made.certificatePEM,
      "split.key": made.keyPEM, "wrong.pem": made.certificatePEM + other.keyPEM,
      "nokey.pem": made.certificatePEM, "nocert.pem": made.keyPEM, "junk.pem": Array("hello".utf8),
    ])
    for path in ["plain.pem", "split.crt"] { _ = try SessionTests.server(files, [path]) }
    let faults: [(String, TLSError.Reason)] = [
      ("wrong.pem", .keyMismatch), ("nokey.pem", .noPrivateKey), ("nocert.pem", .noCertificate),
      ("junk.pem", .noCertificate), ("missing.pem", .unreadableFile),
    ]
    for (path, reason) in faults {
      let error = #expect(throws: TLSError.self) { try SessionTests.server(files, [path]) }
      #expect(error?.reason == reason)
      #expect(error?.detail.hasPrefix(path) == true)
    }
  }

  @Test("a crt-list gives paths, options and filters")
  func list() throws {
    let text = """
      # comment
      a.pem
      b.pem [alpn h2 ssl-min-ver TLSv1.3] *.b.test !x.b.test # more
      c.pem [ verify required ca-file ca.pem ] c.test
      """
    var paths = CertificatePaths()
    paths.certificateBase = "/base"
    let list = try CertificateList.parse(Array(text.utf8), paths)
    let sources = try list.sources(TLSPolicy(), paths)
    #expect(list.entries.map(\.line) == [2, 3, 4])
    #expect(list.entries[1].text(withNumber: true) == "/base/b.pem:3 [alpn h2 ssl-min-ver TLSv1.3] *.b.test !x.b.test")
    #expect(sources.map(\.path) == ["/base/a.pem", "/base/b.pem", "/base/c.pem"])
    #expect(sources[1].filters == ["*.b.test", "!x.b.test"])
    #expect(sources[1].policy?.alpn == ["h2"])
    #expect(sources[1].policy?.minimumVersion == .tls13)
    #expect(sources[2].policy?.verification == .required)
    for bad in ["a.pem [alpn h2", "a.pem [frob 1]", "a.pem [ssl-min-ver TLSv9]", "a.pem [alpn]"] {
      #expect(throws: TLSError.self) {
        try CertificateList.parse(Array(bad.utf8), paths).sources(TLSPolicy(), paths)
      }
    }
  }

  @Test("a filter with an exclamation mark takes a name out of a wildcard")
  func exceptions() throws {
    let files = MemoryFiles(files: [
      "a.pem": try SelfSigned(names: ["a.test"]).bundlePEM,
      "w.pem": try SelfSigned(names: ["w.test"]).bundlePEM,
    ])
    var settings = TLSServerContext.Settings()
    var wild = TLSCertificateSource(path: "w.pem")
    wild.filters = ["*.b.test", "!x.b.test"]
    settings.certificates = [TLSCertificateSource(path: "a.pem"), wild]
    let server = try TLSServerContext(settings, files: files)
    for (name, subject) in [("y.b.test", "w.test"), ("x.b.test", "a.test")] as [(String, Bytes)] {
      let pair = try Loopback(client: SessionTests.client(), server: server, name: name)
      #expect(pair.shake().client == .complete)
      #expect(pair.client.peerCertificate?.subject.part("CN") == subject)
    }
  }

  @Test("digests match the published values")
  func digests() {
    func hex(_ octets: [UInt8]) -> String {
      octets.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
    #expect(hex(Digest.md5.hash(Bytes("abc"))) == "900150983cd24fb0d6963f7d28e17f72")
    #expect(hex(Digest.sha1.hash(Bytes("abc"))) == "a9993e364706816aba3e25717850c26c9cd0d89d")
    #expect(
      hex(Digest.sha256.hash(Bytes.empty))
        == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
    #expect(
      hex(Digest.sha256.hmac("what do ya want for nothing?", key: "Jefe"))
        == "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843")
    #expect(Digest.sha512.hmac("", key: "").count == 64)
  }
}
