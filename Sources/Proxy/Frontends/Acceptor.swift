import Base
import Config
import Glibc
import NetIO
import Rules
import Synchronization

/// Why the gateway cannot listen.
struct ListenFailure: Error {
  var listener: ListenerSettings
  var reason: String
}

/// One worker's listening socket for one address.
///
/// It stops accepting at the process's, the frontend's or the bind line's `maxconn`, and goes on when a
/// connection ends.
final class Acceptor: EventHandler, TimerOwner {
  let listener: ListenerSettings
  private unowned let worker: Worker
  private let descriptor: Int32
  private var token: EventLoop.Token?
  private var isStopped = false
  private var isSuspended = false
  private let retry = Timer()
  /// Connections taken before other events get their turn: `tune.maxaccept`.
  private let batch: Int

  init(listener: ListenerSettings, worker: Worker) throws(ListenFailure) {
    self.listener = listener
    self.worker = worker
    batch = worker.runtime.global.acceptBatch
    let shared = listener.sharedDescriptor.load(ordering: .acquiring)
    if shared >= 0 {
      descriptor = dup(shared)
    } else {
      do throws(ListeningSocket.Failure) {
        descriptor = try ListeningSocket.open(listener.address, Acceptor.options(listener))
      } catch let failure {
        throw ListenFailure(listener: listener, reason: failure.text)
      }
    }
    // Accepted sockets inherit both, which spares two calls for each.
    Socket.setNoDelay(descriptor)
    let sizes = worker.runtime.global.clientSockets
    Socket.setSizes(descriptor, receive: sizes.receive, send: sizes.send, unsent: sizes.unsent)
    if listener.frontend.settings.smartAccept { Socket.setQuickAck(descriptor, false) }
    let settings = listener.frontend.settings
    if settings.clientKeepAlive || settings.tcpKeepAlive {
      Socket.setKeepAlive(descriptor, settings.clientKeepAliveProbes)
    }
    if settings.noLinger { Socket.setLingerZero(descriptor) }
  }

  static func options(_ listener: ListenerSettings) -> ListeningSocket.Options {
    let bind = listener.bind
    var options = ListeningSocket.Options()
    let backlog = bind.backlog ?? listener.frontend.settings.backlog ?? listener.frontend.maxConnections
    options.backlog = Int32(clamping: Swift.max(backlog, 1024))
    options.v6only = bind.v6only || !bind.v4v6
    if case .ip(.v6(0, 0), _) = listener.address { options.v6only = bind.v6only }
    options.interface = bind.interface
    options.transparent = bind.transparent
    options.deferAccept = bind.deferAccept
    options.fastOpen = bind.tcpFastOpen
    options.savedSYN = bind.savedSYN.map { Int32(clamping: $0) }
    options.maxSegmentSize = bind.maxSegmentSize.map { Int32(clamping: $0) }
    options.userTimeoutMilliseconds = bind.tcpUserTimeout.map { Int32(clamping: $0.milliseconds) }
    options.congestionControl = bind.congestionControl?.text
    options.segmentPassword = bind.segmentPassword
    options.mode = bind.mode
    options.uid = bind.uid
    options.gid = bind.gid
    return options
  }

  func start() { resume() }

  func stop() {
    guard !isStopped else { return }
    isStopped = true
    pause()
    worker.loop.timers.cancel(retry)
    close(descriptor)
  }

  var frontend: Frontend { listener.frontend }

  /// `disable frontend`: clients are refused, not kept waiting; `enable frontend` ends that.
  func setAccepting(_ accepts: Bool) {
    guard !isStopped, accepts == isSuspended else { return }
    isSuspended = !accepts
    if accepts {
      listen(descriptor, Acceptor.options(listener).backlog)
      return resume()
    }
    pause()
    worker.loop.timers.cancel(retry)
    if listener.address.ip != nil { shutdown(descriptor, Int32(SHUT_RD)) }
  }

