import Base
import Config
import Rules
import Synchronization

/// A backend (or the backend half of a listen section) as all workers share it.
final class Backend: Sendable {
  let settings: ProxySettings
  let id: Int
  let facts: ProxyFacts
  let rules: CompiledProxy
  let forwardFor: ForwardedAddress?
  let originalTo: ForwardedAddress?
  private let list: Published<ServerList>
  let counters: Counters
  let sessions = Gauge()
  let queueLength = Gauge()
  let sessionRate = Rate()
  let invalidResponse = ErrorCapture()
  let log: LogTargets
  /// `fullconn`, or a tenth of the frontends' maxconn that can reach it.
  let fullConnections: Int
  /// Weights are in sixteenths, so that `slowstart` can raise them in small steps.
  private let scalesWeights: Bool
  private let balancer: Mutex<Balancer>
  let lastSession = Atomic<Int64>(-1)
  /// `be-unpublished` and the commands `publish backend` and `unpublish backend`.
  let isUnpublished: Atomic<Bool>
  /// Whether cookies are made of servers' addresses, and with which key: `dynamic-cookie` commands change it.
  let dynamicCookies: Mutex<(isEnabled: Bool, key: Bytes?)>
  let times = ExchangeTimes()
  let lastChange: Mutex<(isUp: Bool, since: WallTime, downTime: Int, downTransitions: Int)>

  init(
    settings: ProxySettings, id: Int, rules: CompiledProxy, servers: [Server], workers: Int,
    log: LogTargets, fullConnections: Int, retirement: Retirement = Retirement(), now: Now
  ) {
    self.settings = settings
    self.id = id
    facts = ProxyFacts(settings, id: id, defaultBackend: nil)
    isUnpublished = Atomic(settings.isUnpublished)
    dynamicCookies = Mutex((settings.cookie?.dynamic ?? false, settings.dynamicCookieKey))
    self.rules = rules
    forwardFor = ForwardedAddress(settings.forwardFor)
    originalTo = ForwardedAddress(settings.originalTo)
    list = Published(ServerList(servers), retirement)
    self.log = log
    self.fullConnections = fullConnections
    counters = Counters(workers: workers)
    balancer = Mutex(
      Balancer(
        algorithm: BalancingAlgorithms.make(
          settings.balance, seed: UInt64(truncatingIfNeeded: now.wall.microseconds)),
        servers: servers))
    lastChange = Mutex((true, now.wall, 0, 0))
    scalesWeights =
      servers.contains { $0.settings.slowStart != nil }
      && BalancingAlgorithms.followsWeights(settings.balance)
    serverChanged()
    noteInitialState()
  }

  var name: String { settings.name }
  /// Servers as they are now, in order.
  var servers: [Server] { list.read { $0.servers } ?? [] }
  var serversByCookie: [Bytes: Server] { list.read { $0.byCookie } ?? [:] }
  var serversByName: [String: Server] { list.read { $0.byName } ?? [:] }

  // MARK: Choosing a server

  enum Assignment {
    /// A session slot on the server is taken; give it back with `release`.
    case server(Server)
    /// All are full: wait for `PendingSession.wake`.
    case queued(PendingSession)
    /// No server is usable.
    case noServer
    /// The queue itself is full.
    case queueFull
  }

  /// Chooses by the balance algorithm. `avoiding` is the server that just failed (redispatch).
  func assign(
    hash: UInt32?, avoiding: Server? = nil, wake: @autoclosure () -> PendingSession
  ) -> Assignment {
    let total = sessions.current
    return balancer.withLock { state in
      guard !state.candidates.isEmpty else { return .noServer }
      let avoided = state.candidates.count > 1 ? avoiding?.index : nil
      let slots = state.slots
      let share = hash == nil ? nil : LoadShare(state.candidates, slots, factor: settings.hashBalanceFactor)
      func full(_ index: Int) -> Bool { index == avoided || slots[index].map { isFull($0, total) } ?? true }
      // A hashed key stays with its server and waits there, unless `hash-preserve-affinity` or `hash-balance-factor`
      // say otherwise.
      func barred(_ index: Int) -> Bool {
        index == avoided
          || slots[index].map { losesAffinity($0, total) || share?.isExceeded(by: $0) ?? false } ?? true
      }
      let picked =
        hash == nil
        ? state.algorithm.pick(hash: nil, isFull: full) : state.algorithm.pick(hash: hash, isFull: barred)
      if let index = picked, let server = slots[index] {
        if hash == nil || !full(index) {
          take(server, &state)
          return .server(server)
        }
        return enqueue(wake(), on: server, &state)
      }
      return enqueue(wake(), on: nil, &state)
    }
  }

  /// Takes a slot on a given server (persistence, use-server), or queues for it.
  func assign(to server: Server, wake: @autoclosure () -> PendingSession) -> Assignment {
    let total = sessions.current
    return balancer.withLock { state in
      if !isFull(server, total) {
        take(server, &state)
        return .server(server)
      }
      return enqueue(wake(), on: server, &state)
    }
  }

