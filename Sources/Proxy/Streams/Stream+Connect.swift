import Base
import Config
import HTTP
import Rules
import Synchronization

/// Why a connection to a server could not be used.
enum ConnectFailure {
  case refused(Int32)
  case timeout
  case handshake
}

extension Stream {
  /// Finds or opens a connection to the assigned server.
  func connect() -> Step {
    guard let server, let backend else { return refuse(503) }
    guard let serverEnd else {
      if let takeover = storage.takeover {
        if !takeover.isAnswered { return clientLeft() ? abandon() : .wait }
        takeover.stream = nil
        if let connection = takeover.connection {
          storage.takeover = nil
          reuse(connection, server, backend)
          return .proceed
        }
      }
      if let opener = storage.opener {
        if opener.isOpening { return clientLeft() ? abandon() : .wait }
        storage.opener = nil
        if let failure = opener.openFailure { return connectFailed(failure) }
      }
      return open(server, backend)
    }
    guard case .connection(let connection) = serverEnd else { return connected(serverEnd) }
    switch connection.state {
    case .connecting, .handshaking:
      if clientLeft() {
        termination = Termination(cause: .client, state: .connect)
        dropServer(reset: true)
        return abandon()
      }
      return .wait
    case .failed:
      return connectFailed(connection.failureKind)
    case .ready, .idle, .closed:
      if let session = connection.startHTTP2() { return connected(.exchange(session.join(self))) }
      return connected(serverEnd)
    }
  }

  private func connected(_ end: ServerEndpoint) -> Step {
    serverEnd = end
    times.connected = now
    reportToServer(.connected)
    sendRequest(end)
    return enter(.exchange)
  }

  private func open(_ server: Server, _ backend: Backend) -> Step {
    let key = isHTTP ? server.connectionKey(for: self) : 0
    if server.speaksHTTP2, isHTTP, attempts == 0, !storage.mustOpenNew, share(server, backend, key) {
      return serverEnd == nil ? .wait : .proceed
    }
    if isHTTP, attempts == 0, !storage.mustOpenNew,
      let idle = worker.serverPools.take(server, key: key, reuse: reusePolicy, isFirst: context.isFirstRequest)
    {
      reuse(idle, server, backend)
      return .proceed
    }
    if isHTTP, attempts == 0, !storage.mustOpenNew, let kept = client.takeKept(server, key: key) {
      kept.stream = self
      kept.label(context.socketChanges)
      serverEnd = .connection(kept)
      context.serverSide.isReused = true
      return .proceed
    }
    if isHTTP, attempts == 0, storage.takeover == nil, !storage.mustOpenNew, askOthers(server, backend, key) {
      return .wait
    }
    server.counters.add(.connectAttempts, worker: worker.index)
    backend.counters.add(.connectAttempts, worker: worker.index)
    context.serverSide.isReused = false
    let connection = ServerConnection(worker: worker, server: server, key: key)
    connection.stream = self
    serverEnd = .connection(connection)
    connection.open(for: self)
    setConnectDeadline(backend)
    return .proceed
  }

  private func reuse(_ connection: ServerConnection, _ server: Server, _ backend: Backend) {
    connection.stream = self
    connection.label(context.socketChanges)
    serverEnd = .connection(connection)
    server.counters.add(.reused, worker: worker.index)
    backend.counters.add(.reused, worker: worker.index)
    context.serverSide.isReused = true
  }

  /// Asks the other workers for an idle connection; false when that makes no sense.
  private func askOthers(_ server: Server, _ backend: Backend, _ key: UInt64) -> Bool {
    guard server.wire(upgrade: requestInfo.upgrade) != .http2,
      Takeover.isWorthwhile(server, worker, reuse: reusePolicy, isFirst: context.isFirstRequest)
    else { return false }
    let takeover = Takeover(for: self, server)
    storage.takeover = takeover
    setConnectDeadline(backend)
    takeover.ask(key: key, reuse: reusePolicy, isFirst: context.isFirstRequest)
    return true
  }

  private func setConnectDeadline(_ backend: Backend) {
    if let limit = context.timeoutChanges.connect ?? backend.settings.timeouts.connect {
      phaseDeadline = now + limit
    }
  }

  /// Takes a place on an HTTP/2 connection that has room for this request, or waits for one that is being opened.
  private func share(_ server: Server, _ backend: Backend, _ key: UInt64) -> Bool {
    let wire = server.wire(upgrade: requestInfo.upgrade)
    guard wire != .http1 else { return false }
    let pools = worker.serverPools
    let client = context.connection
    if let session = pools.session(server, key: key, for: client, reuse: reusePolicy, isFirst: context.isFirstRequest) {
      server.counters.add(.reused, worker: worker.index)
      backend.counters.add(.reused, worker: worker.index)
      context.serverSide.isReused = true
      serverEnd = .exchange(session.join(self))
      return true
    }
    guard let opener = pools.opener(server, key: key, for: client, reuse: reusePolicy, isFirst: context.isFirstRequest)
    else { return false }
    opener.guests.append(self)
    storage.opener = opener
    setConnectDeadline(backend)
    return true
  }

