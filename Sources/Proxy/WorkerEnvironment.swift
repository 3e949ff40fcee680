import Base
import Config
import Config
import Glibc
import NetIO
import Rules
import Synchronization
import TLS

/// What expressions of this worker can ask about the process, its proxies and servers.
final class WorkerEnvironment: ProxyEnvironment {
  private let runtime: Runtime
  private let index: Int
  private var generator: SplitMix
  private var threadUsage: ProcessorUsage
  private var processUsage: ProcessorUsage
  /// What a pooled context points to while no stream uses it.
  let idleFacts: ConnectionFacts

  init(runtime: Runtime, index: Int) {
    self.runtime = runtime
    self.index = index
    threadUsage = ProcessorUsage(since: runtime.started.instant)
    processUsage = threadUsage
    generator = SplitMix(
      state: UInt64(truncatingIfNeeded: runtime.started.wall.microseconds) ^ UInt64(getpid()) << 20
        ^ UInt64(index))
    idleFacts = ConnectionFacts(source: .none, destination: .none, accepted: runtime.started)
  }

  var processID: Int { Int(getpid()) }
  var nodeName: Bytes { runtime.nodeName }
  var hostName: Bytes { runtime.hostName }
  var threadCount: Int { runtime.workerCount }
  var threadID: Int { index + 1 }
  var activeConnections: Int { runtime.connections.current }
  var isStopping: Bool { runtime.isStopping.load(ordering: .relaxed) }
  var started: Instant { runtime.started.instant }

  func random() -> UInt64 { generator.next() }

  func log(_ context: RuleContext, _ origin: LogOrigin, _ profile: LogProfile?) {
    guard let frontend = runtime.frontendsByName[context.frontend.name], !frontend.log.isEmpty,
      context.logLevel.map({ $0 >= 0 }) ?? true
    else { return }
    if context.keeper?.refreshLogFacts() != true { context.noteConnection(frontend) }
    frontend.writeLog(context, origin, level: context.logLevel ?? 6, at: context.now.wall, profile: profile)
  }

  func transport(_ query: TransportQuery, of socket: Int32) -> Int64? {
    guard socket >= 0, let information = Socket.information(socket) else { return nil }
    switch query {
    case .roundTrip: return Int64(information.roundTrip)
    case .roundTripVariation: return Int64(information.roundTripVariation)
    case .unacknowledged: return Int64(information.unacknowledged)
    case .selectivelyAcknowledged: return Int64(information.selectivelyAcknowledged)
    case .lost: return Int64(information.lost)
    case .retransmitted: return Int64(information.retransmitted)
    case .forwardAcknowledged: return Int64(information.forwardAcknowledged)
    case .reordering: return Int64(information.reordering)
    }
  }

  func savedSYN(of socket: Int32) -> Bytes? { Socket.savedSYN(socket).map { Bytes($0) } }

  func usage(of scope: UsageScope) -> Int {
    switch scope {
    case .thread: Swift.min(100, threadUsage.perCent(CLOCK_THREAD_CPUTIME_ID))
    case .process: Swift.min(100, processUsage.perCent(CLOCK_PROCESS_CPUTIME_ID) / Swift.max(1, runtime.workerCount))
    }
  }

  func certificate(named name: Bytes) -> CertificateBundle? { runtime.certificates.certificate(named: name.string) }

  func hasFrontend(_ name: Bytes) -> Bool { runtime.frontendsByName[name] != nil }
  func isLocal(_ address: IPAddress) -> Bool { address.isLoopback || Socket.isLocal(address) }

  func show(_ text: String, in sink: String) {
    var line = Array(text.utf8)
    switch sink {
    case "stdout", "stderr":
      line.append(ASCII.lf)
      _ = write(sink == "stdout" ? 1 : 2, line, line.count)
    default: _ = runtime.rings.first { $0.name == sink }?.take(&line, textAt: 0)
    }
  }

  func resetOnClose(_ socket: Int32, hops: Int) {
    if socket >= 0 { Socket.resetOnClose(socket, hops: Int32(clamping: hops)) }
  }

