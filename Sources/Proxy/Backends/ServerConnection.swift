import Base
import Config
import Glibc
import HTTP
import NetIO
import Rules
import Synchronization
import TLS

/// A connection to a server: opened for one stream, and reused by others while both sides agree.
final class ServerConnection: TransportOwner, BodySource, BodySink {
  enum State { case connecting, handshaking, ready, idle, failed, closed }

  let worker: Worker
  let server: Server
  private(set) var state = State.connecting
  private(set) var transport: Transport?
  private(set) var facts = ServerConnectionFacts()
  private(set) var failureKind = ConnectFailure.refused(0)
  /// Who uses the connection now; nil while idle.
  var stream: Stream?
  /// Requests begun on this connection.
  private(set) var requestCount = 0
  /// Octets of the current response have come.
  private(set) var responseBegan = false
  /// Bound to its client (NTLM): never shared.
  private(set) var isPrivate = false
  let idleTimer = Timer()
  /// What is spoken once the connection is ready.
  private var wire = ServerWire.http1
  /// Streams that wait for it to be ready, to share it.
  var guests: [Stream] = []
  private(set) var openFailure: ConnectFailure?

  private var parser = H1ResponseParser()
  private var reader = H1BodyReader()
  private var writer = H1BodyWriter()
  private var answeredMethod = AnsweredMethod.other
  private var upgradeOffered = false
  private var typeOfService = 0
  private var mark: UInt32 = 0
  private var isWaitingToClose = false
  /// The request was sent while the handshake was under way, and its end was not noted yet.
  private var isEarly = false
  /// What the streams before this one sent.
  private var octetsOutBefore = 0
  private var awaitsSocks = false

  /// What makes the connection differ from others to the same server.
  let key: UInt64
  private var isCounted = false

  init(worker: Worker, server: Server, key: UInt64) {
    self.worker = worker
    self.server = server
    self.key = key
  }

  /// Takes over a connection that was idle on another worker; nil when the kernel does not let it.
  convenience init?(adopting moved: MovedConnection, worker: Worker, server: Server) {
    self.init(worker: worker, server: server, key: moved.key)
    facts = moved.facts
    requestCount = moved.requestCount
    let transport = Transport(descriptor: moved.descriptor, worker: worker)
    if let tls = moved.tls { transport.resume(tls) }
    self.transport = transport
    state = .ready
    transport.owner = self
    count(true)
    guard transport.register() else {
      close(reset: false)
      return nil
    }
  }

  /// An idle connection leaves for another worker. It is closed when it cannot.
  func detach() -> MovedConnection? {
    guard state == .idle, let parts = transport?.detach() else {
      close(reset: false)
      return nil
    }
    worker.loop.timers.cancel(idleTimer)
    transport = nil
    state = .closed
    return MovedConnection(
      descriptor: parts.descriptor, tls: parts.tls, facts: facts, key: key, requestCount: requestCount)
  }

  /// Whether a stream uses it; tells the pools, which keep no more idle connections than were ever in use at once.
  private func count(_ isUsed: Bool) {
    guard isUsed != isCounted else { return }
    isCounted = isUsed
    worker.serverPools.count(server, isUsed ? 1 : -1)
  }

  var octetsOut: Int { (transport.map { $0.octetsOut + $0.gathered } ?? 0) - octetsOutBefore }

  var endpointFacts: EndpointFacts {
    EndpointFacts(transport, id: stream?.isHTTP ?? true ? requestCount - 1 : 0, wasGivenUp: hasFailed)
  }

  var hasFailed: Bool { state == .failed || state == .closed || (transport?.hasFailed ?? true) || endedEarly }
  private var endedEarly: Bool { (transport?.sawEnd ?? false) && !(transport?.hasInput ?? false) }
  var isBlocked: Bool { transport?.isBlocked ?? false }
  private var address: SocketAddress { facts.address }

  // MARK: Opening

