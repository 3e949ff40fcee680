import Foundation
import Testing

extension EndToEnd {
  @Suite("seed 000: Impala over TCP") struct Impala {
    let workspace: Workspace
    let first: Int
    let second: Int
    let servers: [Int]

    init() throws {
      workspace = try Workspace()
      first = try Ports.free()
      second = try Ports.free()
      servers = try (0..<6).map { _ in try Ports.free() }
    }

    private func configuration(_ allowed: (String, String)) throws -> String {
      var places: [(from: String, to: String)] = [
        ("51.68.66.34:21050", "127.0.0.1:\(first)"), ("10.10.64.6:21050", "127.0.0.5:\(second)"),
        ("/etc/haproxy/lists/nw_lomg", try workspace.write("nw_lomg", allowed.0)),
        ("/etc/haproxy/lists/src_common-production", try workspace.write("common", allowed.1)),
        ("51.68.66.34", "127.0.0.1"),
      ]
      for (index, port) in servers.enumerated() {
        places.append(("10.10.64.\(214 + index):21050", "127.0.0.1:\(port)"))
      }
      return try Seed("000-impala-tcp.cfg", places).text
    }

    private static func named(_ port: Int) throws -> TestServer {
      try TestServer(port: port) { connection in
        try connection.send("\(port)\n")
        _ = try connection.receiveSome()
      }
    }

    /// The server that answers a client on `source`; nil when the gateway refuses it.
    private func answer(from source: String, port: Int? = nil, host: String = "127.0.0.1") -> Int? {
      guard let client = try? Connection(port: port ?? first, host: host, from: source, timeout: 5),
        let line = try? client.receive(through: "\n")
      else { return nil }
      return Int(line.dropLast())
    }

    @Test("an allowed source is balanced over all six servers, another is refused")
    func lists() throws {
      let running = try servers.map(Self.named)
      let gateway = try RunningGateway(
        configuration(("# our networks\n127.0.0.16/28\n10.0.0.0/8\n", "127.0.0.99\n")), listening: [first],
        in: workspace)
      for source in ["127.0.0.17", "127.0.0.99"] {
        #expect(Set((0..<12).map { _ in answer(from: source) }) == Set(servers.map { $0 }))
      }
      #expect(answer(from: "127.0.0.17", port: second, host: "127.0.0.5") != nil)
      for source in ["127.0.0.1", "127.0.0.32", "127.0.0.98"] { #expect(answer(from: source) == nil) }
      withExtendedLifetime((gateway, running)) {}
    }

    @Test("servers that die leave the rotation and come back")
    func checks() throws {
      var running = try servers.map(Self.named)
      let gateway = try RunningGateway(
        configuration(("127.0.0.0/8\n", "")), listening: [first], in: workspace)
      running[1].stop()
      running[4].stop()
      let left = Set([0, 2, 3, 5].map { servers[$0] })
      // The seed's checks come every two seconds, and three must fail.
      #expect(Clock.until(within: 25) { Set((0..<24).map { _ in answer(from: "127.0.0.1") ?? 0 }) == left })
      running[1] = try Self.named(servers[1])
      running[4] = try Self.named(servers[4])
      #expect(
        Clock.until(within: 25) { Set((0..<24).map { _ in answer(from: "127.0.0.1") ?? 0 }) == Set(servers) })
      withExtendedLifetime((gateway, running)) {}
    }
  }
}
