import Base
import Config
import HTTP
import NetIO
import Rules
import Synchronization

/// The HTTP/2 side of a client connection: many requests at once, each an `H2Exchange` with its `Stream`.
final class H2ClientSession: H2Connection, H2SessionDelegate {
  let worker: Worker
  let connection: ClientConnection
  var link: H2Link<H2Exchange>
  private var requestCount = 0
  /// The handshake was under way when the session began.
  private var isEarly = false
  /// Since when it has been without a request.
  private var idleSince: Instant
  /// When it ends unless something happens.
  private var endsAt = Instant.distantFuture
  private var timer: Timer { connection.timer }

  init(_ connection: ClientConnection) {
    self.connection = connection
    worker = connection.worker
    idleSince = worker.loop.now.instant
    link = H2Link(
      connection.transport, H2Session(accepting: worker.h2Settings, workspace: worker.h2Workspace))
    isEarly = connection.facts.tls?.hasEarlyData ?? false
    link.engine.delegate = self
  }

  var frontend: Frontend { connection.frontend }
  var facts: ConnectionFacts { connection.facts }
  var transportFailed: Bool { link.isClosed || link.transport.hasFailed }
  var transportEnded: Bool { link.transport.sawEnd }

  func start() {
    link.transport.owner = self
    armTimer()
    readInput()
    noteHandshake()
    scheduleFlush()
    worker.letRest(self)
  }

  /// Requests may wait for the end of the handshake.
  private func noteHandshake() {
    guard isEarly, !(facts.tls?.hasEarlyData ?? false) else { return }
    isEarly = false
    for exchange in link.exchanges { exchange.handshakeEnded() }
  }

  func transportReady(_ transport: Transport) {
    guard !link.isClosed else { return }
    readInput()
    if isEarly { noteHandshake() }
    if transport.hasFailed { return close() }
    flush()
  }

  /// What all streams of the connection share.
  var endpointFacts: EndpointFacts {
    var known = EndpointFacts()
    known.openStreams = link.exchanges.count
    known.streamLimit = Int(worker.h2Settings.maxConcurrentStreams)
    known.glitches = facts.glitches
    known.connectionWords = "requests=\(requestCount) streams=\(link.exchanges.count) \(link.transport.words)"
    return known
  }

  // MARK: Requests

  func inputTaken() {
    let new = link.engine.glitches - facts.glitches
    guard new > 0 else { return }
    facts.glitches += new
    facts.count(.glitches(new), at: worker.loop.now)
  }

  func requestOpened(stream id: Int32, info: H1MessageInfo) -> any H2StreamOwner {
    requestCount += 1
    let exchange = H2Exchange(self, id, info, isFirst: requestCount == 1)
    join(exchange)
    return exchange
  }

  func exchangeLeft(_ exchange: H2Exchange) {
    guard link.exchanges.isEmpty else { return }
    idleSince = worker.loop.now.instant
    armTimer()
    worker.letRest(self)
  }

  func requestRefused(stream: Int32, fault: HTTPFault, isAnswered: Bool) {
    frontend.counters.add(.requestErrors, worker: worker.index)
    facts.count(.request, at: worker.loop.now)
    facts.count(.error, at: worker.loop.now)
    if worker.runtime.global.http2.loggedErrors == .stream {
      worker.logRefused(connection, status: isAnswered ? fault.status : 0)
    }
  }

  // MARK: Responses

  func submit(_ exchange: H2Exchange, _ head: MessageHead, hasBody: Bool) {
    link.engine.submitResponse(stream: exchange.id, head: head, hasBody: hasBody)
    scheduleFlush()
  }

  func submitInterim(_ exchange: H2Exchange, _ head: MessageHead) {
    link.engine.submitInterim(stream: exchange.id, head: head)
    scheduleFlush()
  }

  func exchangeIsOver() {
    if worker.runtime.isStopping.load(ordering: .relaxed), !link.isEnding { link.engine.goAway() }
    scheduleFlush()
  }

  func outputSettled(progressed: Bool) {
    if progressed { armTimer() }
    let isQuiet = !link.transport.hasOutput
    if isQuiet, link.isEnding, link.exchanges.isEmpty || !link.engine.wantsWrite { close() }
    if isQuiet, link.exchanges.isEmpty, worker.runtime.isStopping.load(ordering: .relaxed) { close() }
  }

  // MARK: End

  func failAll() {
    let gone = link.exchanges
    link.exchanges.removeAll()
    for exchange in gone { exchange.closed() }
  }

  private func armTimer() {
    let now = worker.loop.now.instant
    endsAt = deadline(at: now)
    let next = Swift.min(endsAt, pingDue(at: now))
    if next < .distantFuture { worker.loop.timers.set(timer, to: next, owner: self) }
  }

  /// When the connection ends. What the client sends without a request does not let it idle longer, where timeouts of
  /// requests bound that.
  private func deadline(at now: Instant) -> Instant {
    let timeouts = frontend.settings.timeouts
    if link.exchanges.isEmpty,
      let limit = requestCount > 0 ? timeouts.httpKeepAlive ?? timeouts.httpRequest : timeouts.httpRequest
    {
      return idleSince + limit
    }
    return timeouts.client.map { now + $0 } ?? .distantFuture
  }

  /// When an idle client is asked whether it is there (`idle-ping`), or must have answered.
  private func pingDue(at now: Instant) -> Instant {
    let interval = connection.listener.bind.idlePing
    guard interval > .zero, link.exchanges.isEmpty, !link.isEnding,
      !worker.runtime.isStopping.load(ordering: .relaxed)
    else { return .distantFuture }
    return now + interval
  }

  func close() {
    guard !link.isClosed else { return }
    link.isClosed = true
    if link.engine.connectionError != 0, worker.runtime.global.http2.loggedErrors != .none {
      worker.logRefused(connection, status: 0)
    }
    worker.loop.timers.cancel(timer)
    failAll()
    link.blocked.removeAll()
    link.transport.close()
    connection.closed()
  }
}

extension H2ClientSession: TimerOwner {
  func timerFired(_ timer: Timer) {
    guard !link.isClosed else { return }
    // Streams that still run have deadlines of their own.
    if link.exchanges.contains(where: \.isRunning) { return armTimer() }
    if !link.exchanges.isEmpty || link.isEnding { return close() }
    if pingsIdleClient() { return }
    link.isEnding = true
    link.engine.terminate(H2Error.noError)
    scheduleFlush()
    worker.loop.timers.set(timer, to: worker.loop.now.instant + .seconds(1), owner: self)
  }

  /// Whether the timer was that of `idle-ping`: asks the client, or closes when it has not answered.
  private func pingsIdleClient() -> Bool {
    let now = worker.loop.now.instant
    guard now < endsAt, pingDue(at: now) < .distantFuture else { return false }
    if link.engine.awaitsPong {
      close()
    } else {
      link.engine.ping()
      armTimer()
      scheduleFlush()
    }
    return true
  }
}
