import Foundation
import Testing

extension EndToEnd {
  @Suite(
    "servers that come and go while requests pass",
    .enabled(if: Tool.has("h2load", "nginx"), "needs h2load and nginx"))
  struct DynamicServers {
    let workspace: Workspace
    let port: Int
    let admin: String

    init() throws {
      workspace = try Workspace()
      port = try Ports.free()
      admin = workspace.path("admin.sock")
    }

    private func ask(_ command: String) throws -> String {
      let socket = try Connection(unix: admin)
      try socket.send(command + "\n")
      return try socket.receiveText()
    }

    @Test("adding, enabling, disabling and deleting a server under load costs no request")
    func underLoad() throws {
      let first = try Services.nginx("one", in: workspace)
      let second = try Services.nginx("two", in: workspace)
      let gateway = try RunningGateway(
        """
        global
          stats socket \(admin) level admin
          nbthread 2
        \(defaults)
        listen app
          bind 127.0.0.1:\(port)
          balance leastconn
          server fixed 127.0.0.1:\(first.port)

        """, listening: [port], unix: [admin], in: workspace)
      let load = try Child(
        ["h2load", "--h1", "-c", "8", "-D", "5", "http://127.0.0.1:\(port)/"], in: workspace)
      var rounds = 0
      while load.exitStatus == nil, rounds < 40 {
        #expect(
          try ask("add server app/new 127.0.0.1:\(second.port) weight 200") == "New server registered.\n\n")
        #expect(try ask("enable server app/new") == "\n")
        #expect(
          try Clock.until(within: 5) {
            try ask("show stat").split(separator: "\n").contains {
              let words = $0.split(separator: ",", omittingEmptySubsequences: false)
              return words.count > 8 && words[1] == "new" && (Int(words[7]) ?? 0) > 0
            }
          }, "the new server got no session")
        #expect(
          try ask("disable server app/new; wait 4s srv-removable app/new; del server app/new")
            == "\nDone.\n\nServer deleted.\n\n")
        rounds += 1
      }
      #expect(rounds > 2)
      #expect(load.wait(within: 30) == 0)
      let output = load.output
      #expect(output.contains(" 0 failed, 0 errored, 0 timeout"), "\(output)")
      #expect(output.contains(" 0 3xx, 0 4xx, 0 5xx"), "\(output)")
      withExtendedLifetime((gateway, first, second)) {}
    }

    @Test("a state file carries weights and maintenance over to the next process")
    func stateFile() throws {
      let a = try TestOrigin("a")
      let b = try TestOrigin("b")
      let file = workspace.path("states")
      func start() throws -> RunningGateway {
        try RunningGateway(
          """
          global
            stats socket \(admin) level admin
            server-state-file \(file)
          \(defaults)
            load-server-state-from-file global
          listen app
            bind 127.0.0.1:\(port)
            server a 127.0.0.1:\(a.port)
            server b 127.0.0.1:\(b.port) weight 5

          """, listening: [port], unix: [admin], in: workspace)
      }
      let before = try start()
      #expect(try ask("disable server app/a; set server app/b weight 3") == "\n\n")
      try workspace.write("states", try ask("show servers state"))
      before.child.stop()
      let after = try start()
      #expect(try ask("get weight app/b") == "3 (initial 5)\n\n")
      for _ in 0..<4 { #expect(try Tool.fetch("http://127.0.0.1:\(port)/", in: workspace) == "b") }
      withExtendedLifetime(after) {}
    }
  }
}
