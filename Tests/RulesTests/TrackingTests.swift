import Base
import Config
import HTTP
import Testing

@testable import Rules

private func fixture(_ lines: [String], type: StickTableSettings.KeyType = .ipv4) -> Fixture {
  Fixture(lines) { proxy in
    var table = StickTableSettings(name: "front", wireName: "front", location: .none)
    table.keyType = type
    table.keyLength = type == .ipv4 ? 4 : 16
    table.size = 100
    table.expire = .seconds(10)
    table.stores = [
      .init(type: .connectionCount), .init(type: .currentConnections), .init(type: .requestCount),
      .init(type: .requestRate, period: 10_000), .init(type: .errorCount), .init(type: .failureCount),
      .init(type: .gpc, count: 3), .init(type: .gpcRate, count: 2, period: 1000), .init(type: .gpt, count: 2),
      .init(type: .bytesIn), .init(type: .bytesOut), .init(type: .sessionCount),
    ]
    proxy.stickTable = table
  }
}

extension Fixture {
  /// What an expression gives now.
  fileprivate func ask(_ expression: String) -> Int64? {
    let scope = CompileScope(
      configuration: Configuration(), diagnostics: Diagnostics(),
      shared: SharedScope(configuration: Configuration(), diagnostics: Diagnostics()) { _ in nil },
      proxyIndex: -1)
    guard let parsed = try? ExpressionParser.parse(Bytes(expression), scope: scope) else { return nil }
    return parsed.evaluate(context)?.integer
  }

  /// One request of its own, as a stream begins and ends it.
  fileprivate func request() -> Verdict {
    context.count(.request)
    let verdict = runRequest()
    context.counters.release(at: context.now)
    return verdict
  }

  fileprivate func runConnection() {
    var index = 0
    _ = proxy.tcpRequestConnection.evaluate(context, resumingAt: &index)
  }
}

@Suite struct TrackingTests {
  @Test("each request that a rule tracks is counted once")
  func requests() {
    let fixture = fixture(["http-request track-sc0 src"])
    #expect(fixture.messages.isEmpty)
    for _ in 0..<5 { _ = fixture.request() }
    _ = fixture.runRequest()
    #expect(fixture.ask("sc0_http_req_cnt") == 6)
    #expect(fixture.ask("sc_http_req_rate(0)") == 6)
    #expect(fixture.ask("sc0_conn_cur") == 1)
    #expect(fixture.ask("sc0_conn_cnt") == 6)
    #expect(fixture.ask("sc1_http_req_cnt") == nil)
    #expect(fixture.ask("sc0_glitch_cnt") == nil)
    fixture.context.counters.release(at: fixture.context.now)
    #expect(fixture.ask("sc0_conn_cur") == nil)
  }

  @Test("what a connection tracks, all its requests count in, and a later rule does not replace it")
  func connection() {
    let fixture = fixture(["tcp-request connection track-sc0 src", "http-request track-sc0 dst"])
    fixture.runConnection()
    fixture.context.connection.count(.session, at: fixture.context.now)
    for _ in 0..<3 { _ = fixture.request() }
    #expect(fixture.ask("sc0_http_req_cnt") == 3)
    #expect(fixture.ask("sc0_conn_cnt") == 1)
    #expect(fixture.ask("sc0_sess_cnt") == 1)
    #expect(fixture.ask("sc0_trackers") == 1)
    #expect(fixture.rules.tables[0].count == 1)
    fixture.context.connection.counters.release(at: fixture.context.now)
    #expect(fixture.ask("sc0_tracked") == 0)
  }

  @Test("a limit on the rate of requests denies the first that is too much")
  func limit() {
    let fixture = fixture([
      "http-request track-sc0 src", "http-request deny deny_status 429 if { sc_http_req_rate(0) gt 3 }",
    ])
    var verdicts: [Int] = []
    for _ in 0..<5 {
      if case .deny(let status, _) = fixture.request() { verdicts.append(status) } else { verdicts.append(0) }
    }
    #expect(verdicts == [0, 0, 0, 429, 429])
  }

  @Test("general counters and tags are changed by actions and by fetches")
  func general() {
    let fixture = fixture([
      "http-request track-sc0 src", "http-request sc-inc-gpc0(0)", "http-request sc-inc-gpc(2,0)",
      "http-request sc-add-gpc(2,0) 5", "http-request sc-set-gpt(1,0) int(7)",
      "http-request sc-set-gpt0(0) 9",
    ])
    #expect(fixture.messages.isEmpty)
    _ = fixture.runRequest()
    #expect(fixture.ask("sc_get_gpc(2,0)") == 6)
    #expect(fixture.ask("sc0_get_gpc0") == 1)
    #expect(fixture.ask("sc0_gpc0_rate") == 1)
    #expect(fixture.ask("sc_get_gpt(1,0)") == 7)
    #expect(fixture.ask("sc0_get_gpt0") == 9)
    #expect(fixture.ask("sc0_inc_gpc0") == 2)
    #expect(fixture.ask("sc_clr_gpc(2,0)") == 6)
    #expect(fixture.ask("sc_get_gpc(2,0)") == 0)
    #expect(fixture.ask("sc_get_gpc(3,0)") == nil)
  }

