import Foundation
import Testing

extension EndToEnd {
  @Suite("health checks") struct HealthChecks {
    let workspace: Workspace
    let port: Int

    init() throws {
      workspace = try Workspace()
      port = try Ports.free()
    }

    private var url: String { "http://127.0.0.1:\(port)/" }

    private func gateway(_ backend: String, log: LogReceiver) throws -> RunningGateway {
      try RunningGateway(
        defaults + """
          listen site
            bind 127.0.0.1:\(port)
            log 127.0.0.1:\(log.port) local0
            default-server inter 100ms fall 2 rise 2
            retries 0
          \(backend)

          """, listening: [port], in: workspace)
    }

    @Test("an answer counts although a reset comes right behind it")
    func reset() throws {
      let log = try LogReceiver()
      let origin = try TestServer { connection in
        try connection.send("220 ready\r\n")
        // One octet of the greeting is left unread, which makes the end a reset.
        _ = try connection.receive(count: 16)
        try connection.send("512 DNS error\r\n")
      }
      let gateway = try gateway(
        "  mode tcp\n  option smtpchk EHLO domain.tld\n  option log-health-checks\n"
          + "  server a 127.0.0.1:\(origin.port) check fall 1 rise 1", log: log)
      let line = log.line { $0.contains("Health check for server site/a failed") }
      #expect(line?.contains("reason: Layer7 wrong status, code: 512, info: \"DNS error\"") == true, "\(log.lines)")
      withExtendedLifetime((gateway, origin)) {}
    }

    @Test("state changes are logged in HAProxy's words")
    func logged() throws {
      let log = try LogReceiver()
      let one = try TestOrigin("one")
      let two = try TestOrigin("two")
      let gateway = try gateway(
        "  server a 127.0.0.1:\(one.port) check\n  server b 127.0.0.1:\(two.port) check", log: log)
      one.stop()
      let down = log.line { $0.contains("Server site/a is DOWN") }
      let words =
        "Server site/a is DOWN, reason: Layer4 connection problem, info: \"ECONNREFUSED returned by OS (Connection refused)\", check duration: "
      #expect(down?.contains(words) == true, "\(log.lines)")
      #expect(down?.hasPrefix("<129>") == true, "\(down ?? "")")
      let left =
        /ms\. 1 active and 0 backup servers left\. 0 sessions active, 0 requeued, 0 remaining in queue\./
      #expect(down?.contains(left) == true, "\(down ?? "")")
      let again = try TestOrigin("one", port: one.port)
      let up = log.line { $0.contains("Server site/a is UP, reason: Layer4 check passed, check duration: ") }
      #expect(
        up?.contains("2 active and 0 backup servers online. 0 sessions requeued, 0 total in queue.") == true)
      two.stop()
      again.stop()
      #expect(log.line { $0.contains("proxy site has no server available!") } != nil, "\(log.lines)")
      withExtendedLifetime(gateway) {}
    }

    @Test(
      "an HTTP check judges the answer",
      arguments: [
        ("option httpchk", "OPTIONS / HTTP/1.0", "HTTP/1.0 200 OK", true),
        ("option httpchk HEAD / HTTP/1.0", "HEAD / HTTP/1.0", "HTTP/1.0 302 Found", true),
        ("option httpchk GET /health", "GET /health HTTP/1.0", "HTTP/1.0 503 Busy", false),
        (
          "option httpchk\n    http-check send meth GET uri /h ver HTTP/1.1 hdr Host x\n    http-check expect status 200-299",
          "GET /h HTTP/1.1", "HTTP/1.1 404 Not Found", false
        ),
        (
          "option httpchk\n    http-check expect string fine", "OPTIONS / HTTP/1.0", "HTTP/1.0 500 Error",
          true
        ),
      ])
    func http(option: String, line: String, status: String, isUp: Bool) throws {
      let log = try LogReceiver()
      let origin = try TestOrigin("") { _ in "\(status)\r\nContent-Length: 4\r\nConnection: close\r\n\r\nfine"
      }
      let gateway = try gateway("  \(option)\n  server a 127.0.0.1:\(origin.port) check", log: log)
      #expect(Clock.until { origin.requests.count >= 3 })
      #expect(origin.requests.allSatisfy { $0.line == line }, "\(origin.requests.map(\.line))")
      if isUp {
        #expect(!log.lines.contains { $0.contains("is DOWN") }, "\(log.lines)")
      } else {
        #expect(log.line { $0.contains("Server site/a is DOWN") } != nil)
        #expect(try Tool.status(url, in: workspace) == "503")
      }
      withExtendedLifetime(gateway) {}
    }

