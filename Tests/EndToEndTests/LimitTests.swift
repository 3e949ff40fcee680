import Foundation
import Synchronization
import Testing

extension EndToEnd {
  /// Limits on connections, sessions and queues, and what happens at them.
  @Suite("limits") struct Limits {
    let workspace: Workspace
    let port: Int
    let socket: String
    private var url: String { "http://127.0.0.1:\(port)/" }

    init() throws {
      workspace = try Workspace()
      port = try Ports.free()
      socket = workspace.path("stats.sock")
    }

    private func gateway(_ sections: String, global: String = "") throws -> RunningGateway {
      try RunningGateway(
        "global\n  stats socket \(socket) level admin\n  nbthread 2\n\(global)" + defaults + sections,
        listening: [port], unix: [socket], in: workspace)
    }

    private func command(_ text: String) throws -> String {
      let connection = try Connection(unix: socket)
      try connection.send(text + "\n")
      return try connection.receiveText()
    }

    /// `qcur` of a server, or of `BACKEND`.
    private func queued(_ name: String) throws -> Int? {
      let line = try command("show stat").split(separator: "\n").first { $0.hasPrefix("all,\(name),") }
      return line.flatMap { Int($0.split(separator: ",", omittingEmptySubsequences: false)[2]) }
    }

    /// A client whose request is on its way.
    private func client(_ path: String, _ field: String = "x-none: 1") throws -> Connection {
      let connection = try Connection(port: port)
      try connection.send("GET \(path) HTTP/1.1\r\nHost: x\r\n\(field)\r\nConnection: close\r\n\r\n")
      return connection
    }

    @Test(
      "what comes beyond a rate waits for the next second, and none is lost",
      arguments: [
        ("  rate-limit sessions 5\n", "", false), ("", "  maxconnrate 5\n", false), ("", "  maxsessrate 5\n", false),
        ("", "  maxsslrate 5\n", true),
      ])
    func rates(frontend: String, global: String, isTLS: Bool) throws {
      var options = ""
      if isTLS { options = " ssl crt \(try TestCertificates(in: workspace).server("a", names: ["a.test"]).bundle)" }
      let gateway = try gateway(
        "frontend site\n  bind 127.0.0.1:\(port)\(options)\n\(frontend)  http-request return status 200\n",
        global: global)
      let began = Clock.now
      for _ in 0..<14 {
        let target = isTLS ? "https://127.0.0.1:\(port)/" : url
        #expect(try Tool.status(target, ["-k"], in: workspace) == "200")
      }
      // Five a second: fourteen need more than one.
      #expect(Clock.now - began > 1)
      withExtendedLifetime(gateway) {}
    }

    @Test("what comes beyond maxcomprate goes out as it is", arguments: [(0, 4), (2, 1)])
    func compressionRate(limit: Int, compressed: Int) throws {
      let origin = try TestOrigin("") { _ in TestOrigin.ok(String(repeating: "text ", count: 2000)) }
      let gateway = try gateway(
        """
        listen site
          bind 127.0.0.1:\(port)
          compression algo gzip
          compression type text/plain
          http-response set-header content-type text/plain
          server s 127.0.0.1:\(origin.port)

        """, global: "  maxcomprate \(limit)\n")
      let encoded = try (0..<4).filter { _ in
        try Tool.curl(["-i", "-H", "accept-encoding: gzip", "-o", "/dev/null", "-D", "-", url], in: workspace).output
          .lowercased().contains("content-encoding: gzip")
      }
      #expect(encoded.count == compressed)
      withExtendedLifetime(gateway) {}
    }

