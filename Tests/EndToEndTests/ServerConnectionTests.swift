import Foundation
import Testing

extension EndToEnd {
  /// Which connection to a server a request gets.
  @Suite("server connections") struct ServerConnections {
    let workspace: Workspace
    let port: Int

    init() throws {
      workspace = try Workspace()
      port = try Ports.free()
    }

    private func gateway(_ lines: String, global: String = "nbthread 1") throws -> RunningGateway {
      try RunningGateway(
        "global\n  \(global)\n" + defaults + "listen site\n  bind 127.0.0.1:\(port)\n\(lines)\n", listening: [port],
        in: workspace)
    }

    /// An origin that answers with the number of the connection that a request came on.
    private func counting() throws -> TestServer {
      let count = Counter()
      return try TestServer { connection in
        let number = count.next()
        while try TestOrigin.read(connection) != nil { try connection.send(TestOrigin.ok("connection \(number)")) }
      }
    }

    private func ask(_ client: Connection, _ fields: String = "") throws -> String {
      try client.send("GET / HTTP/1.1\r\nHost: h\r\n\(fields)\r\n")
      _ = try client.receive(through: "\r\n\r\nconnection ")
      return String(decoding: try client.receive(count: 1), as: UTF8.self)
    }

    @Test("an early answer reaches the client although the server resets the connection behind it")
    func earlyAnswer() throws {
      let (workspace, port) = (try Workspace(), try Ports.free())
      let origin = try TestServer { connection in
        // What is left unread of the request makes the end a reset.
        _ = try connection.receive(count: 100)
        try connection.send("HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno")
      }
      let gateway = try RunningGateway(
        EndToEnd.defaults + """
          listen site
            bind 127.0.0.1:\(port)
            retries 0
            server a 127.0.0.1:\(origin.port)

          """, listening: [port], in: workspace)
      let body = try workspace.write("body", String(repeating: "x", count: 300_000))
      for _ in 0..<10 {
        #expect(
          try Tool.status(
            "http://127.0.0.1:\(port)/", ["-H", "Expect:", "--data-binary", "@\(body)"], in: workspace) == "413")
      }
      withExtendedLifetime((gateway, origin)) {}
    }

    @Test("requests with different names get different connections, and each name its own again")
    func names() throws {
      let origin = try counting()
      let gateway = try gateway(
        "  server s 127.0.0.1:\(origin.port) pool-conn-name req.hdr(x-name) pool-low-conn 4")
      let client = try Connection(port: port)
      let seen = try ["a", "a", "b", "a", "b"].map { try ask(client, "x-name: \($0)\r\n") }
      #expect(seen == ["1", "1", "2", "1", "2"])
      withExtendedLifetime(gateway) {}
    }

    @Test("a PROXY header belongs to the client that it names")
    func proxyHeader() throws {
      let lines = Lines()
      let origin = try TestServer { connection in
        lines.add(try connection.receive(through: "\r\n"))
        while try TestOrigin.read(connection) != nil { try connection.send(TestOrigin.ok("x")) }
      }
      let gateway = try gateway("  http-reuse always\n  server s 127.0.0.1:\(origin.port) send-proxy pool-low-conn 4")
      for source in ["127.0.0.2", "127.0.0.3"] {
        let client = try Connection(port: port, from: source)
        for _ in 0..<2 {
          try client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
          _ = try client.receive(through: "\r\n\r\nx")
        }
      }
      #expect(lines.all.map { $0.split(separator: " ")[2] } == ["127.0.0.2", "127.0.0.3"])
      withExtendedLifetime(gateway) {}
    }

    @Test("the server's name is the Host of the request, unless it is an address or no-sni-auto says otherwise")
    func automaticName() throws {
      let certificates = try TestCertificates(in: workspace)
      let bundle = try certificates.server("server", names: ["one.test"]).bundle
      let inner = try Ports.free()
      let other = try Ports.free()
      let gateway = try RunningGateway(
        defaults + """
          listen site
            bind 127.0.0.1:\(port)
            server s 127.0.0.1:\(inner) ssl verify none
          listen plain
            bind 127.0.0.1:\(other)
            server s 127.0.0.1:\(inner) ssl verify none no-sni-auto
          frontend inner
            bind 127.0.0.1:\(inner) ssl crt \(bundle)
            http-request return status 200 content-type text/plain lf-string "<%[ssl_fc_sni]>"

          """, listening: [port, other, inner], in: workspace)
      for (gate, host, seen) in [
        (port, "one.test:80", "<one.test>"), (port, "127.0.0.1", "<>"), (other, "one.test", "<>"),
      ] {
        let body = try Tool.fetch("http://127.0.0.1:\(gate)/", ["-H", "Host: \(host)"], in: workspace)
        #expect(body == seen)
      }
      withExtendedLifetime(gateway) {}
    }