  /// `hash-preserve-affinity`: when a key's server is passed over.
  private func losesAffinity(_ server: Server, _ backendSessions: Int) -> Bool {
    switch settings.hashPreserveAffinity {
    case "maxconn": return isFull(server, backendSessions)
    case "maxqueue":
      guard let limit = server.settings.maxQueue, limit > 0 else { return false }
      return isFull(server, backendSessions) && server.queueLength.current >= limit
    default: return false
    }
  }

  /// The server for a log message, which takes no slot and never waits; nil when none is usable.
  func serverForMessage(hash: UInt32?) -> Server? {
    balancer.withLock { state in
      state.algorithm.pick(hash: hash, isFull: { _ in false }).flatMap { state.slots[$0] }
    }
  }

  private func isFull(_ server: Server, _ backendSessions: Int) -> Bool {
    server.sessions.current
      >= server.connectionLimit(backendSessions: backendSessions, fullConnections: fullConnections)
  }

  private func take(_ server: Server, _ state: inout Balancer) {
    let served = server.sessions.increment()
    state.algorithm.loadChanged(index: server.index, served: served)
  }

  private func enqueue(_ pending: PendingSession, on server: Server?, _ state: inout Balancer) -> Assignment {
    if let server {
      if let limit = server.settings.maxQueue, limit > 0, server.queueLength.current >= limit {
        return .queueFull
      }
      pending.server = server
      state.serverQueues[server.index].append(pending)
      server.queueLength.increment()
    } else {
      state.queue.append(pending)
      queueLength.increment()
    }
    pending.position = state.served
    return .queued(pending)
  }

  /// A session on `server` has ended: the slot goes to whoever waits longest, or back.
  func release(_ server: Server) {
    let total = sessions.current
    let next = balancer.withLock { state -> PendingSession? in
      server.sessions.decrement()
      state.algorithm.loadChanged(index: server.index, served: server.sessions.current)
      if isFull(server, total) { return nil }
      return nextWaiting(for: server, &state)
    }
    next?.wake(server)
  }

  private func nextWaiting(for server: Server, _ state: inout Balancer) -> PendingSession? {
    let sharesQueue = server.isUsable.load(ordering: .relaxed)
    while true {
      let own = state.serverQueues[server.index].first
      let common = sharesQueue ? state.queue.first : nil
      let next: PendingSession
      if let own, common.map({ own.priority <= $0.priority }) ?? true {
        next = own
        _ = state.serverQueues[server.index].popFirst()
        server.queueLength.decrement()
      } else if let common {
        next = common
        _ = state.queue.popFirst()
        queueLength.decrement()
      } else {
        return nil
      }
      if next.isCancelled.load(ordering: .relaxed) { continue }
      take(server, &state)
      return next
    }
  }

  /// Forgets a waiting session (its client left, or the queue timeout came).
  func cancel(_ pending: PendingSession) {
    balancer.withLock { state in
      pending.isCancelled.store(true, ordering: .relaxed)
      if let server = pending.server {
        if state.serverQueues[server.index].remove(pending) { server.queueLength.decrement() }
      } else if state.queue.remove(pending) {
        queueLength.decrement()
      }
    }
  }

  // MARK: Changes

  /// A server went up, down, into or out of maintenance, or changed its weight. Gives the number of waiting
  /// sessions that left its queue, for the log.
  @discardableResult
  func serverChanged(_ changed: Server? = nil) -> Int {
    var requeued = 0
    var woken: [(PendingSession, Server)] = []
    let total = sessions.current
    balancer.withLock { state in
      let servers = state.slots.compactMap { $0 }
      let usable = servers.filter { $0.isUsable.load(ordering: .relaxed) }
      let active = usable.filter { !$0.settings.isBackup }
      var chosen = active
      if active.isEmpty {
        let backups = usable.filter(\.settings.isBackup)
        chosen = settings.allBackups ? backups : Array(backups.prefix(1))
      }
      let candidates = chosen.map { server in
        let weight = server.state.withLock { scalesWeights ? $0.scaledWeight : $0.weight }
        return Candidate(index: server.index, weight: weight, id: server.id)
      }
      state.candidates = candidates
      state.algorithm.rebuild(candidates)
      // Those that wait for a server that is gone go back to the common queue; then free slots are filled.
      for server in servers where !server.isUsable.load(ordering: .relaxed) {
        while let pending = state.serverQueues[server.index].popFirst() {
          server.queueLength.decrement()
          pending.server = nil
          state.queue.append(pending)
          queueLength.increment()
          if server === changed { requeued += 1 }
        }
      }
      for candidate in candidates {
        guard let server = state.slots[candidate.index] else { continue }
        while !isFull(server, total), let next = nextWaiting(for: server, &state) {
          woken.append((next, server))
        }
      }
    }
    for (pending, server) in woken {
      if server === changed { requeued += 1 }
      pending.wake(server)
    }
    return requeued
  }

  // MARK: Servers that come and go

  /// The place that a new server will take. Servers are added and removed by `ServerControl` alone.
  var freeIndex: Int {
    balancer.withLock { state in state.slots.firstIndex { $0 == nil } ?? state.slots.count }
  }

