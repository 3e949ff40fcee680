import Foundation
import Testing

extension EndToEnd {
  /// What the runtime API changes while requests pass: certificates, names and TLS of servers, processes.
  @Suite("changes at run time") struct RuntimeChanges {
    let workspace: Workspace
    let port: Int
    let socket: String

    init() throws {
      workspace = try Workspace()
      port = try Ports.free()
      socket = workspace.path("stats.sock")
    }

    private func command(_ text: String, on path: String? = nil) throws -> String {
      let connection = try Connection(unix: path ?? socket, timeout: 20)
      try connection.send(text + "\n")
      return try connection.receiveText()
    }

    /// The common name of the certificate that is served for `name`.
    private func served(_ name: String) throws -> String {
      let text = try Tool.run(
        ["openssl", "s_client", "-connect", "127.0.0.1:\(port)", "-servername", name], in: workspace, input: "Q\n"
      ).output
      return text.split(separator: "\n").first { $0.hasPrefix("subject=") }.map {
        String($0.split(separator: " ").last ?? "")
      }
        ?? ""
    }

    @Test(
      "a certificate changes by commit alone, a commit that cannot be changes nothing, names come and go with lists")
    func certificates() throws {
      let made = try TestCertificates(in: workspace)
      let (one, two) = (try made.server("one", names: ["one.test"]), try made.server("two", names: ["two.test"]))
      let list = try workspace.write("list", "\(one.bundle)\n")
      let gateway = try RunningGateway(
        """
        global
          stats socket \(socket) level admin
        \(EndToEnd.defaults)
        frontend site
          bind 127.0.0.1:\(port) ssl crt-list \(list)
          http-request return status 200

        """, listening: [port], unix: [socket], in: workspace)
      #expect(try served("one.test") == "one.test")
      let both = Workspace.read(two.certificate) + Workspace.read(two.key)
      #expect(try command("set ssl cert \(one.bundle) <<\n\(both)").contains("Transaction created"))
      #expect(try served("one.test") == "one.test")
      #expect(try command("abort ssl cert \(one.bundle)").contains("aborted"))
      #expect(try command("commit ssl cert \(one.bundle)").contains("No ongoing transaction"))
      // The key of another certificate.
      #expect(try command("set ssl cert \(one.bundle) <<\n\(Workspace.read(two.certificate))").contains("created"))
      #expect(try command("commit ssl cert \(one.bundle)").contains("Failed!"))
      #expect(try served("one.test") == "one.test")
      #expect(try command("set ssl cert \(one.bundle) <<\n\(both)").contains("updated"))
      #expect(try command("commit ssl cert \(one.bundle)").contains("Success!"))
      #expect(try served("two.test") == "two.test")
      _ = try command("new ssl cert fresh.pem")
      let first = Workspace.read(one.certificate) + Workspace.read(one.key)
      _ = try command("set ssl cert fresh.pem <<\n\(first)")
      #expect(try command("commit ssl cert fresh.pem").contains("Success!"))
      #expect(try served("other.test") == "two.test")
      #expect(
        try command("add ssl crt-list \(list) <<\nfresh.pem [ssl-min-ver TLSv1.2] other.test\n").contains("Success!"))
      #expect(try served("other.test") == "one.test")
      #expect(try command("del ssl cert fresh.pem").contains("in use"))
      #expect(try command("del ssl crt-list \(list) fresh.pem").contains("deleted"))
      #expect(try command("del ssl cert fresh.pem").contains("deleted!"))
      #expect(try served("other.test") == "two.test")
      withExtendedLifetime(gateway) {}
    }

    @Test("a server takes another name, and TLS is switched on and off")
    func servers() throws {
      let made = try TestCertificates(in: workspace)
      let inner = try Ports.free()
      let gateway = try RunningGateway(
        """
        global
          stats socket \(socket) level admin
        \(EndToEnd.defaults)
        frontend outer
          bind 127.0.0.1:\(port)
          default_backend all
        backend all
          default-server ssl verify none
          http-response set-header x-server %s
          server a 127.0.0.1:\(inner) no-ssl
        frontend inner
          bind 127.0.0.1:\(inner) ssl crt \(try made.server("inner", names: ["inner.test"]).bundle)
          http-request return status 200

        """, listening: [port, inner], unix: [socket], in: workspace)
      let url = "http://127.0.0.1:\(port)/"
      #expect(try Tool.status(url, in: workspace) != "200")
      #expect(try command("set server all/a ssl on").contains("updated"))
      #expect(try Tool.status(url, in: workspace) == "200")
      _ = try command("disable server all/a")
      #expect(try command("set server all/a name b/c").contains("invalid characters"))
      #expect(try command("set server all/a name blue").contains("Server name updated."))
      #expect(try command("enable server all/a").contains("No such server."))
      _ = try command("enable server all/blue")
      #expect(try Tool.curl(["-i", url], in: workspace).output.contains("x-server: blue"))
      withExtendedLifetime(gateway) {}
    }

