import Base
import Config
import Glibc
import NetIO
import Rules
import TLS

/// A running `peers` section: its listeners, its peers and the tables that they share, all on one worker's loop.
///
/// At first the tables are learned: from an older process of ours if one connects, else from the first remote peer
/// that is reached. A process that stops teaches its successor.
final class PeersSection: TimerOwner {
  let settings: PeersSettings
  let localName: String
  var activity: ProcessActivity { worker.runtime.activity }
  let tables: [SharedTable]
  let peers: [RemotePeer]
  let worker: Worker
  private let log: LogTargets
  private var listeners: [PeerListener]
  private var incoming: [ObjectIdentifier: PeerSession] = [:]
  private let timer = Timer()
  private(set) var isUpToDate = false
  private(set) var learnsUntil: Instant
  let began: WallTime
  /// How often the section's clockwork ran.
  private(set) var turns = 0
  private(set) var isStopping = false
  /// The successor knows all, or there is none.
  private(set) var hasTaught = false
  private var refusedAttempts = 0
  private var gatherIsDue = false

  private static let learningTime = Timespan.seconds(5)
  private static let retryTime = Timespan.seconds(5)
  private static let localRetryTime = Timespan.milliseconds(500)
  /// Incoming connections that have not yet said who they are.
  private static let incomingBound = 64

  init(_ plan: PeersPlan, worker: Worker, listeners: [PeerListener]) {
    settings = plan.settings
    localName = plan.localName
    self.worker = worker
    self.listeners = listeners
    log = plan.log
    let all = worker.runtime.rules.tables
    tables = all.filter { $0.peersName == plan.settings.name.text }.enumerated().map { number, table in
      SharedTable(
        table, id: UInt64(number + 1),
        writeTo: table.writeToName.flatMap { name in all.first { $0.name == name } })
    }
    let now = worker.loop.now.instant
    began = worker.loop.now.wall
    peers = plan.peers.map {
      RemotePeer(
        name: $0.name, isLocal: $0.name == plan.localName, address: $0.address, tls: $0.tls,
        shard: $0.shard, now: now)
    }
    learnsUntil = now + PeersSection.learningTime
  }

  var name: String { settings.name.text }
  private var now: Instant { worker.loop.now.instant }

  /// Begins, on the loop's own thread.
  func start() {
    for listener in listeners { listener.start(self, on: worker.loop) }
    let loop = worker.loop
    for table in tables {
      let box = Confined(self)
      table.table.noteChanges { loop.enqueue { box.value.changesCame() } }
    }
    learnsUntil = now + PeersSection.learningTime
    timerFired(timer)
  }

  // MARK: Time

  func timerFired(_ timer: Timer) {
    turns += 1
    var next = now + .seconds(1)
    if !isUpToDate, now >= learnsUntil, !peers.contains(where: { $0.session?.isLearning ?? false }) {
      isUpToDate = true
    }
    for peer in peers where peer.session == nil && peer.isLocal == isStopping {
      if hasTaught { continue }
      if now >= peer.nextAttempt { connect(to: peer) }
      if peer.session == nil { next = Swift.min(next, Swift.max(peer.nextAttempt, now + .milliseconds(20))) }
    }
    if !isUpToDate { next = Swift.min(next, Swift.max(learnsUntil, now + .milliseconds(20))) }
    worker.loop.timers.set(timer, to: next, owner: self)
  }

  private func connect(to peer: RemotePeer) {
    peer.nextAttempt = now + (peer.isLocal ? PeersSection.localRetryTime : PeersSection.retryTime)
    guard peer.address != .none, let fd = Socket.stream(for: peer.address) else {
      return attemptRefused(peer)
    }
    if Socket.connect(fd, to: peer.address) != nil {
      Glibc.close(fd)
      return attemptRefused(peer)
    }
    var tls: TLSSession?
    if let settings = peer.tls {
      guard let session = settings.session(serverName: nil) else {
        Glibc.close(fd)
        return
      }
      tls = session
    }
    let session = PeerSession(self, fd, to: peer, tls: tls)
    peer.session = session
    if !session.start() { session.close() }
  }

  /// Nobody listens in our place: there is no successor to teach.
  private func attemptRefused(_ peer: RemotePeer) {
    guard peer.isLocal, isStopping else { return }
    refusedAttempts += 1
    if refusedAttempts >= 2 { hasTaught = true }
  }

  // MARK: Sessions

  func peer(named name: String) -> RemotePeer? { peers.first { $0.name == name } }

  fileprivate func admit(_ descriptor: Int32, _ settings: ListenerTLS?) {
    guard incoming.count < PeersSection.incomingBound, !isStopping else {
      Glibc.close(descriptor)
      return
    }
    var tls: TLSSession?
    if let settings {
      guard let session = settings.session() else {
        Glibc.close(descriptor)
        return
      }
      tls = session
    }
    let session = PeerSession(self, descriptor, to: nil, tls: tls)
    incoming[ObjectIdentifier(session)] = session
    if !session.start() { session.close() }
  }