  @Test("octets, errors and failures are counted where they are kept")
  func events() {
    let fixture = fixture(["http-request track-sc2 src"])
    _ = fixture.runRequest()
    fixture.context.count(.octets(received: 3000, sent: 70_000))
    fixture.context.count(.error)
    fixture.context.count(.failure)
    fixture.context.count(.glitches(4))
    #expect(fixture.ask("sc2_kbytes_in") == 2)
    #expect(fixture.ask("sc2_kbytes_out") == 68)
    #expect(fixture.ask("sc2_http_err_cnt") == 1)
    #expect(fixture.ask("sc2_http_fail_cnt") == 1)
  }

  @Test("a response rule that tracks counts what the status means")
  func response() {
    let fixture = fixture(["http-response track-sc0 src"])
    fixture.context.response = Fixture.response(404, [])
    _ = fixture.runResponse()
    #expect(fixture.ask("sc0_http_err_cnt") == 1)
    #expect(fixture.ask("sc0_http_fail_cnt") == 0)
    #expect(fixture.ask("sc0_http_req_cnt") == 1)
  }

  @Test("the address and any sample can be looked up, with 0 for what is not there")
  func lookUps() {
    let lines = [
      "http-request set-var(txn.a) src_http_req_cnt(front)", "http-request set-var(txn.b) src_inc_gpc0",
      "http-request set-var(txn.c) src,in_table(front)",
      "http-request set-var(txn.d) str(10.9.9.9),table_gpc0(front)",
      "http-request set-var(txn.e) str(10.9.9.9),in_table(front)",
      "http-request set-var(txn.f) table_cnt(front)",
      "http-request set-var(txn.g) src,table_expire(front)",
      "http-request set-var(txn.h) str(1.1.1.1),table_idle(front,99)",
    ]
    let fixture = fixture(lines)
    #expect(fixture.messages.isEmpty)
    _ = fixture.runRequest()
    let values = fixture.context.transactionVariables.entries.map(\.value.integer)
    #expect(values == [0, 1, 1, 0, 0, 1, 10_000, 99])
  }

  @Test(
    "a mistake in a rule that tracks is named",
    arguments: [
      ("http-request track-sc3 src", "3 track-sc number exceeding 2"),
      ("http-request track-scx src", "Wrong track-sc number 'x'"),
      ("http-request track-sc0 src table nix", "unable to find table 'nix'"),
      ("http-request track-sc0 src table a", "no table in proxy 'a'"),
      ("http-request track-sc0 bool(true)", "uses a type incompatible"),
      ("http-request sc-inc-gpc(1)", "invalid arguments in 'sc-inc-gpc(1)'"),
      ("http-request sc-inc-gpc0(7)", "exceeding 2"), ("http-request sc-set-gpt0(0)", "expects an integer"),
      ("stick onn src", "'stick' expects"), ("stick on bool(true)", "not usable with type of stick-table"),
    ])
  func mistakes(line: String, message: String) {
    let fixture = fixture([line])
    #expect(fixture.messages.contains { $0.contains(message) }, "\(fixture.messages)")
  }

  @Test("stickiness stores the server of a key and gives it back, by name before number")
  func sticks() {
    let fixture = fixture(["stick on src"])
    #expect(fixture.messages.isEmpty)
    var stores = StickStores()
    var found: [StickTarget] = []
    fixture.proxy.stickRequest(fixture.context, &stores) {
      found.append($0); return true
    }
    #expect(found.isEmpty)
    stores.write(server: "s7", address: "10.0.0.7:80", id: 7, at: fixture.context.now)
    fixture.proxy.stickRequest(fixture.context, &stores) {
      found.append($0); return true
    }
    #expect(found.map(\.id) == [7])
    #expect(found.map(\.key) == ["s7"])
  }

  @Test("of several store rules for a table only the first that has a key is stored")
  func storesOnce() {
    let fixture = fixture([
      "stick store-request hdr(x-none),ipmask(32)", "stick store-request src", "stick store-request dst",
    ])
    var stores = StickStores()
    fixture.proxy.stickRequest(fixture.context, &stores) { _ in true }
    stores.write(server: "s1", address: "", id: 1, at: fixture.context.now)
    #expect(fixture.rules.tables[0].count == 1)
  }
}
