import Base
import Config
import HTTP

@testable import Proxy
@testable import Rules

/// A process of which nothing is known.
final class QuietEnvironment: ProxyEnvironment {
  var processID: Int { 1 }
  var nodeName: Bytes { "node" }
  var hostName: Bytes { "host" }
  var threadCount: Int { 1 }
  var threadID: Int { 1 }
  var activeConnections: Int { 0 }
  var isStopping: Bool { false }
  var started: Instant { Instant(microseconds: 0) }
  func random() -> UInt64 { 7 }
  func frontendCount(_ query: FrontendQuery, of frontend: String) -> Int { 0 }
  func backendCount(_ query: BackendQuery, of backend: String) -> Int { 0 }
  func serverCount(_ query: ServerQuery, of server: String, in backend: String) -> Int { 0 }
  func label(_ socket: Int32, typeOfService: Int?, mark: UInt32?) {}
  func hasFrontend(_ name: Bytes) -> Bool { name == "front" }
  func isLocal(_ address: IPAddress) -> Bool { address == .v4(0x7F00_0001) }
  func show(_ text: String, in sink: String) {}
  func transport(_ query: TransportQuery, of socket: Int32) -> Int64? { nil }
  func log(_ context: RuleContext, _ origin: LogOrigin, _ profile: LogProfile?) {}
  func listenerConnections(_ connection: ConnectionFacts) -> Int { 0 }
}

enum Checks {
  static let noTime = Now(instant: Instant(microseconds: 0), wall: WallTime(microseconds: 0))

  static func configuration(_ text: String) -> (Configuration, CompiledRules, Diagnostics) {
    let diagnostics = Diagnostics()
    let io = ConfigurationIO(read: { _ in .failure("none") }, resolve: { IPAddress($0) })
    let loaded = ConfigurationLoader(io: io, environment: [:]).load(text: Array(text.utf8), name: "t.cfg")
    for diagnostic in loaded.diagnostics.all { diagnostics.add(diagnostic) }
    let rules = RuleCompiler.compile(loaded.configuration, diagnostics: diagnostics) { _ in nil }
    return (loaded.configuration, rules, diagnostics)
  }

  /// The check of a backend with these lines; nil when they are wrong.
  static func rules(_ lines: String) -> CheckRules? {
    let text = "defaults\n timeout connect 1s\n timeout server 1s\nbackend b\n\(lines)\n"
    let (_, rules, diagnostics) = configuration(text)
    return diagnostics.hasErrors ? nil : rules.proxies.compactMap(\.check).first ?? .connection
  }

  static func errors(_ lines: String) -> [String] {
    let text = "defaults\n timeout connect 1s\n timeout server 1s\nbackend b\n\(lines)\n"
    return configuration(text).2.all.filter { $0.severity == .alert }.map(\.message)
  }

  static func context() -> RuleContext {
    let facts = ConnectionFacts(source: .none, destination: .none, accepted: noTime)
    let context = RuleContext(connection: facts, environment: QuietEnvironment(), now: noTime)
    context.resetForCheck()
    return context
  }
}

/// What happens on the wire in a scripted check.
enum CheckEvent {
  case receive([UInt8])
  case end

  static func text(_ string: String) -> CheckEvent { .receive(Array(string.utf8)) }
}

/// Plays a conversation against a script and keeps what it sent.
struct CheckScript {
  var sent: [[UInt8]] = []
  var outcome: CheckOutcome?
  /// The script was over while the check still waited.
  var isWaiting = false

  init(_ rules: CheckRules, _ events: [CheckEvent], isStopped: Bool = false) {
    var conversation = CheckConversation(
      rules, context: Checks.context(), isStopped: isStopped, agentMessage: "ask\n", stateField: "UP")
    var rest = events[...]
    for _ in 0..<10_000 {
      switch conversation.next() {
      case .connect: conversation.connected(isTLS: false)
      case .send(let octets): sent.append(octets)
      case .receive:
        switch rest.popFirst() {
        case .receive(let octets)?: conversation.received(octets.span)
        case .end?: conversation.inputEnded()
        case nil:
          isWaiting = true
          return
        }
      case .finished(let result):
        outcome = result
        return
      }
    }
  }

  var status: String { outcome?.status.name ?? "-" }
  var text: String { outcome?.text.string ?? "" }
  var sentText: [String] { sent.map { String(decoding: $0, as: UTF8.self) } }
}
