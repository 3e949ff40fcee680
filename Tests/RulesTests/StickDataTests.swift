import Base
import Config
import HTTP
import Testing

@testable import Rules

/// A stream that tracks its source in a table of the given kinds of data.
private func fixture(
  _ stores: [StickTableSettings.Store], _ lines: [String] = ["http-request track-sc0 src"]
) -> Fixture {
  Fixture(lines) { proxy in
    var table = StickTableSettings(name: "front", wireName: "front", location: .none)
    table.size = 100
    table.expire = .seconds(60)
    table.stores = stores
    proxy.stickTable = table
  }
}

extension Fixture {
  fileprivate func ask(_ expression: String) -> Int64? {
    let scope = CompileScope(
      configuration: Configuration(), diagnostics: Diagnostics(),
      shared: SharedScope(configuration: Configuration(), diagnostics: Diagnostics()) { _ in nil }, proxyIndex: -1)
    guard let parsed = try? ExpressionParser.parse(Bytes(expression), scope: scope) else { return nil }
    return parsed.evaluate(context)?.integer
  }
}

@Suite("Data of stick tables") struct StickDataTests {
  /// Everything that a stream can make happen, twice each.
  private static let events: [StickEvent] = [
    .session, .request, .error, .failure, .glitches(3), .octets(received: 2048, sent: 5120),
  ]

  @Test(
    "each kind of data counts what its name says, and nothing else",
    arguments: [
      (StickDataType.connectionCount, "sc0_conn_cnt", Int64(1)), (.connectionRate, "sc0_conn_rate", 1),
      (.currentConnections, "sc0_conn_cur", 1), (.sessionCount, "sc0_sess_cnt", 2), (.sessionRate, "sc0_sess_rate", 2),
      (.requestCount, "sc0_http_req_cnt", 3), (.requestRate, "sc0_http_req_rate", 3),
      (.errorCount, "sc0_http_err_cnt", 2), (.errorRate, "sc0_http_err_rate", 2),
      (.failureCount, "sc0_http_fail_cnt", 2), (.failureRate, "sc0_http_fail_rate", 2),
      (.bytesIn, "sc0_kbytes_in", 4), (.bytesInRate, "sc0_bytes_in_rate", 4096),
      (.bytesOut, "sc0_kbytes_out", 10), (.bytesOutRate, "sc0_bytes_out_rate", 10_240),
      (.glitchCount, "sc0_glitch_cnt", 6), (.glitchRate, "sc0_glitch_rate", 6),
    ])
  func counts(type: StickDataType, fetch: String, value: Int64) {
    let fixture = fixture([.init(type: type, period: type.kind == .rate ? 10_000 : 0)])
    _ = fixture.runRequest()
    for event in StickDataTests.events + StickDataTests.events { fixture.context.count(event) }
    #expect(fixture.ask(fetch) == value)
    // What the table does not keep is no 0.
    let other = type == .requestCount ? "sc0_http_err_cnt" : "sc0_http_req_cnt"
    #expect(fixture.ask(other) == nil)
  }

  @Test(
    "what only rules write is kept under each of its names",
    arguments: [
      (
        [StickTableSettings.Store(type: .gpc0), .init(type: .gpc0Rate, period: 10_000)], "sc-inc-gpc0(0)",
        ["sc0_get_gpc0", "sc0_gpc0_rate", "src_get_gpc0(front)", "src_gpc0_rate(front)"]
      ),
      (
        [.init(type: .gpc1), .init(type: .gpc1Rate, period: 10_000)], "sc-inc-gpc1(0)",
        ["sc0_get_gpc1", "sc0_gpc1_rate", "src_get_gpc1(front)"]
      ),
      (
        [.init(type: .gpc, count: 4), .init(type: .gpcRate, count: 4, period: 10_000)], "sc-inc-gpc(3,0)",
        ["sc_get_gpc(3,0)", "sc_gpc_rate(3,0)", "src_get_gpc(3,front)"]
      ),
      ([.init(type: .gpt0)], "sc-set-gpt0(0) int(1)", ["sc0_get_gpt0", "src_get_gpt0(front)"]),
      ([.init(type: .gpt, count: 3)], "sc-set-gpt(2,0) int(1)", ["sc_get_gpt(2,0)", "src_get_gpt(2,front)"]),
      // The first of an array answers to the old name, too.
      ([.init(type: .gpc, count: 2)], "sc-inc-gpc(0,0)", ["sc0_get_gpc0"]),
      ([.init(type: .gpt, count: 2)], "sc-set-gpt(0,0) int(1)", ["sc0_get_gpt0"]),
    ])
  func general(stores: [StickTableSettings.Store], action: String, fetches: [String]) {
    let fetching = fetches.enumerated().map { "http-request set-var(txn.v\($0)) \($1)" }
    let fixture = fixture(stores, ["http-request track-sc0 src", "http-request \(action)"] + fetching)
    #expect(fixture.messages.isEmpty)
    _ = fixture.runRequest()
    #expect(fixture.context.transactionVariables.entries.map(\.value.integer) == fetches.map { _ in 1 })
  }

  @Test("glitches are acted upon by a rule that reads them")
  func glitches() {
    let fixture = fixture(
      [.init(type: .glitchCount), .init(type: .glitchRate, period: 10_000)],
      ["http-request track-sc0 src", "http-request deny if { sc0_glitch_rate gt 5 }"])
    guard case .next = fixture.runRequest() else {
      Issue.record("denied without a glitch")
      return
    }
    fixture.context.count(.glitches(6))
    guard case .deny = fixture.runRequest() else {
      Issue.record("not denied")
      return
    }
  }
}
