import Base
import Config
import HTTP
import NetIO
import Rules
import Synchronization

/// An HTTP/2 connection to a server: many requests at once, each the `H2ServerExchange` of a stream.
///
/// Output is pulled from the engine once per batch of events, and only while the transport takes it. It lives in its
/// worker's `ServerPools` from its first request to its end.
final class H2ServerSession: TransportOwner {
  let worker: Worker
  let server: Server
  let facts: ServerConnectionFacts
  /// What makes the connection differ from others to the same server.
  let key: UInt64
  private let transport: Transport
  var descriptor: Int32 { transport.descriptor }
  private let engine: H2Requester
  private var exchanges: [H2ServerExchange] = []
  /// Exchanges whose request bodies wait for room.
  private var blocked: [H2ServerExchange] = []
  /// Exchanges that must know what the server allows.
  private var undecided: [H2ServerExchange] = []
  /// Whose requests it carries as long as there are any, where `http-reuse` wants that.
  private(set) var client: ConnectionFacts
  private let idleTimer = Timer()
  private var flushIsDue = false
  private var isReceiving = false
  private var isEnding = false
  /// Its server takes no more requests; those that it has go on.
  private var isUnwanted = false
  private var isClosed = false
  private var isLingering = false
  private var isCounted = false
  private var sendsBulk = false
  private(set) var isIdle = false
  /// Responses that came whole: what `http-reuse aggressive` takes as proof.
  private(set) var completed = 0

  /// Octets that are taken from the engine before the transport is asked to send.
  private static let batch = 64 * 1024
  /// How long the server may take to close after a goodbye.
  private static let lingerLimit = Timespan.seconds(1)

  init(
    _ transport: Transport, worker: Worker, server: Server, facts: ServerConnectionFacts, key: UInt64,
    client: ConnectionFacts
  ) {
    self.transport = transport
    self.worker = worker
    self.server = server
    self.facts = facts
    self.key = key
    self.client = client
    engine = H2Requester(settings: worker.h2ServerSettings)
    transport.owner = self
  }

  /// Whether a request of `client` may go onto the connection now.
  func hasRoom(for client: ConnectionFacts, reuse: HTTPReuse, isFirst: Bool) -> Bool {
    guard !isEnding, !isUnwanted, !isClosed, !transport.hasFailed, !transport.sawEnd, engine.capacity > 0 else {
      return false
    }
    guard server.settings.allows(engine.requestCount + 1) else { return false }
    if self.client === client { return true }
    return switch reuse {
    case .never: false
    // A slow client must not hold up the requests of another, and a first request cannot be repeated by its client.
    case .safe: exchanges.isEmpty && !isFirst
    case .aggressive: !isFirst || completed > 0
    case .always: true
    }
  }

  /// The stream's place on the connection.
  func join(_ stream: Stream) -> H2ServerExchange {
    if exchanges.isEmpty { client = stream.context.connection }
    endIdling()
    count(true)
    let exchange = H2ServerExchange(self, stream, isReused: engine.requestCount > 0)
    exchange.position = exchanges.count
    exchanges.append(exchange)
    return exchange
  }

  func transportReady(_ transport: Transport) {
    guard !isClosed else { return }
    if isLingering { return linger() }
    readInput()
    if transport.hasFailed { return close() }
    flush()
  }

  /// What all streams of the connection share.
  var endpointFacts: EndpointFacts {
    var known = EndpointFacts()
    known.openStreams = exchanges.count
    known.streamLimit = engine.streamLimit
    known.glitches = engine.glitches
    known.connectionWords = "requests=\(engine.requestCount) streams=\(exchanges.count) \(transport.words)"
    return known
  }

  // MARK: Input

  private func readInput() {
    isReceiving = true
    defer { isReceiving = false }
    while !isClosed, !isEnding {
      if transport.hasInput {
        let outcome = transport.withWaiting { engine.receive($0) }
        transport.consume(transport.waiting.count)
        if outcome != .open { isEnding = true }
        if !undecided.isEmpty, engine.knowsPeer { decide() }
        scheduleFlush()
      }
      switch transport.receive() {
      case .some: continue
      case .nothing: return
      case .end, .failed:
        isEnding = true
        failAll()
        scheduleFlush()
        return
      }
    }
  }

  private func decide() {
    let waiting = undecided
    undecided.removeAll()
    for exchange in waiting { exchange.peerIsKnown() }
  }

  // MARK: Output

  var allowsExtendedConnect: Bool? { engine.allowsExtendedConnect }
  func waitForPeer(_ exchange: H2ServerExchange) {
    undecided.append(exchange)
    scheduleFlush()
  }

