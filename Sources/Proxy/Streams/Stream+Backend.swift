import Base
import Config
import HTTP
import NetIO
import Rules
import Synchronization

extension Stream {
  /// The backend's rules, unless it is the other half of the frontend's own section.
  func evaluateBackendRules() -> Step {
    guard let backend else { return refuse(503) }
    if backend === frontend.ownBackend { return finishRequest(backend) }
    if backend.settings.bufferRequest, bufferRequest(before: .evaluateBackendRules) { return .proceed }
    if ruleIndex == 0 {
      if let step = inspectRequest(backend.rules.tcpRequestContent) { return step }
      if isHTTP {
        context.countBackendRequest()
        if backend.settings.restrictHeaderNames != nil, !restrictHeaderNames(backend.settings) { return .proceed }
      }
    }
    if isHTTP {
      switch backend.rules.httpRequest.evaluate(context, resumingAt: &ruleIndex) {
      case .next: break
      case let verdict: return conclude(verdict, .request)
      }
      if let settings = backend.settings.stats, serveStatistics(settings, backend.rules) { return .proceed }
    }
    return finishRequest(backend)
  }

  /// `option http-buffer-request`: rules see as much of the body as the buffer holds. True when it is waited for.
  func bufferRequest(before next: Phase) -> Bool {
    guard isHTTP, !requestIsComplete, !storage.requestWasBuffered, ruleIndex == 0 else { return false }
    storage.requestWasBuffered = true
    storage.wantedBody = 0
    storage.phaseAfterBody = next
    phase = .waitForBody
    context.waitingEntity = .requestBuffer
    let timeouts = frontend.settings.timeouts
    if let time = timeouts.httpRequest ?? timeouts.client { phaseDeadline = now + time }
    return true
  }

  /// The last edits of the request before it gets a server.
  private func finishRequest(_ backend: Backend) -> Step {
    ruleIndex = 0
    if isHTTP {
      // RFC 8470 section 5.1: the server decides whether it takes what may be a replay.
      if let tls = context.connection.tls, tls.hasEarlyData { noteEarlyData() }
      sendEarlyHints()
      if !countForward() { return .proceed }
      addForwardedFields(backend)
      prepareCompression()
    }
    return enter(.assignServer)
  }

  private func noteEarlyData() {
    request.remove("early-data")
    request.append("early-data", "1")
  }

  private static let maxForwards: FieldName = "max-forwards"

  /// Max-Forwards of TRACE and OPTIONS (RFC 9110 section 7.6.2): at zero the request ends here. False when it was
  /// answered.
  private func countForward() -> Bool {
    guard let index = request.firstIndex(of: Stream.maxForwards),
      request.method == "TRACE" || request.method == "OPTIONS",
      let left = ASCII.decimal(request.value(at: index).span)
    else { return true }
    if left > 0 {
      request.replaceValue(at: index, with: Bytes(String(left - 1)))
      return true
    }
    termination = Termination(cause: .local, state: .request)
    answer(
      request.method == "OPTIONS"
        ? LocalReply(status: 200, reason: "OK", fields: [("content-length", "0")], body: []) : page(405))
    return false
  }

  /// `http-request early-hint`: one 103 with all hints of the rules.
  private func sendEarlyHints() {
    guard !context.earlyHints.isEmpty else { return }
    response.reset()
    response.setStatusLine(status: 103, reason: Bytes("Early Hints").span, version: .http11)
    for hint in context.earlyHints { response.append(hint.name, hint.value) }
    context.earlyHints.removeAll()
    client.sendInterim(response)
    response.reset()
  }

  // MARK: Forwarded fields

  private func addForwardedFields(_ backend: Backend) {
    if let name = field(backend.forwardFor, frontend.forwardFor, context.source), let text = context.sourceText {
      request.append(name, text)
    }
    if let value = backend.rules.forwarded?.value(context) { request.append("forwarded", value) }
    let address = context.destination
    if let name = field(backend.originalTo, frontend.originalTo, address), let ip = address.ip {
      request.append(name, Bytes(ip.description))
    }
  }