    @Test("an idle connection of one thread serves requests of the other")
    func takeover() throws {
      let origin = try TestOrigin("x")
      let gateway = try gateway("  http-reuse always\n  server s 127.0.0.1:\(origin.port)", global: "nbthread 2")
      for _ in 0..<40 { #expect(try Tool.fetch("http://127.0.0.1:\(port)/", in: workspace) == "x") }
      #expect(origin.connectionCount == 1)
      withExtendedLifetime(gateway) {}
    }

    @Test("set-src of one request is not seen by the next")
    func addresses() throws {
      let gateway = try gateway(
        """
          http-request set-src req.hdr(x-real-ip) if { req.hdr(x-real-ip) -m found }
          http-request return status 200 content-type text/plain lf-string "connection %[src]|%[fc_src]|"
        """)
      let client = try Connection(port: port)
      var seen: [String] = []
      for fields in ["x-real-ip: 10.1.2.3\r\n", ""] {
        try client.send("GET / HTTP/1.1\r\nHost: h\r\n\(fields)\r\n")
        _ = try client.receive(through: "\r\n\r\nconnection ")
        seen.append(try client.receive(through: "|") + (try client.receive(through: "|")))
      }
      #expect(seen == ["10.1.2.3|127.0.0.1|", "127.0.0.1|127.0.0.1|"])
      withExtendedLifetime(gateway) {}
    }

    @Test(
      "a TCP mode frontend goes on as HTTP by switch-mode, or because its backend is one of HTTP",
      arguments: ["tcp-request inspect-delay 5s\n  tcp-request content switch-mode http if HTTP", ""])
    func switchMode(rules: String) throws {
      let origin = try TestOrigin("reached")
      let gateway = try RunningGateway(
        defaults + """
          frontend site
            mode tcp
            bind 127.0.0.1:\(port)
            \(rules)
            default_backend app
          backend app
            http-request set-header x-mode http
            server s 127.0.0.1:\(origin.port)

          """, listening: [port], in: workspace)
      let client = try Connection(port: port)
      for _ in 0..<2 {
        try client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
        _ = try client.receive(through: "reached")
      }
      #expect(try Tool.fetch("http://127.0.0.1:\(port)/", ["--http2-prior-knowledge"], in: workspace) == "reached")
      #expect(origin.requests.count == 3)
      #expect(origin.requests.allSatisfy { $0.value("x-mode") == "http" })
      let bad = try Connection(port: port)
      try bad.send("GET / BAD\r\n\r\n")
      bad.finish()
      #expect(try bad.receiveText().hasPrefix(rules.isEmpty ? "HTTP/1.1 400 " : "HTTP/1.1"))
      withExtendedLifetime(gateway) {}
    }

    @Test("hash-preserve-affinity maxconn moves a key on while its server is full")
    func affinity() throws {
      let gate = Gate()
      let origins = try (0..<2).map { number in
        try TestOrigin("s\(number)") { _ in
          gate.wait()
          return TestOrigin.ok("s\(number)")
        }
      }
      let gateway = try gateway(
        """
          balance uri
          hash-type consistent
          hash-preserve-affinity maxconn
          server a 127.0.0.1:\(origins[0].port) maxconn 1
          server b 127.0.0.1:\(origins[1].port) maxconn 1
        """)
      let clients = try (0..<2).map { _ in try Connection(port: port) }
      for client in clients { try client.send("GET /same HTTP/1.1\r\nHost: h\r\n\r\n") }
      #expect(Clock.until(within: 10) { origins.allSatisfy { $0.requests.count == 1 } })
      gate.open()
      let answers = try clients.map { client in
        _ = try client.receive(through: "\r\n\r\ns")
        return try client.receive(count: 1)
      }
      #expect(Set(answers) == [[0x30], [0x31]])
      withExtendedLifetime(gateway) {}
    }
  }
}

/// Counts from 1, on any thread.
final class Counter: @unchecked Sendable {
  private let lock = NSLock()
  private var value = 0
  func next() -> Int {
    lock.withLock {
      value += 1
      return value
    }
  }
}

/// Lines that servers have seen.
final class Lines: @unchecked Sendable {
  private let lock = NSLock()
  private var lines: [String] = []
  func add(_ line: String) { lock.withLock { lines.append(line) } }
  var all: [String] { lock.withLock { lines } }
}

/// Holds threads up until it is opened.
final class Gate: @unchecked Sendable {
  private let condition = NSCondition()
  private var isOpen = false
  func wait() {
    condition.lock()
    while !isOpen, condition.wait(until: Date(timeIntervalSinceNow: 10)) {}
    condition.unlock()
  }
  func open() {
    condition.lock()
    isOpen = true
    condition.broadcast()
    condition.unlock()
  }
}
