import Base
import Config
import HTTP

@testable import Rules

/// A process with fixed answers.
final class FixedEnvironment: ProxyEnvironment {
  var processID: Int { 1234 }
  var nodeName: Bytes { "node" }
  var hostName: Bytes { "host" }
  var threadCount: Int { 2 }
  var threadID: Int { 1 }
  var activeConnections: Int { 7 }
  var isStopping: Bool { false }
  var started: Instant { Instant(microseconds: 0) }
  func random() -> UInt64 { 0x0123_4567_89AB_CDEF }
  func frontendCount(_ query: FrontendQuery, of frontend: String) -> Int { 3 }
  func backendCount(_ query: BackendQuery, of backend: String) -> Int { backend == "full" ? 0 : 2 }
  func serverCount(_ query: ServerQuery, of server: String, in backend: String) -> Int { 1 }
  func label(_ socket: Int32, typeOfService: Int?, mark: UInt32?) {}
  func hasFrontend(_ name: Bytes) -> Bool { name == "front" }
  func isLocal(_ address: IPAddress) -> Bool { address == .v4(0x7F00_0001) }
  func show(_ text: String, in sink: String) {}
  func transport(_ query: TransportQuery, of socket: Int32) -> Int64? { nil }
  func savedSYN(of socket: Int32) -> Bytes? { nil }
  func usage(of scope: UsageScope) -> Int { scope == .thread ? 40 : 30 }
  func log(_ context: RuleContext, _ origin: LogOrigin, _ profile: LogProfile?) {}
  func listenerConnections(_ connection: ConnectionFacts) -> Int { 1 }
}

/// Splits configuration lines as the real parser does, as far as these tests need it.
func directive(_ line: String, number: Int = 1) -> Directive {
  var words: [Word] = []
  var current: [UInt8]?
  var quote: UInt8 = 0
  let octets = Array(line.utf8)
  var i = 0
  func location() -> SourceLocation { SourceLocation(file: "t.cfg", line: number) }
  while i < octets.count {
    let c = octets[i]
    if c == 0x5C, quote != 0x27, i + 1 < octets.count {
      current = (current ?? []) + [octets[i + 1]]
      i += 1
    } else if c == 0x22 || c == 0x27, quote == 0 || quote == c {
      quote = quote == 0 ? c : 0
      current = current ?? []
    } else if quote == 0, c == 0x20 || c == 0x09 {
      if let done = current { words.append(Word(Bytes(done), at: location())) }
      current = nil
    } else {
      current = (current ?? []) + [c]
    }
    i += 1
  }
  if let done = current { words.append(Word(Bytes(done), at: location())) }
  return Directive(words: words, location: location())
}

/// A compiled proxy and a stream to run through it.
struct Fixture {
  let diagnostics = Diagnostics()
  let rules: CompiledRules
  let context: RuleContext

  /// `lines` are the rules and ACLs of a `listen` section in HTTP mode, beside backends `a` and `b`.
  init(
    _ lines: [String], mode: Mode = .http, files: [String: String] = [:], userlists: [Userlist] = [],
    edit: (inout ProxySettings) -> Void = { _ in }
  ) {
    var configuration = Configuration()
    var proxy = ProxySettings(kind: .listen, name: "front", location: SourceLocation(file: "t.cfg", line: 1))
    proxy.mode = mode
    for (number, line) in lines.enumerated() {
      let directive = directive(line, number: number + 2)
      if directive.keyword == "acl" { proxy.acls.append(directive) } else { proxy.rules.append(directive) }
    }
    proxy.servers = [Boxed(ServerSettings(name: "s1", host: "127.0.0.1", location: .none))]
    edit(&proxy)
    configuration.proxies = [Boxed(proxy)]
    for name in ["a", "b", "c", "full"] {
      configuration.proxies.append(Boxed(ProxySettings(kind: .backend, name: name, location: .none)))
    }
    configuration.userlists = userlists
    rules = RuleCompiler.compile(configuration, diagnostics: diagnostics) { path in
      files[path].map { Array($0.utf8) }
    }
    let now = Now(
      instant: Instant(microseconds: 5_000_000), wall: WallTime(microseconds: 1_700_000_000_123_456))
    let connection = ConnectionFacts(
      source: .ip(.v4(0x0A01_0203), port: 4321), destination: .ip(.v4(0xC0A8_0001), port: 80), accepted: now)
    context = RuleContext(connection: connection, environment: FixedEnvironment(), now: now)
    context.processVariables = rules.processVariables
    context.request = Fixture.request("GET /path/to?x=1&y=two HTTP/1.1", ["Host: www.Example.com:8080"])
  }

  var proxy: CompiledProxy { rules.proxies[0] }
  var messages: [String] { diagnostics.all.map(\.message) }

  static func request(_ line: String, _ fields: [String]) -> MessageHead {
    let head = MessageHead()
    let words = line.split(separator: " ").map { Bytes($0) }
    let method = words[0]
    let target = words[1]
    head.setRequestLine(
      method: method.span, target: target.span, version: words[2] == "HTTP/1.0" ? .http10 : .http11)
    add(fields, to: head)
    return head
  }

  static func response(_ status: Int, _ fields: [String]) -> MessageHead {
    let head = MessageHead()
    let reason = Bytes("OK")
    head.setStatusLine(status: status, reason: reason.span, version: .http11)
    add(fields, to: head)
    return head
  }

  private static func add(_ fields: [String], to head: MessageHead) {
    for field in fields {
      guard let colon = field.firstIndex(of: ":") else { continue }
      let name = Bytes(field[..<colon])
      let value = Bytes(field[field.index(after: colon)...]).trimmed
      head.append(name: name.span, value: value.span)
    }
  }

  func runRequest() -> Verdict {
    var index = 0
    return proxy.httpRequest.evaluate(context, resumingAt: &index)
  }

  func backend() -> BackendChoice? {
    var line = 0
    return proxy.nextBackend(for: context, from: &line)
  }

  func runResponse() -> Verdict {
    var index = 0
    return proxy.httpResponse.evaluate(context, resumingAt: &index)
  }

  func value(_ name: String, in head: MessageHead? = nil) -> String? {
    (head ?? context.request)?.first(FieldName(name))?.string
  }
}

/// The text of an expression for a stream, nil without a value, and the message when it does not compile.
func evaluated(
  _ expression: String, _ prepare: (RuleContext) -> Void = { _ in }, files: [String: String] = [:]
) -> String? {
  let fixture = Fixture(
    ["http-request set-header X-Result \"%[\(expression.replacingQuotes)]\""], files: files)
  if fixture.diagnostics.hasErrors { return "error: " + (fixture.messages.first ?? "") }
  prepare(fixture.context)
  _ = fixture.runRequest()
  return fixture.value("x-result")
}

extension String {
  var replacingQuotes: String { map { $0 == "\"" || $0 == "\\" ? "\\\($0)" : String($0) }.joined() }
}

extension CompiledProxy {
  /// What the first of the `use_backend` lines that holds names.
  func backendName(for context: RuleContext) -> BackendChoice? {
    var start = 0
    return nextBackend(for: context, from: &start)
  }
}
