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
  private(set) var address = SocketAddress.none
  private(set) var failureKind = ConnectFailure.refused(0)
  /// Who uses the connection now; nil while idle.
  var stream: Stream?
  /// Requests begun on this connection.
  private(set) var requestCount = 0
  /// Octets of the current response have come.
  private(set) var responseBegan = false
  /// Bound to its client (NTLM, PROXY protocol, SNI of the client): never shared.
  private(set) var isPrivate = false
  let idleTimer = Timer()

  private var parser = H1ResponseParser()
  private var reader = H1BodyReader()
  private var writer = H1BodyWriter()
  private var answeredMethod = AnsweredMethod.other
  private var upgradeOffered = false
  private var typeOfService = 0
  private var mark: UInt32 = 0
  private var isWaitingToClose = false
  private var awaitsSocks = false

  init(worker: Worker, server: Server) {
    self.worker = worker
    self.server = server
  }

  var hasFailed: Bool { state == .failed || state == .closed || (transport?.hasFailed ?? true) || endedEarly }
  private var endedEarly: Bool { (transport?.sawEnd ?? false) && !(transport?.hasInput ?? false) }
  var isBlocked: Bool { transport?.isBlocked ?? false }
  var wantsContinue: Bool { false }
  /// Asked of the kernel once, when the connection is established.
  private(set) var localAddress = SocketAddress.none
  /// For `ssl_s_*` and `ssl_bc_*`, when an expression asks for them.
  private(set) var tlsFacts: TLSFacts?

  // MARK: Opening

  func open(for stream: Stream) {
    address = target(stream)
    let next = server.settings.socks4 ?? address
    guard let fd = Socket.stream(for: next) else { return fail(.refused(errno)) }
    if case .ip = address { Socket.setNoDelay(fd) }
    if stream.backend?.settings.tcpKeepAlive ?? false || stream.backend?.settings.serverKeepAlive ?? false {
      Socket.setKeepAlive(fd)
    }
    label(fd, stream.context.socketChanges)
    if let source = server.settings.source ?? stream.backend?.settings.source, bindSource(fd, source) == false {
      Glibc.close(fd)
      return fail(.refused(EADDRNOTAVAIL))
    }
    if let code = Socket.connect(fd, to: next) {
      Glibc.close(fd)
      return fail(.refused(code))
    }
    let transport = Transport(descriptor: fd, worker: worker)
    self.transport = transport
    transport.owner = self
    server.usedConnections.increment()
    guard transport.register() else { return fail(.refused(ENFILE)) }
  }

  /// The server's address; a port relative to the client's, or the client's own, when it is given so.
  private func target(_ stream: Stream) -> SocketAddress {
    let (configured, portOffset) = server.state.withLock { ($0.address, $0.portOffset) }
    guard case .ip(let ip, let port) = configured else { return configured }
    let reached = stream.context.connection.destination
    let host: IPAddress
    switch ip {
    case .v4(0), .v6(0, 0): host = reached.ip ?? ip
    default: host = ip
    }
    if let offset = portOffset {
      return .ip(host, port: UInt16(truncatingIfNeeded: Int(reached.port ?? 0) + offset))
    }
    return .ip(host, port: port == 0 ? reached.port ?? 0 : port)
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

  private func bindSource(_ fd: Int32, _ source: SourceSettings) -> Bool {
    guard source.address != .none else { return true }
    Socket.set(fd, SOL_SOCKET, SO_REUSEADDR, 1)
    return source.address.withSockaddr { Glibc.bind(fd, $0, $1) } == 0
  }

  private func fail(_ kind: ConnectFailure) {
    failureKind = kind
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
      worker.serverPools.remove(self)
      close(reset: false)
      return
    case .failed, .closed: break
    }
    stream?.advance()
  }

  private func connectionReady(_ transport: Transport) {
    if awaitsSocks { return continueSocks(transport) }
    let code = transport.failure != 0 ? transport.failure : Socket.pendingError(transport.descriptor)
    if code != 0 { return fail(.refused(code)) }
    localAddress = Socket.localAddress(transport.descriptor)
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
    guard let session = tls.session(serverName: name) else {
      return fail(.handshake)
    }
    transport.startTLS(session)
    state = .handshaking
    handshakeReady(transport)
  }

  /// `sni <expression>`.
  private func serverName(_ stream: Stream) -> String? {
    let known = server.nameExpression ?? stream.backend?.rules.serverSNI[server.settings.name]
    guard let expression = known else { return nil }
    guard let value = expression.evaluateText(stream.context), !value.isEmpty else { return nil }
    return value.string
  }

  private func handshakeReady(_ transport: Transport) {
    if transport.continueHandshake() == .done {
      state = .ready
      if worker.runtime.tlsDetails.contains(.server), let session = transport.tls {
        let facts = TLSFacts(session, [.peerCertificate, .secrets])
        facts.localCertificate = facts.clientCertificate
        tlsFacts = facts
      }
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

  /// `send-proxy` and `send-proxy-v2`: before anything else, in clear.
  private func sendProxyHeader(_ transport: Transport) {
    guard let version = server.settings.sendProxy, let stream else { return }
    isPrivate = true
    let header = ProxyHeaderWriter.header(version, stream, server.settings)
    _ = header.withUnsafeBytes { Socket.send(transport.descriptor, $0) }
  }

  // MARK: Request

  /// Writes the request head; the body follows through `writeBody`.
  func sendHead(of stream: Stream) {
    guard let transport else { return }
    state = .ready
    requestCount += 1
    responseBegan = false
    parser.reset()
    answeredMethod = AnsweredMethod(stream.request.method)
    upgradeOffered = stream.requestInfo.upgrade
    let info = stream.requestInfo
    writer.begin(chunked: info.framing == .chunked)
    let connection: H1Encoder.Connection =
      info.upgrade ? .upgrade : stream.connectionMode == .keepAlive ? .none : .close
    H1Encoder.writeRequest(
      stream.request, framing: info.framing, connection: connection, caseMap: nil, into: transport.assembly())
  }

  func beginTunnel() {
    state = .ready
    requestCount += 1
    writer.begin(chunked: false)
    reader.begin(.tunnel)
  }

  /// Reads what has come behind octets that wait already, for rules that look at them.
  func gatherInput() { transport?.gather() }

  func writeBody(_ bytes: UnsafeRawBufferPointer) -> Int {
    guard let transport else { return bytes.count }
    return writer.write(bytes, transport)
  }

  func endBody() {
    guard let transport else { return }
    writer.end(transport)
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
          return result
        case .invalid: return result
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

  func nextPiece() -> BodyPiece {
    guard let transport else { return .truncated }
    return reader.next(transport)
  }

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
    state = .closed
    transport?.close(reset: reset)
    transport = nil
  }
}
