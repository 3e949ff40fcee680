import Foundation
import Testing

extension EndToEnd {
  /// What the runtime API says of streams and of messages that broke a rule.
  @Suite("reports of streams") struct StreamReports {
    let workspace: Workspace
    let ports: [Int]
    let socket: String

    init() throws {
      workspace = try Workspace()
      ports = [try Ports.free(), try Ports.free()]
      socket = workspace.path("stats.sock")
    }

    private func command(_ text: String) throws -> String {
      let connection = try Connection(unix: socket, timeout: 20)
      try connection.send(text + "\n")
      return try connection.receiveText()
    }

    private func start(_ origin: Int) throws -> RunningGateway {
      try RunningGateway(
        """
        global
          nbthread 2
          stats socket \(socket) level admin
        \(EndToEnd.defaults)
        frontend site
          bind 127.0.0.1:\(ports[0])
          default_backend app
        backend app
          server s 127.0.0.1:\(origin)
        listen other
          bind 127.0.0.1:\(ports[1])
          server s 127.0.0.1:\(origin)

        """, listening: ports, unix: [socket], in: workspace)
    }

    @Test("the newest broken request and response are shown with their octets")
    func errors() throws {
      let origin = try TestServer { connection in
        _ = try connection.receive(through: "\r\n\r\n")
        try connection.send("HTTP/1.1 200 OK\r\nbro ken: x\r\n\r\n")
      }
      let gateway = try start(origin.port)
      #expect(try command("show errors").hasSuffix(" : 0\n\n"))
      #expect(try Tool.status("http://127.0.0.1:\(ports[0])/", in: workspace) == "502")
      let client = try Connection(port: ports[0])
      try client.send("GET / HT\u{1}P/1.1\r\n\r\n")
      #expect(try client.receiveText().contains(" 400 "))
      let text = try command("show errors")
      #expect(text.contains(" : 2\n"))
      #expect(text.contains("frontend site (#2): invalid request\n  backend <NONE> (#-1), server <NONE> (#-1), "))
      #expect(text.contains("error at position 8\n"))
      #expect(text.contains("  00000  GET / HT\\x01P/1.1\\r\\n\n"))
      #expect(text.contains("backend app (#3): invalid response\n  frontend site (#2), server s (#1), event #0"))
      #expect(text.contains("  00017  bro ken: x\\r\\n\n"))
      #expect(try !command("show errors app request").contains("invalid"))
      #expect(try command("show errors app response").contains("invalid response"))
      #expect(try !command("show errors app response").contains("invalid request"))
      #expect(try !command("show errors other").contains("invalid"))
      #expect(try command("show errors nix").hasPrefix("No such proxy."))
      withExtendedLifetime((gateway, origin)) {}
    }

    @Test("streams are listed by proxy, server, age and name")
    func streams() throws {
      let origin = try TestServer { connection in _ = try connection.receiveAll() }
      let gateway = try start(origin.port)
      let clients = try ports.map { port in
        let client = try Connection(port: port)
        try client.send("GET /at\(port) HTTP/1.1\r\nHost: x\r\n\r\n")
        return client
      }
      func lines(_ options: String) throws -> [String] {
        try command("show sess " + options).split(separator: "\n").map(String.init)
      }
      #expect(try Clock.until(within: 5) { try lines("").filter { $0.contains(" srv=s ") }.count == 2 })
      #expect(try lines("all").count == 2)
      for option in ["frontend site", "backend app", "server app/s"] {
        #expect(try lines(option).map { $0.contains(" fe=site be=app srv=s ") } == [true], "\(option)")
      }
      #expect(try lines("backend other show-uri").first?.contains("uri=\"/at\(ports[1])\"") == true)
      #expect(try lines("older 1h") == [])
      let id = try #require(try lines("backend app").first?.split(separator: ":").first.map(String.init))
      #expect(try lines(id).count == 1)
      #expect(try command("show sess 0x1").hasPrefix("Session not found."))
      #expect(try command("show sess older").hasPrefix("Expects a minimum age"))
      #expect(try command("show sess backend nix").hasPrefix("No such backend"))
      #expect(try command("show sess foo").hasPrefix("Unsupported option 'foo'"))
      #expect(try command("show info").contains("\nCurrStreams: 2\n"))
      withExtendedLifetime((gateway, origin, clients)) {}
    }

    @Test("requests that were refused count for the frontend and, with socket-stats, for the listener")
    func refusals() throws {
      let gateway = try RunningGateway(
        """
        global
          stats socket \(socket) level admin
        \(EndToEnd.defaults)
        frontend site
          option socket-stats
          option http-ignore-probes
          bind 127.0.0.1:\(ports[0]) name lst
          http-request deny if { path /no }
          http-request return status 200

        """, listening: [ports[0]], unix: [socket], in: workspace)
      /// The values of columns of a row.
      func row(_ name: String, _ columns: [String]) throws -> [Int] {
        let lines = try command("show stat site").split(separator: "\n").map {
          $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        }
        let head = lines[0].map { $0.hasPrefix("# ") ? String($0.dropFirst(2)) : $0 }
        let line = try #require(lines.first { $0.count > 1 && $0[1] == name })
        return columns.compactMap { column in head.firstIndex(of: column).flatMap { Int(line[$0]) } }
      }
      #expect(try Tool.status("http://127.0.0.1:\(ports[0])/no", in: workspace) == "403")
      let client = try Connection(port: ports[0])
      try client.send("GET / HT\u{1}P/1.1\r\n\r\n")
      _ = try client.receiveAll()
      #expect(try row("FRONTEND", ["req_tot", "h1req", "ereq", "dreq"]) == [2, 2, 1, 1])
      #expect(try row("lst", ["ereq", "dreq"]) == [1, 1])
      withExtendedLifetime(gateway) {}
    }

    @Test("'show info' and 'show activity' tell what happened")
    func info() throws {
      let origin = try TestOrigin("body")
      let gateway = try start(origin.port)
      for _ in 0..<3 { _ = try Tool.fetch("http://127.0.0.1:\(ports[0])/", in: workspace) }
      func value(_ name: String) throws -> Int? {
        try command("show info").split(separator: "\n").first { $0.hasPrefix("\(name): ") }.flatMap {
          Int($0.dropFirst(name.utf8.count + 2))
        }
      }
      for name in ["PoolAlloc_bytes", "PoolUsed_bytes", "Maxpipes", "TotalBytesOut", "BytesOutRate", "CumStreams"] {
        #expect(try value(name) ?? 0 > 0, "\(name)")
      }
      #expect(try value("CurrStreams") == 0)
      let columns = try #require(try command("show activity").firstMatch(of: /stream_calls: (\d+) \[ (\d+) (\d+) \]\n/))
      let numbers = [columns.1, columns.2, columns.3].compactMap { Int($0) }
      #expect(numbers[0] >= 3 && numbers[0] == numbers[1] + numbers[2])
      #expect(try command("show activity 0").contains("\nstream_calls: \(numbers[0])\n"))
      #expect(try command("show activity 2").contains("\nstream_calls: \(numbers[2])\n"))
      #expect(try command("show activity 3").hasPrefix("Thread ID number must be between -1 and nbthread"))
      #expect(try command("trace 0") == "All traces now stopped\n\n")
      #expect(try command("trace h1") == "No such trace source 'h1'\n\n")
      withExtendedLifetime((gateway, origin)) {}
    }
  }
}
