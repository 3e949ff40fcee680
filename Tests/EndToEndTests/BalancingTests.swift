import Foundation
import Synchronization
import Testing

extension EndToEnd {
  @Suite("servers") struct Servers {
    let workspace: Workspace
    let port: Int

    init() throws {
      workspace = try Workspace()
      port = try Ports.free()
    }

    private var url: String { "http://127.0.0.1:\(port)/" }

    private func gateway(_ backend: String, _ frontend: String = "") throws -> RunningGateway {
      try RunningGateway(
        defaults
          + "frontend site\n  bind 127.0.0.1:\(port)\n  \(frontend)\n  default_backend app\nbackend app\n\(backend)\n",
        listening: [port], in: workspace)
    }

    private func bodies(_ count: Int, _ arguments: [String] = []) throws -> [String] {
      try (0..<count).map { _ in try Tool.fetch(url, arguments, in: workspace) }
    }

    @Test("round robin follows the weights")
    func weights() throws {
      let a = try TestOrigin("a")
      let b = try TestOrigin("b")
      let gateway = try gateway(
        "  server a 127.0.0.1:\(a.port) weight 3\n  server b 127.0.0.1:\(b.port) weight 1")
      let bodies = try bodies(16)
      #expect(bodies.filter { $0 == "a" }.count == 12)
      withExtendedLifetime(gateway) {}
    }

    @Test("a cookie keeps a client with its server, and does not reach it")
    func cookie() throws {
      let a = try TestOrigin("a")
      let b = try TestOrigin("b")
      let gateway = try gateway(
        "  cookie SRV insert indirect nocache\n  server a 127.0.0.1:\(a.port) cookie ca\n  server b 127.0.0.1:\(b.port) cookie cb"
      )
      let first = try Tool.curl(["-i", url], in: workspace).output
      let name = first.contains("\r\n\r\na") ? "a" : "b"
      #expect(first.lowercased().contains("set-cookie: srv=c\(name); path=/"))
      #expect(try bodies(6, ["-H", "Cookie: x=1; SRV=c\(name); y=2"]).allSatisfy { $0 == name })
      let seen = (name == "a" ? a : b).requests.last
      #expect(seen?.value("cookie") == "x=1; y=2")
      #expect(Set(try bodies(6)) == ["a", "b"])
      withExtendedLifetime(gateway) {}
    }

    @Test("a server that refuses connections costs no request with redispatch")
    func redispatch() throws {
      let a = try TestOrigin("a")
      let dead = try Ports.free()
      let gateway = try gateway(
        "  retries 3\n  option redispatch 1\n  server a 127.0.0.1:\(a.port)\n  server dead 127.0.0.1:\(dead)")
      #expect(try bodies(6).allSatisfy { $0 == "a" })
      withExtendedLifetime(gateway) {}
    }

    @Test("no server left is a 503 with the error page")
    func unavailable() throws {
      let page = try workspace.write(
        "503.http", "HTTP/1.0 503 Service Unavailable\r\nContent-Type: text/plain\r\n\r\nour own page")
      let gateway = try gateway(
        "  retries 0\n  errorfile 503 \(page)\n  server dead 127.0.0.1:\(try Ports.free())")
      let answer = try Tool.curl(["-i", url], in: workspace).output
      #expect(answer.hasPrefix("HTTP/1.") && answer.contains(" 503 "))
      #expect(answer.hasSuffix("our own page"))
      withExtendedLifetime(gateway) {}
    }

    @Test("requests beyond a server's maxconn wait, and all are answered")
    func queue() throws {
      let peak = Peak()
      let origin = try TestOrigin("") { _ in
        peak.enter()
        _ = Clock.until(within: 0.1) { false }
        peak.leave()
        return TestOrigin.ok("done")
      }
      let gateway = try gateway("  timeout queue 15s\n  server a 127.0.0.1:\(origin.port) maxconn 2")
      let children = try (0..<12).map { _ in
        try Child(["curl", "-sS", "--max-time", "15", url], in: workspace)
      }
      for child in children {
        #expect(child.wait(within: 20) == 0)
        #expect(child.output == "done")
      }
      #expect(peak.highest <= 2)
      #expect(peak.highest >= 1)
      withExtendedLifetime(gateway) {}
    }

