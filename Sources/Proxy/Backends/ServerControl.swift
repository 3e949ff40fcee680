import Base
import Config
import NetIO
import Synchronization

/// The only way to change the state of servers: checks, agents, live traffic, the runtime API and the statistics
/// page all end here.
///
/// A change is made under the server's lock, then told to the backend's balancer, to tracking servers, to the
/// workers (idle connections, sessions to be shut down) and to the logs. Changes of all servers follow one
/// another (`changes`), so that logs and counts agree with what happened; none of them is on the hot path.
final class ServerControl: Sendable {
  /// A server with what a change needs to know of its surroundings.
  struct Entry: Sendable {
    let server: Server
    let backend: Backend
    /// Numbers of the servers that follow this one (`track`).
    var trackers: [Int] = []
    /// The number of the server that this one follows.
    var tracked: Int?
  }

  /// The place of a server's number; it may go to another server when the first is gone.
  private struct Slot {
    var entry: Entry
    var isGone = false
  }

  private let table: Mutex<[Slot]>
  private let changes = Mutex<Void>(())
  private let workers = Mutex<[Worker]>([])
  /// Wakes a server's check, so that it notices that it is wanted sooner.
  private let waker = Mutex<(@Sendable (Server) -> Void)?>(nil)
  let announcer: StateAnnouncer

  init(backends: [Backend], announcer: StateAnnouncer) {
    var entries: [Entry] = []
    for backend in backends {
      for server in backend.servers { entries.append(Entry(server: server, backend: backend)) }
    }
    entries.sort { $0.server.number < $1.server.number }
    ServerControl.linkTracking(&entries, backends)
    table = Mutex(entries.map { Slot(entry: $0) })
    self.announcer = announcer
    for entry in entries where entry.tracked == nil { inheritInitialState(entry) }
  }

  /// `track [backend/]server`. The configuration has been checked: what cannot be found is left out.
  private static func linkTracking(_ entries: inout [Entry], _ backends: [Backend]) {
    for i in entries.indices {
      guard let word = entries[i].server.settings.track else { continue }
      let parts = word.text.split(separator: "/", maxSplits: 1).map(String.init)
      let backend = parts.count == 2 ? backends.first { $0.name == parts[0] } : entries[i].backend
      guard let target = backend?.serversByName[parts.last ?? ""], target.number < entries.count else {
        continue
      }
      entries[i].tracked = target.number
      entries[target.number].trackers.append(i)
    }
  }

  /// Servers that track one which starts down or in maintenance start so too.
  private func inheritInitialState(_ entry: Entry) {
    let state = entry.server.snapshot()
    for number in entry.trackers {
      let tracker = self.entry(number)
      tracker.server.state.withLock {
        if state.isInMaintenance {
          $0.administration.insert(.inheritedMaintenance)
          $0.operation = .stopped
        } else {
          $0.operation = state.operation
        }
        tracker.server.isUsable.store($0.isUsable, ordering: .relaxed)
      }
      tracker.backend.serverChanged()
      tracker.backend.noteInitialState()
      inheritInitialState(tracker)
    }
  }

  /// The workers exist now; changes that concern their connections can reach them.
  func attach(_ workers: [Worker]) { self.workers.withLock { $0 = workers } }

  /// `wake` is called when a server's next check should come after `fastinter`.
  func setCheckWaker(_ wake: @escaping @Sendable (Server) -> Void) { waker.withLock { $0 = wake } }

  func wakeCheck(of server: Server) { waker.withLock { $0 }?(server) }

  /// All servers, by number.
  var entries: [Entry] { table.withLock { $0.lazy.filter { !$0.isGone }.map(\.entry) } }

  /// The entry of a number that some server has or had.
  func entry(_ number: Int) -> Entry { table.withLock { $0[number].entry } }

  func entry(_ server: Server) -> Entry {
    let found = entry(server.number)
    return found.server === server ? found : Entry(server: server, backend: found.backend)
  }

  // MARK: Servers that come and go