    @Test(
      "the master's words for processes, levels and modes say nothing; a line for a worker takes what follows along",
      arguments: [
        ("show cli level", "admin\n\n"), ("user; show cli level", "user\n\n"), ("@1; show cli level", "admin\n\n"),
        ("@master show cli level", "admin\n\n"), ("@1 user; show cli level", "\nadmin\n\n"), ("echo a b", "a b\n\n"),
        ("@5 show version", "Can't find the target PID matching the prefix '@5'\n"),
        ("prompt i\n@1 show cli level\nshow cli level\nquit", "admin\n\nadmin\n\n"),
        ("@@1 operator; show cli level", "\noperator\n\n"),
        ("@@1 prompt\nshow cli level\nquit", "\n> admin\n\n> "),
        ("@@1\noperator\nshow cli level\nquit", "\noperator\n\n"),
        ("prompt\n@master\nshow cli level\nquit", "master> master> admin\n\nmaster> "),
      ])
    func masterWords(_ line: String, _ answer: String) throws {
      let master = workspace.path("master.sock")
      let gateway = try RunningGateway(
        """
        global
        \(EndToEnd.defaults)
        frontend site
          bind 127.0.0.1:\(port)
          http-request return status 200

        """, listening: [port], unix: [master], in: workspace, arguments: ["-W", "-S", master])
      #expect(try command(line, on: master) == answer)
      #expect(try command("show proc", on: master).hasSuffix("\n\n"))
      #expect(try !command("show proc", on: master).hasSuffix("\n\n\n"))
      #expect(try command("show env PATH", on: master).hasPrefix("PATH="))
      withExtendedLifetime(gateway) {}
    }

