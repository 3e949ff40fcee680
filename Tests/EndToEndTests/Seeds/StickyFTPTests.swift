import Foundation
import Testing

extension EndToEnd {
  @Suite("seed 159: FTP servers, each client with its own") struct StickyFTP {
    @Test("a client stays with its server, changes once when that goes, and does not change back")
    func stickiness() throws {
      let workspace = try Workspace()
      let (control, data, page) = (try Ports.free(), try Ports.free(), try Ports.free())
      let socket = workspace.path("haproxy.sock")
      var servers: [TestServer] = []
      var places: [(from: String, to: String)] = [
        ("*:21", "127.0.0.1:\(control)"), ("*:50000-50010", "127.0.0.1:\(data)"), ("*:8404", "127.0.0.1:\(page)"),
        ("/var/run/haproxy.sock", socket),
      ]
      for number in 1...3 {
        let server = try TestServer { connection in
          try connection.send("220 \(number)\r\n")
          _ = try connection.receiveSome()
        }
        servers.append(server)
        places.append(("ftp-server-\(number):21", "127.0.0.1:\(server.port)"))
      }
      let text = try Seed("159-distributed-ftp-server.cfg", places).text
      // The servers of the data ports have names that nobody here knows.
      let gateway = try RunningGateway(
        text, listening: [control, page], unix: [socket], in: workspace, arguments: ["-db", "-dr"])
      func command(_ text: String) throws -> String {
        let connection = try Connection(unix: socket)
        try connection.send(text + "\n")
        return try connection.receiveText()
      }
      func server(from source: String) throws -> Int? {
        let greeting = try Connection(port: control, from: source).receive(through: "\r\n")
        return Int(greeting.dropFirst(4).prefix(1))
      }
      // The connections that showed that the gateway serves chose a server, too.
      #expect(
        try Clock.until {
          _ = try command("clear table ftp_control")
          return try command("show table ftp_control").contains("used:0")
            && command("show stat ftp_control 4 -1").split(separator: "\n").allSatisfy {
              $0.hasPrefix("#") || $0.split(separator: ",", omittingEmptySubsequences: false)[4] == "0"
            }
        })
      let mine = try #require(try server(from: "127.0.0.1"))
      let other = try #require(try server(from: "127.0.0.2"))
      #expect(mine != other)
      for _ in 0..<4 {
        #expect(try server(from: "127.0.0.1") == mine)
        #expect(try server(from: "127.0.0.2") == other)
      }
      _ = try command("disable server ftp_control/ftp-server-\(mine)")
      let next = try #require(try server(from: "127.0.0.1"))
      #expect(next != mine)
      _ = try command("enable server ftp_control/ftp-server-\(mine)")
      for _ in 0..<4 {
        #expect(try server(from: "127.0.0.1") == next)
        #expect(try server(from: "127.0.0.2") == other)
      }
      #expect(try command("show table ftp_control").contains("used:2"))
      withExtendedLifetime((gateway, servers)) {}
    }
  }
}
