import Foundation
import Testing

extension EndToEnd {
  @Suite("databases through the gateway") struct Databases {
    let workspace: Workspace
    let port: Int

    init() throws {
      workspace = try Workspace()
      port = try Ports.free()
    }

    @Test("redis answers through TCP mode, pipelined", .enabled(if: Tool.has("redis-server")))
    func redis() throws {
      let redis = try Services.redis(in: workspace)
      let gateway = try RunningGateway(
        """
        listen redis
          mode tcp
          timeout connect 5s
          timeout client 5s
          timeout server 5s
          bind 127.0.0.1:\(port)
          server r 127.0.0.1:\(redis.port)

        """, listening: [port], in: workspace)
      let client = try Connection(port: port)
      for round in 0..<50 {
        try client.send("SET k \(round)\r\nGET k\r\nINCR n\r\n")
        #expect(try client.receive(through: ":\(round + 1)\r\n").hasPrefix("+OK\r\n$"))
      }
      let output = try Tool.succeed(
        ["redis-benchmark", "-p", "\(port)", "-n", "5000", "-c", "20", "-P", "8", "-q", "-t", "set,get"],
        in: workspace,
        within: 60)
      #expect(output.contains("requests per second"))
      withExtendedLifetime((gateway, redis.child)) {}
    }

    @Test(
      "a MariaDB pair: the backup takes over while the first is down",
      .enabled(if: Tool.has("mariadbd", "mariadb-install-db", "mariadb")))
    func mariadb() throws {
      let main = try Services.mariadb("main", in: workspace)
      let spare = try Services.mariadb("spare", in: workspace)
      let gateway = try RunningGateway(
        """
        listen mariadb
          mode tcp
          timeout connect 5s
          timeout client 60s
          timeout server 60s
          option mysql-check
          bind 127.0.0.1:\(port)
          default-server check inter 200ms fall 2 rise 2
          server db1 127.0.0.1:\(main.port)
          server db2 127.0.0.1:\(spare.port) backup

        """, listening: [port], in: workspace)
      func server() throws -> String {
        try Tool.run(
          [
            "mariadb", "--no-defaults", "--protocol=tcp", "-h", "127.0.0.1", "-P", "\(port)", "-N", "-B",
            "-e",
            "select @@port",
          ], in: workspace
        ).output.trimmingCharacters(in: .whitespacesAndNewlines)
      }
      #expect(try (0..<3).allSatisfy { _ in try server() == "\(main.port)" })
      main.child.crash()
      #expect(try Clock.until(within: 20) { try server() == "\(spare.port)" })
      let again = try Services.mariadb("main", port: main.port, in: workspace)
      #expect(try Clock.until(within: 20) { try server() == "\(main.port)" })
      withExtendedLifetime((gateway, spare.child, again.child)) {}
    }
  }
}
