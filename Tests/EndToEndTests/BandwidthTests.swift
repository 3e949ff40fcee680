import Testing

extension EndToEnd {
  @Suite("bandwidth limits and pauses") struct Bandwidth {
    let workspace: Workspace
    let port: Int
    private let origin: TestServer

    init() throws {
      workspace = try Workspace()
      port = try Ports.free()
      origin = try TestServer { connection in
        while true {
          let head = try connection.receive(through: "\r\n\r\n")
          var length = 0
          for line in head.split(separator: "\r\n") where line.lowercased().hasPrefix("content-length:") {
            length = Int(line.split(separator: " ").last ?? "0") ?? 0
          }
          if length > 0 { _ = try connection.receive(count: length) }
          let body = String(repeating: "x", count: 60_000)
          try connection.send("HTTP/1.1 200 OK\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)")
        }
      }
    }

    private func start(_ lines: String, mode: String = "http") throws -> RunningGateway {
      try RunningGateway(
        """
        \(defaults)
        listen site
          mode \(mode)
          bind 127.0.0.1:\(port)
          stick-table type ip size 1k expire 10s store bytes_out_rate(1s)
          \(lines)
          server one 127.0.0.1:\(origin.port)

        """, listening: [port], in: workspace)
    }

    /// Seconds that an exchange takes, and the size of what came.
    private func time(_ arguments: [String] = []) throws -> (seconds: Double, size: Int) {
      let began = Clock.now
      let text = try Tool.run(["curl", "-s", "http://127.0.0.1:\(port)/"] + arguments, in: workspace).output
      return (Clock.now - began, text.utf8.count)
    }

    @Test(
      "octets pass no faster than a filter allows, both ways, in HTTP and TCP",
      arguments: [
        ("filter bwlim-out a default-limit 60k default-period 1s\n  http-request set-bandwidth-limit a", "http"),
        (
          "filter bwlim-out a default-limit 1m default-period 1s\n"
            + "  http-response set-bandwidth-limit a limit 30k period 500ms", "http"
        ),
        ("filter bwlim-out a limit 60k key src\n  http-request set-bandwidth-limit a", "http"),
        ("filter bwlim-in a default-limit 60k default-period 1s\n  http-request set-bandwidth-limit a", "http"),
        ("filter bwlim-out a default-limit 60k default-period 1s\n  tcp-request content set-bandwidth-limit a", "tcp"),
      ])
    func limited(lines: String, mode: String) throws {
      let gateway = try start(lines, mode: mode)
      defer { withExtendedLifetime(gateway) {} }
      let upload = try workspace.write("upload", String(repeating: "y", count: 60_000))
      let measured = try time(lines.contains("bwlim-in") ? ["--data-binary", "@\(upload)", "-H", "Expect:"] : [])
      #expect(measured.size == 60_000)
      // The first piece of 16 KiB goes at once.
      #expect(measured.seconds > 0.5 && measured.seconds < 5, "\(measured.seconds)")
    }

    @Test("without the rule a filter does nothing, nor when the sequence leaves it out")
    func idle() throws {
      let gateway = try start(
        """
        filter bwlim-out a default-limit 1k default-period 1s
          filter bwlim-in b default-limit 1k default-period 1s
          filter-sequence response bwlim-in
          http-request set-bandwidth-limit a
        """)
      defer { withExtendedLifetime(gateway) {} }
      let measured = try time()
      #expect(measured.size == 60_000 && measured.seconds < 3)
    }

    @Test(
      "pause holds a request or response up",
      arguments: ["http-request pause 400", "http-request pause int(400)", "http-response pause 400ms"])
    func pause(line: String) throws {
      let gateway = try start(line)
      defer { withExtendedLifetime(gateway) {} }
      let measured = try time()
      #expect(measured.size == 60_000)
      #expect(measured.seconds >= 0.4 && measured.seconds < 5, "\(measured.seconds)")
    }
  }
}
