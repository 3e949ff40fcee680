import Base
import Config
import Testing

@testable import Proxy

@Suite("State files")
struct SavedStateTests {
  private let head = "1\n# be_id be_name srv_id srv_name ...\n"

  /// The states of the servers of a backend that starts with this file, and what was said about it.
  private func states(_ servers: String, _ lines: String) throws -> ([ServerState], [String]) {
    let file = head + lines
    let io = ConfigurationIO(
      read: { $0 == "/base/states" ? .octets(Array(file.utf8)) : .failure("none") }, resolve: { _ in nil })
    let text = """
      global
        server-state-base /base
        server-state-file states
      defaults
        timeout connect 1s
        timeout server 1s
        load-server-state-from-file global
      resolvers r
        nameserver d 127.0.0.1:53
      backend b
      \(servers)

      """
    let loaded = ConfigurationLoader(io: io, environment: [:]).load(text: Array(text.utf8), name: "t.cfg")
    #expect(loaded.diagnostics.all.filter { $0.severity == .alert }.map(\.message) == [])
    let now = WallTime(microseconds: 1_000_000_000)
    let settings = try #require(loaded.configuration.proxies.last).servers
    return (settings.map { ServerState(settings: $0.value, now: now) }, loaded.diagnostics.all.map(\.message))
  }

  @Test("weights, drain and maintenance outlive a reload")
  func administration() throws {
    let (states, _) = try states(
      " server a 10.0.0.1:80\n server b 10.0.0.2:80 weight 9\n server c 10.0.0.3:80\n server d 10.0.0.4:80 disabled",
      """
      3 b 1 a 10.0.0.1 2 8 1 1 5 1 0 0 0 0 0 0 - 80 - 0 0 - - 0
      3 b 2 b 10.0.0.2 2 0 4 9 5 1 0 0 0 0 0 0 - 80 - 0 0 - - 0
      3 b 3 c 10.0.0.3 0 1 1 1 5 1 0 0 0 0 0 0 - 80 - 0 0 - - 0
      3 b 4 d 10.0.0.4 2 4 1 1 5 1 0 0 0 0 0 0 - 8080 - 0 0 - - 0

      """)
    #expect(states[0].administration == .drain)
    #expect(states[1].weight == 4)
    #expect(states[1].lastChange.seconds == 995)
    #expect(states[2].administration == .maintenance)
    #expect(states[2].operation == .stopped)
    #expect(!states[3].isInMaintenance)
    #expect(states[3].address == .ip(.v4(0x0A00_0004), port: 8080))
  }

  @Test("a weight that the configuration has changed since is the configuration's")
  func weight() throws {
    let (states, _) = try states(
      " server a 10.0.0.1:80 weight 20", "3 b 1 a 10.0.0.1 2 0 4 9 5 1 0 0 0 0 0 0 - 80 - 0 0 - - 0\n")
    #expect(states[0].weight == 20)
  }

  @Test("checks that were down or disabled start so")
  func checks() throws {
    let (states, _) = try states(
      " server a 10.0.0.1:80 check\n server b 10.0.0.1:80 check",
      """
      3 b 1 a 10.0.0.1 0 0 1 1 5 8 2 0 6 0 0 0 - 80 - 0 99 - - 0
      3 b 2 b 10.0.0.1 2 0 1 1 5 6 3 4 2 0 0 0 - 80 - 0 0 - - 0

      """)
    #expect(states[0].operation == .stopped)
    #expect(states[0].checkPort == 99)
    #expect(states[1].operation == .running)
    #expect(!states[1].checksEnabled)
  }

  @Test("names start with the address that they had last")
  func names() throws {
    let (states, _) = try states(
      " server a app.test:80 resolvers r\n server b _http._tcp.test resolvers r\n server c other.test:80 resolvers r init-addr none",
      """
      3 b 1 a 10.0.0.7 2 0 1 1 5 1 0 0 0 0 0 0 app.test 80 - 0 0 - - 0
      3 b 2 b 10.0.0.8 2 64 1 1 5 1 0 0 0 0 0 0 n1.test 8001 _http._tcp.test 0 0 - - 0
      3 b 3 c 10.0.0.9 2 0 1 1 5 1 0 0 0 0 0 0 other.test 80 - 0 0 - - 0

      """)
    #expect(states.map(\.knownAddress.description) == ["10.0.0.7:80", "10.0.0.8:8001", "<none>"])
    #expect(states[1].hostName == "n1.test")
    #expect(states[2].administration == .unresolved)
  }

  @Test("lines that are wrong are told and left out")
  func wrong() throws {
    let (states, messages) = try states(
      " server a 10.0.0.1:80", "3 b 1 a 10.0.0.1 9 0 300 1 5 1 0 0 0 0 0 0 - 80 - 0 0 - - 0\n")
    #expect(states[0].administration == [])
    #expect(
      messages.contains(
        "server-state application failed for server 'b/a', invalid srv_op_state value '9', invalid srv_uweight value '300'"
      ))
  }
}
