import Base
import Config
import Testing

@testable import Rules

/// A stream whose ends are as a test says.
private final class FixedKeeper: FactsKeeper {
  var ends: [StreamSide: EndpointFacts] = [:]
  var effort: StreamEffort?
  func refreshLogFacts() -> Bool { true }
  func endpoint(_ side: StreamSide) -> EndpointFacts? { ends[side] }
}

@Suite("The ends of a stream, in expressions")
struct EndpointTests {
  private static func keeper() -> FixedKeeper {
    let keeper = FixedKeeper()
    var client = EndpointFacts()
    client.id = 5
    client.openStreams = 3
    client.streamLimit = 100
    client.streamWords = "id=5"
    client.connectionWords = "fd=7"
    keeper.ends[.client] = client
    var server = EndpointFacts()
    server.id = 9
    server.isAborted = true
    server.resetCode = 8
    server.glitches = 2
    keeper.ends[.server] = server
    keeper.effort = StreamEffort()
    keeper.effort?.calls = 4
    keeper.effort?.worked = 1000
    keeper.effort?.waited = 200
    return keeper
  }

  /// Without a stream, and with one.
  private func values(_ expression: String) throws -> (without: String?, with: String?) {
    let fixture = Fixture(["http-response set-header X \"%[\(expression)]\""])
    try #require(!fixture.diagnostics.hasErrors, "\(fixture.messages)")
    fixture.context.response = Fixture.response(200, [])
    _ = fixture.runResponse()
    let without = fixture.value("x", in: fixture.context.response)
    let keeper = EndpointTests.keeper()
    fixture.context.keeper = keeper
    fixture.context.response = Fixture.response(200, [])
    _ = fixture.runResponse()
    return withExtendedLifetime(keeper) { (without, fixture.value("x", in: fixture.context.response)) }
  }

  @Test(
    "values",
    arguments: [
      ("fs.id", "5"), ("bs.id", "9"), ("fs.aborted", "0"), ("bs.aborted", "1"), ("fs.rst_code", ""),
      ("bs.rst_code", "8"), ("fc_nb_streams", "3"), ("bc_nb_streams", "1"), ("fc_settings_streams_limit", "100"),
      ("bc_settings_streams_limit", "1"), ("bc_glitches", "2"), ("fs.debug_str", "id=5 fd=7"),
      ("fs.debug_str(1)", "id=5"), ("fs.debug_str(16)", "fd=7"), ("cpu_calls", "4"), ("cpu_ns_tot", "1000"),
      ("cpu_ns_avg", "250"), ("lat_ns_tot", "200"), ("lat_ns_avg", "50"),
    ])
  func values(expression: String, value: String) throws {
    let found = try values(expression)
    #expect(found.without == "")
    #expect(found.with == value)
  }

  @Test("an aborted stream is one that was given up, and a connection has an error by number and name")
  func errors() {
    for (code, name) in [(0, ""), (15, "PRX_NOT_HDR"), (24, "SSL_EMPTY"), (34, "SSL_HANDSHAKE"), (58, "SSL_KEYUPDATE")]
    {
      #expect(evaluated("fc_err_name", { $0.connection.errorCode = code }) == name)
    }
    #expect(ConnectionErrors.name(of: 59) == nil)
    #expect(ConnectionErrors.name(of: -1) == nil)
  }

  @Test("how busy the worker and the process are")
  func usage() {
    #expect(evaluated("cpu_usage_thr") == "40")
    #expect(evaluated("cpu_usage_grp") == "30")
    #expect(evaluated("cpu_usage_proc") == "30")
  }

  @Test("the rule that decided and the rule that waits are told apart")
  func entities() {
    let fixture = Fixture(
      ["http-request wait-for-body time 1s", "http-request deny", "http-request set-header X %[last_entity]"])
    var index = 0
    guard case .waitForBody = fixture.proxy.httpRequest.evaluate(fixture.context, resumingAt: &index) else {
      Issue.record("no wait")
      return
    }
    #expect(text("waiting_entity", fixture.context) == "t.cfg:2")
    #expect(text("last_entity", fixture.context) == nil)
    guard case .deny = fixture.proxy.httpRequest.evaluate(fixture.context, resumingAt: &index) else {
      Issue.record("no denial")
      return
    }
    #expect(text("waiting_entity", fixture.context) == nil)
    #expect(text("last_entity", fixture.context) == "t.cfg:3")
    fixture.context.waitingEntity = .requestBuffer
    #expect(text("waiting_entity", fixture.context) == "http-buffer-request")
    fixture.context.reset()
    #expect(text("waiting_entity", fixture.context) == nil)
  }

