import Foundation
import Testing

extension EndToEnd {
  @Suite("HTTP/1") struct HTTP1 {
    let workspace: Workspace
    let port: Int

    init() throws {
      workspace = try Workspace()
      port = try Ports.free()
    }

    /// A gateway with one server.
    private func gateway(_ origin: TestOrigin, _ frontend: String = "", _ server: String = "") throws
      -> RunningGateway
    {
      try RunningGateway(
        defaults + """
          frontend site
            bind 127.0.0.1:\(port)
            \(frontend)
            default_backend app
          backend app
            server one 127.0.0.1:\(origin.port) \(server)

          """, listening: [port], in: workspace)
    }

    @Test("a request reaches the server and its answer the client")
    func simple() throws {
      let origin = try TestOrigin("hello")
      let gateway = try gateway(origin, "option forwardfor")
      let body = try Tool.fetch("http://127.0.0.1:\(port)/path?q=1", ["-H", "X-Test: yes"], in: workspace)
      #expect(body == "hello")
      let seen = try #require(origin.requests.first)
      #expect(seen.line == "GET /path?q=1 HTTP/1.1")
      #expect(seen.value("x-test") == "yes")
      #expect(seen.value("host") == "127.0.0.1:\(port)")
      #expect(seen.values("x-forwarded-for") == ["127.0.0.1"])
      withExtendedLifetime(gateway) {}
    }

    @Test("connections are kept on both sides")
    func keepAlive() throws {
      let origin = try TestOrigin("x")
      let gateway = try gateway(origin)
      let client = try Connection(port: port)
      for _ in 0..<20 {
        try client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(try client.receive(through: "\r\n\r\n").hasPrefix("HTTP/1.1 200 OK\r\n"))
        #expect(try client.receive(count: 1) == Array("x".utf8))
      }
      #expect(origin.requests.count == 20)
      #expect(origin.connectionCount == 1)
      withExtendedLifetime(gateway) {}
    }

    @Test("pipelined requests are answered in order")
    func pipelining() throws {
      let origin = try TestOrigin("") { request in TestOrigin.ok(request.path) }
      let gateway = try gateway(origin)
      let client = try Connection(port: port)
      let paths = (1...10).map { "/\($0)" }
      try client.send(paths.map { "GET \($0) HTTP/1.1\r\nHost: a\r\n\r\n" }.joined())
      for path in paths {
        _ = try client.receive(through: "\r\n\r\n")
        #expect(try client.receive(count: path.utf8.count) == Array(path.utf8))
      }
      withExtendedLifetime(gateway) {}
    }

    @Test(
      "messages without a body end with their head",
      arguments: [
        ("HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n", "Content-Length: 1000"),
        ("GET", "HTTP/1.1 204 No Content\r\n\r\n", "204"),
        ("GET", "HTTP/1.1 304 Not Modified\r\nContent-Length: 77\r\nETag: \"a\"\r\n\r\n", "304"),
      ])
    func bodyless(method: String, answer: String, expected: String) throws {
      let origin = try TestOrigin("") { $0.line.contains("/next") ? TestOrigin.ok("next") : answer }
      let gateway = try gateway(origin)
      let client = try Connection(port: port)
      try client.send("\(method) / HTTP/1.1\r\nHost: a\r\n\r\nGET /next HTTP/1.1\r\nHost: a\r\n\r\n")
      let head = try client.receive(through: "\r\n\r\n")
      #expect(head.lowercased().contains(expected.lowercased()))
      #expect(try client.receive(through: "\r\n\r\n").hasPrefix("HTTP/1.1 200"))
      #expect(try client.receive(count: 4) == Array("next".utf8))
      withExtendedLifetime(gateway) {}
    }

    @Test("100-continue reaches a client that waits for it")
    func expectContinue() throws {
      let origin = try TestOrigin("") { TestOrigin.ok("\($0.body.count)") }
      let gateway = try gateway(origin)
      let client = try Connection(port: port)
      try client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n")
      #expect(try client.receive(through: "\r\n\r\n").hasPrefix("HTTP/1.1 100"))
      try client.send("12345")
      #expect(try client.receive(through: "\r\n\r\n").hasPrefix("HTTP/1.1 200"))
      #expect(try client.receive(count: 1) == Array("5".utf8))
      withExtendedLifetime(gateway) {}
    }

    @Test("chunked bodies pass both ways")
    func chunked() throws {
      let origin = try TestOrigin("") { request in
        let text = String(decoding: request.body, as: UTF8.self)
        return
          "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\(String(text.utf8.count, radix: 16))\r\n\(text)\r\n0\r\n\r\n"
      }
      let gateway = try gateway(origin)
      let client = try Connection(port: port)
      for piece in ["5\r\nhello\r\n0\r\n\r\n", "3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n"] {
        try client.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
        for octet in piece.utf8 { try client.send([octet]) }
        #expect(try client.receive(through: "\r\n\r\n").lowercased().contains("transfer-encoding: chunked"))
        _ = try client.receive(through: "0\r\n\r\n")
      }
      #expect(origin.requests.map { String(decoding: $0.body, as: UTF8.self) } == ["hello", "abcdefg"])
      withExtendedLifetime(gateway) {}
    }