  /// The number that a new server will have. Call within `exclusively`.
  var freeNumber: Int { table.withLock { slots in slots.firstIndex(where: \.isGone) ?? slots.count } }

  /// Call within `exclusively`; `tracked` is the number of the server that it follows.
  func add(_ server: Server, to backend: Backend, tracked: Int?) -> Entry {
    var entry = Entry(server: server, backend: backend)
    entry.tracked = tracked
    table.withLock { slots in
      if server.number < slots.count {
        slots[server.number] = Slot(entry: entry)
      } else {
        slots.append(Slot(entry: entry))
      }
      // The newest follower is told first.
      if let tracked { slots[tracked].entry.trackers.insert(server.number, at: 0) }
    }
    backend.add(server)
    return entry
  }

  /// Call within `exclusively`; false when the server still has sessions.
  func remove(_ entry: Entry) -> Bool {
    guard entry.backend.remove(entry.server) else { return false }
    table.withLock { slots in
      slots[entry.server.number].isGone = true
      if let tracked = entry.tracked { slots[tracked].entry.trackers.removeAll { $0 == entry.server.number } }
    }
    return true
  }

  /// Runs `body` while no other change is made.
  func exclusively<R>(_ body: () -> R) -> R { changes.withLock { _ in body() } }

  // MARK: Operation

  /// Up, down or stopping, and all that follow this server too. Call within `exclusively`.
  func setOperation(_ entry: Entry, _ wanted: ServerState.Operation, _ cause: StateCause, at now: Now) {
    let server = entry.server
    var target = wanted
    if wanted == .running, server.settings.slowStart != nil { target = .starting }
    let old = server.snapshot()
    guard !old.isInMaintenance else { return }
    switch (old.operation, wanted) {
    case (.stopped, .stopped), (.stopping, .stopping), (.starting, .running), (.running, .running): return
    default: break
    }
    server.state.withLock { state in
      state.operation = target
      state.warmth = target == .starting ? 1 : 16
    }
    commit(entry, from: old, at: now) { requeued in
      announcer.operation(entry, from: old, cause, requeued: requeued, tracked(entry), at: now)
    }
    for number in entry.trackers { setOperation(self.entry(number), wanted, .none, at: now) }
  }

  func tracked(_ entry: Entry) -> Entry? { entry.tracked.map { self.entry($0) } }

  // MARK: Administration

  /// Adds a reason for maintenance or drain. Call within `exclusively`.
  func insert(_ flag: ServerState.Administration, _ entry: Entry, _ cause: StateCause = .none, at now: Now) {
    let server = entry.server
    let old = server.snapshot()
    guard !old.administration.contains(flag) else { return }
    server.state.withLock { state in
      state.administration.insert(flag)
      if state.isInMaintenance, !old.isInMaintenance {
        state.health = 0
        state.operation = .stopped
      }
    }
    commit(entry, from: old, at: now) { requeued in
      announcer.administration(entry, from: old, cause, requeued: requeued, tracked(entry), at: now)
    }
    guard !ServerControl.isCovered(flag, by: old.administration) else { return }
    for number in entry.trackers { insert(ServerControl.inherited(flag), self.entry(number), cause, at: now) }
  }

  /// Takes a reason for maintenance or drain away. Call within `exclusively`.
  func remove(_ flag: ServerState.Administration, _ entry: Entry, at now: Now) {
    let server = entry.server
    let old = server.snapshot()
    guard old.administration.contains(flag) else { return }
    let followed = tracked(entry)?.server.snapshot()
    server.state.withLock { state in
      state.administration.remove(flag)
      guard old.isInMaintenance, !state.isInMaintenance else { return }
      ServerControl.leaveMaintenance(&state, server.settings, followed)
    }
    commit(entry, from: old, at: now) { requeued in
      announcer.administration(entry, from: old, .none, requeued: requeued, tracked(entry), at: now)
    }
    guard !ServerControl.isCovered(flag, by: server.snapshot().administration) else { return }
    for number in entry.trackers { remove(ServerControl.inherited(flag), self.entry(number), at: now) }
  }

