import Foundation
import Testing

extension EndToEnd {
  @Suite("seed 002: two web servers", .enabled(if: Tool.has("nginx"))) struct Web {
    let workspace: Workspace
    let port: Int

    init() throws {
      workspace = try Workspace()
      port = try Ports.free()
    }

    private func configuration(_ ports: [Int]) throws -> String {
      try Seed(
        "002-web.cfg",
        [
          ("*:80", "127.0.0.1:\(port)"), ("192.168.1.10:80", "127.0.0.1:\(ports[0])"),
          ("192.168.1.11:80", "127.0.0.1:\(ports[1])"),
        ]
      ).text
    }

    private func fetch() throws -> String { try Tool.fetch("http://127.0.0.1:\(port)/", in: workspace) }

    @Test("requests alternate between two nginx; one that is killed costs none once that was noticed")
    func killed() throws {
      let one = try Services.nginx("web1", in: workspace)
      let two = try Services.nginx("web2", in: workspace)
      let mode = "defaults\n  mode http\n  timeout connect 5s\n  timeout client 5s\n  timeout server 5s\n"
      let gateway = try RunningGateway(
        mode + configuration([one.port, two.port]), listening: [port], in: workspace)
      let bodies = try (0..<8).map { _ in try fetch() }
      #expect(bodies.filter { $0 == "web1" }.count == 4 && bodies.filter { $0 == "web2" }.count == 4)
      one.child.crash()
      #expect(try Clock.until(within: 25) { try (0..<4).allSatisfy { _ in try fetch() == "web2" } })
      #expect(try (0..<20).allSatisfy { _ in try fetch() == "web2" })
      let again = try Services.nginx("web1", port: one.port, in: workspace)
      #expect(try Clock.until(within: 25) { try Set((0..<4).map { _ in try fetch() }) == ["web1", "web2"] })
      withExtendedLifetime((gateway, two.child, again.child)) {}
    }

    @Test("the file as it is, in TCP mode as its lack of a mode says, passes HTTP as well")
    func verbatim() throws {
      let one = try Services.nginx("web1", in: workspace)
      let two = try Services.nginx("web2", in: workspace)
      let gateway = try RunningGateway(configuration([one.port, two.port]), listening: [port], in: workspace)
      #expect(Set(try (0..<4).map { _ in try fetch() }) == ["web1", "web2"])
      withExtendedLifetime((gateway, one.child, two.child)) {}
    }

    @Test("with retries and redispatch a server killed under load costs not one request")
    func underLoad() throws {
      let one = try Services.nginx("web1", in: workspace)
      let two = try Services.nginx("web2", in: workspace)
      let safe = """
        defaults
          mode http
          retries 3
          option redispatch 1
          timeout connect 1s
          timeout client 5s
          timeout server 5s

        """
      let gateway = try RunningGateway(
        safe + configuration([one.port, two.port]), listening: [port], in: workspace)
      var failures = 0
      for round in 0..<60 {
        if round == 20 { one.child.crash() }
        if try !["web1", "web2"].contains(fetch()) { failures += 1 }
      }
      #expect(failures == 0)
      withExtendedLifetime((gateway, two.child)) {}
    }
  }
}
