import Base
import Testing

@testable import Config

@Suite("resolvers sections")
struct ResolversSectionTests {
  private func load(_ text: String, resolvConf: String? = nil) -> (Configuration, [String]) {
    let io = ConfigurationIO(
      read: { path in
        guard path == "/etc/resolv.conf", let resolvConf else { return .failure("none") }
        return .octets(Array(resolvConf.utf8))
      }, resolve: { _ in nil })
    let loaded = ConfigurationLoader(io: io, environment: [:]).load(text: Array(text.utf8), name: "t.cfg")
    return (loaded.configuration, loaded.diagnostics.all.filter { $0.severity == .alert }.map(\.message))
  }

  @Test("a section without options has the manual's times")
  func standard() throws {
    let (configuration, errors) = load("resolvers r\n nameserver a 10.0.0.1\n")
    #expect(errors == [])
    let section = try #require(configuration.resolvers.first)
    #expect(section.nameservers.map(\.address) == [.ip(.v4(0x0A00_0001), port: 53)])
    #expect(section.hold.valid == .seconds(10))
    #expect(section.hold.noSuchName == .seconds(30))
    #expect(section.hold.obsolete == .zero)
    #expect(section.interval == .seconds(1))
    #expect(section.attempts == 3)
    #expect(section.payloadSize == 512)
  }

  @Test("all options are taken, in HAProxy's spelling")
  func options() throws {
    let (configuration, errors) = load(
      """
      resolvers r
        nameserver a 10.0.0.1:5353
        nameserver b tcp@10.0.0.2:53
        nameserver c [2001:db8::1]:53
        parse-resolv-conf
        resolve_retries 5
        timeout resolve 2s
        timeout retry 300
        hold valid 1m
        hold nx 2s
        hold refused 3s
        hold timeout 4s
        hold other 5s
        hold obsolete 6s
        accepted_payload_size 8192

      """, resolvConf: "# c\nnameserver 10.0.0.9\nsearch x\nnameserver ::1\nnameserver fe80::1%eth0\n")
    #expect(errors == [])
    let section = try #require(configuration.resolvers.first)
    #expect(section.nameservers.map(\.name) == ["a", "b", "c", "10.0.0.9", "::1"])
    #expect(section.nameservers.map(\.isStream) == [false, true, false, false, false])
    #expect(section.interval == .seconds(2))
    #expect(section.retryInterval == .milliseconds(300))
    #expect(section.hold.valid == .seconds(60))
    #expect(section.hold.obsolete == .seconds(6))
    #expect(section.attempts == 5)
    #expect(section.payloadSize == 8192)
    // One named `default` is there as well.
    #expect(configuration.resolvers.map(\.name) == ["r", "default"])
  }

  @Test(
    "what is wrong in a section is refused",
    arguments: [
      "nameserver", "nameserver a", "nameserver a host.name.test:53", "nameserver a 10.0.0.1 ssl", "hold",
      "hold valid",
      "hold never 1s", "timeout dns 1s", "resolve_retries x", "accepted_payload_size 100",
      "accepted_payload_size 65536",
      "parse-resolv-conf", "colour red",
    ])
  func wrong(_ line: String) {
    let (_, errors) = load("resolvers r\n \(line)\n")
    #expect(errors.count == 1)
  }

  @Test("a server with resolvers needs no address at the start, one without does")
  func addresses() {
    let text =
      "resolvers r\n nameserver a 10.0.0.1\ndefaults\n timeout connect 1s\n timeout server 1s\nbackend b\n server s"
    let (configuration, errors) = load(text + " app.test:80 resolvers r\n")
    #expect(errors == [])
    #expect(configuration.proxies.last?.servers.first?.startsUnresolved == true)
    #expect(load(text + " app.test:80\n").1.count == 1)
    #expect(load(text + " _http._tcp.test resolvers r\n").1 == [])
    #expect(load(text + " app.test:80 resolvers r init-addr libc\n").1.count == 1)
    #expect(load(text + " app.test:80 resolvers r resolve-net 10.0.0.0/99\n").1.count == 1)
  }
}

@Suite("from, of server and default-server lines")
struct ServerOriginTests {
  private func weights(_ lines: String) -> ([Int], [String]) {
    let io = ConfigurationIO(read: { _ in .failure("none") }, resolve: { _ in nil })
    let text =
      "defaults\n timeout connect 1s\n timeout server 1s\nbackend first\n default-server weight 7\n server x 10.0.0.1:1 weight 8 id 4\n"
      + "backend b\n" + lines + "\n"
    let loaded = ConfigurationLoader(io: io, environment: [:]).load(text: Array(text.utf8), name: "t.cfg")
    return (
      loaded.configuration.proxies.last?.servers.map(\.weight) ?? [],
      loaded.diagnostics.all.filter { $0.severity == .alert }.map(\.message)
    )
  }

  @Test(
    "a line starts with what it names",
    arguments: [
      (" default-server weight 5\n server s 10.0.0.1:1 from none", [1]),
      (" default-server weight 5\n default-server from none\n server s 10.0.0.1:1", [1]),
      (" default-server name n weight 6\n server s 10.0.0.1:1 from srv:n\n server t 10.0.0.1:1", [6, 1]),
      (
        " default-server name n weight 6\n default-server name n inter 3s\n server s 10.0.0.1:1 from srv:n",
        [6]
      ),
      (
        " default-server weight 5\n default-server name n from be:\n server s 10.0.0.1:1 from srv:n weight 9",
        [9]
      ),
      (" server s 10.0.0.1:1 from be:first\n server t 10.0.0.1:1 from srv:first/x", [7, 8]),
    ])
  func origins(_ lines: String, _ expected: [Int]) {
    let (weights, errors) = weights(lines)
    #expect(errors == [])
    #expect(weights == expected)
  }

  @Test(
    "what cannot be found is refused",
    arguments: ["from", "from some", "from be:none", "from srv:none", "from srv:none/x"])
  func wrong(_ words: String) { #expect(weights(" server s 10.0.0.1:1 \(words)").1.count == 1) }
}
