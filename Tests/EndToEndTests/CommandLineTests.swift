import Testing

extension EndToEnd {
  @Suite("the command line") struct CommandLineUse {
    static let valid = """
      defaults
        mode http
        timeout connect 1s
        timeout client 1s
        timeout server 1s
      listen a
        bind 127.0.0.1:1
        server s 127.0.0.1:2

      """

    @Test(
      "-c says that a file is valid, and why not",
      arguments: [
        (valid, ["-c"], Int32(0), "Configuration file is valid"),
        (valid, ["-c", "-dW"], 0, "Configuration file is valid"),
        (valid, ["-c", "-q"], 0, ""),
        ("listen a\n  bind 127.0.0.1:1\n  sever s 127.0.0.1:2\n", ["-c"], 1, "server"),
        ("listen a\n  bind nonsense\n  mode http\n", ["-c"], 1, ":2]"),
      ])
    func check(configuration: String, arguments: [String], status: Int32, expected: String) throws {
      let outcome = try RunningGateway.run(arguments, configuration: configuration, in: Workspace())
      #expect(outcome.status == status, "\(outcome.errors)")
      #expect((outcome.output + outcome.errors).contains(expected) || expected.isEmpty)
      if status != 0 { #expect(outcome.errors.contains("[ALERT]")) }
    }

    @Test("warnings are told, and fatal with -dW")
    func warnings() throws {
      let text = Self.valid + "  reqadd X-A:\\ b\n"
      let told = try RunningGateway.run(["-c"], configuration: text, in: Workspace())
      #expect(told.status == 0)
      #expect(told.errors.contains("[WARNING]"))
      let fatal = try RunningGateway.run(["-c", "-dW"], configuration: text, in: Workspace())
      #expect(fatal.status == 1)
    }

    @Test("all errors of a file are told in one run")
    func several() throws {
      let text = "listen a\n  bind 127.0.0.1:1\n  ballance roundrobin\n  mode htpp\n  timeout clint 5s\n"
      let outcome = try RunningGateway.run(["-c"], configuration: text, in: Workspace())
      #expect(outcome.status == 1)
      for line in 3...5 { #expect(outcome.errors.contains(":\(line)]"), "\(outcome.errors)") }
    }

    @Test("a missing file is named")
    func missing() throws {
      let workspace = try Workspace()
      let outcome = try Tool.run([RunningGateway.binary, "-c", "-f", "/nonexistent.cfg"], in: workspace)
      #expect(outcome.status == 1)
      #expect(outcome.errors.contains("/nonexistent.cfg"))
    }

    @Test("the files of a directory add up in order")
    func directory() throws {
      let workspace = try Workspace()
      let port = try Ports.free()
      try workspace.directory("conf.d")
      try workspace.write(
        "conf.d/10-site.cfg",
        "frontend site\n  bind 127.0.0.1:\(port)\n  http-request return status 200 content-type text/plain string fine\n"
      )
      try workspace.write(
        "conf.d/00-defaults.cfg",
        "defaults\n  mode http\n  timeout client 5s\n  timeout connect 5s\n  timeout server 5s\n")
      try workspace.write("conf.d/ignored.txt", "nonsense\n")
      let child = try Child([RunningGateway.binary, "-db", "-f", workspace.path("conf.d")], in: workspace)
      #expect(Clock.until { (try? Connection(port: port)) != nil }, "\(child.errors)")
      #expect(try Tool.fetch("http://127.0.0.1:\(port)/", in: workspace) == "fine")
      child.send(15)
      #expect(child.wait() == 143)
    }

    @Test(
      "-dK lists keywords class by class in HAProxy's shape",
      arguments: [
        ("cfg", "# List of registered configuration keywords:", "\tbind <addr> ssl alpn +1"),
        ("cfg", "global", "\toption http-buffer-request [ FE BE HTTP ]"),
        ("cfg", "crt-list", "\thttp-request set-var*"), ("cfg", "crt-list", "\tno-alpn"),
        ("cfg", "crt-store", "\tserver <name> <addr> check"),
        ("cli", "# List of registered CLI keywords:", "show stat [WORKER] "),
        ("cli", "@<relative pid> [MASTER] ", "set var [WORKER] [EXPERIM] "),
        ("flt", "# List of registered filter names:", "compression [COMP]"),
        ("svc", "# List of registered service names:", "prometheus-exporter"),
        ("acl", "# List of registered ACL keywords:", "path_beg = path -m beg"),
      ])
    func listing(kind: String, title: String, line: String) throws {
      let text = try Tool.run([RunningGateway.binary, "-dK\(kind)", "-q"], in: Workspace()).output
      let lines = text.split(separator: "\n")
      #expect(lines.contains { $0 == title }, "\(text)")
      #expect(lines.contains { $0 == line })
      #expect(lines.filter { $0.hasPrefix("# List of") }.count == 1)
    }
  }
}
