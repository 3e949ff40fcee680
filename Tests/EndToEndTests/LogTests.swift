import Foundation
import Testing

extension EndToEnd {
  @Suite("logs") struct Logs {
    let workspace: Workspace
    let port: Int

    init() throws {
      workspace = try Workspace()
      port = try Ports.free()
    }

    @Test("the httplog line has the fields of HAProxy's manual, 8.2.3")
    func httplog() throws {
      let log = try LogReceiver()
      let origin = try TestOrigin("body") { _ in TestOrigin.ok("body", "Set-Cookie: id=42\r\n") }
      let gateway = try RunningGateway(
        """
        global
          log 127.0.0.1:\(log.port) local0
        \(defaults)
        frontend site
          log global
          option httplog
          bind 127.0.0.1:\(port)
          capture request header Host len 20
          capture request header User-Agent len 10
          default_backend app
        backend app
          server one 127.0.0.1:\(origin.port)

        """, listening: [port], in: workspace)
      _ = try Tool.fetch("http://127.0.0.1:\(port)/x?y=z", ["-A", "agent-of-some-length"], in: workspace)
      let line = try #require(log.line { $0.contains("/x?y=z") })
      let prefix = /^<134>\w{3} [ \d]\d \d\d:\d\d:\d\d haproxy\[\d+\]:/
      let fields =
        /127\.0\.0\.1:\d+ \[\d\d\/\w{3}\/\d{4}:\d\d:\d\d:\d\d\.\d{3}\] site app\/one \d+\/\d+\/\d+\/\d+\/\d+ 200 \d+ - - ---- 1\/1\/\d+\/\d+\/0 0\/0 \{127\.0\.0\.1:\d+\|agent-of-s\} "GET \/x\?y=z HTTP\/1\.1"\n?$/
      #expect(line.contains(prefix), "\(line)")
      #expect(line.contains(fields), "\(line)")
      withExtendedLifetime(gateway) {}
    }

    @Test(
      "an HTTP/2 request that cannot be served, and what breaks a connection, are lines as tune.h2.log-errors says",
      arguments: [("stream", 2), ("connection", 1), ("none", 0)])
    func refusedHTTP2(level: String, lines: Int) throws {
      let log = try LogReceiver()
      let gateway = try RunningGateway(
        """
        global
          log 127.0.0.1:\(log.port) local0
          tune.h2.log-errors \(level)
        \(defaults)
        frontend site
          log global
          option httplog
          bind 127.0.0.1:\(port) proto h2
          http-request return status 200

        """, listening: [port], in: workspace)
      let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8) + H2Frame.settings()
      let fields = [(":method", "GET"), (":scheme", "http"), (":path", "/"), (":authority", "h")]
      let odd = try Connection(port: port)
      try odd.send(preface + H2Frame.headers(1, fields + [("x y", "z")], ends: true))
      var type: UInt8 = 0
      while type != 3 {
        let head = try odd.receive(count: 9)
        type = head[3]
        let length = Int(head[1]) << 8 | Int(head[2])
        if length > 0 { _ = try odd.receive(count: length) }
      }
      let broken = try Connection(port: port)
      try broken.send(preface + H2Frame.frame(8, [0, 0, 0, 0]))
      _ = try broken.receiveAll()
      let good = try Connection(port: port)
      try good.send(preface + H2Frame.headers(1, fields, ends: true))
      _ = try #require(log.line { $0.contains("GET http") && $0.contains("HTTP/2.0") })
      let bad = log.lines.filter { $0.contains("site site/<NOSRV>") && $0.contains("PR--") && $0.contains("<BADREQ>") }
      #expect(bad.count == lines, "\(log.lines)")
      withExtendedLifetime((gateway, odd, good)) {}
    }

    @Test("the tcplog line has the fields of HAProxy's manual, 8.2.2")
    func tcplog() throws {
      let log = try LogReceiver()
      let echo = try TestServer { connection in try connection.send(connection.receive(count: 5)) }
      let gateway = try RunningGateway(
        """
        listen pass
          mode tcp
          log 127.0.0.1:\(log.port) local0
          option tcplog
          timeout connect 5s
          timeout client 5s
          timeout server 5s
          bind 127.0.0.1:\(port)
          server one 127.0.0.1:\(echo.port)

        """, listening: [port], in: workspace)
      let client = try Connection(port: port)
      try client.send("hello")
      #expect(try client.receive(count: 5) == Array("hello".utf8))
      #expect(try client.receiveAll().isEmpty)
      client.close()
      let line = try #require(log.line { $0.contains(" 5 -- ") })
      #expect(
        line.contains(
          /127\.0\.0\.1:\d+ \[[^\]]+\] pass pass\/one \d+\/\d+\/\d+ 5 -- \d+\/\d+\/\d+\/\d+\/0 0\/0\n?$/),
        "\(line)")
      withExtendedLifetime(gateway) {}
    }

    @Test(
      "how a session ended stands in the line",
      arguments: [
        ("GET / HTTP/1.1\r\nHost: a\r\n bad\r\n\r\n", " 400 ", " PR-- "),
        ("GET /denied HTTP/1.1\r\nHost: a\r\n\r\n", " 403 ", " PR-- "),
        ("GET /moved HTTP/1.1\r\nHost: a\r\n\r\n", " 302 ", " LR-- "),
        ("GET /dead HTTP/1.1\r\nHost: a\r\n\r\n", " 503 ", " SC-- "),
        ("GET /mute HTTP/1.1\r\nHost: a\r\n\r\n", " 504 ", " sH-- "),
        ("GET /cut HTTP/1.1\r\nHost: a\r\n\r\n", " 200 ", " SD-- "),
        ("GET /junk HTTP/1.1\r\nHost: a\r\n\r\n", " 502 ", " PH-- "),
        ("GET /gone HTTP/1.1\r\nHost: a\r\n\r\n", " 502 ", " SH-- "),
        ("GET / HTT", " 408 ", " cR-- "),
      ])
    func terminations(request: String, status: String, code: String) throws {
      let log = try LogReceiver()
      let origin = try TestServer { connection in
        guard let request = try TestOrigin.read(connection) else { return }
        switch request.path {
        case "/mute": _ = try connection.receiveSome()
        case "/cut": try connection.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this")
        case "/junk": try connection.send("NOT HTTP AT ALL\r\n\r\n")
        default: break
        }
      }
      let gateway = try RunningGateway(
        defaults + """
          frontend site
            bind 127.0.0.1:\(port)
            log 127.0.0.1:\(log.port) local0
            option httplog
            option dontlognull
            timeout http-request 300ms
            http-request deny if { path /denied }
            http-request redirect location /there if { path /moved }
            use_backend dead if { path /dead }
            default_backend app
          backend app
            timeout server 300ms
            server one 127.0.0.1:\(origin.port)
          backend dead
            retries 0
            server none 127.0.0.1:\(try Ports.free())

          """, listening: [port], in: workspace)
      let client = try Connection(port: port)
      try client.send(request)
      let line = log.line { $0.contains(status) }
      #expect(line?.contains(code) == true, "\(log.lines)")
      withExtendedLifetime((gateway, client)) {}
    }
  }
}
