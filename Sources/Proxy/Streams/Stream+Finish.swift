import Base
import Config
import HTTP
import NetIO
import Rules
import Synchronization

extension Stream {
  // MARK: Answering

  /// Replaces the rest of the stream with `reply`.
  func answer(_ reply: LocalReply) {
    guard isHTTP, !reply.isSilent else {
      context.log.status = reply.status
      dropServer(reset: true)
      _ = end(aborted: true)
      return
    }
    if pending != nil { leaveQueue() }
    dropServer(reset: true)
    reply.write(to: response)
    context.log.status = reply.status
    if !storage.isMalformed { evaluateAfterResponse() }
    countResponse(reply.status)
    responseStarted = true
    let bodiless = requestInfo.isHead || reply.status == 204 || reply.status == 304
    client.beginResponse(
      response, body: bodiless ? .none : reply.more == nil ? .length(UInt64(reply.body.count)) : .unknown)
    replyBody = bodiless ? MemoryBody([]) : MemoryBody(reply.body, more: reply.more)
    phase = .reply
    phaseDeadline = .distantFuture
    serverDeadline = .distantFuture
  }

  func sendReply() -> Step {
    guard let body = replyBody else { return end(aborted: true) }
    if client.hasFailed {
      if termination.cause == .none { termination = Termination(cause: .client, state: .data) }
      return end(aborted: true)
    }
    var pieces = 0
    while case .data(let octets) = body.nextPiece() {
      if pieces == 2 {
        // A long reply that is made as it is sent leaves room for others.
        worker.loop.afterEvents(self)
        return .wait
      }
      pieces += 1
      let n = clientSink.writeBody(octets)
      if n == 0 {
        setExchangeDeadlines(clientWaits: true, serverWaits: false)
        return .wait
      }
      body.consume(n)
    }
    clientSink.endBody(trailers: nil)
    if let filter = storage.filters?.response, !filter.isDone {
      setExchangeDeadlines(clientWaits: true, serverWaits: false)
      return .wait
    }
    return end(aborted: false)
  }

  /// Answers with the page for `status`; in TCP mode, or when the response has begun, just ends.
  @discardableResult
  func refuse(_ status: Int, unlessTCP: Bool = false) -> Step {
    if !isHTTP || responseStarted { return end(aborted: true) }
    answer(page(status))
    return .proceed
  }

  /// A request whose framing is broken.
  @discardableResult
  func refuseMalformed(_ fault: HTTPFault) -> Step {
    termination = Termination(cause: .proxy, state: responseStarted ? .data : .request)
    countRefused(.requestErrors)
    dropServer(reset: true)
    storage.localReplyCloses = true
    return refuse(fault.status)
  }

  /// Closes the client's connection without an answer.
  func reject() -> Step { end(aborted: true) }

  /// The client is gone before anything was sent to it.
  func abandon() -> Step {
    if termination.cause == .none {
      let state: Termination.State =
        switch phase {
        case .waitInQueue: .queue
        case .connect, .waitBeforeRetry: .connect
        case .tarpit: .tarpit
        case .exchange: .headers
        default: .request
        }
      termination = Termination(cause: .client, state: state)
    }
    frontend.counters.add(.clientAborts, worker: worker.index)
    backend?.counters.add(.clientAborts, worker: worker.index)
    leaveQueue()
    dropServer(reset: true)
    return end(aborted: true)
  }

  func tarpitOver() {
    guard let reply = storage.tarpitReply else {
      _ = end(aborted: true)
      return
    }
    storage.localReplyCloses = true
    answer(reply)
  }

  // MARK: End

  /// Ends the stream from outside: its server went down, is not wanted any more, or the administrator said so.
  func shutDown(_ reason: SessionEnd) {
    guard phase != .finished, phase != .reply else { return }
    let state: Termination.State =
      switch phase {
      case .connect, .waitBeforeRetry: .connect
      case .waitInQueue: .queue
      case .exchange: responseStarted || !isHTTP ? .data : .headers
      default: .request
      }
    let cause: Termination.Cause =
      switch reason {
      case .down: .down
      case .backupNotNeeded: .backupNotNeeded
      case .killed: .killed
      }
    termination = Termination(cause: cause, state: state)
    leaveQueue()
    dropServer(reset: true)
    refuse(503)
    advance()
  }