  private func text(_ name: String, _ context: RuleContext) -> String? {
    SampleKeywords.fetches[name]?.body(context, Arguments())?.text.string
  }
}

@Suite("Variables, all at once")
struct VariableDumpTests {
  @Test(
    "are listed by scope, prefix and with a delimiter",
    arguments: [
      ("dump_all_vars", "sess.one=5, txn.one=\"q\\\"\\\\\", txn.other=48656C6C6F, req.ip=10.1.2.3, proc.yes=true"),
      ("dump_all_vars(txn)", "txn.one=\"q\\\"\\\\\", txn.other=48656C6C6F"),
      ("dump_all_vars(txn,oth)", "txn.other=48656C6C6F"),
      ("dump_all_vars(,one,;)", "sess.one=5;txn.one=\"q\\\"\\\\\""), ("dump_all_vars(res)", ""),
    ])
  func listing(expression: String, value: String) {
    let fixture = Fixture([
      "http-request set-var(sess.one) int(5)", "http-request set-var(txn.one) req.hdr(x-quoted)",
      "http-request set-var(txn.other) bin(48656c6c6f)", "http-request set-var(req.ip) src",
      "http-request set-var(proc.yes) bool(true)", "http-request set-header X %[\(expression)]",
    ])
    fixture.context.request = Fixture.request("GET / HTTP/1.1", ["X-Quoted: q\"\\"])
    _ = fixture.runRequest()
    #expect(fixture.value("x") == value, "\(fixture.messages)")
  }

  @Test("a scope that is none is refused")
  func scopes() {
    #expect(evaluated("dump_all_vars(txm)")?.contains("invalid scope 'txm'") == true)
  }
}

@Suite("Messages of distcc")
struct DistccTests {
  private static let message = "DIST00000001ARGC00000002ARGV00000003gccARGV00000002-cDOTI00000005int x"

  @Test(
    "tokens are found by name and occurrence",
    arguments: [
      ("distcc_param(DIST)", "1", false), ("distcc_param(ARGC)", "2", false), ("distcc_body(ARGV)", "gcc", false),
      ("distcc_body(ARGV,2)", "-c", false), ("distcc_param(ARGV,2)", "2", false), ("distcc_body(DOTI)", "int x", false),
      ("distcc_param(DONE)", nil, true), ("distcc_body(ARGV,3)", nil, true),
    ])
  func tokens(expression: String, value: String?, waits: Bool) throws {
    let (found, mayChange) = try evaluate(expression, DistccTests.message, isFinal: false)
    #expect(found == value)
    #expect(mayChange == waits)
  }

  @Test("a message that is cut anywhere gives what is there, and never more")
  func cuts() throws {
    for length in 0..<DistccTests.message.utf8.count {
      let (found, _) = try evaluate("distcc_body(DOTI)", String(DistccTests.message.prefix(length)), isFinal: true)
      #expect(found == nil || "int x".hasPrefix(found ?? ""))
    }
    #expect(try evaluate("distcc_param(DIST)", "DIST0000000G", isFinal: false) == (nil, false))
  }

  @Test("names have four letters")
  func names() {
    #expect(evaluated("distcc_param(DIS)")?.contains("token name must be exactly 4 characters") == true)
  }

  private func evaluate(_ expression: String, _ payload: String, isFinal: Bool) throws -> (String?, Bool) {
    let fixture = Fixture(["tcp-request content set-var(txn.x) \(expression)"], mode: .tcp)
    try #require(!fixture.diagnostics.hasErrors, "\(fixture.messages)")
    fixture.context.request = nil
    fixture.context.payload = Bytes(payload)
    fixture.context.payloadIsFinal = isFinal
    var index = 0
    _ = fixture.proxy.tcpRequestContent.evaluate(fixture.context, resumingAt: &index)
    let value = fixture.context.transactionVariables.entries.first?.value.text.string
    return (value, fixture.context.mayChange)
  }
}