  func open(for stream: Stream) {
    facts.address = server.address(for: stream)
    wire = stream.isHTTP ? server.wire(upgrade: stream.requestInfo.upgrade) : .http1
    let next = server.settings.socks4 ?? address
    guard let fd = Socket.stream(for: next) else { return fail(.refused(errno)) }
    if case .ip = address { Socket.setNoDelay(fd) }
    if stream.backend?.settings.tcpKeepAlive ?? false || stream.backend?.settings.serverKeepAlive ?? false {
      Socket.setKeepAlive(fd, stream.backend?.settings.serverKeepAliveProbes)
    }
    if stream.backend?.settings.noLinger ?? false { Socket.setLingerZero(fd) }
    label(fd, stream.context.socketChanges)
    let socket = ServerSocket(server, stream.backend, worker.runtime.global.serverSockets)
    if stream.backend?.settings.smartConnect ?? false { Socket.setQuickAck(fd, false) }
    if let code = socket.prepare(fd, to: next, foreign: socket.foreignAddress(for: stream)) {
      Glibc.close(fd)
      return fail(.refused(code))
    }
    if let code = Socket.connect(fd, to: next) {
      Glibc.close(fd)
      return fail(.refused(code))
    }
    let transport = Transport(descriptor: fd, worker: worker, isReadable: false, isConnected: false)
    self.transport = transport
    transport.owner = self
    server.usedConnections.increment()
    count(true)
    guard transport.register() else { return fail(.refused(ENFILE)) }
    if wire != .http1 { worker.serverPools.opens(self) }
  }

  /// `set-bc-tos` and `set-bc-mark` of the stream that takes the connection; what the one before it set is undone.
  func label(_ changes: SocketChanges) {
    if let transport { label(transport.descriptor, changes) }
  }

  private func label(_ fd: Int32, _ changes: SocketChanges) {
    let tos = changes.serverTOS ?? 0
    let mark = changes.serverMark ?? 0
    if tos != typeOfService { Socket.setTypeOfService(fd, Int32(tos)) }
    if mark != self.mark { Socket.setMark(fd, mark) }
    typeOfService = tos
    self.mark = mark
  }

  var isOpening: Bool { state == .connecting || state == .handshaking }

  /// How many streams may wait for it, if it will probably speak HTTP/2.
  var mayBeShared: Bool {
    guard isOpening, guests.count + 1 < worker.h2ServerSettings.maxConcurrentStreams else { return false }
    return wire == .http2 || wire == .negotiated && server.prefersHTTP2.load(ordering: .relaxed)
  }

  private func welcomeGuests() {
    if guests.isEmpty { return }
    let waiting = guests
    guests = []
    for stream in waiting { stream.advance() }
  }

  private func fail(_ kind: ConnectFailure) {
    failureKind = kind
    openFailure = kind
    state = .failed
  }

  func transportReady(_ transport: Transport) {
    switch state {
    case .connecting: connectionReady(transport)
    case .handshaking: handshakeReady(transport)
    case .ready:
      if isWaitingToClose {
        if transport.flush() { close(reset: false) }
        return
      }
    case .idle:
      // The event may be of octets that were read before the connection became idle.
      if case .nothing = transport.receive() { return }
      worker.serverPools.remove(self)
      close(reset: false)
      return
    case .failed, .closed: break
    }
    stream?.advance()
    if !isOpening { welcomeGuests() }
  }

  private func connectionReady(_ transport: Transport) {
    if awaitsSocks { return continueSocks(transport) }
    guard transport.isSettled else { return }
    if transport.failure != 0 { return fail(.refused(transport.failure)) }
    if worker.runtime.costlyFacts.contains(.serverSource) {
      facts.localAddress = Socket.localAddress(transport.descriptor)
    }
    guard server.settings.socks4 != nil else { return begin(transport) }
    guard let request = Socks4.request(to: address) else { return fail(.handshake) }
    _ = request.withUnsafeBytes { Socket.send(transport.descriptor, $0) }
    awaitsSocks = true
  }

  /// `socks4`: the proxy says whether it has reached the server.
  private func continueSocks(_ transport: Transport) {
    while true {
      switch transport.withWaiting({ Socks4.answer($0) }) {
      case .granted:
        transport.consume(Socks4.answerLength)
        awaitsSocks = false
        return begin(transport)
      case .refused: return fail(.handshake)
      case .incomplete: break
      }
      switch transport.receive() {
      case .some: continue
      case .nothing: return
      case .end, .failed: return fail(.handshake)
      }
    }
  }

  /// The way to the server is open.
  private func begin(_ transport: Transport) {
    sendProxyHeader(transport)
    guard server.speaksTLS, let tls = server.tls else {
      state = .ready
      return
    }
    let name = stream.flatMap { serverName($0) }
    guard let session = tls.session(serverName: name, alpn: offeredProtocols) else {
      return fail(.handshake)
    }
    transport.startTLS(session)
    if sendsEarly, session.beginEarlyData() {
      transport.resume(session)
      wire = .http1
      isEarly = true
      state = .ready
      return
    }
    state = .handshaking
    handshakeReady(transport)
  }

