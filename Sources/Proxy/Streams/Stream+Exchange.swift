import Base
import Config
import HTTP
import NetIO
import Rules

/// How far octets could be moved from one side to the other.
private enum Flow {
  case sourceWaits
  case sinkBlocked
  case ended
  /// There is more, but others want their turn.
  case yields
  case fault(HTTPFault)
  case truncated
}

extension Stream: DeferredWork {
  /// The most octets that one stream moves before other streams get their turn.
  private static let turn = 1 << 20

  var isTunnel: Bool { storage.isTunnel }
  var clientHalfClosed: Bool { storage.clientHalfClosed }
  var serverHalfClosed: Bool { storage.serverHalfClosed }

  /// Request and response flow, both ways at once, until both are complete or one side fails.
  func exchange() -> Step {
    guard let serverEnd else { return end(aborted: true) }
    if client.hasFailed { return clientAborted() }
    if isHTTP, responseState == .awaitingHead, clientLeft() { return clientGaveUp() }
    var clientWaits = false
    var serverWaits = false
    if !requestIsComplete || earlyBody != nil {
      switch forwardRequest(to: serverEnd) {
      case .proceed: if phase != .exchange { return .proceed }
      case .wait: clientWaits = !(storage.filters?.isHoldingRequest ?? false)
      }
    }
    if responseState == .holding, gatherResponse(of: serverEnd) == .wait {
      setExchangeDeadlines(clientWaits: false, serverWaits: !(storage.heldResponse?.isPaused ?? false))
      return .wait
    }
    while phase == .exchange, responseState == .awaitingHead {
      switch serverEnd.receiveHead(into: response) {
      case .incomplete:
        if serverEnd.hasFailed { return serverFailedBeforeResponse() }
        serverEnd.sink.flushBody()
        setExchangeDeadlines(clientWaits: clientWaits && !requestIsComplete, serverWaits: true)
        return .wait
      case .complete(let info): if handleResponseHead(info) == .wait { return .wait }
      case .invalid: return badResponse()
      }
    }
    guard phase == .exchange else { return .proceed }
    if !isHTTP, storage.responseInspection != nil {
      switch inspectResponse(of: serverEnd) {
      case .proceed: if phase != .exchange { return .proceed }
      case .wait:
        setExchangeDeadlines(clientWaits: clientWaits, serverWaits: true)
        return .wait
      }
    }
    switch forwardResponse(from: serverEnd) {
    case .proceed: return .proceed
    case .wait: serverWaits = !client.isBlocked && !(storage.filters?.isHoldingResponse ?? false)
    }
    setExchangeDeadlines(
      clientWaits: client.isBlocked || (clientWaits && !serverEnd.isBlocked),
      serverWaits: serverWaits || serverEnd.isBlocked)
    return .wait
  }

  func runDeferred() { advance() }

  private func pump(_ source: any BodySource, _ sink: any BodySink, toServer: Bool) -> Flow {
    var moved = 0
    while true {
      if let passage = source.passage {
        switch sink.splice(from: passage.transport, upTo: passage.limit) {
        case .moved(let n):
          source.passed(n)
          countSpliced(n, toServer: toServer)
          moved += n
          if moved >= Stream.turn { return .yields }
          continue
        case .nothing: return .sourceWaits
        case .blocked: return .sinkBlocked
        case .unavailable: break
        }
      }
      switch source.nextPiece() {
      case .data(let octets):
        let n = sink.writeBody(octets)
        if n == 0 { return .sinkBlocked }
        source.consume(n)
        moved += n
        if moved >= Stream.turn { return .yields }
      case .wait: return .sourceWaits
      case .end: return .ended
      case .fault(let fault): return .fault(fault)
      case .truncated: return .truncated
      }
    }
  }

  private func countSpliced(_ n: Int, toServer: Bool) {
    guard isHTTP, !isTunnel else { return }
    frontend.counters.add(toServer ? .splicedIn : .splicedOut, n, worker: worker.index)
    backend?.counters.add(toServer ? .splicedOut : .splicedIn, n, worker: worker.index)
  }

  // MARK: Request

  private var requestTrailers: MessageHead? {
    backend?.settings.dropsRequestTrailers ?? false ? nil : client.trailers
  }

