import Foundation
import Testing

extension EndToEnd {
  @Suite("maps and ACLs that change while requests pass") struct Patterns {
    let workspace: Workspace
    let port: Int
    let admin: String

    init() throws {
      workspace = try Workspace()
      port = try Ports.free()
      admin = workspace.path("admin.sock")
    }

    private func gateway() throws -> RunningGateway {
      let map = try workspace.write("hosts.map", "one.test first\ntwo.test second # no comment here\n")
      try workspace.write("banned.lst", "")
      return try RunningGateway(
        """
        global
          stats socket \(admin) level admin
        \(defaults)
        frontend site
          bind 127.0.0.1:\(port)
          http-request set-map(\(map)) %[req.hdr(x-set)] %[req.hdr(x-value)] if { req.hdr(x-set) -m found }
          http-request deny deny_status 403 if { req.hdr(x-user) -f \(workspace.path("banned.lst")) }
          http-request return status 200 content-type text/plain lf-string "%[req.hdr(host),map(\(map),none)]"

        """, listening: [port], unix: [admin], in: workspace)
    }

    private func ask(_ command: String) throws -> String {
      let socket = try Connection(unix: admin)
      try socket.send(command + "\n")
      return try socket.receiveText()
    }

    private func look(_ host: String, _ fields: [String] = []) throws -> String {
      try Tool.fetch(
        "http://127.0.0.1:\(port)/", (["Host: \(host)"] + fields).flatMap { ["-H", $0] }, in: workspace)
    }

    @Test("the runtime API and rules change a map, and the next request sees it")
    func maps() throws {
      let gateway = try gateway()
      let map = workspace.path("hosts.map")
      #expect(try look("two.test") == "second # no comment here")
      #expect(try ask("add map \(map) three.test third") == "\n")
      #expect(try look("three.test") == "third")
      #expect(try ask("set map \(map) three.test changed") == "\n")
      #expect(try look("three.test") == "changed")
      #expect(try look("four.test", ["x-set: four.test", "x-value: from-a-rule"]) == "from-a-rule")
      #expect(try ask("show map \(map)").contains(" four.test from-a-rule\n"))
      #expect(try ask("del map \(map) one.test") == "\n")
      #expect(try look("one.test") == "none")
      #expect(try ask("del map \(map) one.test") == "Key not found.\n\n")
      withExtendedLifetime(gateway) {}
    }

    @Test("a version takes the place of another as a whole")
    func versions() throws {
      let gateway = try gateway()
      let map = workspace.path("hosts.map")
      #expect(try ask("prepare map \(map)") == "New version created: 1\n\n")
      #expect(try ask("add map @1 \(map) <<\none.test new\nfive.test fifth\n") == "\n")
      #expect(try look("five.test") == "none")
      #expect(try ask("commit map @1 \(map)") == "\n")
      #expect(try ["one.test", "two.test", "five.test"].map { try look($0) } == ["new", "none", "fifth"])
      withExtendedLifetime(gateway) {}
    }

    @Test("an ACL's file takes and loses patterns")
    func lists() throws {
      let gateway = try gateway()
      let list = workspace.path("banned.lst")
      let url = "http://127.0.0.1:\(port)/"
      #expect(try Tool.status(url, ["-H", "x-user: bob"], in: workspace) == "200")
      #expect(try ask("add acl \(list) bob") == "\n")
      #expect(try Tool.status(url, ["-H", "x-user: bob"], in: workspace) == "403")
      #expect(try ask("get acl \(list) bob").hasPrefix("type=str, case=sensitive, match=yes"))
      #expect(try ask("clear acl \(list)") == "\n")
      #expect(try Tool.status(url, ["-H", "x-user: bob"], in: workspace) == "200")
      withExtendedLifetime(gateway) {}
    }
  }
}