    @Test("the master CLI lists processes, reaches workers and reloads; a configuration that is wrong changes nothing")
    func masterSocket() throws {
      let (master, name) = (workspace.path("master.sock"), "gatehouse-test-\(port)")
      func configuration(_ body: String) -> String {
        "\(EndToEnd.defaults)\nfrontend site\n  bind 127.0.0.1:\(port)\n  bind abns@\(name),abnsz@\(name)\n  http-request return status 200 content-type text/plain string \(body)\n"
      }
      let gateway = try RunningGateway(
        configuration("one"), listening: [port], unix: [master], in: workspace, arguments: ["-W", "-S", master])
      let url = "http://127.0.0.1:\(port)/"
      #expect(try Tool.fetch(url, in: workspace) == "one")
      let list = try command("show proc", on: master)
      #expect(list.contains("# workers"))
      let worker = try #require(
        list.split(separator: "\n").first { $0.contains(" worker ") }?.split(separator: " ").first)
      #expect(try command("@1 show info", on: master).contains("\nPid: \(worker)\n"))
      #expect(try command("@!\(worker) show info; @1 show version", on: master).contains("\nPid: \(worker)\n"))
      #expect(try command("@!1 show info", on: master).contains("Can't find the target"))
      #expect(try command("expert-mode on; @1; debug dev log x; show cli level", on: master).contains("admin"))
      #expect(try command("nonsense", on: master).contains("Unknown command"))
      _ = try workspace.write("gatehouse.cfg", configuration("two"))
      #expect(try command("reload", on: master).hasPrefix("Success=1\n"))
      #expect(try Tool.fetch(url, in: workspace) == "two")
      _ = try workspace.write("gatehouse.cfg", "frontend nothing\n  bnd 127.0.0.1:1\n")
      let refused = try command("reload", on: master)
      #expect(refused.hasPrefix("Success=0\n") && refused.contains("bnd"))
      #expect(try Tool.fetch(url, in: workspace) == "two")
      #expect(try command("show proc", on: master).contains("[failed: 1]"))
      gateway.child.send(SIGTERM)
      #expect(gateway.child.wait() == 143)
    }

    @Test("cookies made of addresses change with their key, and go and come by command")
    func dynamicCookies() throws {
      let origins = try ["a", "b"].map { try TestOrigin($0) }
      let gateway = try RunningGateway(
        """
        global
          stats socket \(socket) level admin
        defaults first
          mode http
        \(EndToEnd.defaults)
        defaults second
          mode tcp
        listen site from first
          bind 127.0.0.1:\(port)
          timeout connect 5s
          timeout client 20s
          timeout server 20s
          cookie C insert dynamic
          dynamic-cookie-key one
          server a 127.0.0.1:\(origins[0].port)
          server b 127.0.0.1:\(origins[1].port)

        """, listening: [port], unix: [socket], in: workspace)
      let url = "http://127.0.0.1:\(port)/"
      /// The cookie of an answer, and who gave it.
      func answer(_ cookie: String? = nil) throws -> (cookie: String?, server: String) {
        let text = try Tool.curl(["-i"] + (cookie.map { ["-H", "Cookie: C=\($0)"] } ?? []) + [url], in: workspace)
          .output
        let value = text.firstMatch(of: /set-cookie: C=(\w+)/.ignoresCase()).map { String($0.1) }
        return (value, String(text.suffix(1)))
      }
      let first = try answer()
      let cookie = try #require(first.cookie)
      for _ in 0..<3 { #expect(try answer(cookie).server == first.server) }
      #expect(try command("set dynamic-cookie-key backend site two") == "\n")
      // The old cookie says nothing now, so a new one is set.
      #expect(try answer(cookie).cookie.map { $0 != cookie } == true)
      #expect(try command("disable dynamic-cookie backend site") == "\n")
      #expect(try answer().cookie == nil)
      #expect(try command("enable dynamic-cookie backend site") == "\n")
      #expect(try command("set dynamic-cookie-key backend site one") == "\n")
      for _ in 0..<3 { #expect(try answer(cookie).server == first.server) }
      #expect(try command("set dynamic-cookie-key backend nix one").hasPrefix("No such backend."))
      #expect(try command("set dynamic-cookie-key backend site").hasPrefix("String value expected."))
      #expect(try command("show defaults") == "first\nsecond\n\n")
      withExtendedLifetime((gateway, origins)) {}
    }

    @Test("a backend is made, published, used by its name, and deleted while requests pass")
    func backends() throws {
      let origin = try TestOrigin("one")
      let gateway = try RunningGateway(
        """
        global
          stats socket \(socket) level admin
          nbthread 2
        defaults web
          mode http
          timeout connect 5s
          timeout client 5s
          timeout server 5s
          http-response set-header x-from web
        defaults plain
          timeout client 5s
        frontend site from plain
          mode http
          bind 127.0.0.1:\(port)
          use_backend %[path,field(2,/)]

        """, listening: [port], unix: [socket], in: workspace)
      let url = "http://127.0.0.1:\(port)/new"
      #expect(try Tool.status(url, in: workspace) == "503")
      for _ in 0..<3 {
        #expect(
          try command("add backend new from web; add server new/s 127.0.0.1:\(origin.port); enable server new/s")
            == "New backend registered.\n\nNew server registered.\n\n\n")
        #expect(try Tool.status(url, in: workspace) == "503")
        #expect(try command("publish backend new") == "Backend published.\n\n")
        let answer = try Tool.curl(["-i", url], in: workspace).output
        #expect(answer.lowercased().contains("x-from: web"))
        #expect(answer.hasSuffix("one"))
        #expect(try command("show backend") == "# name\nnew\n\n")
        #expect(try command("show stat new 2 -1").contains("\nnew,BACKEND,"))
        #expect(try command("show servers state new").contains(" new "))
        #expect(try command("del backend new").hasPrefix("Backend must be unpublished prior to its deletion."))
        #expect(
          try command(
            "unpublish backend new; disable server new/s; wait 5s srv-removable new/s; del server new/s; "
              + "wait 5s be-removable new; del backend new")
            == "Backend unpublished.\n\n\nDone.\n\nServer deleted.\n\nDone.\n\nBackend deleted.\n\n")
        #expect(try command("show backend") == "# name\n\n")
      }
      withExtendedLifetime((gateway, origin)) {}
    }
  }
}
