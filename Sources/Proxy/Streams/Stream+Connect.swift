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
    guard let connection = serverConnection else { return open(server, backend) }
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
      times.connected = now
      reportToServer(.connected)
      sendRequest(connection)
      return enter(.exchange)
    }
  }

  private func open(_ server: Server, _ backend: Backend) -> Step {
    if isHTTP, attempts == 0, !storage.mustOpenNew,
      let idle = worker.serverPools.take(server, reuse: reusePolicy, isFirst: context.isFirstRequest)
    {
      idle.stream = self
      idle.label(context.socketChanges)
      serverConnection = idle
      server.counters.add(.reused, worker: worker.index)
      backend.counters.add(.reused, worker: worker.index)
      context.serverSide.isReused = true
      return .proceed
    }
    if isHTTP, attempts == 0, !storage.mustOpenNew, let kept = client.takeKept(server) {
      kept.stream = self
      kept.label(context.socketChanges)
      serverConnection = kept
      context.serverSide.isReused = true
      return .proceed
    }
    server.counters.add(.connectAttempts, worker: worker.index)
    backend.counters.add(.connectAttempts, worker: worker.index)
    context.serverSide.isReused = false
    let connection = ServerConnection(worker: worker, server: server)
    connection.stream = self
    serverConnection = connection
    connection.open(for: self)
    if let limit = context.timeoutChanges.connect ?? backend.settings.timeouts.connect {
      phaseDeadline = now + limit
    }
    return .proceed
  }

  private var reusePolicy: HTTPReuse { backend?.settings.reuse ?? .safe }

  /// A connection attempt failed: try again here, elsewhere, or give up.
  @discardableResult
  func connectFailed(_ failure: ConnectFailure) -> Step {
    guard let server, let backend else { return refuse(503) }
    dropConnection(reset: true)
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
  private func sendRequest(_ connection: ServerConnection) {
    requestSent = true
    if isHTTP {
      connection.sendHead(of: self)
      beginRequestFilter(connection)
      responseState = .awaitingHead
    } else {
      connection.beginTunnel()
      responseState = .body
      times.responseHead = now
    }
    context.serverSide.source = connection.localAddress
    context.serverSide.tls = connection.tlsFacts
    context.serverSide.destination = connection.address
    context.serverSide.socket = connection.transport?.descriptor ?? -1
    context.serverSide.httpMajorVersion = isHTTP ? 1 : 0
    context.log.backendSource = connection.localAddress
    context.log.serverAddress = connection.address
    if frontend.logSteps.contains(.connect) { logStep(.connect) }
    if !isHTTP, frontend.settings.logAsap { logEarly(.connect) }
  }

  // MARK: Letting go

  /// Ends the use of the server connection without giving the session slot back.
  func dropConnection(reset: Bool) {
    guard let connection = serverConnection else { return }
    serverConnection = nil
    context.serverSide.socket = -1
    connection.stream = nil
    connection.close(reset: reset)
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
