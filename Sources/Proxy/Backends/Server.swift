import Base
import Config
import Rules
import Synchronization
import TLS

/// One server of a backend: what the configuration says, and what all workers share about it.
///
/// `settings` never changes. The state is behind one lock and seldom written; counters and gauges are
/// atomics. The backend's balancer learns of changes through `Backend.serverChanged`.
final class Server: Sendable {
  let settings: ServerSettings
  /// The place in the backend's list, from 0.
  let index: Int
  /// Counts the servers of all backends from 0: the place in per-worker tables.
  let number: Int
  /// HAProxy's `sid`, from 1.
  let id: Int
  let backendName: String
  /// Added at run time, not by the configuration.
  let isDynamic: Bool
  /// How the server is called: `set server ... name` changes it.
  private let label: Published<ServerLabel>
  let counters: Counters
  let sessions = Gauge()
  let queueLength = Gauge()
  let sessionRate = Rate()
  /// What TLS to the server needs; nil when it can only be spoken to in clear.
  let tls: ClientTLS?
  /// What `show servers state` says of TLS: 1 for on, 0 for off, -1 for `no-ssl`.
  let tlsState: Atomic<Int>
  /// How the server is probed; nil when it is not.
  let checkPlan: CheckPlan?
  let agentPlan: CheckPlan?
  let state: Mutex<ServerState>
  /// `state`'s verdict, for the hot path: may new sessions go here?
  let isUsable = Atomic<Bool>(true)
  /// Idle connections over all workers, for `show stat`.
  let idleConnections = Gauge()
  let usedConnections = Gauge()
  let times = ExchangeTimes()
  /// When the last session began, in seconds since 1970; -1 before the first.
  let lastSession = Atomic<Int64>(-1)

  /// `maxconn`, as the configuration, an agent or the administrator said last; 0 is without bound.
  let sessionLimit: Atomic<Int>
  /// `slowstart`: how many percent of its limits the server may take now.
  let throttle = Atomic<Int>(100)

  /// Connections in use at once over all workers, at most.
  private let mostUsed = Atomic<Int>(0)
  var peakUse: Int { mostUsed.load(ordering: .relaxed) }

  /// A connection has come into use.
  func noteUse() {
    let used = usedConnections.current - idleConnections.current
    if used > peakUse { mostUsed.store(used, ordering: .relaxed) }
  }

  /// Connections that took a port of `source`'s range.
  let sourceTurn = Atomic<UInt64>(0)

  /// ALPN has last come to HTTP/2.
  let prefersHTTP2 = Atomic<Bool>(false)
  /// Some of its connections may speak HTTP/2.
  let speaksHTTP2: Bool
  private let wire: ServerWire
  let expressions: ServerExpressions
  let keyParts: KeyParts

  init(
    settings: ServerSettings, index: Int, number: Int, id: Int, backendName: String, workers: Int,
    tls: ClientTLS?, checkPlan: CheckPlan? = nil, agentPlan: CheckPlan? = nil, isDynamic: Bool = false,
    expressions: ServerExpressions = ServerExpressions(), retirement: Retirement = Retirement(), now: WallTime
  ) {
    self.expressions = expressions
    keyParts = KeyParts(settings, expressions)
    self.settings = settings
    self.index = index
    self.number = number
    self.id = id
    self.backendName = backendName
    self.isDynamic = isDynamic
    wire = ServerWire(settings)
    speaksHTTP2 = wire != .http1 || settings.webSocketProtocol == "h2"
    label = Published(ServerLabel(settings.name, id), retirement)
    counters = Counters(workers: workers)
    self.tls = tls
    tlsState = Atomic(settings.isTLS ? 1 : settings.refusesTLS ? -1 : 0)
    self.checkPlan = checkPlan
    self.agentPlan = agentPlan
    sessionLimit = Atomic(settings.maxConnections ?? 0)
    var initial = ServerState(settings: settings, now: now)
    if isDynamic { initial.waitForOrders() }
    isUsable.store(initial.isUsable, ordering: .relaxed)
    state = Mutex(initial)
  }

  var name: String { label.read { $0.name } ?? "" }
  /// What expressions see of the server.
  var facts: ServerFacts { label.read { $0.facts } ?? ServerFacts(name: .empty, id: id) }
  /// Call within `ServerControl.exclusively`, and only for a server without sessions.
  func rename(_ name: String) { label.publish(ServerLabel(name, id)) }
  /// Sessions speak TLS: as configured, or as `set server ... ssl` said last.
  var speaksTLS: Bool { tlsState.load(ordering: .relaxed) > 0 }

  /// What is spoken to it. An upgrade goes by `ws`; where that leaves it open, HTTP/1 is preferred.
  func wire(upgrade: Bool) -> ServerWire {
    guard upgrade else { return wire }
    switch settings.webSocketProtocol {
    case "h1": return .http1
    case "h2": return .http2
    default: return wire
    }
  }

  /// ALPN for a connection that is to be upgraded; nil leaves it as it is.
  var protocolsForUpgrade: [String]? {
    guard let offered = settings.tls.alpn, !offered.isEmpty else { return nil }
    switch settings.webSocketProtocol {
    case "h1": return ["http/1.1"]
    case "h2": return ["h2"]
    default: return offered.contains("http/1.1") ? ["http/1.1"] : nil
    }
  }
  var cookie: Bytes? { settings.cookie }

  /// How many sessions may run at once now; `minconn` makes it follow the backend's load up to `maxconn`.
  func connectionLimit(backendSessions: Int, fullConnections: Int) -> Int {
    let maximum = sessionLimit.load(ordering: .relaxed)
    guard maximum > 0 else { return .max }
    let throttle = throttle.load(ordering: .relaxed)
    var limit = maximum
    if let minimum = settings.minConnections, minimum > 0, minimum < maximum, fullConnections > 0,
      backendSessions < fullConnections
    {
      limit = Swift.max(minimum, maximum * backendSessions / fullConnections)
    }
    return throttle >= 100 ? limit : Swift.max(1, limit * throttle / 100)
  }

  /// `slowstart`'s percentage, for `show stat` and `send-state`.
  var throttlePercent: Int { throttle.load(ordering: .relaxed) }

  /// A short look at the state.
  func snapshot() -> ServerState { state.withLock { $0 } }
}

/// A server's name in the forms that are asked for.
private final class ServerLabel: Sendable {
  let name: String
  let facts: ServerFacts

  init(_ name: String, _ id: Int) {
    self.name = name
    facts = ServerFacts(name: Bytes(name), id: id)
  }
}
