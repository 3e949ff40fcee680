import Base
import Config
import HTTP
import NetIO
import Rules

/// The HTTP/1 side of a client connection: one request after another, each a `Stream`.
final class H1ClientSession: TransportOwner, ClientEndpoint {
  private enum State {
    /// Between requests, no octet of the next one seen.
    case idle
    case readingHead
    case exchange
    /// The last response is being sent.
    case flushing
    /// Everything is sent; what the client still sends is read and dropped, lest a reset destroy the response.
    case lingering
    case closed
  }

  private let worker: Worker
  let connection: ClientConnection
  private let transport: Transport
  private var state = State.idle
  private var stream: Stream?
  private var storage: StreamStorage?
  private var parser = H1RequestParser()
  private var reader = H1BodyReader()
  private var writer = H1BodyWriter()
  private var requestCount = 0
  private var idleSince: Instant
  private var began = Instant.never
  private var timer: Timer { connection.timer }
  private var closesAfterResponse = false
  /// The client has said that its request, which had no body, is its last: nothing of it can still come.
  private var clientIsDone = false
  private var octetsInBefore = 0
  private var octetsOutBefore = 0
  private var lingered = 0
  private let speaksOnlyHTTP1: Bool

  /// Octets dropped from a client that goes on sending after its connection was answered and closed.
  private static let lingerLimit = 1 << 20

  /// `storage` comes from a stream of TCP mode, whose first request this will be; `isForced` rules out HTTP/2.
  init(_ connection: ClientConnection, _ storage: StreamStorage? = nil, isForced: Bool = false) {
    self.connection = connection
    self.storage = storage
    speaksOnlyHTTP1 = isForced || connection.listener.forcedProtocol != nil
    worker = connection.worker
    transport = connection.transport
    idleSince = worker.loop.now.instant
    transport.owner = self
    armIdleTimer()
  }

  private var frontend: Frontend { connection.frontend }
  var facts: ConnectionFacts { connection.facts }
  var hasFailed: Bool { transport.hasFailed || transport.isClosed }
  var hasEnded: Bool { transport.sawEnd || transport.peerHungUp }
  var isBlocked: Bool { transport.isBlocked }
  var octetsIn: Int { transport.octetsIn - octetsInBefore }
  var octetsOut: Int { transport.octetsOut + transport.gathered - octetsOutBefore }

  var endpointFacts: EndpointFacts {
    EndpointFacts(transport, id: requestCount - 1, wasGivenUp: hasFailed || transport.sawEnd)
  }

  func finishHandshake() { transport.finishHandshake() }

  func transportReady(_ transport: Transport) {
    switch state {
    case .idle, .readingHead: readRequest()
    case .exchange: stream?.advance()
    case .flushing: flushThenClose()
    case .lingering: linger()
    case .closed: break
    }
  }

  // MARK: Reading requests

  /// Reads until a request head is complete; starts its stream.
  func readRequest() {
    while state == .idle || state == .readingHead {
      if transport.hasInput, parseHead() { continue }
      if state != .idle, state != .readingHead { return }
      switch transport.receive() {
      case .some: continue
      case .nothing: return
      case .end, .failed: return clientEnded()
      }
    }
  }

  /// True when the loop should look at the state again.
  private func parseHead() -> Bool {
    if requestCount == 0, state == .idle, transport.tls == nil, !speaksOnlyHTTP1,
      HTTP2Preface.matches(transport.waiting)
    {
      return switchToHTTP2()
    }
    let storage = self.storage ?? worker.takeStorage(facts)
    self.storage = storage
    let limits = frontend.settings.acceptInvalidRequest ? worker.lenientLimits : worker.limits
    let result = transport.withWaiting { parser.parse($0, into: storage.request, limits: limits) }
    if state == .idle, parser.hasStarted { beginRequest() }
    switch result {
    case .incomplete:
      if transport.inputIsFull { refuse(431, cause: .proxy) }
      return state == .exchange
    case .complete(let info):
      transport.consume(info.consumed)
      start(info, storage)
      return true
    case .invalid(let fault):
      worker.captureRequest(of: frontend, from: facts.source, transport.waiting, fault)
      let isPreface = HTTP2Preface.matches(transport.waiting)
      refuse(isPreface ? 405 : fault.status, cause: .proxy)
      return true
    }
  }