  /// Sends a request head; false when the connection takes no more.
  func submit(_ exchange: H2ServerExchange, _ head: MessageHead, connectProtocol: Bytes?, hasBody: Bool) -> Bool {
    guard !isEnding, !isClosed,
      let id = engine.submit(head, connectProtocol: connectProtocol, hasBody: hasBody, owner: exchange)
    else { return false }
    exchange.id = id
    scheduleFlush()
    return true
  }

  /// The request cannot be said in HTTP/2 to this server.
  func abandonNext() {
    guard exchanges.count <= 1 else { return }
    engine.abandonNext()
    isEnding = true
    scheduleFlush()
  }

  func bodyIsReady(_ exchange: H2ServerExchange) {
    engine.resumeBody(stream: exchange.id)
    scheduleFlush()
  }

  func reset(_ exchange: H2ServerExchange, _ code: UInt32) {
    engine.reset(stream: exchange.id, code: code)
    scheduleFlush()
  }

  func consumed(_ exchange: H2ServerExchange, _ n: Int) {
    engine.consumed(stream: exchange.id, n)
    scheduleFlush()
  }

  func waitForRoom(_ exchange: H2ServerExchange) { blocked.append(exchange) }

  func scheduleFlush() {
    guard !flushIsDue, !isClosed else { return }
    flushIsDue = true
    worker.loop.afterEvents(self)
  }

  private func flush() {
    guard !isClosed, !isReceiving, !isLingering else { return }
    while !transport.isBlocked {
      let output = transport.assembly(bulk: sendsBulk)
      let before = output.count
      if engine.pull(into: output, upTo: H2ServerSession.batch) != .open { isEnding = true }
      let produced = output.count - before
      sendsBulk = produced > worker.buffers.bufferSize
      _ = transport.flush()
      if transport.hasFailed { return close() }
      if produced == 0 { break }
      let waiting = blocked
      blocked.removeAll(keepingCapacity: true)
      for exchange in waiting { exchange.roomCame() }
    }
    if exchanges.isEmpty { rest() } else if isEnding, !engine.wantsWrite, !transport.hasOutput { close() }
  }

  // MARK: Between requests

  func forget(_ exchange: H2ServerExchange) {
    if exchange.isWhole { completed += 1 }
    let position = exchange.position
    guard position < exchanges.count, exchanges[position] === exchange else { return }
    exchanges.swapAt(position, exchanges.count - 1)
    exchanges[position].position = position
    exchanges.removeLast()
    if exchanges.isEmpty { scheduleFlush() }
  }

  /// No request is left: the connection waits for others, or ends.
  private func rest() {
    let isWanted =
      !isEnding && !isUnwanted && engine.capacity > 0 && !worker.runtime.isStopping.load(ordering: .relaxed)
      && server.isUsable.load(ordering: .relaxed)
    if !isWanted || !isIdle && !worker.serverPools.mayIdle(server) { return end() }
    guard !isIdle else { return }
    isIdle = true
    count(false)
    server.idleConnections.increment()
    worker.loop.timers.set(
      idleTimer, to: worker.loop.now.instant + server.settings.poolPurgeDelay, owner: self)
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
    guard !isLingering else { return }
    isEnding = true
    engine.terminate(H2Error.noError)
    if !transport.isBlocked { _ = engine.pull(into: transport.assembly(), upTo: H2ServerSession.batch) }
    guard transport.flush(), !transport.hasFailed, !transport.sawEnd else { return close() }
    endIdling()
    isLingering = true
    worker.serverPools.remove(self)
    transport.shutdownWrite()
    worker.loop.timers.set(
      idleTimer, to: worker.loop.now.instant + H2ServerSession.lingerLimit, owner: self)
    linger()
  }

  private func linger() {
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
    if exchanges.isEmpty { scheduleFlush() }
  }

  private func failAll() {
    let gone = exchanges
    exchanges.removeAll()
    undecided.removeAll()
    for exchange in gone { exchange.connectionLost() }
  }

  private func close() {
    guard !isClosed else { return }
    isClosed = true
    worker.serverPools.remove(self)
    endIdling()
    count(false)
    worker.loop.timers.cancel(idleTimer)
    server.usedConnections.decrement()
    transport.close()
    failAll()
    blocked.removeAll()
  }
}

extension H2ServerSession: TimerOwner, DeferredWork {
  func runDeferred() {
    flushIsDue = false
    flush()
  }

  func timerFired(_ timer: Timer) { if isLingering { close() } else if isIdle { end() } }
}