  /// Whether the first request may go out before the server has answered: where the client takes the risk too, or
  /// where it can be repeated. A request with a body is not.
  private var sendsEarly: Bool {
    guard server.settings.tls.allowsEarlyData, let stream, stream.isHTTP, stream.requestInfo.framing == .none,
      !stream.requestInfo.upgrade, let backend = stream.backend, stream.attempts == 0
    else { return false }
    let reasons = backend.settings.retryOn
    return stream.context.connection.tls?.receivedEarlyData ?? false || reasons.contains("0rtt-rejected")
      || reasons.contains("all-retryable-errors")
  }

  var refusedEarlyData: Bool { isEarly && transport?.tlsFailure?.reason == .earlyDataRefused }

  /// `sni <expression>`, or what the request's Host says.
  private func serverName(_ stream: Stream) -> String? {
    guard let value = server.expressions.sni?.evaluateText(stream.context), !value.isEmpty else { return nil }
    let name = value.string
    return server.expressions.isAutomatic && IPAddress(name) != nil ? nil : name
  }

  private func handshakeReady(_ transport: Transport) {
    if transport.continueHandshake() == .done {
      state = .ready
      if wire == .negotiated {
        wire = transport.tls?.alpn == "h2" ? .http2 : .http1
        server.prefersHTTP2.store(wire == .http2, ordering: .relaxed)
      }
      if transport.tls?.isResumed == false {
        worker.runtime.activity.serverKeys.count(at: worker.loop.now.wall.microseconds)
      }
      noteTLS(transport)
    } else if transport.hasFailed {
      if let session = transport.tls, let stream {
        let failure = HandshakeFailure(ofServer: session)
        stream.context.serverSide.errorCode = failure.rawValue
        stream.context.serverSide.errorText = Bytes(failure.text)
        stream.context.serverSide.tls = TLSFacts(failed: session, [])
      }
      fail(.handshake)
    }
  }

  private func noteTLS(_ transport: Transport) {
    guard worker.runtime.costlyFacts.contains(.server), let session = transport.tls else { return }
    let tls = TLSFacts(session, [.peerCertificate, .secrets])
    tls.localCertificate = tls.clientCertificate
    facts.tls = tls
  }

  /// `send-proxy` and `send-proxy-v2`: before anything else, in clear.
  private func sendProxyHeader(_ transport: Transport) {
    guard let version = server.settings.sendProxy, let stream else { return }
    let header = ProxyHeaderWriter.header(version, stream, server)
    _ = header.withUnsafeBytes { Socket.send(transport.descriptor, $0) }
  }

  /// ALPN in place of the context's: an upgrade wants one version of HTTP.
  private var offeredProtocols: [String]? {
    guard let stream, stream.isHTTP, stream.requestInfo.upgrade else { return nil }
    return server.protocolsForUpgrade
  }

  /// Hands the connection over to an HTTP/2 session, if that is what was agreed on.
  func startHTTP2() -> H2ServerSession? {
    guard state == .ready, wire == .http2, requestCount == 0, let transport, let stream else { return nil }
    self.transport = nil
    state = .closed
    self.stream = nil
    count(false)
    let session = H2ServerSession(
      transport, worker: worker, server: server, facts: facts, key: key, client: stream.context.connection)
    worker.serverPools.add(session)
    return session
  }

  // MARK: Request

  /// Writes the request head; the body follows through `writeBody`.
  func sendHead(of stream: Stream) {
    guard let transport else { return }
    state = .ready
    count(true)
    requestCount += 1
    octetsOutBefore = transport.octetsOut
    responseBegan = false
    parser.reset()
    answeredMethod = AnsweredMethod(stream.request.method)
    upgradeOffered = stream.requestInfo.upgrade
    let info = stream.requestInfo
    writer.begin(chunked: info.framing == .chunked)
    var staysOpen = stream.connectionMode == .keepAlive
    var caseMap: H1CaseMap?
    // The settings are looked at where they are: a copy of them costs more than the rest of this.
    if let backend = stream.backend {
      if backend.settings.pretendKeepAlive { staysOpen = true }
      if backend.settings.adjustsCaseForServer { caseMap = worker.runtime.caseMap }
      if let name = backend.settings.sendNameHeader {
        stream.request.remove(FieldName(name))
        stream.request.append(FieldName(name), server.facts.name)
      }
    }
    let connection: H1Encoder.Connection = info.upgrade ? .upgrade : staysOpen ? .none : .close
    H1Encoder.writeRequest(
      stream.request, framing: info.framing, connection: connection, caseMap: caseMap, into: transport.assembly())
    // It must go out before anything is read, which would begin the handshake without it.
    if isEarly { _ = transport.flush() }
  }