  /// Whether an incoming session may take the place of the one there is: the newer wins, but for our own successor.
  func mayReplace(_ peer: RemotePeer, by session: PeerSession) -> Bool {
    if let old = peer.session, old !== session {
      if peer.isLocal, old.state == .established { return false }
      peer.collisions += 1
      old.close()
      // Both sides connecting at once should not do so again.
      peer.nextAttempt = now + .milliseconds(Int64.random(in: 50...2050))
    }
    peer.session = session
    incoming[ObjectIdentifier(session)] = nil
    return true
  }

  func established(_ session: PeerSession, _ peer: RemotePeer) {
    if isStopping { return session.teach() }
    if peer.isLocal {
      if !isUpToDate {
        session.expectLesson()
        learnsUntil = now + PeersSection.learningTime
      }
    } else if !isUpToDate, !peers.contains(where: { $0.session?.isLearning ?? false }) {
      learnsUntil = now + PeersSection.learningTime
      session.learn()
    }
    gather()
  }

  func lessonLearned(_ peer: RemotePeer?, isComplete: Bool) {
    if isComplete {
      isUpToDate = true
      return
    }
    peer?.isIncomplete = true
    learnsUntil = now + PeersSection.learningTime
    let next = peers.first { !$0.isIncomplete && !$0.isLocal && $0.session?.state == .established }
    next?.session?.learn()
  }

  func lessonConfirmed(_ session: PeerSession) {
    guard isStopping else { return }
    hasTaught = true
    session.close()
  }

  func sessionClosed(_ session: PeerSession, wasEstablished: Bool) {
    incoming[ObjectIdentifier(session)] = nil
    guard let peer = session.peer, peer.session === session else { return }
    peer.session = nil
    if !wasEstablished { attemptRefused(peer) }
    let pause = peer.isLocal ? PeersSection.localRetryTime : PeersSection.retryTime
    if wasEstablished, !peer.isLocal { peer.nextAttempt = now + .milliseconds(Int64.random(in: 50...1000)) }
    peer.nextAttempt = Swift.min(peer.nextAttempt, now + pause)
    // Whoever was learned from is gone: another is asked.
    if session.isLearning, !isUpToDate {
      learnsUntil = now + PeersSection.learningTime
      peers.first { !$0.isLocal && $0.session?.state == .established }?.session?.learn()
    }
  }

  func reportFault(_ name: String) {
    log.send(
      level: 5, "Peers section \(self.name): a malformed message came from '\(name)'.",
      at: worker.loop.now.wall)
  }

  // MARK: Changes

  private func changesCame() {
    guard !gatherIsDue else { return }
    gatherIsDue = true
    worker.loop.afterEvents(self)
  }

  private func gather() {
    for table in tables { table.gather() }
    for peer in peers { peer.session?.push() }
  }

  // MARK: End

  /// A soft stop: what is known goes to the process that takes our place, if there is one.
  func stop() {
    guard !isStopping else { return }
    isStopping = true
    for listener in listeners { listener.stop() }
    listeners.removeAll()
    for peer in peers { peer.session?.close() }
    for session in incoming.values { session.close() }
    let local = peers.first { $0.isLocal }
    guard let local, local.address != .none, !tables.allSatisfy({ $0.table.count == 0 }) else {
      hasTaught = true
      return
    }
    local.nextAttempt = now
    timerFired(timer)
  }
}

extension PeersSection: DeferredWork {
  func runDeferred() {
    gatherIsDue = false
    gather()
  }
}

/// One address on which a section waits for its peers.
final class PeerListener: EventHandler {
  private let descriptor: Int32
  private let tls: ListenerTLS?
  private unowned var section: PeersSection?
  private var loop: EventLoop?
  private var token: EventLoop.Token?

  init(_ address: SocketAddress, _ inherited: Int32?, _ bind: BindSettings?, _ tls: ListenerTLS?)
    throws(ListeningSocket.Failure)
  {
    self.tls = tls
    if let inherited {
      guard Socket.adopt(inherited) else {
        throw ListeningSocket.Failure(call: "use inherited descriptor", code: errno)
      }
      descriptor = inherited
      return
    }
    var options = ListeningSocket.Options()
    options.backlog = 128
    options.mode = bind?.mode
    options.uid = bind?.uid
    options.gid = bind?.gid
    options.interface = bind?.interface
    descriptor = try ListeningSocket.open(address, options)
  }

  func start(_ section: PeersSection, on loop: EventLoop) {
    self.section = section
    self.loop = loop
    token = loop.registerListener(descriptor, self)
  }

  func stop() {
    if let token { loop?.deregister(token, descriptor, closing: false) }
    token = nil
    close(descriptor)
  }

  func descriptorReady(_ readiness: Readiness) {
    while true {
      let (result, accepted, _) = Socket.accept(descriptor)
      guard case .bytes = result else { return }
      Socket.setNoDelay(accepted)
      section?.admit(accepted, tls)
    }
  }
}
