import Testing

extension EndToEnd {
  @Suite("sockets of bind and server lines") struct Sockets {
    let workspace: Workspace
    let port: Int
    private let mirror: TestServer

    init() throws {
      workspace = try Workspace()
      port = try Ports.free()
      mirror = try TestServer { connection in
        _ = try connection.receive(through: "\r\n\r\n")
        try connection.send("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhello")
      }
    }

    private func start(_ bind: String, _ server: String, _ lines: String = "") throws -> RunningGateway {
      try RunningGateway(
        """
        \(defaults)
        listen site
          bind 127.0.0.1:\(port) \(bind)
          \(lines)
          http-after-response set-header x-from "%[bc_src]:%[bc_src_port]"
          http-after-response set-header x-client "%[src]:%[src_port]"
          server one 127.0.0.1:\(mirror.port) \(server)

        """, listening: [port], in: workspace)
    }

    private func get(_ fields: [String] = []) throws -> String {
      try Tool.run(
        ["curl", "-si", "--interface", "127.0.0.3", "http://127.0.0.1:\(port)/"] + fields.flatMap { ["-H", $0] },
        in: workspace
      ).output
    }

    @Test(
      "connections come from where 'source' says",
      arguments: [
        ("source 127.0.0.2", "x-from: 127.0.0.2:"), ("source 0.0.0.0 interface lo", "x-from: 127.0.0.1:"),
        ("source 0.0.0.0 usesrc clientip", "x-from: 127.0.0.3:"),
        ("source 0.0.0.0 usesrc 127.0.0.4", "x-from: 127.0.0.4:"),
        ("source 0.0.0.0 usesrc hdr_ip(x-for,-1)", "x-from: 127.0.0.6:"),
        ("source 0.0.0.0 usesrc hdr_ip(x-for,1)", "x-from: 127.0.0.5:"),
        ("source 127.0.0.2 cc reno tcp-ut 10s tfo", "x-from: 127.0.0.2:"),
      ])
    func source(words: String, expected: String) throws {
      let gateway = try start("cc reno tcp-ss 1 label here", words)
      defer { withExtendedLifetime(gateway) {} }
      let text = try get(["x-for: 127.0.0.5, 127.0.0.6"])
      #expect(text.contains(expected), "\(text)")
    }

    @Test("a range of ports is used from one end to the other")
    func ports() throws {
      let first = try Ports.free()
      let gateway = try start("", "source 127.0.0.7:\(first)-\(first + 3)")
      defer { withExtendedLifetime(gateway) {} }
      var seen: Set<Int> = []
      for _ in 0..<4 {
        let text = try get()
        let line = text.split(separator: "\r\n").first { $0.hasPrefix("x-from: 127.0.0.7:") }
        seen.insert(Int(line?.split(separator: ":").last ?? "") ?? 0)
      }
      #expect(seen == Set(first...(first + 3)))
    }

    @Test("NetScaler's header gives the client's address, by bind line and by rule")
    func netscaler() throws {
      let rule = "tcp-request connection expect-netscaler-cip layer4"
      for (bind, lines) in [("accept-netscaler-cip 0x12345678", ""), ("accept-netscaler-cip 305419896", rule)] {
        let gateway = try start(bind, "", lines)
        let connection = try Connection(port: port)
        let header: [UInt8] =
          [0x12, 0x34, 0x56, 0x78, 0, 0, 0, 40] + [0x45, 0, 0, 40, 0, 0, 0, 0, 0, 6, 0, 0, 10, 1, 2, 3, 10, 9, 8, 7]
          + [0x10, 0x92, 0x01, 0xBB] + [UInt8](repeating: 0, count: 16)
        try connection.send(header + Array("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".utf8))
        let text = try connection.receiveText()
        #expect(text.contains("x-client: 10.1.2.3:4242"), "\(text)")
        withExtendedLifetime(gateway) {}
      }
    }
  }
}

extension EndToEnd {
  @Suite("limits and privileges of the process") struct Privileges {
    @Test("strict-limits refuses what cannot be had, and its absence goes on")
    func strict() throws {
      let port = try Ports.free()
      for (words, starts) in [("", false), ("no strict-limits", true), ("fd-hard-limit 4000", true)] {
        let workspace = try Workspace()
        let site = "\(defaults)\nlisten a\n  bind 127.0.0.1:\(port)\n  http-request return status 200\n"
        // A limit that a process without privileges cannot raise.
        let file = try workspace.write(
          "a.cfg", "global\n  \(starts && words.hasPrefix("fd") ? "" : "maxconn 4000")\n  \(words)\n\(site)")
        let child = try Child(
          [
            "setpriv", "--bounding-set=-sys_resource", "--inh-caps=-sys_resource", "sh", "-c",
            "ulimit -n 500; exec \(RunningGateway.binary) -db -f \(file)",
          ], in: workspace)
        if starts {
          #expect(Clock.until { (try? Connection(port: port)) != nil }, "\(child.errors)")
        } else {
          #expect(child.wait() == 1)
          #expect(child.errors.contains("Cannot raise FD limit"), "\(child.errors)")
        }
        child.stop()
      }
    }

    @Test("setcap keeps what transparent sources need when the user changes")
    func capabilities() throws {
      let workspace = try Workspace()
      let port = try Ports.free()
      let origin = try TestServer { connection in
        _ = try connection.receive(through: "\r\n\r\n")
        try connection.send("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhello")
      }
      let gateway = try RunningGateway(
        """
        global
          user nobody
          setcap cap_net_admin,cap_net_raw
        \(defaults)
        listen site
          bind 127.0.0.1:\(port)
          server one 127.0.0.1:\(origin.port) source 0.0.0.0 usesrc 192.0.2.1
          server two 127.0.0.1:\(origin.port) source 0.0.0.0 backup

        """, listening: [port], in: workspace)
      let status = Workspace.read("/proc/\(gateway.child.process)/status")
      // 12 and 13 of the kernel's numbers.
      #expect(status.contains("CapEff:\t0000000000003000"), "\(status)")
    }

    @Test(
      "what has no effect is told with its reason, and what is refused too",
      arguments: [
        ("global\n  tune.pipesize 1m\n", "pipes have 256 KiB", Int32(0)),
        ("global\n  noepoll\n", "epoll, edge-triggered, is the only poller", 0),
        ("global\n  ssl-engine rdrand\n", "openssl.cnf", 1), ("acme a\n", "certbot", 1), ("traces\n", "do-log", 1),
        ("global\n  setcap cap_net_adm\n", "cap_net_admin", 1),
      ])
    func reasons(text: String, expected: String, status: Int32) throws {
      let outcome = try RunningGateway.run(
        ["-c", "-dD"], configuration: text + CommandLineUse.valid, in: Workspace())
      #expect(outcome.status == status)
      #expect((outcome.errors + outcome.output).contains(expected), "\(outcome.errors)")
    }
  }
}
