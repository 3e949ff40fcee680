import Base
import Config
import HTTP
import NetIO
import Rules
import Synchronization

/// The HTTP/2 side of a client connection: many requests at once, each an `H2Exchange` with its `Stream`.
///
/// Output is pulled from the HTTP/2 engine once per batch of events, and only while the transport takes it: a
/// client that does not read stops what is produced for it.
final class H2ClientSession: TransportOwner, H2SessionDelegate {
  let worker: Worker
  let connection: ClientConnection
  private let transport: Transport
  private var engine: H2Session?
  /// Those whose streams are open; each knows its place.
  private var exchanges: [H2Exchange] = []
  /// Exchanges whose streams wait for room.
  private var blocked: [H2Exchange] = []
  private var flushIsDue = false
  private var isReceiving = false
  private var isPulling = false
  /// The engine could send more for an exchange that waits for room.
  private var roomWasAsked = false
  private var isEnding = false
  /// The last batch did not fit in a buffer of the usual size.
  private var sendsBulk = false
  private var isClosed = false
  private var requestCount = 0
  /// The handshake was under way when the session began.
  private var isEarly = false
  private var hasWideWindow = false
  private var timer: Timer { connection.timer }

  /// Octets that are taken from the engine before the transport is asked to send.
  private static let batch = 64 * 1024

  init(_ connection: ClientConnection) {
    self.connection = connection
    worker = connection.worker
    transport = connection.transport
    isEarly = connection.facts.tls?.hasEarlyData ?? false
  }

  var frontend: Frontend { connection.frontend }
  var facts: ConnectionFacts { connection.facts }
  var transportFailed: Bool { isClosed || transport.hasFailed }
  var transportEnded: Bool { transport.sawEnd }

  func start() {
    transport.owner = self
    let engine = H2Session(delegate: self, settings: worker.h2Settings)
    self.engine = engine
    armTimer()
    readInput()
    noteHandshake()
    scheduleFlush()
  }

  /// Requests may wait for the end of the handshake.
  private func noteHandshake() {
    guard isEarly, !(facts.tls?.hasEarlyData ?? false) else { return }
    isEarly = false
    for exchange in exchanges { exchange.handshakeEnded() }
  }

  func transportReady(_ transport: Transport) {
    guard !isClosed else { return }
    readInput()
    if isEarly { noteHandshake() }
    if transport.hasFailed { return close() }
    flush()
  }

  /// What all streams of the connection share.
  var endpointFacts: EndpointFacts {
    var known = EndpointFacts()
    known.openStreams = exchanges.count
    known.streamLimit = Int(worker.h2Settings.maxConcurrentStreams)
    known.glitches = facts.glitches
    known.connectionWords = "requests=\(requestCount) streams=\(exchanges.count) \(transport.words)"
    return known
  }

  // MARK: Input

  private func readInput() {
    guard let engine else { return }
    isReceiving = true
    defer { isReceiving = false }
    while !isClosed, !isEnding {
      if transport.hasInput {
        let outcome = transport.withWaiting { engine.receive($0) }
        transport.consume(transport.waiting.count)
        if outcome != .open { isEnding = true }
        scheduleFlush()
      }
      switch transport.receive() {
      case .some: continue
      case .nothing: return
      case .end, .failed:
        isEnding = true
        scheduleFlush()
        failAll()
        return
      }
    }
  }

  func requestOpened(stream id: Int32, info: H1MessageInfo) -> any H2StreamOwner {
    if info.framing != .none || info.isExtendedConnect {
      if !hasWideWindow { engine?.openConnectionWindow() }
      hasWideWindow = true
      if !fitsWindow(info.framing) { engine?.openWindow(stream: id) }
    }
    requestCount += 1
    let exchange = H2Exchange(self, id, info, isFirst: requestCount == 1)
    exchange.position = exchanges.count
    exchanges.append(exchange)
    return exchange
  }

  /// A short body needs no wider window.
  private func fitsWindow(_ framing: BodyFraming) -> Bool {
    if case .length(let n) = framing { n <= UInt64(worker.h2Settings.initialWindow) } else { false }
  }

