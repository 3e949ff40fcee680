import Base
import Testing

@testable import TLS

@Suite("Early data over memory")
struct EarlyDataTests {
  private let files: MemoryFiles

  init() throws { files = MemoryFiles(files: ["site": try SelfSigned(names: ["site.test"]).bundlePEM]) }

  private func server(_ earlyData: UInt32) throws -> TLSServerContext {
    var settings = TLSServerContext.Settings()
    settings.certificates = [TLSCertificateSource(path: "site")]
    settings.policy.earlyData = earlyData
    return try TLSServerContext(settings, files: files)
  }

  /// A client that has a session of `server`.
  private func client(of server: TLSServerContext) throws -> TLSClientContext {
    let client = try TLSClientContext(TLSClientContext.Settings(), files: files)
    let first = try Loopback(client: client, server: server, name: "site.test")
    #expect(first.shake() == (.complete, .complete))
    #expect(!first.client.beginEarlyData() || !first.client.isPending)
    // The ticket comes behind the handshake.
    #expect(first.send([1], fromClient: false) == [1])
    return client
  }

  @Test("octets reach the server, and its answer the client, before the handshake is complete")
  func exchange() throws {
    let server = try server(16384)
    let loopback = try Loopback(client: try client(of: server), server: server, name: "site.test")
    #expect(loopback.client.beginEarlyData())
    #expect(loopback.sendEarly([1, 2, 3]) == [1, 2, 3])
    #expect(loopback.server.receivedEarlyData)
    #expect(loopback.server.isPending)
    #expect(loopback.send([4, 5], fromClient: false) == [4, 5])
    #expect(!loopback.client.isPending)
    #expect(loopback.send([6], fromClient: true) == [6])
    #expect(!loopback.server.isPending)
    #expect(loopback.server.isResumed)
  }

  @Test("a session of a server that takes none sends none")
  func unwilling() throws {
    let server = try server(0)
    let loopback = try Loopback(client: try client(of: server), server: server, name: "site.test")
    #expect(!loopback.client.beginEarlyData())
    #expect(loopback.shake() == (.complete, .complete))
  }

  @Test("a server that does not know the session any more refuses, which the client says")
  func refused() throws {
    let client = try client(of: try server(16384))
    let loopback = try Loopback(client: client, server: try server(16384), name: "site.test")
    #expect(loopback.client.beginEarlyData())
    _ = loopback.sendEarly([1, 2, 3])
    #expect(loopback.clientOutcome() == .failed(TLSError(.earlyDataRefused)))
  }
}