  /// Takes a server in, at its `index`, which `freeIndex` gave.
  func add(_ server: Server) {
    balancer.withLock { state in
      if server.index < state.slots.count {
        state.slots[server.index] = server
      } else {
        state.slots.append(server)
        state.serverQueues.append(SessionQueue())
      }
    }
    list.publish(ServerList(servers + [server]))
    serverChanged()
  }

  /// The lists by name are made anew.
  func serverRenamed() { list.publish(ServerList(servers)) }

  /// Lets a server go that has no sessions; false when it has some.
  func remove(_ server: Server) -> Bool {
    let isFree = balancer.withLock { state in
      guard server.sessions.current == 0, server.queueLength.current == 0,
        state.slots[server.index] === server
      else {
        return false
      }
      state.slots[server.index] = nil
      return true
    }
    guard isFree else { return false }
    list.publish(ServerList(servers.filter { $0 !== server }))
    serverChanged()
    return true
  }

  /// Counts the backend's own changes between up and down; `whenDown` is called when its last server has left.
  func noteState(at now: Now, whenDown: () -> Void) {
    let usable = usableServers
    let isUp = usable.active + usable.backup > 0
    let wentDown = lastChange.withLock { change -> Bool in
      guard change.isUp != isUp else { return false }
      if isUp {
        change.downTime += Int(Swift.max(0, now.wall.seconds - change.since.seconds))
      } else {
        change.downTransitions += 1
      }
      change.isUp = isUp
      change.since = now.wall
      return !isUp
    }
    if wentDown { whenDown() }
  }

  /// What the backend starts as.
  func noteInitialState() {
    let usable = usableServers
    lastChange.withLock { $0.isUp = usable.active + usable.backup > 0 || servers.isEmpty }
  }

  /// Servers that balancing uses now: (active, backup).
  var usableServers: (active: Int, backup: Int) {
    var counts = (active: 0, backup: 0)
    for server in servers where server.isUsable.load(ordering: .relaxed) {
      if server.settings.isBackup { counts.backup += 1 } else { counts.active += 1 }
    }
    return counts
  }
}

/// `hash-balance-factor`: how many sessions each server may have, in percent of its share of all of them.
private struct LoadShare {
  private let slots: Int
  private let totalWeight: Int
  private let weights: [Int: Int]

  /// nil without a factor.
  init?(_ candidates: [Candidate], _ servers: [Server?], factor: Int) {
    guard factor > 0 else { return nil }
    var weights: [Int: Int] = [:]
    var served = 0
    for candidate in candidates {
      weights[candidate.index] = candidate.weight
      served += servers[candidate.index]?.sessions.current ?? 0
    }
    self.weights = weights
    totalWeight = Swift.max(1, weights.values.reduce(0, +))
    slots = ((served + 1) * factor + 99) / 100
  }

  func isExceeded(by server: Server) -> Bool {
    let weight = weights[server.index] ?? 0
    return server.sessions.current >= (slots * weight + totalWeight - 1) / totalWeight
  }
}

/// What the backend's lock protects: the algorithm's state and the queues.
private struct Balancer: ~Copyable {
  var algorithm: any BalancingAlgorithm
  var candidates: [Candidate] = []
  /// By `Server.index`; nil where a server was removed.
  var slots: [Server?]
  var queue = SessionQueue()
  var serverQueues: [SessionQueue]
  /// Sessions taken from a queue so far.
  var served = 0

  init(algorithm: any BalancingAlgorithm, servers: [Server]) {
    self.algorithm = algorithm
    slots = servers
    serverQueues = Array(repeating: SessionQueue(), count: servers.count)
  }
}

/// The servers of a backend at one time, by cookie value and by name too.
private final class ServerList: Sendable {
  let servers: [Server]
  let byCookie: [Bytes: Server]
  let byName: [String: Server]

  init(_ servers: [Server]) {
    self.servers = servers
    var cookies: [Bytes: Server] = [:]
    var names: [String: Server] = [:]
    for server in servers {
      if let cookie = server.cookie, cookies[cookie] == nil { cookies[cookie] = server }
      if names[server.name] == nil { names[server.name] = server }
    }
    byCookie = cookies
    byName = names
  }
}

extension ProxyFacts {
  /// What expressions see of a proxy.
  init(_ settings: ProxySettings, id: Int, defaultBackend: String?) {
    self.init(name: Bytes(settings.name), id: id)
    func milliseconds(_ span: Timespan?) -> Int { Int(span?.milliseconds ?? 0) }
    defaultBackendName = Bytes(defaultBackend ?? "")
    clientTimeout = milliseconds(settings.timeouts.client)
    serverTimeout = milliseconds(settings.timeouts.server)
    tunnelTimeout = milliseconds(settings.timeouts.tunnel)
    connectTimeout = milliseconds(settings.timeouts.connect)
    queueTimeout = milliseconds(settings.timeouts.queue)
    tarpitTimeout = milliseconds(settings.timeouts.tarpit)
    retries = settings.retries
  }
}
