import Base
import Config
import HTTP
import Rules
import Synchronization

/// Everything that a configuration was turned into; immutable but for counters and server states, and shared by
/// all workers. A reload builds a new one.
public final class Runtime: @unchecked Sendable {
  let configuration: Configuration
  let rules: CompiledRules
  let global: GlobalSettings
  let frontends: [Frontend]
  /// Parallel to `Configuration.proxies`: what rules name, which stays.
  let backendOfProxy: [Backend?]
  /// All proxies as they are now.
  let list: Published<ProxyList>
  /// Logs of backends that will inherit from a `defaults` section, by its name.
  let logsOfDefaults: [String: LogTargets]
  /// The lowest id that a backend made at run time may have.
  let nextProxyID: Atomic<Int>
  let frontendsByName: [Bytes: Frontend]
  let listeners: [ListenerSettings]
  /// `peers` sections that run.
  let peers: [PeersPlan]
  let processLog: LogTargets
  let rings: [Ring]
  let logForwards: [LogForwardPlan]
  /// Messages that `log-forward` sections took in.
  let receivedLogs = Atomic<Int>(0)
  let certificates: CertificateStore
  let workerCount: Int
  let started: Now
  let maxConnections: Int
  /// How many client connections there may be at once.
  public var connectionLimit: Int { maxConnections }
  let connections = Gauge()
  let requestCounter = Atomic<Int>(0)
  let connectionCounter = Atomic<Int>(0)
  let tlsConnections = Gauge()
  let tlsConnectionCounter = Atomic<Int>(0)
  let connectionRate = Rate()
  let sessionRate = Rate()
  let tlsRate = Rate()
  /// Handshakes that resumed a session.
  let tlsResumptions = Rate()
  let activity: ProcessActivity
  let costlyFacts: CostlyFacts
  let caches: [ResponseCache]
  /// Octets compressed a second.
  let compressionRate = Rate()
  let isStopping = Atomic<Bool>(false)
  /// `h1-case-adjust`
  let caseMap: H1CaseMap?
  let hostName: Bytes
  let nodeName: Bytes
  let control: ServerControl
  let names: NameService
  let serverCount: Int
  /// The workers that serve this configuration, once they exist.
  let workers = Mutex<[Worker]>([])
  /// What `set maxconn global` and `set rate-limit` change.
  let limits: ProcessLimits

  init(parts: RuntimeParts) {
    configuration = parts.configuration
    rules = parts.rules
    global = parts.configuration.global
    frontends = parts.frontendOfProxy.compactMap { $0 }
    let proxies = ProxyList(
      zip(parts.frontendOfProxy, parts.backendOfProxy).filter { $0 != nil || $1 != nil }.map { ($0, $1) })
    list = Published(proxies, parts.rules.patterns.retirement)
    logsOfDefaults = parts.logsOfDefaults
    nextProxyID = Atomic((parts.configuration.proxies.last { !$0.isIDForced }?.id ?? 1) + 1)
    backendOfProxy = parts.backendOfProxy
    listeners = parts.listeners
    peers = parts.peers
    processLog = parts.processLog
    rings = parts.rings
    logForwards = parts.logForwards
    certificates = parts.certificates
    costlyFacts = CostlyFacts(parts.configuration)
    caches = parts.configuration.caches.map { ResponseCache($0) }
    workerCount = parts.workerCount
    started = parts.started
    activity = ProcessActivity(since: parts.started.instant)
    maxConnections = parts.maxConnections
    hostName = parts.hostName
    let spellings = parts.configuration.global.headerCaseAdjust
    caseMap =
      spellings.isEmpty
      ? nil : H1CaseMap(Dictionary(spellings.map { (Bytes($0), Bytes($1)) }, uniquingKeysWith: { $1 }))
    limits = ProcessLimits(
      connections: parts.maxConnections, connectionRate: global.rateLimitConnections ?? 0,
      sessionRate: global.rateLimitSessions ?? 0, tlsRate: global.rateLimitTLSSessions ?? 0,
      compressionRate: (global.tunables["maxcomprate"].flatMap { Int($0) } ?? 0) &* 1024)
    nodeName = Bytes(parts.configuration.global.node ?? parts.hostName.string)
    control = ServerControl(
      backends: proxies.backends,
      announcer: StateAnnouncer(isQuiet: parts.configuration.global.tunables["quiet"] != nil))
    names = NameService(parts.configuration, control)
    serverCount = proxies.backends.reduce(0) { $0 + $1.servers.count }
    var frontendNames: [Bytes: Frontend] = [:]
    for frontend in frontends where frontendNames[frontend.nameBytes] == nil {
      frontendNames[frontend.nameBytes] = frontend
    }
    frontendsByName = frontendNames
  }
}

/// What `RuntimeBuilder` gathers before there is a `Runtime`.
struct RuntimeParts {
  var configuration: Configuration
  var rules: CompiledRules
  var frontendOfProxy: [Frontend?] = []
  var backendOfProxy: [Backend?] = []
  var logsOfDefaults: [String: LogTargets] = [:]
  var listeners: [ListenerSettings] = []
  var peers: [PeersPlan] = []
  var processLog: LogTargets
  var rings: [Ring] = []
  var logForwards: [LogForwardPlan] = []
  var workerCount: Int
  var started: Now
  var maxConnections: Int
  var hostName: Bytes
  var certificates: CertificateStore
}
