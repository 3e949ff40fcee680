import Base
import Config
import HTTP
import NetIO
import Rules
import Synchronization

extension Stream {
  /// A complete request head is in `request`.
  func requestReceived(_ info: H1MessageInfo) {
    requestInfo = info
    requestIsComplete = info.framing == .none
    times.requestComplete = now
    noteFrontend()
    noteRequestLine()
    let now = worker.loop.now.wall.microseconds
    frontend.requestRate.count(at: now)
    frontend.counters.add(.requests, worker: worker.index)
    frontend.counters.add(request.version.major >= 2 ? .requestsHTTP2 : .requestsHTTP1, worker: worker.index)
    context.log.requestCounter = worker.runtime.requestCounter.add(1, ordering: .relaxed).newValue
    context.requestRoom.begin(request, body: 0)
    if case .length(let n) = info.framing { context.requestContentLength = Int(clamping: n) }
    if info.framing == .none { context.requestBodyIsComplete = true }
    if !frontend.logSteps.isEmpty {
      if frontend.logSteps.contains(.accept) { logStep(.accept) }
      if frontend.logSteps.contains(.request) { logStep(.request) }
    }
    if info.upgrade, !beginHandshake(info) { return }
    if let backend = storage.switchedBackend {
      context.request = request
      join(backend)
      phase = .evaluateBackendRules
    }
    advance()
  }

  /// False when the request was answered: it offers a handshake that nobody could complete.
  private func beginHandshake(_ info: H1MessageInfo) -> Bool {
    do {
      storage.handshake = try WebSocketHandshake(request: request, isExtendedConnect: info.isExtendedConnect)
      return true
    } catch {
      context.request = request
      refuseMalformed(error)
      advance()
      return false
    }
  }

  /// What came is not a request: answer with `status` and close.
  func requestFailed(status: Int, cause: Termination.Cause) {
    requestIsComplete = false
    storage.isMalformed = true
    storage.localReplyCloses = true
    storage.failsEarly = true
    noteFrontend()
    if !request.method.isEmpty { noteRequestLine() }
    termination = Termination(cause: cause, state: .request)
    frontend.requestRate.count(at: worker.loop.now.wall.microseconds)
    frontend.counters.add(.requests, worker: worker.index)
    frontend.counters.add(.requestsHTTP1, worker: worker.index)
    context.now = worker.loop.now
    context.count(.request)
    if cause != .clientTimeout { context.count(.error) }
    context.log.requestCounter = worker.runtime.requestCounter.add(1, ordering: .relaxed).newValue
    answer(page(status))
    advance()
  }

  /// A TCP connection is ready for its rules.
  func connectionReceived() {
    requestInfo.framing = .tunnel
    storage.isTunnel = true
    times.requestComplete = now
    noteFrontend()
    context.log.requestCounter = worker.runtime.requestCounter.add(1, ordering: .relaxed).newValue
    if frontend.logSteps.contains(.accept) { logStep(.accept) }
    advance()
  }

  private func noteFrontend() {
    // Mostly it is what it was for the stream before.
    if context.frontend.id != frontend.id || context.frontend.name.isEmpty { context.frontend = frontend.facts }
    context.log.frontendName = frontend.nameBytes
    context.log.backendName = frontend.nameBytes
    context.log.frontendIsTLS = context.connection.tls != nil
    let lead = times.began - now
    context.log.requestDate =
      isHTTP
      ? WallTime(microseconds: worker.loop.now.wall.microseconds + lead.microseconds)
      : context.connection.accepted.wall
  }

  private func noteRequestLine() {
    context.log.method = request.method
    context.log.uri = frontend.log.isEmpty ? request.target : request.uri
    context.log.version =
      request.version.major >= 2 ? Stream.http2 : request.version.minor == 0 ? Stream.http10 : Stream.http11
  }

  private static let http10: Bytes = "HTTP/1.0"
  private static let http11: Bytes = "HTTP/1.1"
  private static let http2: Bytes = "HTTP/2.0"

  /// Whether the client's connection may carry another request after this one, as far as is known when the
  /// response begins.
  var mayKeepClient: Bool {
    if !isHTTP || !requestInfo.keepAlive || storage.localReplyCloses { return false }
    if worker.runtime.isStopping.load(ordering: .relaxed) { return false }
    if phase == .reply || replyIsBeginning, !requestIsComplete { return false }
    return connectionMode != .close
  }

  /// A local reply is about to begin: whatever is left of the request body will not be read.
  private var replyIsBeginning: Bool { serverEnd == nil }
}