  private func forwardRequest(to server: ServerEndpoint) -> Step {
    if let early = earlyBody {
      let sink = serverSink(server)
      while !early.isEmpty {
        let n = sink.writeBody(early.readableBytes)
        early.consume(n)
        if n == 0 { return .wait }
      }
      if requestIsComplete {
        sink.endBody(trailers: requestTrailers)
        if !(storage.filters?.request?.isDone ?? true) { return .wait }
      }
      worker.buffers.give(early)
      earlyBody = nil
      if requestIsComplete { return .proceed }
    }
    switch pump(client, serverSink(server), toServer: true) {
    case .sourceWaits:
      return .wait
    case .sinkBlocked:
      // A server that stopped reading may already have answered.
      return server.hasFailed && isTunnel ? serverAborted() : .wait
    case .yields:
      worker.loop.afterEvents(self)
      return .wait
    case .ended:
      // Where the server has ended as well, both connections close at once.
      if !serverHalfClosed { serverSink(server).endBody(trailers: requestTrailers) }
      if !(storage.filters?.request?.isDone ?? true) { return .wait }
      requestIsComplete = true
      if isTunnel { storage.clientHalfClosed = true }
      return .proceed
    case .fault(let fault): return refuseMalformed(fault)
    case .truncated: return clientAborted()
    }
  }

  // MARK: Response

  private func handleResponseHead(_ info: H1MessageInfo) -> Step {
    if info.isInterim {
      if response.status == 100 { storage.sentContinue = true }
      client.sendInterim(response)
      response.reset()
      return .proceed
    }
    if info.framing == .tunnel, let handshake = storage.handshake, !handshake.isAccepted(response) {
      return badResponse()
    }
    // What is left of the body would become the tunnel's first octets.
    if response.status == 101, !requestIsComplete { return badResponse() }
    times.responseHead = now
    serverKeepAlive = info.keepAlive
    if info.isDoubtful { storage.localReplyCloses = true }
    context.response = response
    context.log.status = response.status
    countResponse(response.status)
    countStatus(response.status)
    reportToServer(
      response.status >= 500 && response.status != 501 && response.status != 505 ? .wrongStatus : .success)
    if response.status == 401 || response.status == 407 { serverEnd?.notePrivate(response) }
    context.responseRoom.begin(response, body: serverEnd?.waitingOctets ?? 0)
    responseInfo = info
    return judgeResponse()
  }

  /// The response's rules, from where they stand, and what follows from them.
  func judgeResponse() -> Step {
    switch evaluateResponseRules() {
    case .next: return beginResponse()
    case .waitForBody(let timeout, let atLeast): return holdResponse(timeout, atLeast)
    case .pause(let time): return pauseResponse(time)
    case let verdict: return refuseResponse(verdict)
    }
  }

  /// The rules let the response pass.
  private func beginResponse() -> Step {
    let info = responseInfo
    responseStarted = true
    storeStickiness()
    if storage.heldResponse == nil { serverEnd?.beginBody(info.framing) }
    var body: ResponseBody
    switch info.framing {
    case .none: body = info.declaredLength == nil && responseMayHaveBody ? .length(0) : .none
    case .length(let n): body = .length(n)
    case .chunked: body = .unknown
    case .untilClose: body = .untilClose
    case .tunnel:
      body = .tunnel
      storage.isTunnel = true
      requestIsComplete = false
      client.beginTunnel()
      serverEnd?.beginTunnel()
    }
    body = filtered(body)
    if requestInfo.isHead, body != .none {
      // The method was rewritten for the server: what it sends is not for this client.
      storage.dropsBody = true
      client.beginResponse(response, body: .swallowed)
    } else {
      client.beginResponse(response, body: body)
    }
    responseState = .body
    if frontend.logSteps.contains(.response) { logStep(.response) }
    if frontend.settings.logAsap { logEarly(.response) }
    return .proceed
  }

  /// Puts what the configuration asks for between the server and the client.
  private func filtered(_ body: ResponseBody) -> ResponseBody {
    if storage.filters == nil, context.bandwidth.isEmpty { return body }
    limitResponse(behindCompression: true)
    let result = beginCompression(body)
    switch body {
    case .length(let n): beginRecording(length: n)
    case .unknown, .untilClose: beginRecording(length: nil)
    case .none, .swallowed, .tunnel: break
    }
    if forwardsAtRandom { storage.filters?.response = randomForwarding(into: clientSink) }
    limitResponse(behindCompression: false)
    if let serverEnd, !requestIsComplete { limitRequest(to: serverEnd) }
    return result
  }

  private var responseMayHaveBody: Bool {
    let status = response.status
    return !requestInfo.isHead && status != 204 && status != 304 && status >= 200
  }