  private func pause() {
    if let token { worker.loop.deregister(token, descriptor, closing: false) }
    token = nil
  }

  private func resume() {
    guard !isStopped, !isSuspended, token == nil else { return }
    token = worker.loop.registerListener(descriptor, self)
  }

  /// A connection has ended somewhere: there may be room again.
  func slotFreed() { if token == nil, !isStopped, !retry.isArmed { resume() } }

  func timerFired(_ timer: Timer) { resume() }

  func descriptorReady(_ readiness: Readiness) {
    for _ in 0..<batch {
      guard takeSlots() else { return wait() }
      let (result, fd, peer) = Socket.accept(descriptor)
      switch result {
      case .bytes: admit(fd, peer)
      case .failed:
        giveSlots()
        return wait()
      default:
        giveSlots()
        return
      }
    }
  }

  /// Tries again a little later, even when no connection of this worker ends meanwhile.
  private func wait() {
    pause()
    worker.loop.timers.set(retry, to: worker.loop.now.instant + .milliseconds(100), owner: self)
  }

  private func takeSlots() -> Bool {
    let frontend = listener.frontend
    guard worker.runtime.connections.increment(upTo: worker.runtime.limits.connections) else {
      worker.runtime.activity.fullTimes.add(1, ordering: .relaxed)
      return false
    }
    guard frontend.sessions.increment(upTo: frontend.connectionLimit) else {
      worker.runtime.connections.decrement()
      return false
    }
    guard listener.sessions.increment(upTo: listener.bind.maxConnections ?? .max) else {
      frontend.sessions.decrement()
      worker.runtime.connections.decrement()
      return false
    }
    return withinRate(frontend)
  }

  /// `rate-limit sessions` and the global `maxconnrate`, `maxsessrate`.
  private func withinRate(_ frontend: Frontend) -> Bool {
    let now = worker.loop.now.wall.microseconds
    if let limit = frontend.settings.rateLimitSessions, limit > 0, frontend.connectionRate.perSecond(at: now) >= limit {
      giveSlots()
      return false
    }
    let limits = worker.runtime.limits
    if limits.connectionRate > 0, worker.runtime.connectionRate.perSecond(at: now) >= limits.connectionRate {
      giveSlots()
      return false
    }
    if limits.sessionRate > 0, worker.runtime.sessionRate.perSecond(at: now) >= limits.sessionRate {
      giveSlots()
      return false
    }
    if limits.tlsRate > 0, listener.tls != nil, worker.runtime.tlsRate.perSecond(at: now) >= limits.tlsRate {
      giveSlots()
      return false
    }
    return true
  }

  private func giveSlots() {
    listener.sessions.decrement()
    listener.frontend.sessions.decrement()
    worker.runtime.connections.decrement()
  }

  private func admit(_ fd: Int32, _ peer: SocketAddress) {
    let now = worker.loop.now
    let frontend = listener.frontend
    worker.runtime.connections.noteMaximum()
    frontend.sessions.noteMaximum()
    listener.sessions.noteMaximum()
    worker.runtime.connectionCounter.add(1, ordering: .relaxed)
    worker.runtime.connectionRate.count(at: now.wall.microseconds)
    frontend.connectionRate.count(at: now.wall.microseconds)
    frontend.counters.add(.connections, worker: worker.index)
    listener.counters.add(.connections, worker: worker.index)
    let facts = ConnectionFacts(source: peer, socket: fd, accepted: now, localAddress: Socket.localAddress)
    facts.listenerID = listener.id
    facts.listenerName = listener.nameBytes
    let transport = Transport(descriptor: fd, worker: worker, isReadable: false)
    let connection = ClientConnection(worker: worker, listener: listener, transport: transport, facts: facts)
    guard transport.register() else {
      close(fd)
      return giveSlots()
    }
    worker.connectionAccepted(connection)
    connection.start()
  }
}
