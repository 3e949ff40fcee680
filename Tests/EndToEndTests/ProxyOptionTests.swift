import Foundation
import Testing

extension EndToEnd {
  @Suite("options of proxies") struct ProxyOptions {
    let workspace: Workspace
    let port: Int

    init() throws {
      workspace = try Workspace()
      port = try Ports.free()
    }

    /// Answers with the head of the request that it got.
    private func mirror(_ fields: String = "") throws -> TestServer {
      try TestServer { connection in
        var head = ""
        while !head.contains("\r\n\r\n") {
          let part = try connection.receiveSome()
          if part.isEmpty { return }
          head += String(decoding: part, as: UTF8.self)
        }
        try connection.send("HTTP/1.1 200 OK\r\n\(fields)Content-Length: \(head.utf8.count)\r\n\r\n\(head)")
      }
    }

    private func get(
      _ path: String, _ fields: [String] = [], mirror: TestServer, _ frontend: String, _ backend: String,
      global: String = ""
    )
      throws -> String
    {
      let gateway = try RunningGateway(
        """
        \(global.isEmpty ? "" : "global\n  \(global)")
        \(defaults)
        frontend site
          bind 127.0.0.1:\(port)
          \(frontend)
          default_backend app
        backend app
          \(backend)
          \(backend.contains("dispatch") ? "" : "server one 127.0.0.1:\(mirror.port)")

        """, listening: [port], in: workspace)
      defer { withExtendedLifetime(gateway) {} }
      return try Tool.run(
        ["curl", "-si", "http://127.0.0.1:\(port)\(path)"] + fields.flatMap { ["-H", $0] }, in: workspace
      ).output
    }

    @Test("http-send-name-header tells the server its name, h1-case-adjust how fields are spelled")
    func names() throws {
      let text = try get(
        "/", mirror: mirror("x-back: 1\r\n"), "option h1-case-adjust-bogus-client",
        "http-send-name-header X-Srv\n  option h1-case-adjust-bogus-server",
        global: "h1-case-adjust x-srv X-SRV\n  h1-case-adjust x-back X-BACK")
      #expect(text.contains("X-SRV: one") && text.contains("X-BACK: 1"), "\(text)")
    }

    @Test(
      "http-restrict-req-hdr-names deletes odd names, or refuses the request",
      arguments: [("delete", 200, false), ("preserve", 200, true), ("reject", 403, false)])
    func restricted(policy: String, status: Int, isSeen: Bool) throws {
      let text = try get(
        "/", ["x_odd: 1", "x-even: 2"], mirror: mirror(), "option http-restrict-req-hdr-names \(policy)", "")
      #expect(text.hasPrefix("HTTP/1.1 \(status)"), "\(text)")
      #expect(text.contains("x_odd: 1") == isSeen)
      #expect(text.contains("x-even: 2") == (status == 200))
    }

    @Test(
      "trailers are dropped where the options say so",
      arguments: [("", "", true), ("option http-drop-response-trailers", "", false)])
    func trailers(frontend: String, backend: String, passes: Bool) throws {
      let origin = try TestServer { connection in
        _ = try connection.receive(through: "\r\n\r\n")
        try connection.send(
          "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: x-end\r\n\r\n2\r\nhi\r\n0\r\nx-end: yes\r\n\r\n")
      }
      let gateway = try RunningGateway(
        """
        \(defaults)
        frontend site
          bind 127.0.0.1:\(port)
          \(frontend)
          default_backend app
        backend app
          server one 127.0.0.1:\(origin.port)

        """, listening: [port], in: workspace)
      defer { withExtendedLifetime(gateway) {} }
      let connection = try Connection(port: port)
      try connection.send("GET / HTTP/1.1\r\nHost: a\r\nTE: trailers\r\n\r\n")
      let text = try connection.receive(through: "0\r\n") + connection.receive(through: "\r\n")
      #expect(text.contains("x-end: yes") == passes, "\(text)")
    }

    @Test(
      "checkcache refuses a cookie in what caches keep",
      arguments: [
        ("Set-Cookie: a=b\r\nETag: \"1\"\r\n", 502), ("Set-Cookie: a=b\r\n", 200),
        ("Set-Cookie: a=b\r\nETag: \"1\"\r\nCache-Control: private\r\n", 200), ("ETag: \"1\"\r\n", 200),
        ("Set-Cookie: a=b\r\nCache-Control: public, max-age=60\r\n", 502),
      ])
    func checkCache(fields: String, status: Int) throws {
      let text = try get("/", mirror: mirror(fields), "", "option checkcache")
      #expect(text.hasPrefix("HTTP/1.1 \(status)"), "\(text)")
    }