    @Test("a request that waits longer than timeout queue is a 503 marked sQ")
    func queueTimeout() throws {
      let log = try LogReceiver()
      let held = try TestServer { connection in
        _ = try connection.receive(through: "\r\n\r\n")
        _ = try connection.receiveSome()
      }
      let gateway = try gateway(
        "  timeout queue 200ms\n  server a 127.0.0.1:\(held.port) maxconn 1",
        "log 127.0.0.1:\(log.port) local0\n  option httplog")
      let first = try Connection(port: port)
      try first.send("GET /held HTTP/1.1\r\nHost: a\r\n\r\n")
      #expect(Clock.until { held.connectionCount == 1 })
      #expect(try Tool.status(url, in: workspace) == "503")
      #expect(log.line { $0.contains(" 503 ") && $0.contains(" sQ-- ") } != nil, "\(log.lines)")
      withExtendedLifetime(gateway) {}
    }

    @Test("a backup server serves only while no other does")
    func backup() throws {
      let main = try TestOrigin("main")
      let spare = try TestOrigin("spare")
      let gateway = try gateway(
        """
          option redispatch 1
          default-server check inter 100ms fall 2 rise 2
          server main 127.0.0.1:\(main.port)
          server spare 127.0.0.1:\(spare.port) backup
        """)
      #expect(try bodies(4).allSatisfy { $0 == "main" })
      main.stop()
      #expect(try Clock.until { try bodies(1) == ["spare"] })
      #expect(try bodies(4).allSatisfy { $0 == "spare" })
      let again = try TestOrigin("main", port: main.port)
      #expect(try Clock.until { try bodies(1) == ["main"] })
      #expect(try bodies(4).allSatisfy { $0 == "main" })
      withExtendedLifetime((gateway, again)) {}
    }

    @Test("the PROXY protocol goes out and comes in", arguments: ["send-proxy", "send-proxy-v2"])
    func proxyProtocol(option: String) throws {
      let inner = try Ports.free()
      let origin = try TestOrigin("x")
      let gateway = try RunningGateway(
        defaults + """
          frontend outer
            mode tcp
            bind 127.0.0.1:\(port)
            default_backend inner
          backend inner
            mode tcp
            server i 127.0.0.1:\(inner) \(option)
          frontend inner
            bind 127.0.0.1:\(inner) accept-proxy
            option forwardfor
            http-request set-header X-Port %[dst_port]
            default_backend app
          backend app
            server one 127.0.0.1:\(origin.port)

          """, listening: [port], in: workspace)
      #expect(try Tool.fetch(url, ["--interface", "127.0.0.77"], in: workspace) == "x")
      #expect(origin.requests.last?.value("x-forwarded-for") == "127.0.0.77")
      #expect(origin.requests.last?.value("x-port") == "\(port)")
      withExtendedLifetime(gateway) {}
    }

    @Test("the address that a PROXY header tells is what rules and logs see")
    func proxyHeader() throws {
      let gateway = try RunningGateway(
        defaults + """
          frontend site
            bind 127.0.0.1:\(port) accept-proxy
            http-request return status 200 content-type text/plain lf-string "%[src] %[src_port] %[dst]"

          """, in: workspace)
      #expect(Clock.until { (try? Connection(port: port)) != nil })
      let client = try Connection(port: port)
      try client.send(
        "PROXY TCP4 203.0.113.7 198.51.100.9 4567 443\r\nGET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
      )
      #expect(try client.receiveText().hasSuffix("203.0.113.7 4567 198.51.100.9"))
      let bare = try Connection(port: port)
      try bare.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
      #expect(try bare.receiveText() == "")
      withExtendedLifetime(gateway) {}
    }
  }
}

/// How many were inside at once.
private final class Peak: Sendable {
  private let state = Mutex((inside: 0, highest: 0))

  var highest: Int { state.withLock { $0.highest } }
  func enter() {
    state.withLock {
      $0.inside += 1; $0.highest = Swift.max($0.highest, $0.inside)
    }
  }
  func leave() { state.withLock { $0.inside -= 1 } }
}
