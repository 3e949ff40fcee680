import Foundation
import Testing

extension EndToEnd {
  @Suite("the process") struct Processes {
    let workspace: Workspace
    let port: Int

    init() throws {
      workspace = try Workspace()
      port = try Ports.free()
    }

    @Test("a soft stop lets the running request finish and refuses new connections")
    func drain() throws {
      let origin = try TestServer { connection in
        _ = try connection.receive(through: "\r\n\r\n")
        try connection.send("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nab")
        _ = try connection.receiveSome()
      }
      let release = try Ports.free()
      let gate = try TestServer(port: release) { _ in }
      let gateway = try RunningGateway(
        EndToEnd.defaults + "listen site\n  bind 127.0.0.1:\(port)\n  server one 127.0.0.1:\(origin.port)\n",
        listening: [port], in: workspace)
      let client = try Connection(port: port)
      try client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n")
      _ = try client.receive(through: "ab")
      gateway.child.send(SIGUSR1)
      #expect(Clock.until { (try? Connection(port: port)) == nil })
      #expect(gateway.child.exitStatus == nil)
      client.close()
      #expect(gateway.child.wait(within: 10) == 0)
      withExtendedLifetime(gate) {}
    }

    @Test("SIGTERM ends it at once")
    func terminate() throws {
      let gateway = try RunningGateway(
        EndToEnd.defaults + "frontend site\n  bind 127.0.0.1:\(port)\n  http-request return status 200\n",
        listening: [port], in: workspace)
      let client = try Connection(port: port)
      gateway.child.send(SIGTERM)
      #expect(gateway.child.wait(within: 5) == 143)
      #expect(try client.receiveAll().isEmpty)
    }

    @Test("a new process takes over from an old one", arguments: [("-sf", Int32(0)), ("-st", 143)])
    func takeOver(flag: String, status: Int32) throws {
      func text(_ body: String) -> String {
        EndToEnd.defaults
          + "frontend site\n  bind 127.0.0.1:\(port)\n  http-request return status 200 content-type text/plain string \(body)\n"
      }
      let old = try RunningGateway(text("old"), listening: [port], in: workspace)
      let new = try RunningGateway(
        text("new"), listening: [port], in: workspace, arguments: ["-db", flag, "\(old.child.process)"])
      #expect(old.child.wait() == status)
      #expect(try Tool.fetch("http://127.0.0.1:\(port)/", in: workspace) == "new")
      withExtendedLifetime(new) {}
    }

    @Test("a port in use is told, with its address, and ends the start")
    func portInUse() throws {
      let server = try TestServer { _ in }
      let outcome = try RunningGateway.run(
        ["-db"],
        configuration: EndToEnd.defaults
          + "frontend site\n  bind 127.0.0.1:\(server.port)\n  http-request return status 200\n",
        in: workspace)
      #expect(outcome.status == 1)
      #expect(outcome.errors.contains("127.0.0.1:\(server.port)"))
      #expect(outcome.errors.contains("[ALERT]"))
    }

    @Test("a daemon writes its pidfile once it serves, and goes on alone")
    func daemon() throws {
      let file = try workspace.write(
        "d.cfg",
        "global\n  daemon\n" + EndToEnd.defaults
          + "frontend site\n  bind 127.0.0.1:\(port)\n  http-request return status 200\n")
      let pidfile = workspace.path("pid")
      try Tool.succeed([RunningGateway.binary, "-f", file, "-p", pidfile], in: workspace)
      let text = Workspace.read(pidfile).trimmingCharacters(in: .whitespacesAndNewlines)
      let pid = try #require(pid_t(text))
      defer { kill(pid, SIGKILL) }
      #expect(try Tool.status("http://127.0.0.1:\(port)/", in: workspace) == "200")
      kill(pid, SIGTERM)
      #expect(Clock.until { (try? Connection(port: port)) == nil })
    }

    @Test("the master starts a new worker on SIGUSR2, with the configuration as it is then")
    func reload() throws {
      func text(_ body: String) -> String {
        EndToEnd.defaults
          + "frontend site\n  bind 127.0.0.1:\(port)\n  http-request return status 200 content-type text/plain string \(body)\n"
      }
      let url = "http://127.0.0.1:\(port)/"
      let gateway = try RunningGateway(
        text("before"), listening: [port], in: workspace, arguments: ["-W", "-db"])
      #expect(try Tool.fetch(url, in: workspace) == "before")
      try workspace.write("gatehouse.cfg", text("after"))
      gateway.child.send(SIGUSR2)
      #expect(try Clock.until { try Tool.fetch(url, in: workspace) == "after" })
      try workspace.write("gatehouse.cfg", "nonsense\n")
      gateway.child.send(SIGUSR2)
      #expect(Clock.until { gateway.errors.contains("nonsense") })
      #expect(try Tool.fetch(url, in: workspace) == "after")
      gateway.child.send(SIGTERM)
      #expect(gateway.child.wait() == 143)
    }
  }
}
