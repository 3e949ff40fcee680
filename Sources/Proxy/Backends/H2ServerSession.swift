import Base
import Config
import HTTP
import NetIO
import Rules
import Synchronization

/// An HTTP/2 connection to a server: many requests at once, each the `H2ServerExchange` of a stream. It lives in its
/// worker's `ServerPools` from its first request to its end.
final class H2ServerSession: H2Connection {
  let worker: Worker
  let server: Server
  let facts: ServerConnectionFacts
  /// What makes the connection differ from others to the same server.
  let key: UInt64
  var link: H2Link<H2ServerExchange>
  var descriptor: Int32 { link.transport.descriptor }
  /// Exchanges that must know what the server allows.
  private var undecided: [H2ServerExchange] = []
  /// Whose requests it carries as long as there are any, where `http-reuse` wants that.
  private(set) var client: ConnectionFacts
  private let idleTimer = Timer()
  /// Until when it may be without a request.
  private var idlesUntil = Instant.distantFuture
  /// Its server takes no more requests; those that it has go on.
  private var isUnwanted = false
  private var isCounted = false
  private(set) var isIdle = false
  /// Responses that came whole: what `http-reuse aggressive` takes as proof.
  private(set) var completed = 0

  /// How long the server may take to close after a goodbye.
  private static let lingerLimit = Timespan.seconds(1)

  init(
    _ transport: Transport, worker: Worker, server: Server, facts: ServerConnectionFacts, key: UInt64,
    client: ConnectionFacts
  ) {
    self.worker = worker
    self.server = server
    self.facts = facts
    self.key = key
    self.client = client
    link = H2Link(transport, H2Session(connecting: worker.h2ServerSettings, workspace: worker.h2Workspace))
    transport.owner = self
  }

  /// Whether a request of `client` may go onto the connection now.
  func hasRoom(for client: ConnectionFacts, reuse: HTTPReuse, isFirst: Bool) -> Bool {
    guard !link.isEnding, !isUnwanted, !link.isClosed, !link.transport.hasFailed, !link.transport.sawEnd,
      link.engine.capacity > 0
    else { return false }
    guard server.settings.allows(link.engine.requestCount + 1) else { return false }
    if self.client === client { return true }
    return switch reuse {
    case .never: false
    // A slow client must not hold up the requests of another, and a first request cannot be repeated by its client.
    case .safe: link.exchanges.isEmpty && !isFirst
    case .aggressive: !isFirst || completed > 0
    case .always: true
    }
  }

  /// The stream's place on the connection.
  func join(_ stream: Stream) -> H2ServerExchange {
    if link.exchanges.isEmpty { client = stream.context.connection }
    endIdling()
    count(true)
    let exchange = H2ServerExchange(self, stream, isReused: link.engine.requestCount > 0)
    join(exchange)
    return exchange
  }

  func transportReady(_ transport: Transport) {
    guard !link.isClosed else { return }
    if link.isLingering { return linger() }
    readInput()
    if transport.hasFailed { return close() }
    flush()
  }

  /// What all streams of the connection share.
  var endpointFacts: EndpointFacts {
    var known = EndpointFacts()
    known.openStreams = link.exchanges.count
    known.streamLimit = link.engine.streamLimit
    known.glitches = link.engine.glitches
    known.connectionWords =
      "requests=\(link.engine.requestCount) streams=\(link.exchanges.count) \(link.transport.words)"
    return known
  }

  // MARK: Requests

  var allowsExtendedConnect: Bool? { link.engine.allowsExtendedConnect }

  func waitForPeer(_ exchange: H2ServerExchange) {
    undecided.append(exchange)
    scheduleFlush()
  }

  func inputTaken() {
    guard !undecided.isEmpty, link.engine.knowsPeer else { return }
    let waiting = undecided
    undecided.removeAll()
    for exchange in waiting { exchange.peerIsKnown() }
  }

  /// Sends a request head; false when the connection takes no more.
  func submit(_ exchange: H2ServerExchange, _ head: MessageHead, connectProtocol: Bytes?, hasBody: Bool) -> Bool {
    guard !link.isEnding, !link.isClosed,
      let id = link.engine.submitRequest(head, connectProtocol: connectProtocol, hasBody: hasBody, owner: exchange)
    else { return false }
    exchange.id = id
    scheduleFlush()
    return true
  }