  /// The stream is over: the log line, the counters, the server's slot, then the client's next request.
  @discardableResult
  func end(aborted: Bool) -> Step {
    guard phase != .finished else { return .wait }
    phase = .finished
    worker.loop.timers.set(storage.timer, to: .distantFuture, owner: storage)
    leaveQueue()
    if storage.takeover != nil { endTakeover() }
    fillTimes()
    finishServer(aborted: aborted)
    count()
    releaseSlot()
    countOctets()
    if let backend { backend.sessions.decrement() }
    if !isSilent, !storage.wasLogged, frontend.logsEnd || storage.failsEarly {
      log(storage.failsEarly ? .error : .close)
    }
    context.counters.release(at: context.now)
    if let early = earlyBody { worker.buffers.give(early) }
    earlyBody = nil
    client.finish(reusable: clientMayContinue(aborted), aborted: aborted)
    worker.streamEnded(self)
    return .wait
  }

  private func clientMayContinue(_ aborted: Bool) -> Bool {
    if aborted || !isHTTP || isTunnel || !requestInfo.keepAlive || !requestIsComplete { return false }
    if storage.localReplyCloses || worker.runtime.isStopping.load(ordering: .relaxed) { return false }
    return connectionMode != .close
  }

  /// Backend and frontend may each ask for less persistence; the least wins.
  var connectionMode: HTTPConnectionMode {
    let mine = frontend.settings.connectionMode
    let other = backend?.settings.connectionMode ?? .keepAlive
    if mine == .close || other == .close { return .close }
    return mine == .serverClose || other == .serverClose ? .serverClose : .keepAlive
  }

  /// Gives the server connection to the pool when both sides of the exchange are complete.
  private func finishServer(aborted: Bool) {
    guard let end = serverEnd else { return }
    if worker.runtime.costlyFacts.contains(.serverEnd) { note(end) }
    serverEnd = nil
    context.serverSide.socket = -1
    guard case .connection(let connection) = end else { return end.abandon(reset: aborted) }
    connection.stream = nil
    let reusable =
      !aborted && isHTTP && !isTunnel && requestIsComplete && responseState == .complete && serverKeepAlive
      && connectionMode == .keepAlive
    let reuse = backend?.settings.reuse ?? .safe
    if reusable, reuse == .never || connection.isPrivate {
      if !client.keep(connection) { connection.closeWhenFlushed() }
    } else if reusable {
      worker.serverPools.give(connection, reuse: reuse)
    } else if aborted {
      connection.close(reset: true)
    } else {
      connection.closeWhenFlushed()
    }
  }

  func note(_ end: ServerEndpoint) {
    storage.lastServerEndpoint = end.endpointFacts
    context.log.bytesToServer = end.octetsOut
  }

  private func count() {
    let octetsIn = client.octetsIn
    let octetsOut = client.octetsOut
    context.log.bytesIn = octetsIn
    context.log.bytesOut = octetsOut
    if context.failedRewrites > 0 {
      frontend.counters.add(.failedHeaderRewrites, context.failedRewrites, worker: worker.index)
      backend?.counters.add(.failedHeaderRewrites, context.failedRewrites, worker: worker.index)
    }
    addTraffic(octetsIn - storage.addedOctets.received, octetsOut - storage.addedOctets.sent)
    if let server, let backend, times.connected != .never { addTimes(server, backend) }
  }

  /// `option contstats`: what was moved until now counts now.
  func countContinuously() {
    guard backend != nil else { return }
    let (received, sent) = (client.octetsIn, client.octetsOut)
    addTraffic(received - storage.addedOctets.received, sent - storage.addedOctets.sent)
    storage.addedOctets = (received, sent)
  }

  private func addTraffic(_ octetsIn: Int, _ octetsOut: Int) {
    let index = worker.index
    frontend.counters.addTraffic(octetsIn, octetsOut, worker: index)
    if let backend {
      backend.counters.addTraffic(octetsIn, octetsOut, worker: index)
      server?.counters.addTraffic(octetsIn, octetsOut, worker: index)
    }
    statisticsListener?.counters.addTraffic(octetsIn, octetsOut, worker: index)
  }