  func forget(_ exchange: H2Exchange) {
    let position = exchange.position
    guard position < exchanges.count, exchanges[position] === exchange else { return }
    exchanges.swapAt(position, exchanges.count - 1)
    exchanges[position].position = position
    exchanges.removeLast()
    if exchanges.isEmpty { armTimer() }
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

  // MARK: Output

  func submit(_ exchange: H2Exchange, _ head: MessageHead, hasBody: Bool) {
    engine?.submitResponse(stream: exchange.id, head: head, hasBody: hasBody)
    scheduleFlush()
  }

  func submitInterim(_ exchange: H2Exchange, _ head: MessageHead) {
    engine?.submitInterim(stream: exchange.id, head: head)
    scheduleFlush()
  }

  func bodyIsReady(_ exchange: H2Exchange) {
    engine?.resumeBody(stream: exchange.id)
    scheduleFlush()
  }

  func reset(_ exchange: H2Exchange, _ code: UInt32) {
    engine?.reset(stream: exchange.id, code: code)
    scheduleFlush()
  }

  func consumed(_ exchange: H2Exchange, _ n: Int) {
    engine?.consumed(stream: exchange.id, n)
    scheduleFlush()
  }

  func waitForRoom(_ exchange: H2Exchange) { blocked.append(exchange) }

  func exchangeIsOver() {
    if worker.runtime.isStopping.load(ordering: .relaxed), !isEnding { engine?.goAway() }
    scheduleFlush()
  }

  func scheduleFlush() {
    guard !flushIsDue, !isClosed else { return }
    flushIsDue = true
    worker.loop.afterEvents(self)
  }

  /// Takes one batch of frames from the engine and sends it; the octets that it came to.
  private func pull(_ engine: H2Session) -> Int {
    isPulling = true
    let output = transport.assembly(bulk: sendsBulk)
    let before = output.count
    if engine.pull(into: output, upTo: H2ClientSession.batch) != .open { isEnding = true }
    let produced = output.count - before
    sendsBulk = produced > worker.buffers.bufferSize
    _ = transport.flush()
    isPulling = false
    return produced
  }

  /// Whether the engine may be asked for frames: not from inside of its own calls.
  var mayPull: Bool { engine != nil && !isClosed && !isReceiving && !isPulling }

  /// Sends what `exchange` lends, as far as windows and the transport allow now.
  func pullBody(of exchange: H2Exchange) {
    guard let engine, mayPull else { return }
    engine.resumeBody(stream: exchange.id)
    while exchange.isLending, !transport.isBlocked, !transport.hasFailed {
      sendsBulk = true
      if pull(engine) == 0 { break }
    }
    scheduleFlush()
  }

  func roomIsAsked() { roomWasAsked = true }

  private func flush() {
    guard let engine, mayPull else { return }
    var progressed = false
    while !transport.isBlocked {
      roomWasAsked = false
      let produced = pull(engine)
      if transport.hasFailed { return close() }
      if produced == 0, !roomWasAsked { break }
      progressed = true
      let waiting = blocked
      blocked.removeAll(keepingCapacity: true)
      for exchange in waiting { exchange.roomCame() }
    }
    if progressed { armTimer() }
    if isEnding, exchanges.isEmpty || !engine.wantsWrite, !transport.hasOutput { close() }
    if worker.runtime.isStopping.load(ordering: .relaxed), exchanges.isEmpty, !transport.hasOutput { close() }
  }

  // MARK: End

  private func failAll() {
    let gone = exchanges
    exchanges.removeAll()
    for exchange in gone { exchange.closed() }
  }

  private func armTimer() {
    let timeouts = frontend.settings.timeouts
    let limit: Timespan?
    if !exchanges.isEmpty {
      limit = timeouts.client
    } else if requestCount == 0 {
      limit = timeouts.httpRequest ?? timeouts.client
    } else {
      limit = timeouts.httpKeepAlive ?? timeouts.httpRequest ?? timeouts.client
    }
    if let limit { worker.loop.timers.set(timer, to: worker.loop.now.instant + limit, owner: self) }
  }

  private func close() {
    guard !isClosed else { return }
    isClosed = true
    worker.loop.timers.cancel(timer)
    failAll()
    blocked.removeAll()
    transport.close()
    connection.closed()
  }
}

extension H2ClientSession: TimerOwner, DeferredWork {
  func runDeferred() {
    flushIsDue = false
    flush()
  }

  func timerFired(_ timer: Timer) {
    guard !isClosed else { return }
    // Streams that still run have deadlines of their own.
    if exchanges.contains(where: \.isRunning) { return armTimer() }
    if !exchanges.isEmpty || isEnding { return close() }
    isEnding = true
    engine?.terminate(H2Error.noError)
    scheduleFlush()
    worker.loop.timers.set(timer, to: worker.loop.now.instant + .seconds(1), owner: self)
  }
}