  /// The preface of HTTP/2 with prior knowledge on a connection that began without a word.
  private func switchToHTTP2() -> Bool {
    worker.loop.timers.cancel(timer)
    state = .closed
    connection.startHTTP2()
    return false
  }

  private func beginRequest() {
    state = .readingHead
    began = worker.loop.now.instant
    if let limit = frontend.settings.timeouts.httpRequest ?? frontend.settings.timeouts.client {
      worker.loop.timers.set(timer, to: began + limit, owner: self)
    }
  }

  private func makeStream(_ storage: StreamStorage) -> Stream {
    let now = worker.loop.now.instant
    if began == .never { began = now }
    let first = requestCount == 0
    let accepted = first ? connection.accepted : idleSince
    let times = StreamTimes(
      accepted: accepted, handshakeDone: first ? connection.handshakeDone : idleSince, idleSince: idleSince,
      began: began)
    let stream = Stream(worker: worker, frontend: frontend, client: self, storage: storage, times: times)
    stream.context.isFirstRequest = first
    requestCount += 1
    self.stream = stream
    self.storage = nil
    return stream
  }

  private func start(_ info: H1MessageInfo, _ storage: StreamStorage) {
    parser.reset()
    // The timer is left to run out: moving it when the connection idles again costs nothing.
    state = .exchange
    reader.begin(info.framing)
    closesAfterResponse = false
    clientIsDone = !info.keepAlive && info.framing == .none && !info.upgrade
    let stream = makeStream(storage)
    stream.requestReceived(info)
  }

  /// Answers what never became a request, and closes.
  private func refuse(_ status: Int, cause: Termination.Cause) {
    worker.loop.timers.cancel(timer)
    state = .exchange
    let storage = self.storage ?? worker.takeStorage(facts)
    let stream = makeStream(storage)
    if cause == .proxy || cause == .client { stream.countRefused(.requestErrors) }
    stream.requestFailed(status: status, cause: cause)
  }

  /// The client closed, or the connection broke, before a request was complete.
  private func clientEnded() {
    if requestCount == 0 || state == .readingHead {
      let silent = state == .idle && (frontend.settings.dontLogNull || frontend.settings.ignoreProbes)
      if !silent { return refuse(400, cause: .client) }
    }
    close()
  }

  private func armIdleTimer() {
    let timeouts = frontend.settings.timeouts
    let limit =
      requestCount == 0
      ? timeouts.httpRequest ?? timeouts.client
      : timeouts.httpKeepAlive ?? timeouts.httpRequest ?? timeouts.client
    if let limit { worker.loop.timers.set(timer, to: worker.loop.now.instant + limit, owner: self) }
  }

  // MARK: Request body

  func nextPiece() -> BodyPiece { reader.next(transport) }
  var trailers: MessageHead? { reader.trailers }
  func consume(_ n: Int) { reader.consume(n, transport) }
  var passage: (transport: Transport, limit: Int)? {
    let limit = reader.passable(transport)
    return limit > 0 ? (transport, limit) : nil
  }
  func passed(_ n: Int) { reader.passed(n) }

  func beginTunnel() { reader.begin(.tunnel) }

  // MARK: Response

  func beginResponse(_ head: MessageHead, body: ResponseBody) {
    guard let stream else { return }
    let isOld = stream.request.version < .http11
    var framing = BodyFraming.none
    switch body {
    case .none, .swallowed, .length(0): break
    case .length(let n): framing = .length(n)
    case .unknown: framing = isOld ? .untilClose : .chunked
    case .untilClose: framing = .untilClose
    case .tunnel: framing = .tunnel
    }
    closesAfterResponse = !stream.mayKeepClient || framing == .untilClose
    writer.begin(chunked: framing == .chunked)
    let connection: H1Encoder.Connection
    if head.status == 101 {
      connection = .upgrade
    } else if body == .tunnel {
      connection = .none
    } else if closesAfterResponse {
      connection = .close
    } else {
      connection = isOld || H1Encoder.tellsOldVersion(head, framing) ? .keepAlive : .none
    }
    H1Encoder.writeResponse(
      head, framing: framing == .tunnel ? .none : framing, connection: connection,
      toHead: body == .none || body == .swallowed,
      caseMap: frontend.settings.adjustsCaseForClient ? worker.runtime.caseMap : nil, into: transport.assembly())
  }

