import Foundation
import Testing

extension EndToEnd {
  @Suite(
    "seed 004: Debian's file",
    .enabled(if: getuid() == 0 && Account("haproxy") != nil && Tool.has("nginx"), "needs root"))
  struct Debian {
    let workspace: Workspace
    let port: Int

    init() throws {
      workspace = try Workspace()
      port = try Ports.free()
    }

    private func configuration(_ servers: [Int]) throws -> String {
      var places: [(from: String, to: String)] = [
        ("/dev/log", workspace.path("log")), ("/var/lib/haproxy", try workspace.directory("jail")),
        ("/run/haproxy/admin.sock", workspace.path("admin.sock")), ("172.16.200.10:80", "127.0.0.1:\(port)"),
        ("10.10.10.2:80", "127.0.0.1:\(servers[0])"), ("10.10.10.3:80", "127.0.0.1:\(servers[1])"),
      ]
      for status in [400, 403, 408, 500, 502, 503, 504] {
        let page =
          "HTTP/1.0 \(status) Error\r\nContent-Type: text/plain\r\n\r\npage \(status) from the errorfile"
        places.append(("/etc/haproxy/errors/\(status).http", try workspace.write("\(status).http", page)))
      }
      return try Seed("004-debian.cfg", places).text
    }

    @Test("started as root it becomes a daemon of its user in its jail, logs, balances, and shows its pages")
    func whole() throws {
      let log = try LogReceiver(unix: workspace.path("log"))
      let one = try Services.nginx("web1", in: workspace)
      let two = try Services.nginx("web2", in: workspace)
      let file = try workspace.write("haproxy.cfg", configuration([one.port, two.port]))
      let pidfile = workspace.path("pid")
      try Tool.succeed([RunningGateway.binary, "-f", file, "-p", pidfile], in: workspace)
      let pid = try #require(pid_t(Workspace.read(pidfile).trimmingCharacters(in: .whitespacesAndNewlines)))
      defer { kill(pid, SIGKILL) }
      let url = "http://127.0.0.1:\(port)/"

      let status = Workspace.read("/proc/\(pid)/status")
      let account = try #require(Account("haproxy"))
      #expect(status.contains("Uid:\t\(account.user)\t\(account.user)"), "\(status)")
      #expect(status.contains("Gid:\t\(account.group)\t\(account.group)"))
      #expect(
        try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(pid)/root")
          == workspace.path("jail"))

      #expect(Set(try (0..<4).map { _ in try Tool.fetch(url, in: workspace) }) == ["web1", "web2"])
      let answer = try Tool.curl(["-i", url], in: workspace).output
      #expect(answer.lowercased().contains("connection: close\r\n"))
      let line = log.line { $0.hasPrefix("<134>") && $0.contains("test web_servers/ha-proxy") }
      #expect(line?.contains("\"GET / HTTP/1.1\"") == true, "\(log.lines)")

      let socket = try Connection(unix: workspace.path("admin.sock"))
      try socket.send("show servers state\n")
      #expect(try socket.receiveText().contains(" web_servers 1 ha-proxy1 127.0.0.1 2 "))
      try statistics(url)
      try down(url, one.child, two.child)
      kill(pid, SIGTERM)
      #expect(Clock.until { (try? Connection(port: port)) == nil })
    }

    private func statistics(_ url: String) throws {
      let page = url + "statshaproxy"
      #expect(try Tool.status(page, in: workspace) == "401")
      #expect(try Tool.status(page, ["-u", "admin:wrong"], in: workspace) == "401")
      #expect(try Tool.fetch(page, ["-u", "admin:admin"], in: workspace).contains("ha-proxy2"))
      let table = try Tool.fetch(page + ";csv", ["-u", "admin:admin"], in: workspace)
      #expect(table.hasPrefix("# pxname,svname,qcur,qmax,scur,smax,slim,stot,"))
      #expect(table.contains("\nweb_servers,ha-proxy1,"))
    }

    private func down(_ url: String, _ servers: Child...) throws {
      for server in servers { server.crash() }
      let isDown = try Clock.until(within: 25) {
        try Tool.curl(["-i", url], in: workspace).output.contains("page 503 from the errorfile")
      }
      #expect(isDown)
    }
  }
}