  /// The request cannot be said in HTTP/2 to this server.
  func abandonNext() {
    guard link.exchanges.count <= 1 else { return }
    link.engine.abandonNext()
    link.isEnding = true
    scheduleFlush()
  }

  func outputSettled(progressed: Bool) {
    if link.exchanges.isEmpty {
      beIdle()
    } else if link.isEnding, !link.engine.wantsWrite, !link.transport.hasOutput {
      close()
    }
  }

  // MARK: Between requests

  func exchangeLeft(_ exchange: H2ServerExchange) {
    if exchange.isWhole { completed += 1 }
    if link.exchanges.isEmpty { scheduleFlush() }
  }

  /// No request is left: the connection waits for others, or ends.
  private func beIdle() {
    let isWanted =
      !link.isEnding && !isUnwanted && link.engine.capacity > 0
      && !worker.runtime.isStopping.load(ordering: .relaxed) && server.isUsable.load(ordering: .relaxed)
    if !isWanted || !isIdle && !worker.serverPools.mayIdle(server) { return end() }
    guard !isIdle else { return }
    isIdle = true
    worker.letRest(self)
    count(false)
    server.idleConnections.increment()
    idlesUntil = worker.loop.now.instant + server.settings.poolPurgeDelay
    armIdleTimer()
  }

  /// For the end of its time in the pool, or the next `idle-ping` before that.
  private func armIdleTimer() {
    let interval = server.settings.idlePing
    let next = interval > .zero ? Swift.min(idlesUntil, worker.loop.now.instant + interval) : idlesUntil
    worker.loop.timers.set(idleTimer, to: next, owner: self)
  }

  private func count(_ isUsed: Bool) {
    guard isUsed != isCounted else { return }
    isCounted = isUsed
    worker.serverPools.count(server, isUsed ? 1 : -1)
  }

  private func endIdling() {
    guard isIdle else { return }
    isIdle = false
    server.idleConnections.decrement()
  }

  /// Says goodbye, and closes once the server has: closing with octets unread would destroy what was sent.
  private func end() {
    guard !link.isLingering else { return }
    let transport = link.transport
    link.isEnding = true
    link.engine.terminate(H2Error.noError)
    if !transport.isBlocked { _ = pull() }
    guard transport.flush(), !transport.hasFailed, !transport.sawEnd else { return close() }
    endIdling()
    link.isLingering = true
    worker.serverPools.remove(self)
    transport.shutdownWrite()
    worker.loop.timers.set(
      idleTimer, to: worker.loop.now.instant + H2ServerSession.lingerLimit, owner: self)
    linger()
  }

  private func linger() {
    let transport = link.transport
    while true {
      transport.consume(transport.waiting.count)
      switch transport.receive() {
      case .some: continue
      case .nothing: return
      case .end, .failed: return close()
      }
    }
  }

  /// Its server went down: it takes no more requests, and ends with those that it has.
  func drain() {
    isUnwanted = true
    if link.exchanges.isEmpty { scheduleFlush() }
  }

  func failAll() {
    let gone = link.exchanges
    link.exchanges.removeAll()
    undecided.removeAll()
    for exchange in gone { exchange.connectionLost() }
  }

  func close() {
    guard !link.isClosed else { return }
    link.isClosed = true
    worker.serverPools.remove(self)
    endIdling()
    count(false)
    worker.loop.timers.cancel(idleTimer)
    server.usedConnections.decrement()
    link.transport.close()
    failAll()
    link.blocked.removeAll()
  }
}

extension H2ServerSession: TimerOwner {
  func timerFired(_ timer: Timer) {
    if link.isLingering { return close() }
    guard isIdle else { return }
    if worker.loop.now.instant >= idlesUntil { return end() }
    // The server has not answered since the last one.
    if link.engine.awaitsPong { return close() }
    link.engine.ping()
    armIdleTimer()
    scheduleFlush()
  }
}