    @Test("dispatch is the server of a backend without servers; monitor-net answers by itself")
    func old() throws {
      let server = try mirror()
      #expect(try get("/", mirror: server, "", "dispatch 127.0.0.1:\(server.port)").contains("GET / HTTP/1.1"))
      let monitored = try get("/", mirror: server, "monitor-net 127.0.0.0/8", "")
      #expect(monitored.hasPrefix("HTTP/1.1 200") && !monitored.contains("GET /"))
    }

    @Test("a configuration of the days of 1.4 runs as it did, with a warning for each old line")
    func ancient() throws {
      let origin = try TestOrigin("hello")
      let text = """
        global
          nbproc 1
          master-worker
        defaults
          mode http
          clitimeout 5000
          srvtimeout 5000
          contimeout 5000
          redispatch
        listen site 127.0.0.1:\(port)
          option forceclose
          reqadd X-Old:\\ yes
          reqirep ^([^\\ :]*)\\ /old/(.*) \\1\\ /new/\\2
          reqallow ^X-Ok:
          reqideny ^x-bad:
          block if { path_beg /secret }
          server one 127.0.0.1:\(origin.port)

        """
      let checked = try RunningGateway.run(["-c"], configuration: text, in: workspace)
      #expect(
        checked.errors.split(separator: "\n").count { $0.hasPrefix("  write instead: ") } == 12, "\(checked.errors)")
      let running = text.replacingOccurrences(of: "  master-worker\n", with: "")
      let gateway = try RunningGateway(running, listening: [port], in: workspace)
      defer { withExtendedLifetime(gateway) {} }
      let url = "http://127.0.0.1:\(port)"
      #expect(try Tool.fetch(url + "/old/page", in: workspace) == "hello")
      let seen = try #require(origin.requests.first)
      #expect(seen.line.hasPrefix("GET /new/page ") && seen.values("x-old") == ["yes"])
      #expect(try Tool.status(url, ["-H", "X-Bad: 1"], in: workspace) == "403")
      #expect(try Tool.status(url, ["-H", "X-Bad: 1", "-H", "X-Ok: 1"], in: workspace) == "200")
      #expect(try Tool.status(url + "/secret", ["-H", "X-Ok: 1"], in: workspace) == "403")
    }

    @Test("a TCP client that no server was reached for sees the end, whatever it sends")
    func hungUp() throws {
      let gateway = try RunningGateway(
        "\(defaults)\nfrontend site\n  mode tcp\n  bind 127.0.0.1:\(port)\n", listening: [port], in: workspace)
      defer { withExtendedLifetime(gateway) {} }
      let client = try Connection(port: port)
      #expect(try client.receiveSome().isEmpty)
      try client.send("too late")
      #expect(try client.receiveSome().isEmpty)
      // After a reset this would fail.
      try client.send("once more")
    }

    @Test("captured cookies stand in the log, cut to their length")
    func cookies() throws {
      let log = try LogReceiver()
      _ = try get(
        "/x", ["Cookie: a=b; SIDE=1; SID=qwertyuiop"], mirror: mirror("Set-Cookie: SID=0123456789; path=/\r\n"),
        "log 127.0.0.1:\(log.port) local0\n  option httplog\n  capture cookie SID= len 8", "")
      let line = try #require(log.line { $0.contains("GET /x") })
      #expect(line.contains(" SID=qwer SID=0123 ---- "), "\(line)")
    }

    @Test("prefer-last-server stays with the server of a client's connection")
    func lastServer() throws {
      let (one, two) = (
        try TestOrigin("one") { _ in TestOrigin.ok("one") }, try TestOrigin("two") { _ in TestOrigin.ok("two") }
      )
      let gateway = try RunningGateway(
        """
        \(defaults)
        listen site
          bind 127.0.0.1:\(port)
          option prefer-last-server
          server one 127.0.0.1:\(one.port)
          server two 127.0.0.1:\(two.port)

        """, listening: [port], in: workspace)
      let url = "http://127.0.0.1:\(port)/"
      let text = try Tool.run(["curl", "-s", url, url, url, url], in: workspace).output
      #expect(["oneoneoneone", "twotwotwotwo"].contains(text), "\(text)")
      withExtendedLifetime(gateway) {}
    }
  }
}
