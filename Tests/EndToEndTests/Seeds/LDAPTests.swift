import Foundation
import Testing

extension EndToEnd {
  @Suite("seed 001: LDAP", .enabled(if: Tool.has("slapd", "ldapsearch"))) struct LDAP {
    let workspace: Workspace
    let socket: String
    let certificates: TestCertificates

    init() throws {
      workspace = try Workspace()
      socket = workspace.path("etab_UT.sock")
      certificates = try TestCertificates(in: workspace)
    }

    private func configuration(_ ports: [Int]) throws -> String {
      try Seed(
        "001-ldap.cfg",
        [
          ("/var/run/haproxy/etab_UT.sock", socket), ("ldap1.univ-toulouse.fr:636", "127.0.0.1:\(ports[0])"),
          ("ldap2.univ-toulouse.fr:636", "127.0.0.1:\(ports[1])"),
          ("ldap-backup.univ-toulouse.fr:636", "127.0.0.1:\(ports[2])"),
        ]
      ).text
    }

    /// Whose entry a search finds; nil when it fails.
    private func search() throws -> String? {
      let url = "ldapi://" + socket.replacingOccurrences(of: "/", with: "%2F")
      let outcome = try Tool.run(
        ["ldapsearch", "-LLL", "-x", "-o", "nettimeout=5", "-H", url, "-b", "dc=test", "-s", "base", "o"],
        in: workspace)
      guard outcome.status == 0 else { return nil }
      return outcome.output.split(separator: "\n").first { $0.hasPrefix("o: served by ") }.map {
        String($0.dropFirst(13))
      }
    }

    private func slapd(_ name: String, port: Int? = nil, bundle: (String, String, String)) throws -> (
      child: Child, port: Int
    ) {
      try Services.slapd(
        name, port: port, bundle: (bundle.0, bundle.1, bundle.2), authority: certificates.authority,
        in: workspace)
    }

    @Test(
      "ldapsearch over the unix socket reaches slapd over verified TLS, and goes on when servers are killed")
    func survives() throws {
      let made = try certificates.server("ldap", names: ["127.0.0.1"])
      let bundle = (made.bundle, made.certificate, made.key)
      let servers = try ["A", "B", "backup"].map { try slapd($0, bundle: bundle) }
      // The system's store of authorities, as this test's system has it.
      let gateway = try RunningGateway(
        configuration(servers.map(\.port)), unix: [socket], in: workspace,
        environment: ["SSL_CERT_FILE": certificates.authority])
      var attributes = stat()
      #expect(stat(socket, &attributes) == 0 && attributes.st_mode & 0o777 == 0o666)
      #expect(Set(try (0..<6).map { _ in try search() ?? "nobody" }).isSubset(of: ["A", "B"]))
      servers[0].child.crash()
      #expect(try Clock.until(within: 30) { try (0..<4).allSatisfy { _ in try search() == "B" } })
      servers[1].child.crash()
      #expect(try Clock.until(within: 30) { try (0..<3).allSatisfy { _ in try search() == "backup" } })
      withExtendedLifetime(gateway) {}
    }

    @Test("a slapd whose certificate no known authority has signed is not spoken to")
    func unverified() throws {
      let made = try certificates.server("ldap", names: ["127.0.0.1"])
      let server = try slapd("A", bundle: (made.bundle, made.certificate, made.key))
      let gateway = try RunningGateway(
        configuration([server.port, server.port, server.port]), unix: [socket], in: workspace)
      #expect(try search() == nil)
      withExtendedLifetime((gateway, server.child)) {}
    }
  }
}
