import Testing

@testable import TLS

@Suite("Signed certificate timestamps")
struct TimestampTests {
  @Test(
    "a list whose lengths do not add up is refused",
    arguments: [
      ([0, 0], true), ([0, 4, 0, 2, 7, 7], true), ([0, 7, 0, 2, 7, 7, 0, 1, 9], true), ([], false), ([0], false),
      ([0, 1], false), ([0, 4, 0, 3, 7, 7], false), ([0, 5, 0, 2, 7, 7, 0], false), ([0, 3, 0, 2, 7, 7], false),
    ] as [([UInt8], Bool)])
  func lists(octets: [UInt8], isOne: Bool) {
    var parts = CertificateParts()
    do throws(TLSError) {
      try parts.takeTimestamps(octets, path: "x.sctl")
      #expect(isOne)
      #expect(parts.timestamps == octets)
    } catch {
      #expect(!isOne)
      #expect(parts.timestamps == nil)
    }
  }

  @Test("a certificate with a list is served")
  func serving() throws {
    let files = MemoryFiles(files: [
      "site": try SelfSigned(names: ["site.test"]).bundlePEM, "site.sctl": [0, 4, 0, 2, 7, 7],
    ])
    var settings = TLSServerContext.Settings()
    settings.certificates = [TLSCertificateSource(path: "site")]
    let server = try TLSServerContext(settings, files: files)
    #expect(server.bundles.first?.parts.timestamps == [0, 4, 0, 2, 7, 7])
    let loopback = try Loopback(
      client: TLSClientContext(TLSClientContext.Settings(), files: files), server: server, name: "site.test")
    #expect(loopback.shake() == (.complete, .complete))
  }
}