    @Test("a server that fails under live traffic is marked down with observe and error-limit")
    func observe() throws {
      let log = try LogReceiver()
      let origin = try TestOrigin("") { _ in "HTTP/1.1 500 Broken\r\nContent-Length: 0\r\n\r\n" }
      let gateway = try gateway(
        "  server a 127.0.0.1:\(origin.port) check inter 1h observe layer7 error-limit 3 on-error mark-down",
        log: log)
      for _ in 0..<3 { #expect(try Tool.status(url, in: workspace) == "500") }
      #expect(log.line { $0.contains("Server site/a is DOWN") } != nil, "\(log.lines)")
      #expect(try Tool.status(url, in: workspace) == "503")
      withExtendedLifetime(gateway) {}
    }

    @Test("sessions on a server that goes down are shut with on-marked-down shutdown-sessions")
    func shutdownSessions() throws {
      let log = try LogReceiver()
      let held = try TestServer { connection in
        try connection.send("hello")
        _ = try connection.receiveSome()
      }
      let check = try TestServer { _ in }
      let gateway = try gateway(
        "  mode tcp\n  server a 127.0.0.1:\(held.port) check port \(check.port) on-marked-down shutdown-sessions",
        log: log)
      let client = try Connection(port: port)
      _ = try client.receive(through: "hello")
      check.stop()
      #expect(try client.receiveAll().isEmpty)
      #expect(log.line { $0.contains("Server site/a is DOWN") } != nil)
      withExtendedLifetime(gateway) {}
    }

    @Test("the runtime API sets servers into maintenance and back, and lists them")
    func administration() throws {
      let log = try LogReceiver()
      let one = try TestOrigin("one")
      let two = try TestOrigin("two")
      let path = workspace.path("admin.sock")
      let gateway = try RunningGateway(
        "global\n  stats socket \(path) level admin\n" + defaults + """
          listen site
            bind 127.0.0.1:\(port)
            log 127.0.0.1:\(log.port) local0
            server a 127.0.0.1:\(one.port)
            server b 127.0.0.1:\(two.port)

          """, listening: [port], unix: [path], in: workspace)
      func ask(_ command: String) throws -> String {
        let socket = try Connection(unix: path)
        try socket.send(command + "\n")
        return try socket.receiveText()
      }
      #expect(try ask("disable server site/a") == "\n")
      #expect(Set(try (0..<4).map { _ in try Tool.fetch(url, in: workspace) }) == ["two"])
      #expect(try ask("show stat").contains("\nsite,a,"))
      #expect(
        try ask("show stat").split(separator: "\n").contains {
          $0.hasPrefix("site,a,") && $0.contains(",MAINT,")
        })
      #expect(try ask("enable server site/a") == "\n")
      #expect(Set(try (0..<4).map { _ in try Tool.fetch(url, in: workspace) }) == ["one", "two"])
      #expect(try ask("set server site/b weight 0") == "\n")
      #expect(Set(try (0..<4).map { _ in try Tool.fetch(url, in: workspace) }) == ["one"])
      #expect(try ask("show info").contains("\nMaxconn: "))
      #expect(try ask("nonsense").contains("Unknown command"))
      withExtendedLifetime(gateway) {}
    }
  }
}