  /// The header that names an address, if the options ask for it.
  ///
  /// The first of the backend's and the frontend's options names the header, `if-none` counts when all say so.
  private func field(_ own: ForwardedAddress?, _ other: ForwardedAddress?, _ address: SocketAddress) -> FieldName? {
    guard let first = own ?? other, let ip = address.ip else { return nil }
    if own?.ifNone ?? true, other?.ifNone ?? true, request.contains(first.name) { return nil }
    if own?.excludes(ip) ?? false || other?.excludes(ip) ?? false { return nil }
    return first.name
  }

  // MARK: Waiting for the body

  /// `wait-for-body` and `option http-buffer-request`: gathers the body, or as much as the buffer holds.
  func waitForBody() -> Step {
    let limit = worker.runtime.global.bufferSize
    let buffer = earlyBody ?? worker.buffers.take()
    earlyBody = buffer
    var isOver = requestIsComplete
    while !isOver {
      let wanted = storage.wantedBody > 0 ? Swift.min(storage.wantedBody, limit) : limit
      if buffer.count >= wanted { break }
      switch client.nextPiece() {
      case .data(let octets):
        let part = UnsafeRawBufferPointer(rebasing: octets.prefix(limit - buffer.count))
        buffer.appendGrowing(part)
        client.consume(part.count)
      case .wait:
        if requestInfo.expectContinue, !storage.sentContinue { sendContinue() }
        if client.hasFailed { return abandon() }
        client.flushBody()
        return .wait
      case .end:
        requestIsComplete = true
        isOver = true
      case .fault(let fault): return refuseMalformed(fault)
      case .truncated:
        // It is told when a backend is known, which is part of what the log says.
        storage.requestIsCut = true
        isOver = true
      }
    }
    context.requestBody = Bytes(copying: buffer.readable)
    context.requestBodyIsComplete = requestIsComplete
    context.waitingEntity = nil
    let next = storage.phaseAfterBody
    let index = ruleIndex
    _ = enter(next)
    ruleIndex = index
    return .proceed
  }

  /// The body took too long: 408, as for a head that does.
  func bodyWaitExpired() {
    termination = Termination(cause: .clientTimeout, state: .request)
    countRefused(.requestErrors)
    storage.localReplyCloses = true
    refuse(408)
  }

  /// The client left in the middle of a body that was waited for.
  private func requestWasCut() -> Step {
    termination = Termination(cause: .client, state: .request)
    frontend.counters.add(.clientAborts, worker: worker.index)
    backend?.counters.add(.clientAborts, worker: worker.index)
    storage.localReplyCloses = true
    return refuse(400)
  }

  func sendContinue() {
    storage.sentContinue = true
    response.reset()
    response.setStatusLine(status: 100, reason: Bytes("Continue").span, version: .http11)
    client.sendInterim(response)
    response.reset()
  }

  // MARK: Assigning a server

  func assignServer() -> Step {
    guard let backend else { return refuse(503) }
    if storage.requestIsCut { return requestWasCut() }
    var forced = chooseByPersistence(backend) ?? chooseByRule(backend) ?? chooseByRDPCookie(backend)
    if !backend.rules.stick.isEmpty {
      let stuck = chooseByStickTable(backend, isAssigned: forced != nil)
      forced = forced ?? stuck
    }
    if let forced {
      if let prefix = forced.settings.redirect, isHTTP, redirectsToServer { return redirect(to: prefix) }
      return assigned(backend.assign(to: forced, wake: self.wakeUp()), backend)
    }
    if serverIsForced { return refuseNoServer(backend) }
    if backend.settings.preferLastServer, avoidedServer == nil, let last = lastServer(of: backend) {
      return assigned(backend.assign(to: last, wake: self.wakeUp()), backend)
    }
    let hash = balanceHash(backend)
    return assigned(backend.assign(hash: hash, avoiding: avoidedServer, wake: self.wakeUp()), backend)
  }