  func label(_ socket: Int32, typeOfService: Int?, mark: UInt32?) {
    guard socket >= 0 else { return }
    if let typeOfService { Socket.setTypeOfService(socket, Int32(typeOfService)) }
    if let mark { Socket.setMark(socket, mark) }
  }

  func frontendCount(_ query: FrontendQuery, of name: String) -> Int {
    guard let frontend = runtime.frontendsByName[Bytes(name)] else { return 0 }
    let now = Now.read().wall.microseconds
    switch query {
    case .connections: return frontend.sessions.current
    case .requestRate: return frontend.requestRate.perSecond(at: now)
    case .sessionRate: return frontend.sessionRate.perSecond(at: now)
    }
  }

  func backendCount(_ query: BackendQuery, of name: String) -> Int {
    guard let backend = runtime.backend(named: Bytes(name)) else { return 0 }
    let usable = backend.usableServers
    let active = usable.active > 0 ? usable.active : usable.backup
    switch query {
    case .usableServers: return active
    case .connectionSlots, .freeConnections: return slots(backend, withQueues: query == .connectionSlots)
    case .queue: return totalQueue(backend)
    case .averageQueue: return active > 0 ? (totalQueue(backend) + active - 1) / active : totalQueue(backend)
    case .connections: return backend.sessions.current
    case .sessionRate: return backend.sessionRate.perSecond(at: Now.read().wall.microseconds)
    }
  }

  private func totalQueue(_ backend: Backend) -> Int {
    backend.servers.reduce(backend.queueLength.current) { $0 + $1.queueLength.current }
  }

  /// Free places on the usable servers; -1 when one of them has no bound.
  private func slots(_ backend: Backend, withQueues: Bool) -> Int {
    var sum = 0
    for server in backend.servers where server.isUsable.load(ordering: .relaxed) {
      guard let limit = server.settings.maxConnections, limit > 0 else { return -1 }
      sum += limit - server.sessions.current
      if withQueues {
        guard let queue = server.settings.maxQueue, queue > 0 else { return -1 }
        sum += queue - server.queueLength.current
      }
    }
    return sum
  }

  func serverCount(_ query: ServerQuery, of name: String, in backendName: String) -> Int {
    guard let backend = runtime.backend(named: Bytes(backendName)), let server = backend.serversByName[name]
    else {
      return 0
    }
    switch query {
    case .connections: return server.sessions.current
    case .freeConnections:
      guard let limit = server.settings.maxConnections, limit > 0 else { return -1 }
      return Swift.max(0, limit - server.sessions.current)
    case .isUp: return server.snapshot().acceptsPersistent ? 1 : 0
    case .queue: return server.queueLength.current
    case .sessionRate: return server.sessionRate.perSecond(at: Now.read().wall.microseconds)
    case .weight, .userWeight: return server.snapshot().weight
    case .initialWeight: return server.settings.weight
    }
  }

  func listenerConnections(_ connection: ConnectionFacts) -> Int {
    runtime.listeners.first { $0.id == connection.listenerID }.map { $0.sessions.current } ?? 0
  }
}

/// How much of the time went into work, between two looks that are a while apart.
private struct ProcessorUsage {
  private var last: (time: Int, worked: Int)
  private var known = 0
  /// Nanoseconds between two measurements, at least.
  private static let period = 100_000_000

  /// The first look tells of all the time since the start.
  init(since start: Instant) { last = (Int(start.microseconds) &* 1000, 0) }

  mutating func perCent(_ clock: clockid_t) -> Int {
    let (time, worked) = (ProcessorUsage.read(CLOCK_MONOTONIC), ProcessorUsage.read(clock))
    guard time - last.time >= ProcessorUsage.period else { return known }
    known = Swift.max(0, (worked - last.worked) * 100 / (time - last.time))
    last = (time, worked)
    return known
  }

  private static func read(_ clock: clockid_t) -> Int {
    var time = timespec()
    clock_gettime(clock, &time)
    return time.tv_sec &* 1_000_000_000 &+ time.tv_nsec
  }
}
