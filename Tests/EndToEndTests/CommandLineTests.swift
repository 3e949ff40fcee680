import Foundation
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

    @Test("the errors and warnings of all files are told in one run, each with its file")
    func severalFiles() throws {
      let workspace = try Workspace()
      let first = try workspace.write("a.cfg", "global\n  maxcon 5\ndefaults\n  contimeout 5s\n")
      let second = try workspace.write("b.cfg", "listen a\n  bind 127.0.0.1:1\n  ballance x\n  mode htpp\n")
      let outcome = try Tool.run([RunningGateway.binary, "-c", "-f", first, "-f", second], in: workspace)
      #expect(outcome.status == 1)
      for place in ["\(first):2", "\(first):4", "\(second):3", "\(second):4"] {
        #expect(outcome.errors.contains("parsing [\(place)] : "), "\(outcome.errors)")
      }
      #expect(outcome.errors.contains("[WARNING]"))
    }

    @Test("advice that HAProxy does not give is told, and not fatal with -dW")
    func advice() throws {
      let text =
        Self.valid + """
            acl lonely path /x
            server t 192.0.2.1:443 ssl verify none
          frontend f
            bind 127.0.0.1:3
            use_backend a
            use_backend a if { path / }

          """
      let outcome = try RunningGateway.run(["-c", "-dW"], configuration: text, in: Workspace())
      #expect(outcome.status == 0, "\(outcome.errors)")
      for part in ["'lonely' is defined and never used", "'verify none' takes any", "is never reached"] {
        #expect(outcome.errors.contains(part), "\(outcome.errors)")
      }
    }

    @Test("no escape sequences where there is no terminal; on one there are, unless NO_COLOR is set")
    func colors() throws {
      let workspace = try Workspace()
      let file = try workspace.write("bad.cfg", "global\n  maxcon 5\n")
      let plain = try Tool.run([RunningGateway.binary, "-c", "-f", file], in: workspace)
      #expect(!plain.errors.contains("\u{1B}") && plain.errors.contains("^^^^^^"))
      guard Tool.has("script") else { return }
      let command = "\(RunningGateway.binary) -c -f \(file)"
      // Empty is as good as unset; whoever runs the tests may have set it.
      let colored = try Tool.run(
        ["script", "-qec", command, "/dev/null"], in: workspace, environment: ["NO_COLOR": ""])
      #expect(colored.output.contains("\u{1B}[1;31m"), "\(colored.output)")
      let refused = try Tool.run(
        ["script", "-qec", command, "/dev/null"], in: workspace, environment: ["NO_COLOR": "1"])
      #expect(refused.output.contains("[ALERT]") && !refused.output.contains("\u{1B}"))
    }

    @Test("--format json has an object a line and nothing else")
    func json() throws {
      let workspace = try Workspace()
      let file = try workspace.write("bad.cfg", "global\n  maxcon 5\ndefaults\n  contimeout 5s\n")
      let outcome = try Tool.run([RunningGateway.binary, "-c", "--format", "json", "-f", file], in: workspace)
      #expect(outcome.status == 1 && outcome.output.isEmpty)
      let objects = try outcome.errors.split(separator: "\n").map { line in
        try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
      }
      #expect(objects.map { $0["severity"] as? String } == ["alert", "warning"])
      #expect(objects.map { $0["line"] as? Int } == [2, 4] && objects.allSatisfy { $0["file"] as? String == file })
      #expect(objects.first?["suggestion"] as? String == "maxconn")
      #expect(objects.last?["replacement"] as? String == "timeout connect 5s")
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