  private var reusePolicy: HTTPReuse { backend?.settings.reuse ?? .safe }

  /// A connection attempt failed: try again here, elsewhere, or give up.
  @discardableResult
  func connectFailed(_ failure: ConnectFailure) -> Step {
    guard let server, let backend else { return refuse(503) }
    dropConnection(reset: true)
    storage.opener = nil
    endTakeover()
    server.counters.add(.connectErrors, worker: worker.index)
    reportToServer(.connectFailed)
    attempts += 1
    if attempts > retryLimit(backend) {
      termination = Termination(cause: isTimeout(failure) ? .serverTimeout : .server, state: .connect)
      backend.counters.add(.connectErrors, worker: worker.index)
      releaseSlot()
      return refuse(isTimeout(failure) ? 504 : 503, unlessTCP: true)
    }
    server.counters.add(.retries, worker: worker.index)
    backend.counters.add(.retries, worker: worker.index)
    if mayRedispatch(backend, server) {
      redispatched = true
      server.counters.add(.redispatches, worker: worker.index)
      backend.counters.add(.redispatches, worker: worker.index)
      avoidedServer = server
      serverIsForced = false
      releaseSlot()
      return enter(.assignServer)
    }
    if isTimeout(failure) { return enter(.connect) }
    _ = enter(.waitBeforeRetry)
    let limit = backend.settings.timeouts.connect ?? .seconds(1)
    phaseDeadline = now + Swift.min(limit, .seconds(1))
    return .wait
  }

  private func isTimeout(_ failure: ConnectFailure) -> Bool {
    if case .timeout = failure { return true }
    return false
  }

  /// `option redispatch [interval]`: which of the retries may go to another server.
  private func mayRedispatch(_ backend: Backend, _ server: Server) -> Bool {
    guard let interval = backend.settings.redispatch else { return false }
    if !server.isUsable.load(ordering: .relaxed) { return true }
    if interval > 0 { return attempts % interval == 0 }
    let wanted = interval == 0 ? -1 : interval
    let limit = retryLimit(backend)
    return attempts >= limit + 1 + wanted || limit == 0
  }

  /// `retries`, or what `set-retries` made of it.
  func retryLimit(_ backend: Backend) -> Int { context.retries ?? backend.settings.retries }

  /// Writes the request head; the body follows in `exchange`.
  private func sendRequest(_ end: ServerEndpoint) {
    requestSent = true
    var version = 0
    if isHTTP {
      end.sendHead(of: self)
      beginRequestFilter(end)
      if case .exchange = end { version = 2 } else { version = 1 }
      responseState = .awaitingHead
    } else {
      end.beginTunnel()
      limitTunnel(to: end)
      responseState = .body
      times.responseHead = now
    }
    let facts = end.facts
    context.serverSide.source = facts.localAddress
    context.serverSide.tls = facts.tls
    context.serverSide.destination = facts.address
    context.serverSide.socket = end.descriptor
    context.serverSide.httpMajorVersion = version
    context.log.backendSource = facts.localAddress
    context.log.serverAddress = facts.address
    if frontend.logSteps.contains(.connect) { logStep(.connect) }
    if !isHTTP, frontend.settings.logAsap { logEarly(.connect) }
  }

  // MARK: Letting go

  /// Whatever other workers still answer is for nobody.
  func endTakeover() {
    storage.takeover?.stream = nil
    if let unused = storage.takeover?.surrender() { worker.serverPools.give(unused, reuse: .always) }
  }

  /// Ends the use of the server connection without giving the session slot back.
  func dropConnection(reset: Bool) {
    guard let end = serverEnd else { return }
    if worker.runtime.costlyFacts.contains(.serverEnd) { note(end) }
    serverEnd = nil
    context.serverSide.socket = -1
    end.abandon(reset: reset)
  }

  func releaseSlot() {
    guard holdsSlot, let server else { return }
    holdsSlot = false
    backend?.release(server)
  }

  func dropServer(reset: Bool) {
    dropConnection(reset: reset)
    releaseSlot()
  }

  /// Live traffic as a health check: `observe` and `error-limit`.
  func reportToServer(_ event: ObservedEvent) {
    guard let server, server.settings.observe != .none else { return }
    worker.observe(event, server)
  }
}

/// What live traffic says of a server.
enum ObservedEvent {
  case connected, connectFailed, success, wrongStatus, invalidResponse, readError, timeout, closed
}