    @Test("minconn bounds a server under low load, and fullconn says what full load is", arguments: [(100, 3), (4, 0)])
    func dynamicLimit(full: Int, waiting: Int) throws {
      let gate = Gate()
      let origin = try TestOrigin("done") { _ in
        gate.wait()
        return TestOrigin.ok("done")
      }
      let gateway = try gateway(
        """
        frontend site
          bind 127.0.0.1:\(port)
          default_backend all
        backend all
          fullconn \(full)
          server s 127.0.0.1:\(origin.port) minconn 1 maxconn 4

        """)
      let clients = try (0..<4).map { _ in try client("/") }
      #expect(try Clock.until { try origin.requests.count == 4 - waiting && queued("BACKEND") == waiting })
      gate.open()
      for client in clients { #expect(try client.receiveText().hasSuffix("done")) }
      withExtendedLifetime(gateway) {}
    }

    @Test("those in a queue are served by class and offset, not in the order in which they came")
    func priorities() throws {
      let gate = Gate()
      let origin = try TestOrigin("done") { _ in
        gate.wait()
        return TestOrigin.ok("done")
      }
      let gateway = try gateway(
        """
        frontend site
          bind 127.0.0.1:\(port)
          http-request set-priority-class req.hdr(x-class) if { req.hdr(x-class) -m found }
          http-request set-priority-offset req.hdr(x-offset) if { req.hdr(x-offset) -m found }
          default_backend all
        backend all
          server s 127.0.0.1:\(origin.port) maxconn 1

        """)
      var clients = [try client("/first")]
      #expect(Clock.until { origin.requests.count == 1 })
      let wanted = [
        ("/late", "x-class: 5"), ("/plain", "x-none: 1"), ("/sooner", "x-offset: -100000"), ("/urgent", "x-class: -5"),
      ]
      for (number, (path, field)) in wanted.enumerated() {
        clients.append(try client(path, field))
        #expect(try Clock.until { try queued("BACKEND") == number + 1 })
      }
      gate.open()
      for client in clients { #expect(try client.receiveText().hasSuffix("done")) }
      let order = origin.requests.map { $0.line.split(separator: " ")[1] }
      #expect(order == ["/first", "/urgent", "/sooner", "/plain", "/late"])
      withExtendedLifetime(gateway) {}
    }

    @Test("a client that leaves the queue is forgotten with abortonclose; a queue that is full answers 503")
    func queues() throws {
      let gate = Gate()
      let origin = try TestOrigin("done") { _ in
        gate.wait()
        return TestOrigin.ok("done")
      }
      let gateway = try gateway(
        """
        frontend site
          bind 127.0.0.1:\(port)
          default_backend all
        backend all
          option abortonclose
          server s 127.0.0.1:\(origin.port) maxconn 1 maxqueue 1 cookie s
          cookie C insert

        """)
      let first = try client("/first")
      #expect(Clock.until { origin.requests.count == 1 })
      let second = try client("/second", "Cookie: C=s")
      #expect(try Clock.until { try queued("s") == 1 })
      #expect(try client("/third", "Cookie: C=s").receiveText().hasPrefix("HTTP/1.1 503 "))
      second.close()
      #expect(try Clock.until { try queued("s") == 0 })
      gate.open()
      #expect(try first.receiveText().hasSuffix("done"))
      #expect(origin.requests.map(\.line).allSatisfy { !$0.contains("second") })
      withExtendedLifetime(gateway) {}
    }

    @Test("timeout tarpit says how long a trapped client waits, and silent-drop says nothing at all")
    func traps() throws {
      let gateway = try gateway(
        """
        frontend site
          bind 127.0.0.1:\(port)
          timeout tarpit 400ms
          http-request tarpit deny_status 429 if { path /trap }
          http-request silent-drop if { path /drop }
          http-request return status 200

        """)
      let began = Clock.now
      #expect(try client("/trap").receiveText().hasPrefix("HTTP/1.1 429 "))
      #expect(Clock.now - began >= 0.4)
      let dropped = try Connection(port: port, timeout: 1)
      try dropped.send("GET /drop HTTP/1.1\r\nHost: x\r\n\r\n")
      #expect((try? dropped.receiveSome())?.isEmpty ?? true)
      #expect(try Tool.status(url, in: workspace) == "200")
      withExtendedLifetime(gateway) {}
    }

    @Test("timeout client-fin ends a connection whose client has finished, long before timeout client")
    func halfClosed() throws {
      let server = try TestServer { connection in _ = try connection.receiveAll() }
      let gateway = try gateway(
        """
        listen pipe
          mode tcp
          bind 127.0.0.1:\(port)
          timeout client 60s
          timeout server 60s
          timeout client-fin 300ms
          server s 127.0.0.1:\(server.port)

        """)
      let client = try Connection(port: port)
      try client.send("x")
      client.finish()
      let began = Clock.now
      _ = try? client.receiveAll()
      #expect(Clock.now - began < 8)
      withExtendedLifetime((gateway, server)) {}
    }
  }

  /// Holds those who wait until it is opened.
  private final class Gate: Sendable {
    private let isOpen = Mutex(false)
    func open() { isOpen.withLock { $0 = true } }
    func wait() { _ = Clock.until { isOpen.withLock { $0 } } }
  }
}