  /// A server that leaves maintenance is up at once unless what it follows is down or its agent says no; its
  /// first failed check takes it down again.
  private static func leaveMaintenance(
    _ state: inout ServerState, _ settings: ServerSettings, _ followed: ServerState?
  ) {
    if state.checksEnabled { state.health = settings.rise }
    state.setInitialState(settings)
    guard settings.initState == "up" || settings.initState == "none" || !state.checksEnabled else { return }
    if let followed, followed.operation == .stopped { return }
    if state.agentEnabled, state.agentHealth < 1 { return }
    if let followed, followed.operation == .stopping {
      state.operation = .stopping
    } else {
      state.operation = settings.slowStart == nil ? .running : .starting
      state.warmth = settings.slowStart == nil ? 16 : 1
    }
  }

  private static func inherited(_ flag: ServerState.Administration) -> ServerState.Administration {
    flag.isDisjoint(with: .anyMaintenance) ? .inheritedDrain : .inheritedMaintenance
  }

  /// Whether another flag of the same kind is there.
  private static func isCovered(_ flag: ServerState.Administration, by all: ServerState.Administration)
    -> Bool
  {
    let kind: ServerState.Administration =
      flag.isDisjoint(with: .anyMaintenance) ? .anyDrain : .anyMaintenance
    return !all.intersection(kind).subtracting(flag).isEmpty
  }

  // MARK: What follows from a change

  /// Brings everything else into agreement with a state that has just changed from `old`.
  @discardableResult
  func commit(_ entry: Entry, from old: ServerState, at now: Now, announce: (Int) -> Void) -> Int {
    let server = entry.server
    let new = server.state.withLock { state -> ServerState in
      if state.operation != old.operation {
        if old.operation == .stopped { state.downTime = old.totalDownTime(at: now.wall) }
        state.lastChange = now.wall
      }
      return state
    }
    server.isUsable.store(new.isUsable, ordering: .relaxed)
    if new.operation != .starting { server.throttle.store(100, ordering: .relaxed) }
    let wentDown = old.operation != .stopped && new.operation == .stopped
    if wentDown { server.counters.add(.downTransitions, worker: 0) }
    let requeued = entry.backend.serverChanged(server)
    if !new.acceptsPersistent, old.acceptsPersistent { serverLeft(entry) }
    let isBack = new.isUsable && !old.isUsable
    if isBack, server.settings.shutdownBackupSessionsWhenUp, !server.settings.isBackup {
      endBackupSessions(entry)
    }
    if new.operation == .starting, old.operation != .starting { startWarming(entry, at: now) }
    announce(requeued)
    entry.backend.noteState(at: now) { announcer.backendIsDown(entry.backend, at: now) }
    return requeued
  }

  /// Nobody may use the server's connections any more.
  private func serverLeft(_ entry: Entry) {
    let server = entry.server
    let endsSessions = server.settings.shutdownSessionsWhenDown
    onEachWorker { worker in
      worker.serverPools.drain(server)
      if endsSessions { worker.endSessions(on: server, .down) }
    }
  }

  private func endBackupSessions(_ entry: Entry) {
    let backups = entry.backend.servers.filter(\.settings.isBackup)
    onEachWorker { worker in
      for server in backups { worker.endSessions(on: server, .backupNotNeeded) }
    }
  }

  /// Ends every session on the server (`shutdown sessions server`).
  func endSessions(on server: Server) {
    onEachWorker { $0.endSessions(on: server, .killed) }
  }

  /// Closes the idle connections to the server on all workers: its address has changed.
  func dropIdleConnections(to server: Server) {
    onEachWorker { $0.serverPools.drain(server) }
  }

  private func onEachWorker(_ body: @escaping @Sendable (Worker) -> Void) {
    for worker in workers.withLock({ $0 }) {
      worker.loop.enqueue { body(worker) }
    }
  }

  /// The worker that checks a server and runs its timers.
  func worker(for server: Server) -> Worker? {
    workers.withLock { $0.isEmpty ? nil : $0[server.number % $0.count] }
  }
}
