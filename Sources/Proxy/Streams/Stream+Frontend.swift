import Base
import Config
import HTTP
import NetIO
import Rules
import Synchronization

extension Stream {
  /// TCP mode: `tcp-request content` rules, with `inspect-delay` to let octets arrive.
  func inspectContent() -> Step {
    let rules = frontend.rules.tcpRequestContent
    if rules.isEmpty { return enter(.selectBackend) }
    if phaseDeadline == .distantFuture, !context.payloadIsFinal {
      if let delay = frontend.rules.inspectDelay { phaseDeadline = now + delay } else { context.payloadIsFinal = true }
    }
    offerPayload()
    switch rules.evaluate(context, resumingAt: &ruleIndex) {
    case .needMoreData:
      if client.hasFailed { return abandon() }
      return .wait
    case .next:
      ruleIndex = 0
      return enter(.selectBackend)
    case .switchToHTTP(let proto): return switchToHTTP(proto: proto)
    case let verdict: return conclude(verdict, .request)
    }
  }

  /// Shows rules the octets that the client has sent so far.
  private func offerPayload() {
    client.gatherInput()
    if case .data(let octets) = client.nextPiece() { context.payload = Bytes(Array(octets)) }
    // Rules may look at HTTP that only passes through.
    if context.request == nil, !context.payload.isEmpty {
      var parser = H1RequestParser()
      let octets = context.payload
      if case .complete = parser.parse(octets.span, into: request, limits: worker.limits) { context.request = request }
    }
    if client.hasEnded || context.payload.count >= worker.runtime.global.bufferSize { context.payloadIsFinal = true }
  }

  /// HTTP mode: monitor, captures, `tcp-request content`, `http-request` rules and statistics of the frontend.
  func evaluateFrontendRules() -> Step {
    if frontend.settings.bufferRequest, bufferRequest(before: .evaluateFrontendRules) { return .proceed }
    if ruleIndex == 0 {
      context.request = request
      if !storage.wasSwitched, let step = inspectRequest(frontend.rules.tcpRequestContent) { return step }
      if !prepareRequest() { return .proceed }
    }
    switch frontend.rules.httpRequest.evaluate(context, resumingAt: &ruleIndex) {
    case .next:
      ruleIndex = 0
      if let settings = frontend.settings.stats, serveStatistics(settings, frontend.rules) { return .proceed }
      return enter(.selectBackend)
    case let verdict: return conclude(verdict, .request)
    }
  }

  /// What happens once, before the first `http-request` rule. False when the request was answered already.
  private func prepareRequest() -> Bool {
    let rules = frontend.rules
    context.count(.request)
    if frontend.settings.restrictHeaderNames != nil, !restrictHeaderNames(frontend.settings) { return false }
    rules.captureRequest(context)
    if let cookie = frontend.settings.captureCookie {
      context.log.requestCookie = CookieCapture.find(
        in: request, isResponse: false, name: cookie.name, isPrefix: cookie.isPrefix, length: cookie.length)
    }
    if let format = rules.uniqueIDFormat {
      context.log.uniqueID = Bytes(format.rendered(context))
      if let header = frontend.settings.uniqueIDHeader {
        request.append(FieldName(header), context.log.uniqueID)
      }
    }
    if let uri = frontend.settings.monitorURI, request.target == uri || BalanceKey.path(request.target) == uri {
      isSilent = true
      let failed = rules.monitorFail.contains { $0.holds(context) }
      termination = Termination(cause: .local, state: .request)
      answer(failed ? page(503) : page(200))
      return false
    }
    return true
  }

  /// HTTP mode: `tcp-request content` rules, which see the whole request. nil when they let it pass.
  func inspectRequest(_ rules: RuleSet) -> Step? {
    if rules.isEmpty { return nil }
    context.payloadIsFinal = true
    switch rules.evaluate(context, resumingAt: &storage.contentRuleIndex) {
    case .next, .needMoreData, .switchToHTTP:
      storage.contentRuleIndex = 0
      return nil
    case let verdict: return conclude(verdict, .request)
    }
  }

  /// `use_backend` rules, `default_backend`, or the other half of the listen section.
  func selectBackend() -> Step {
    guard let backend = routedBackend() ?? frontend.defaultBackend.flatMap({ accepts($0) ? $0 : nil }) else {
      termination = Termination(cause: .server, state: .connect)
      countRefused(.requestErrors)
      return isHTTP ? refuse(503) : reject()
    }
    if !isHTTP, backend.settings.mode == .http { return switchToHTTP(proto: nil, for: backend) }
    join(backend)
    return enter(.evaluateBackendRules)
  }