  /// `http-response` of the backend, then of the frontend; persistence; then `http-after-response`.
  func evaluateResponseRules() -> Verdict {
    let other = backend === frontend.ownBackend ? nil : backend
    var place = storage.heldResponse?.place ?? (isFrontend: false, rule: 0)
    if storage.heldResponse == nil {
      other?.rules.captureResponse(context)
      frontend.rules.captureResponse(context)
      if let cookie = frontend.settings.captureCookie {
        context.log.responseCookie = CookieCapture.find(
          in: response, isResponse: true, name: cookie.name, isPrefix: cookie.isPrefix, length: cookie.length)
      }
    }
    if !place.isFrontend {
      if let other, let verdict = evaluateResponse(other.rules, &place) { return verdict }
      place = (true, 0)
    }
    if let verdict = evaluateResponse(frontend.rules, &place) { return verdict }
    if letsCachesKeepCookie { return .deny(status: 502, nil) }
    if let backend, server != nil { persistInResponse(backend) }
    evaluateAfterResponse()
    return .next
  }

  private func evaluateResponse(_ rules: CompiledProxy, _ place: inout (isFrontend: Bool, rule: Int)) -> Verdict? {
    if place.rule == 0, !rules.tcpResponseContent.isEmpty {
      context.responsePayloadIsFinal = true
      var index = 0
      switch rules.tcpResponseContent.evaluate(context, resumingAt: &index) {
      case .next, .needMoreData: break
      case let verdict: return verdict
      }
    }
    if rules.httpResponse.isEmpty { return nil }
    while true {
      switch rules.httpResponse.evaluate(context, resumingAt: &place.rule) {
      case .next, .needMoreData: return nil
      case .storeInCache(let number): storeInCache(number)
      case .waitForBody(let timeout, let atLeast):
        // An answer out of the cache has its body already.
        guard serverEnd != nil else { continue }
        noteHeld(place)
        return .waitForBody(timeout: timeout, atLeast: atLeast)
      case .pause(let time):
        guard serverEnd != nil else { continue }
        noteHeld(place)
        return .pause(time)
      case let verdict: return verdict
      }
    }
  }

  func evaluateAfterResponse() {
    context.response = response
    if let backend, backend !== frontend.ownBackend { evaluateAfter(backend.rules) }
    evaluateAfter(frontend.rules)
  }

  private func evaluateAfter(_ rules: CompiledProxy) {
    if rules.httpAfterResponse.isEmpty { return }
    var index = 0
    _ = rules.httpAfterResponse.evaluate(context, resumingAt: &index)
  }

  /// A response rule denied, returned or redirected.
  func refuseResponse(_ verdict: Verdict) -> Step {
    frontend.counters.add(.deniedResponses, worker: worker.index)
    backend?.counters.add(.deniedResponses, worker: worker.index)
    server?.counters.add(.deniedResponses, worker: worker.index)
    termination = Termination(cause: .proxy, state: .headers)
    let rendered: LocalReply
    switch verdict {
    case .deny(let status, let reply):
      rendered = reply.map { LocalReply($0.render(context), page: page) } ?? page(status)
    case .reply(let reply):
      termination = Termination(cause: .local, state: .headers)
      rendered = LocalReply(reply.render(context), page: page)
    case .silentDrop:
      client.vanish()
      dropServer(reset: true)
      return reject()
    case .reject:
      dropServer(reset: true)
      return reject()
    case .rewriteFailed:
      frontend.counters.add(.internalErrors, worker: worker.index)
      backend?.counters.add(.internalErrors, worker: worker.index)
      rendered = page(500)
    default: rendered = page(502)
    }
    dropServer(reset: true)
    answer(rendered)
    return .proceed
  }

  private func forwardResponse(from server: ServerEndpoint) -> Step {
    storeTunnelStickiness(server)
    if storage.heldResponse != nil, sendHeld() == .wait { return client.hasFailed ? clientAborted() : .wait }
    switch pump(server.source, storage.dropsBody ? DiscardSink() : clientSink, toServer: false) {
    case .sourceWaits:
      if server.hasFailed { return serverAborted() }
      return .wait
    case .sinkBlocked: return client.hasFailed ? clientAborted() : .wait
    case .yields:
      worker.loop.afterEvents(self)
      return .wait
    case .ended:
      if isTunnel, requestIsComplete {
        storage.serverHalfClosed = true
        return end(aborted: false)
      }
      clientSink.endBody(trailers: frontend.settings.dropsResponseTrailers ? nil : server.source.trailers)
      if let filter = storage.filters?.response, !filter.isDone { return client.hasFailed ? clientAborted() : .wait }
      if isTunnel {
        storage.serverHalfClosed = true
        // Nothing can be answered any more; TCP lets the client finish what it says.
        return isHTTP ? end(aborted: false) : .wait
      }
      responseState = .complete
      return end(aborted: false)
    case .fault, .truncated: return serverAborted()
    }
  }