  /// `option prefer-last-server`: where the client's last request went, unless it is down or full.
  private func lastServer(of backend: Backend) -> Server? {
    let number = context.connection.lastServer
    guard number >= 0, balanceHash(backend) == nil,
      let server = backend.servers.first(where: { $0.number == number }),
      server.isUsable.load(ordering: .relaxed), server.queueLength.current == 0
    else { return nil }
    return server
  }

  /// `use-server`; a server that is down is passed over unless persistence is forced.
  private func chooseByRule(_ backend: Backend) -> Server? {
    guard avoidedServer == nil, let name = backend.rules.serverName(for: context) else { return nil }
    guard let server = backend.serversByName[name.string] else { return nil }
    let usable = server.isUsable.load(ordering: .relaxed) || backend.settings.persist
    return usable ? server : nil
  }

  private var redirectsToServer: Bool {
    let method = request.method
    return method == "GET" || method == "HEAD"
  }

  private func redirect(to prefix: Bytes) -> Step {
    var location = prefix.array
    location.append(request.target)
    termination = Termination(cause: .local, state: .request)
    answer(
      LocalReply(
        status: 302, reason: "Found",
        fields: [("content-length", "0"), ("location", Bytes(location)), ("cache-control", "no-cache")], body: []))
    return .proceed
  }

  private func assigned(_ assignment: Backend.Assignment, _ backend: Backend) -> Step {
    switch assignment {
    case .server(let server):
      take(server)
      return enter(.connect)
    case .queued(let pending):
      self.pending = pending
      context.log.backendQueue = pending.server == nil ? backend.queueLength.current - 1 : 0
      context.log.serverQueue = pending.server.map { $0.queueLength.current - 1 } ?? 0
      _ = enter(.waitInQueue)
      let timeouts = backend.settings.timeouts
      if let limit = context.timeoutChanges.queue ?? timeouts.queue ?? timeouts.connect {
        phaseDeadline = now + limit
      }
      return .wait
    case .noServer, .queueFull: return refuseNoServer(backend)
    }
  }

  private func refuseNoServer(_ backend: Backend) -> Step {
    termination = Termination(cause: .server, state: .connect)
    backend.counters.add(.connectErrors, worker: worker.index)
    return refuse(503)
  }

  /// A slot of `server` is ours.
  func take(_ server: Server) {
    self.server = server
    holdsSlot = true
    if times.serverAssigned == .never { times.serverAssigned = now }
    server.counters.add(.sessions, worker: worker.index)
    server.counters.add(.selected, worker: worker.index)
    if isHTTP { server.counters.add(.requests, worker: worker.index) }
    server.sessionRate.count(at: worker.loop.now.wall.microseconds)
    backend?.counters.add(.selected, worker: worker.index)
    backend?.lastSession.store(worker.loop.now.wall.seconds, ordering: .relaxed)
    server.lastSession.store(worker.loop.now.wall.seconds, ordering: .relaxed)
    context.server = server.facts
    context.connection.lastServer = server.number
    context.log.serverName = server.facts.name
  }

  // MARK: Queue

  /// What a freed slot does: it comes back to this stream's own worker.
  private func wakeUp() -> PendingSession {
    let box = Confined(self)
    let loop = worker.loop
    let time = now.microseconds / 1000 + Int64(context.priorityOffset)
    return PendingSession(priority: QueuePriority(classNumber: context.priorityClass, time: time)) { server in
      loop.enqueue { box.value.slotFreed(server) }
    }
  }

  private func slotFreed(_ server: Server) {
    guard phase == .waitInQueue, pending != nil else {
      // Too late: the stream gave up meanwhile, and the slot goes on to the next.
      backend?.release(server)
      return
    }
    pending = nil
    take(server)
    _ = enter(.connect)
    advance()
  }

  func waitInQueue() -> Step {
    guard clientLeft() else { return .wait }
    leaveQueue()
    return abandon()
  }

  func leaveQueue() {
    if let pending { backend?.cancel(pending) }
    pending = nil
  }
}

/// A value that only its own worker touches, carried through another thread.
struct Confined<Value>: @unchecked Sendable {
  let value: Value
  init(_ value: Value) { self.value = value }
}