  /// The listener that the connection came in by, with `option socket-stats`.
  private var statisticsListener: ListenerSettings? {
    guard frontend.settings.socketStats else { return nil }
    return worker.runtime.listener(of: frontend, context.connection.listenerID)
  }

  /// Counts a request that was refused, for the frontend and the listener.
  func countRefused(_ counter: Counter) {
    frontend.counters.add(counter, worker: worker.index)
    statisticsListener?.counters.add(counter, worker: worker.index)
  }

  private func addTimes(_ server: Server, _ backend: Backend) {
    let context = context
    let (queue, connect) = (context.log.queueTime, context.log.connectTime)
    let (response, total) = (context.log.responseTime, context.log.activeTime)
    server.times.add(queue: queue, connect: connect, response: response, total: total)
    backend.times.add(queue: queue, connect: connect, response: response, total: total)
  }

  private func fillTimes() {
    let t = times
    func span(_ from: Instant, _ to: Instant) -> Int {
      from == .never || to == .never ? -1 : Int(Swift.max(.zero, to - from).milliseconds)
    }
    let start = isHTTP ? t.requestComplete : t.handshakeDone
    context.log.handshakeTime = span(t.accepted, t.handshakeDone)
    context.log.idleTime = span(t.idleSince, t.began)
    context.log.requestTime = isHTTP ? span(t.began, t.requestComplete) : 0
    // Who gives up in the queue has spent time there too.
    let leftQueue = t.serverAssigned == .never && termination.state == .queue ? now : t.serverAssigned
    context.log.queueTime = span(start, leftQueue)
    context.log.connectTime = span(t.serverAssigned, t.connected)
    context.log.responseTime = isHTTP ? span(t.connected, t.responseHead) : -1
    context.log.activeTime = span(t.began, now)
    context.log.totalTime = span(t.accepted, now)
  }

  /// `option logasap`: the line is written when the response begins.
  func logEarly(_ origin: LogOrigin) {
    if frontend.settings.logSteps != nil { return }
    context.log.isEarly = true
    fillTimes()
    context.log.bytesIn = client.octetsIn
    context.log.bytesOut = client.octetsOut
    log(origin)
    storage.wasLogged = true
  }

  /// `log-steps`: one of possibly many lines of the stream.
  func logStep(_ origin: LogOrigin) {
    fillTimes()
    context.log.bytesIn = client.octetsIn
    context.log.bytesOut = client.octetsOut
    log(origin)
  }

  private func log(_ origin: LogOrigin) {
    if frontend.log.isEmpty { return }
    noteState()
    let failed = termination.cause != .none && termination.cause != .local
    if frontend.settings.dontLogNormal, !failed, context.log.status < 500, attempts == 0, !redispatched { return }
    if !isHTTP, frontend.settings.dontLogNull, client.octetsIn == 0, backend == nil { return }
    worker.logStream(self, failed: failed, origin)
  }

  /// What log formats say of the stream and its proxies.
  fileprivate func noteState() {
    context.log.termination.0 = termination.cause.rawValue
    context.log.termination.1 = termination.state.rawValue
    noteCookieState()
    context.log.retries = Swift.max(
      0, attempts - (context.log.status == 503 && attempts > 0 && server == nil ? 1 : 0))
    context.log.isRedispatched = redispatched
    context.log.activeConnections = worker.runtime.connections.current
    context.log.frontendConnections = frontend.sessions.current
    context.log.backendConnections = backend?.sessions.current ?? 0
    context.log.serverConnections = server.map { $0.sessions.current } ?? 0
  }

  /// `do-log`: what is known now.
  func refreshLogFacts() {
    fillTimes()
    if let serverEnd { context.log.bytesToServer = serverEnd.octetsOut }
    context.log.bytesIn = client.octetsIn
    context.log.bytesOut = client.octetsOut
    noteState()
  }
}

extension Stream {
  /// The letters of the persistence cookie: only where one is configured.
  private func noteCookieState() {
    guard isHTTP, backend?.settings.cookie != nil else { return }
    context.log.termination.2 = storage.persistence.request.rawValue
    context.log.termination.3 = storage.persistence.response.rawValue
  }
}

/// Why a session is shut down from outside.
enum SessionEnd: Sendable { case down, backupNotNeeded, killed }
