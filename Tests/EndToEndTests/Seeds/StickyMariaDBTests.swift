import Foundation
import Testing

extension EndToEnd {
  @Suite(
    "seed 129: MariaDB servers, all clients on the same",
    .enabled(if: Tool.has("mariadbd", "mariadb-install-db", "mariadb")))
  struct StickyMariaDB {
    private let workspace: Workspace
    private let (port, page): (Int, Int)
    private let socket: String

    init() throws {
      workspace = try Workspace()
      (port, page) = (try Ports.free(), try Ports.free())
      socket = workspace.path("stats.sock")
    }

    /// The user's file, with what keeps clients on their server in front of its servers.
    private func configuration(_ ports: [Int], table: String) throws -> String {
      let nobody = try Ports.free()
      let places = [
        ("*:3306", "127.0.0.1:\(port)"), ("*:1936", "127.0.0.1:\(page)"), ("mysql:3306", "127.0.0.1:\(ports[0])"),
        ("mariadb:3306", "127.0.0.1:\(ports[1])"), ("docker:3306", "127.0.0.1:\(ports[2])"),
        ("192.168.99.100:3306", "127.0.0.1:\(nobody)"),
        // Whom the file lets in.
        ("127.0.0.1", "127.0.0.0/8"),
      ]
      let text = try Seed("129-mysql.cfg", places.map { (from: $0.0, to: $0.1) }).text
      let mark = "    server mysql "
      #expect(text.components(separatedBy: mark).count == 2)
      return "global\n  stats socket \(socket) level admin\n"
        + text.replacingOccurrences(of: mark, with: "\(table)\n\(mark)")
    }

    /// What a server says of itself in its greeting.
    private func version(of name: String) -> String { "--version=10.11.0-of-\(name)-MariaDB" }

    /// Which server a client at an address of its own is greeted by; nil when by none.
    private func greeting(from source: String) -> String? {
      guard let connection = try? Connection(port: port, from: source), let octets = try? connection.receiveSome()
      else { return nil }
      let text = String(decoding: octets, as: UTF8.self)
      return ["mysql", "mariadb", "docker"].first { text.contains("-of-\($0)-") }
    }

    /// A query through a real client.
    private func query() throws -> String {
      try Tool.run(
        [
          "mariadb", "--no-defaults", "--protocol=tcp", "-h", "127.0.0.1", "-P", "\(port)", "-N", "-B", "-e",
          "select @@port",
        ],
        in: workspace
      ).output.trimmingCharacters(in: .whitespacesAndNewlines)
    }

    private func command(_ text: String) throws -> String {
      let connection = try Connection(unix: socket)
      try connection.send(text + "\n")
      return try connection.receiveText()
    }

    private func state(of server: String) throws -> String {
      let line = try command("show stat").split(separator: "\n").first { $0.hasPrefix("mysql,\(server),") }
      return line.map { String($0.split(separator: ",", omittingEmptySubsequences: false)[17]) } ?? ""
    }

    @Test(
      "every client on the same server, one change when it fails, none when it is back, and the same with the backup")
    func failover() throws {
      var running = try ["mysql", "mariadb", "docker"].map {
        try Services.mariadb($0, options: [version(of: $0)], in: workspace)
      }
      let text = try configuration(
        running.map(\.port), table: "    stick-table type ip size 100k expire 30m\n    stick on src")
      let gateway = try RunningGateway(text, listening: [port], unix: [socket], in: workspace)
      let clients = ["127.0.0.1", "127.0.0.2", "127.0.0.3"]
      func all(on name: String) -> Bool { clients.allSatisfy { greeting(from: $0) == name } }
      #expect(Clock.until { all(on: "mysql") })
      for _ in 0..<3 { #expect(all(on: "mysql")) }
      #expect(try query() == "\(running[0].port)")

      running[0].child.crash()
      #expect(Clock.until(within: 30) { all(on: "mariadb") })
      running[0] = try Services.mariadb("mysql", port: running[0].port, options: [version(of: "mysql")], in: workspace)
      #expect(try Clock.until(within: 30) { try state(of: "mysql") == "UP" })
      for _ in 0..<3 { #expect(all(on: "mariadb")) }
      #expect(try query() == "\(running[1].port)")
      // Whom nobody knows yet, `balance first` sends to the first.
      #expect(greeting(from: "127.0.0.9") == "mysql")
      #expect(try command("show table mysql").contains("used:4"))

      running[1].child.crash()
      #expect(Clock.until(within: 30) { all(on: "mysql") })
      running[0].child.crash()
      #expect(Clock.until(within: 30) { all(on: "docker") })
      running[0] = try Services.mariadb("mysql", port: running[0].port, options: [version(of: "mysql")], in: workspace)
      #expect(try Clock.until(within: 30) { try state(of: "mysql") == "UP" })
      for _ in 0..<3 { #expect(all(on: "docker")) }
      withExtendedLifetime((gateway, running.map(\.child))) {}
    }
  }
}
