import Foundation
import Testing

extension EndToEnd {
  @Suite("idle HTTP/2 connections") struct H2Idle {
    let workspace: Workspace
    let port: Int

    init() throws {
      workspace = try Workspace()
      port = try Ports.free()
    }

    private func gateway(_ bind: String, _ backend: String, _ timeouts: String = "") throws -> RunningGateway {
      try RunningGateway(
        "global\n  nbthread 1\n" + defaults + """
          \(timeouts)
          frontend site
            bind 127.0.0.1:\(port) \(bind)
            default_backend app
          backend app
            \(backend)

          """, listening: [port], in: workspace)
    }

    /// The next PING of the gateway's own, past all other frames; nil at the end of the connection.
    private func ping(on connection: Connection) throws -> [UInt8]? {
      while let head = try? connection.receive(count: 9) {
        let length = Int(head[0]) << 16 | Int(head[1]) << 8 | Int(head[2])
        let payload = length > 0 ? try connection.receive(count: length) : []
        #expect(head[3] != 7, "a client that does not answer is not told goodbye")
        if head[3] == 6, head[4] & 1 == 0 { return payload }
      }
      return nil
    }

    private func client() throws -> Connection {
      let connection = try Connection(port: port)
      try connection.send(Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8) + H2Frame.settings())
      return connection
    }

    static let request = [(":method", "GET"), (":scheme", "http"), (":path", "/"), (":authority", "h")]

    @Test(
      "a client that answers its PINGs stays, beyond its timeout; one that does not is closed",
      arguments: [true, false])
    func clients(hasRequest: Bool) throws {
      let gateway = try gateway("proto h2 idle-ping 100ms", "http-request return status 200", "  timeout client 600ms")
      let connection = try client()
      if hasRequest { try connection.send(H2Frame.headers(1, Self.request, ends: true)) }
      let start = Date()
      var count = 0
      while Date().timeIntervalSince(start) < 1.5 {
        let payload = try #require(try ping(on: connection), "closed after \(count) PINGs")
        try connection.send(H2Frame.frame(6, flags: 1, payload))
        count += 1
      }
      #expect(count >= 3)
      #expect(try ping(on: connection) != nil)
      #expect(try ping(on: connection) == nil)
      withExtendedLifetime(gateway) {}
    }

    @Test("answers to PINGs do not let a client idle beyond the timeouts of requests")
    func keepAlive() throws {
      let gateway = try gateway(
        "proto h2 idle-ping 50ms", "http-request return status 200",
        "  timeout client 60s\n  timeout http-keep-alive 700ms")
      let connection = try client()
      try connection.send(H2Frame.headers(1, Self.request, ends: true))
      var sawGoodbye = false
      while let head = try? connection.receive(count: 9) {
        let length = Int(head[0]) << 16 | Int(head[1]) << 8 | Int(head[2])
        let payload = length > 0 ? try connection.receive(count: length) : []
        if head[3] == 6 { try connection.send(H2Frame.frame(6, flags: 1, payload)) }
        if head[3] == 7 { sawGoodbye = true }
      }
      #expect(sawGoodbye)
      withExtendedLifetime(gateway) {}
    }

    @Test(
      "an idle connection to a server that answers PINGs is used again, one that does not is given up",
      arguments: [true, false])
    func servers(answers: Bool) throws {
      let origin = try H2Origin(answersPings: answers) { stream, _ in H2Frame.ok(stream, "fine") }
      let gateway = try gateway(
        "", "http-reuse always\n    server one 127.0.0.1:\(origin.port) proto h2 idle-ping 100ms pool-purge-delay 1m")
      #expect(try Tool.fetch("http://127.0.0.1:\(port)/", in: workspace) == "fine")
      if answers {
        #expect(Clock.until(within: 10) { origin.pings >= 4 })
      } else {
        #expect(Clock.until(within: 10) { origin.endedConnections == 1 })
        #expect(origin.pings == 1)
      }
      #expect(try Tool.fetch("http://127.0.0.1:\(port)/", in: workspace) == "fine")
      #expect(origin.connectionCount == (answers ? 1 : 2))
      withExtendedLifetime(gateway) {}
    }
  }
}