  func beginTunnel() {
    state = .ready
    requestCount += 1
    writer.begin(chunked: false)
    reader.begin(.tunnel)
  }

  /// Reads what has come behind octets that wait already, for rules that look at them.
  func gatherInput() { transport?.gather() }

  func splice(from source: Transport, upTo limit: Int) -> Transport.Spliced {
    guard let transport else { return .unavailable }
    return writer.splice(from: source, upTo: limit, transport)
  }

  var passage: (transport: Transport, limit: Int)? {
    guard let transport else { return nil }
    let limit = reader.passable(transport)
    return limit > 0 ? (transport, limit) : nil
  }

  func passed(_ n: Int) { reader.passed(n) }

  func writeBody(_ bytes: UnsafeRawBufferPointer) -> Int {
    guard let transport else { return bytes.count }
    return writer.write(bytes, transport)
  }

  func endBody(trailers: MessageHead?) {
    guard let transport else { return }
    writer.end(transport, trailers: trailers)
    if reader.endsWithConnection, state == .ready, transport.flush() { transport.shutdownWrite() }
  }

  func flushBody() { _ = transport?.flush() }

  // MARK: Response

  func receiveHead(into head: MessageHead) -> H1ParseResult {
    guard let transport else { return .incomplete }
    while true {
      if transport.hasInput {
        responseBegan = true
        let isLenient = stream?.backend?.settings.acceptInvalidResponse ?? false
        let limits = isLenient ? worker.lenientLimits : worker.limits
        let result = transport.withWaiting {
          parser.parse(
            $0, into: head, limits: limits, answering: answeredMethod,
            upgradeOffered: upgradeOffered)
        }
        switch result {
        case .complete(let info):
          transport.consume(info.consumed)
          parser.reset()
          if isEarly {
            isEarly = false
            noteTLS(transport)
            stream?.context.serverSide.tls = facts.tls
          }
          return result
        case .invalid(let fault):
          if let stream { worker.captureResponse(of: stream, from: server, transport.waiting, fault) }
          return result
        case .incomplete:
          if transport.inputIsFull { return .invalid(HTTPFault(502, .headTooLarge, at: 0)) }
        }
      }
      switch transport.receive() {
      case .some: continue
      case .nothing: return .incomplete
      case .end, .failed:
        if transport.hasInput { return .invalid(HTTPFault(502, .badStatusLine, at: 0)) }
        return .incomplete
      }
    }
  }

  func beginBody(_ framing: BodyFraming) { reader.begin(framing) }

  /// Octets of the body that came with the head.
  var waitingOctets: Int { transport?.waiting.count ?? 0 }

  func nextPiece() -> BodyPiece {
    guard let transport else { return .truncated }
    return reader.next(transport)
  }

  var trailers: MessageHead? { reader.trailers }

  func consume(_ n: Int) {
    guard let transport else { return }
    reader.consume(n, transport)
  }

  /// Negotiate and NTLM authenticate the connection, not the request.
  func notePrivate(_ response: MessageHead) {
    for name: FieldName in ["www-authenticate", "proxy-authenticate"] {
      var index = response.firstIndex(of: name)
      while let i = index {
        let value = response.value(at: i).lowercased
        if value.starts(with: "nego") || value.starts(with: "ntlm") { isPrivate = true }
        index = response.firstIndex(of: name, from: i + 1)
      }
    }
  }

  // MARK: End

  /// Becomes idle: the pool owns it until the next `sendHead`. False when it is of no more use.
  func becomeIdle() -> Bool {
    guard let transport, state == .ready, !transport.hasFailed, !transport.sawEnd, !transport.hasInput,
      transport.flush(), !transport.peerHungUp
    else { return false }
    state = .idle
    count(false)
    return true
  }

  func closeWhenFlushed() {
    guard let transport, state == .ready, !transport.hasFailed else { return close(reset: false) }
    if transport.flush() { return close(reset: false) }
    isWaitingToClose = true
  }

  func close(reset: Bool) {
    guard state != .closed else { return }
    worker.loop.timers.cancel(idleTimer)
    if transport != nil { server.usedConnections.decrement() }
    count(false)
    state = .closed
    transport?.close(reset: reset)
    transport = nil
    welcomeGuests()
  }
}