  func sendInterim(_ head: MessageHead) {
    guard let stream, stream.request.version >= .http11 else { return }
    H1Encoder.writeResponse(head, framing: .none, connection: .none, into: transport.assembly())
    _ = transport.flush()
  }

  func writeBody(_ bytes: UnsafeRawBufferPointer) -> Int { writer.write(bytes, transport) }
  func splice(from source: Transport, upTo limit: Int) -> Transport.Spliced {
    writer.splice(from: source, upTo: limit, transport)
  }

  func endBody(trailers: MessageHead?) {
    writer.end(transport, trailers: trailers)
    if stream?.isTunnel ?? false, transport.flush() { transport.shutdownWrite() }
  }

  func flushBody() { _ = transport.flush() }

  // MARK: After a stream

  func finish(reusable: Bool, aborted: Bool) {
    stream = nil
    idleSince = worker.loop.now.instant
    began = .never
    if aborted, !reusable {
      if transport.hasOutput, !transport.hasFailed { _ = transport.flush() }
      return close(reset: true)
    }
    _ = transport.flush()
    guard reusable, !closesAfterResponse, reader.isFinished, !transport.hasFailed else { return flushThenClose() }
    octetsInBefore = transport.octetsIn
    octetsOutBefore = transport.octetsOut + transport.gathered
    state = .idle
    armIdleTimer()
    // The next request may be here already; it gets its turn after the other connections' events.
    worker.loop.afterEvents(self)
  }

  func keep(_ server: ServerConnection) -> Bool { connection.kept.keep(server) }
  func takeKept(_ server: Server, key: UInt64) -> ServerConnection? { connection.kept.take(server, key: key) }

  func vanish() {
    // Nothing may be sent, not even a FIN: the socket is left to a linger that sends nothing.
    Socket.vanish(transport.descriptor)
  }

  private func flushThenClose() {
    state = .flushing
    guard transport.flush() else {
      armClosingTimer()
      return
    }
    if transport.hasFailed || transport.sawEnd || (clientIsDone && !transport.hasInput) { return close() }
    transport.shutdownWrite()
    state = .lingering
    armClosingTimer()
    linger()
  }

  private func armClosingTimer() {
    let limit: Timespan =
      state == .lingering ? .seconds(1) : frontend.settings.timeouts.client ?? .seconds(60)
    worker.loop.timers.set(timer, to: worker.loop.now.instant + limit, owner: self)
  }

  private func linger() {
    while true {
      lingered += transport.waiting.count
      transport.consume(transport.waiting.count)
      if lingered > H1ClientSession.lingerLimit { return close() }
      switch transport.receive() {
      case .some: continue
      case .nothing: return
      case .end, .failed: return close()
      }
    }
  }

  private func close(reset: Bool = false) {
    guard state != .closed else { return }
    state = .closed
    worker.loop.timers.cancel(timer)
    if let storage { worker.giveStorage(storage) }
    storage = nil
    transport.close(reset: reset)
    connection.closed()
  }
}

extension H1ClientSession: TimerOwner, DeferredWork {
  func runDeferred() { readRequest() }

  func timerFired(_ timer: Timer) {
    switch state {
    case .idle:
      if requestCount > 0 || frontend.settings.ignoreProbes { return close() }
      refuse(408, cause: .clientTimeout)
    case .readingHead: refuse(408, cause: .clientTimeout)
    case .flushing: close(reset: true)
    case .lingering: close()
    case .exchange, .closed: break
    }
  }
}