    @Test(
      "ten megabytes go up and down unchanged",
      arguments: [["--http1.1"], ["--http1.1", "-H", "Transfer-Encoding: chunked"]])
    func large(options: [String]) throws {
      let origin = try TestServer { connection in
        while let request = try TestOrigin.read(connection) {
          try connection.send("HTTP/1.1 200 OK\r\nContent-Length: \(request.body.count)\r\n\r\n")
          try connection.send(request.body)
        }
      }
      let gateway = try RunningGateway(
        defaults + "listen site\n  bind 127.0.0.1:\(port)\n  server one 127.0.0.1:\(origin.port)\n",
        listening: [port], in: workspace)
      let file = workspace.path("up")
      try Tool.succeed(["openssl", "rand", "-out", file, "10485760"], in: workspace)
      let outcome = try Tool.curl(
        options + ["--data-binary", "@\(file)", "-o", workspace.path("down"), "http://127.0.0.1:\(port)/"],
        in: workspace)
      #expect(outcome.status == 0, "\(outcome.errors)")
      try Tool.succeed(["cmp", file, workspace.path("down")], in: workspace)
      withExtendedLifetime(gateway) {}
    }

    @Test("a WebSocket's frames pass after 101, those sent along with the handshake included")
    func upgrade() throws {
      let origin = try TestServer { connection in
        let head = try connection.receive(through: "\r\n\r\n")
        guard head.lowercased().contains("upgrade: websocket") else { return }
        try connection.send(
          "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: x\r\n\r\nhi"
        )
        while true {
          let octets = try connection.receiveSome()
          if octets.isEmpty { return }
          try connection.send(octets)
        }
      }
      let gateway = try RunningGateway(
        defaults + "listen site\n  bind 127.0.0.1:\(port)\n  server one 127.0.0.1:\(origin.port)\n",
        listening: [port], in: workspace)
      let client = try Connection(port: port)
      try client.send(
        "GET /chat HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: x\r\nSec-WebSocket-Version: 13\r\n\r\n"
      )
      #expect(try client.receive(through: "\r\n\r\n").hasPrefix("HTTP/1.1 101"))
      #expect(try client.receive(count: 2) == Array("hi".utf8))
      let frame: [UInt8] = [0x81, 0x85, 1, 2, 3, 4, 0x69, 0x67, 0x6f, 0x68, 0x6e]
      for _ in 0..<3 {
        try client.send(frame)
        #expect(try client.receive(count: frame.count) == frame)
      }
      client.finish()
      #expect(try client.receiveAll().isEmpty)
      withExtendedLifetime(gateway) {}
    }

    @Test("a request that names no host goes on with an empty one, as RFC 9112 section 3.2 has it")
    func withoutHost() throws {
      let origin = try TestOrigin("reached")
      let gateway = try gateway(origin)
      let client = try Connection(port: port)
      try client.send("GET / HTTP/1.1\r\n\r\n")
      _ = try client.receive(through: "reached")
      #expect(origin.requests.first?.values("host") == [""])
      withExtendedLifetime(gateway) {}
    }

    @Test(
      "a body that ends with the server's connection ends with the client's, and has no chunks",
      arguments: ["HTTP/1.1", "HTTP/1.0"], ["", "compression algo gzip"])
    func untilClose(version: String, option: String) throws {
      let origin = try TestServer { connection in
        _ = try TestOrigin.read(connection)
        try connection.send("\(version) 200 OK\r\nContent-Type: text/plain\r\n\r\nhello")
      }
      let gateway = try RunningGateway(
        defaults + """
          listen site
            bind 127.0.0.1:\(port)
            \(option)
            server one 127.0.0.1:\(origin.port)

          """, listening: [port], in: workspace)
      for head in [
        "HTTP/1.1\r\nHost: a", "HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip", "HTTP/1.0\r\nConnection: keep-alive",
      ] {
        let client = try Connection(port: port)
        try client.send("GET / \(head)\r\n\r\n")
        let answer = try client.receiveText().lowercased()
        #expect(answer.hasPrefix("http/1.1 200 ok\r\n") && answer.hasSuffix("\r\n\r\nhello"))
        #expect(answer.contains("\r\nconnection: close\r\n") && !answer.contains("transfer-encoding"))
      }
      // HTTP/2 says by itself where a body ends.
      let two = try Tool.curl(["--http2-prior-knowledge", "-i", "http://127.0.0.1:\(port)/"], in: workspace).output
      #expect(two.hasPrefix("HTTP/2 200") && two.hasSuffix("\r\n\r\nhello") && !two.contains("connection:"))
      withExtendedLifetime(gateway) {}
    }

    @Test(
      "an ambiguous or malformed request is refused and not passed on",
      arguments: [
        "GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        "GET / HTTP/1.1\r\nHost : a\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nX: a\r\n b\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nX: a\rb\r\n\r\n",
        "GET /#f HTTP/1.1\r\nHost: a\r\n\r\n",
        "G(T / HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\n: b\r\n\r\n",
      ])
    func malformed(request: String) throws {
      let origin = try TestOrigin("reached")
      let gateway = try gateway(origin)
      let client = try Connection(port: port)
      try client.send(request)
      let answer = try client.receiveText()
      #expect(answer.hasPrefix("HTTP/1.1 400 "))
      #expect(origin.requests.isEmpty)
      withExtendedLifetime(gateway) {}
    }
  }
}