  // MARK: Failures

  /// `option abortonclose`: the client said that it sends no more while the server was still at work.
  private func clientGaveUp() -> Step {
    countClientAbort()
    termination = Termination(cause: .client, state: .headers)
    dropServer(reset: true)
    return refuse(400)
  }

  private func countClientAbort() {
    frontend.counters.add(.clientAborts, worker: worker.index)
    backend?.counters.add(.clientAborts, worker: worker.index)
    server?.counters.add(.clientAborts, worker: worker.index)
  }

  private func clientAborted() -> Step {
    countClientAbort()
    let state: Termination.State = responseStarted || !isHTTP ? .data : requestIsComplete ? .headers : .data
    termination = Termination(cause: .client, state: state)
    dropServer(reset: true)
    return end(aborted: true)
  }

  private func serverAborted() -> Step {
    termination = Termination(cause: .server, state: .data)
    backend?.counters.add(.serverAborts, worker: worker.index)
    server?.counters.add(.serverAborts, worker: worker.index)
    frontend.counters.add(.serverAborts, worker: worker.index)
    if isHTTP { context.count(.failure) }
    dropServer(reset: true)
    return end(aborted: isHTTP)
  }

  /// The connection ended before a response: a reused one may simply have been closed meanwhile.
  private func serverFailedBeforeResponse() -> Step {
    guard let backend, let serverEnd else { return refuse(502) }
    if mayReplay(serverEnd) {
      dropConnection(reset: true)
      attempts += serverEnd.isReused ? 0 : 1
      context.serverSide.isReused = false
      storage.mustOpenNew = true
      return enter(.connect)
    }
    termination = Termination(cause: .server, state: .headers)
    backend.counters.add(.responseErrors, worker: worker.index)
    server?.counters.add(.responseErrors, worker: worker.index)
    context.count(.failure)
    reportToServer(.invalidResponse)
    dropServer(reset: true)
    return refuse(502)
  }

  /// Whether the request can be sent once more: nothing of its body was used up, and either the server cannot
  /// have seen it (a reused connection that was closed) and it is idempotent, or `retry-on` says so.
  private func mayReplay(_ server: ServerEndpoint) -> Bool {
    guard !server.responseBegan, !requestBodyStarted, requestInfo.framing == .none, !isTunnel else {
      return false
    }
    if server.isReused, isIdempotent { return true }
    guard let backend, attempts < retryLimit(backend), !context.retriesDisabled else {
      return false
    }
    // RFC 9113 section 8.7: what the server has not looked at is safe to repeat.
    if server.wasRefused { return true }
    let reasons = backend.settings.retryOn
    if server.refusedEarlyData {
      return reasons.contains("0rtt-rejected") || reasons.contains("all-retryable-errors")
    }
    return reasons.contains("empty-response") || reasons.contains("all-retryable-errors")
  }

  private var isIdempotent: Bool {
    let method = request.method
    return method == "GET" || method == "HEAD" || method == "OPTIONS" || method == "TRACE" || method == "PUT"
      || method == "DELETE"
  }

  private func badResponse() -> Step {
    termination = Termination(cause: .proxy, state: .headers)
    backend?.counters.add(.responseErrors, worker: worker.index)
    server?.counters.add(.responseErrors, worker: worker.index)
    context.count(.failure)
    reportToServer(.invalidResponse)
    dropServer(reset: true)
    return refuse(502)
  }

  func countResponse(_ status: Int) {
    let counter: Counter =
      switch status / 100 {
      case 1: .responses1xx
      case 2: .responses2xx
      case 3: .responses3xx
      case 4: .responses4xx
      case 5: .responses5xx
      default: .responsesOther
      }
    frontend.counters.add(counter, worker: worker.index)
    backend?.counters.add(counter, worker: worker.index)
    if server != nil, responseState == .awaitingHead, phase == .exchange {
      server?.counters.add(counter, worker: worker.index)
    }
  }
}
