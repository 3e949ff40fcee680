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
  private var timer: Timer { connection.timer }

  init(_ connection: ClientConnection) {
    self.connection = connection
    worker = connection.worker
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

  func inputTaken() {}

  func requestOpened(stream id: Int32, info: H1MessageInfo) -> any H2StreamOwner {
    requestCount += 1
    let exchange = H2Exchange(self, id, info, isFirst: requestCount == 1)
    join(exchange)
    return exchange
  }

  func exchangeLeft(_ exchange: H2Exchange) {
    guard link.exchanges.isEmpty else { return }
    armTimer()
    worker.letRest(self)
  }

  func requestRefused(stream: Int32, fault: HTTPFault, isAnswered: Bool) {
    frontend.counters.add(.requestErrors, worker: worker.index)
    if !isAnswered {
      facts.glitches += 1
      facts.count(.glitches(1), at: worker.loop.now)
    }
    facts.count(.request, at: worker.loop.now)
    facts.count(.error, at: worker.loop.now)
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
    let timeouts = frontend.settings.timeouts
    let limit: Timespan?
    if !link.exchanges.isEmpty {
      limit = timeouts.client
    } else if requestCount == 0 {
      limit = timeouts.httpRequest ?? timeouts.client
    } else {
      limit = timeouts.httpKeepAlive ?? timeouts.httpRequest ?? timeouts.client
    }
    if let limit { worker.loop.timers.set(timer, to: worker.loop.now.instant + limit, owner: self) }
  }

  func close() {
    guard !link.isClosed else { return }
    link.isClosed = true
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
    link.isEnding = true
    link.engine.terminate(H2Error.noError)
    scheduleFlush()
    worker.loop.timers.set(timer, to: worker.loop.now.instant + .seconds(1), owner: self)
  }
}
