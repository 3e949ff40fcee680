import Base
import Config
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
  let counters: Counters
  let sessions = Gauge()
  let queueLength = Gauge()
  let sessionRate = Rate()
  /// Set once at start-up when the server speaks TLS.
  let tlsContext: TLSClientContext?
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

  init(
    settings: ServerSettings, index: Int, number: Int, id: Int, backendName: String, workers: Int,
    tlsContext: TLSClientContext?, now: WallTime
  ) {
    self.settings = settings
    self.index = index
    self.number = number
    self.id = id
    self.backendName = backendName
    counters = Counters(workers: workers)
    self.tlsContext = tlsContext
    sessionLimit = Atomic(settings.maxConnections ?? 0)
    var initial = ServerState(settings: settings, now: now)
    initial.address = settings.address
    isUsable.store(initial.isUsable, ordering: .relaxed)
    state = Mutex(initial)
  }

  var name: String { settings.name }
  var cookie: Bytes? { settings.cookie }

  /// How many sessions may run at once now; `minconn` makes it follow the backend's load up to `maxconn`.
  func connectionLimit(backendSessions: Int, fullConnections: Int) -> Int {
    let maximum = sessionLimit.load(ordering: .relaxed)
    guard maximum > 0 else { return .max }
    guard let minimum = settings.minConnections, minimum > 0, minimum < maximum else { return maximum }
    if fullConnections <= 0 || backendSessions >= fullConnections { return maximum }
    return Swift.max(minimum, maximum * backendSessions / fullConnections)
  }

  /// A short look at the state.
  func snapshot() -> ServerState { state.withLock { $0 } }
}

/// What can change about a server while the gateway runs: its health, what the administrator said, its weight.
struct ServerState: Sendable {
  struct Administration: OptionSet, Sendable {
    let rawValue: Int
    /// Put into maintenance on the command line or the stats page.
    static let maintenance = Administration(rawValue: 1)
    /// In maintenance because the server it tracks is.
    static let inheritedMaintenance = Administration(rawValue: 2)
    /// `disabled` in the configuration.
    static let configured = Administration(rawValue: 4)
    static let drain = Administration(rawValue: 8)
    static let inheritedDrain = Administration(rawValue: 16)
    /// Its name does not resolve.
    static let unresolved = Administration(rawValue: 32)
  }

  var administration: Administration = []
  /// What the checks say: false after `fall` failures in a row.
  var isRunning = true
  /// `http-check disable-on-404`: up, but no new sessions.
  var isStopping = false
  /// The administrator's weight; the configuration's at first.
  var weight: Int
  var address: SocketAddress = .none
  /// Passed or failed checks in a row: 0...rise+fall-1 as HAProxy counts it, up when at least `rise`.
  var health: Int
  var lastChange: WallTime
  /// Whole seconds spent down before `lastChange`.
  var downTime = 0
  var consecutiveErrors = 0
  var check = CheckReport()
  var agent = CheckReport()
  var checksEnabled: Bool
  var agentEnabled: Bool

  init(settings: ServerSettings, now: WallTime) {
    weight = settings.weight
    lastChange = now
    checksEnabled = settings.checksEnabled
    agentEnabled = settings.agentEnabled
    health = settings.rise + settings.fall - 1
    if settings.isDisabled { administration.insert(.configured) }
  }

  var isInMaintenance: Bool {
    !administration.isDisjoint(with: [.maintenance, .inheritedMaintenance, .configured, .unresolved])
  }
  var isDraining: Bool { !administration.isDisjoint(with: [.drain, .inheritedDrain]) || isStopping }
  /// Whether balancing may send new sessions here.
  var isUsable: Bool { isRunning && !isInMaintenance && !isDraining && weight > 0 }
  /// Whether a session that belongs here (by cookie) may still come.
  var acceptsPersistent: Bool { isRunning && !isInMaintenance }
}

/// The outcome of the last check, as `show stat` tells it.
struct CheckReport: Sendable {
  /// `L4OK`, `L7STS`, ...; empty before the first.
  var status = ""
  /// The layer's code: an HTTP status or an errno-like number; nil when there is none.
  var code: Int?
  var duration: Timespan = .zero
  var text = ""
  var isRunning = false
}