  /// What `use_backend` says: lines whose backend takes no traffic are passed over, and a computed name that no
  /// backend bears leaves the default.
  private func routedBackend() -> Backend? {
    var index = 0
    while let choice = frontend.rules.nextBackend(for: context, from: &index) {
      switch choice {
      case .proxy(let number):
        if let backend = worker.runtime.backendOfProxy[number], accepts(backend) { return backend }
      case .named(let name):
        guard let backend = worker.runtime.backend(named: name) else { return nil }
        if accepts(backend) { return backend }
      }
    }
    return nil
  }

  private func accepts(_ backend: Backend) -> Bool {
    guard backend.isUnpublished.load(ordering: .relaxed), backend !== frontend.ownBackend else { return true }
    return CompiledProxy.anyHolds(frontend.rules.forceBackendSwitch, context)
  }

  func join(_ backend: Backend) {
    self.backend = backend
    if backend !== frontend.ownBackend {
      // What the frontend's rules set for the server's side held for its own half only.
      let changes = context.timeoutChanges
      context.timeoutChanges = TimeoutChanges()
      context.timeoutChanges.client = changes.client
      context.timeoutChanges.tarpit = changes.tarpit
      context.retries = nil
    }
    backend.sessions.increment()
    backend.sessionRate.count(at: worker.loop.now.wall.microseconds)
    backend.counters.add(.sessions, worker: worker.index)
    if isHTTP { backend.counters.add(.requests, worker: worker.index) }
    context.backend = backend.facts
    context.log.backendName = context.backend.name
  }

  /// Acts on a verdict other than `.next`.
  func conclude(_ verdict: Verdict, _ state: Termination.State) -> Step {
    switch verdict {
    case .next, .needMoreData, .expectProxy, .switchToHTTP: return .wait
    case .waitForHandshake:
      client.finishHandshake()
      if !(context.connection.tls?.hasEarlyData ?? false) { return .proceed }
      if client.hasFailed { return abandon() }
      setExchangeDeadlines(clientWaits: true, serverWaits: false)
      return .wait
    case .deny(let status, let reply):
      countDenied()
      context.count(.error)
      termination = Termination(cause: .proxy, state: state)
      answer(denial(status, reply))
      return .proceed
    case .tarpit(let status, let reply):
      countDenied()
      context.count(.error)
      termination = Termination(cause: .proxy, state: .tarpit)
      storage.tarpitReply = denial(status, reply)
      phase = .tarpit
      let timeouts = frontend.settings.timeouts
      phaseDeadline =
        now + (context.timeoutChanges.tarpit ?? timeouts.tarpit ?? timeouts.connect ?? .seconds(5))
      return .wait
    case .reply(let reply):
      if context.asksForLogin { context.count(.error) }
      frontend.counters.add(.interceptedRequests, worker: worker.index)
      termination = Termination(cause: .local, state: state)
      answer(LocalReply(reply.render(context), page: page))
      return .proceed
    case .rewriteFailed:
      termination = Termination(cause: .proxy, state: state)
      frontend.counters.add(.internalErrors, worker: worker.index)
      backend?.counters.add(.internalErrors, worker: worker.index)
      answer(page(500))
      return .proceed
    case .reject, .close:
      countDenied()
      termination = Termination(cause: .proxy, state: state)
      return reject()
    case .silentDrop:
      countDenied()
      termination = Termination(cause: .proxy, state: state)
      client.vanish()
      return reject()
    case .waitForBody(let timeout, let atLeast):
      storage.wantedBody = atLeast
      storage.phaseAfterBody = phase
      phase = .waitForBody
      phaseDeadline = now + timeout
      return .proceed
    case .pause(let time):
      storage.phaseAfterName = phase
      phase = .pause
      phaseDeadline = now + time
      return .wait
    case .serveFromCache(let index, let allowsHints): return serveFromCache(index, allowsHints: allowsHints)
    case .storeInCache: return .proceed
    case .service(let name):
      return serve(name)
    case .resolve(let query):
      return resolve(query)
    }
  }

  private func denial(_ status: Int, _ reply: Reply?) -> LocalReply {
    if let reply { return LocalReply(reply.render(context), page: page) }
    return page(status)
  }

  private func countDenied() {
    countRefused(.deniedRequests)
    backend?.counters.add(.deniedRequests, worker: worker.index)
  }

  /// The proxy's own page for `status`: the backend's if there is one, then the frontend's, then the built-in.
  func page(_ status: Int) -> LocalReply {
    if let reply = backend?.rules.errorReplies[status] ?? frontend.rules.errorReplies[status] {
      return LocalReply(reply.render(context)) { LocalReply(page: $0) }
    }
    return LocalReply(page: status)
  }
}
