import Base
import Config
import Glibc
import HTTP
import NetIO
import Rules
import Synchronization
import TLS

/// A client connection from accept to the protocol it speaks: `tcp-request connection` rules, PROXY header, TLS
/// handshake, `tcp-request session` rules, then a session for HTTP/1, HTTP/2 or TCP takes over.
final class ClientConnection: TransportOwner, TimerOwner {
  private enum Step { case proxyHeader, netscalerHeader, handshake, sniff, handedOver }

  let worker: Worker
  let listener: ListenerSettings
  let transport: Transport
  let facts: ConnectionFacts
  let accepted: Instant
  private(set) var handshakeDone: Instant
  private var step = Step.handshake
  private var expectsNetscalerHeader = false
  /// The handshake's deadline, then those of the session that takes over.
  let timer = Timer()
  /// The place in the worker's list of connections.
  var position = 0
  private var isOpen = true
  /// Server connections that only this client may use.
  var kept = KeptServerConnections()

  init(worker: Worker, listener: ListenerSettings, transport: Transport, facts: ConnectionFacts) {
    self.worker = worker
    self.listener = listener
    self.transport = transport
    self.facts = facts
    accepted = facts.accepted.instant
    handshakeDone = accepted
  }

  var frontend: Frontend { listener.frontend }

  /// Runs the connection rules and begins. The transport is registered already.
  func start() {
    transport.owner = self
    var wantsProxyHeader = listener.bind.acceptProxy
    var wantsNetscalerHeader = listener.bind.netscalerMagic != nil
    if !frontend.rules.tcpRequestConnection.isEmpty {
      let storage = worker.takeStorage(facts)
      defer { worker.giveStorage(storage) }
      storage.context.now = worker.loop.now
      storage.context.frontend = ProxyFacts(name: frontend.nameBytes, id: frontend.id)
      var index = 0
      evaluation: while true {
        switch frontend.rules.tcpRequestConnection.evaluate(storage.context, resumingAt: &index) {
        case .next, .needMoreData, .waitForHandshake: break evaluation
        case .expectProxy(false):
          wantsProxyHeader = true
          break evaluation
        case .expectProxy(true):
          wantsNetscalerHeader = true
          break evaluation
        case .silentDrop:
          Socket.vanish(transport.descriptor)
          return deny(.deniedConnections)
        default: return deny(.deniedConnections)
        }
      }
    }
    expectsNetscalerHeader = wantsNetscalerHeader
    step = wantsProxyHeader ? .proxyHeader : wantsNetscalerHeader ? .netscalerHeader : .handshake
    let timeouts = frontend.settings.timeouts
    if step != .handshake || listener.tls != nil, let limit = timeouts.clientHandshake ?? timeouts.client {
      worker.loop.timers.set(timer, to: accepted + limit, owner: self)
    }
    if step == .handshake { beginHandshake() }
    transportReady(transport)
  }

  private func beginHandshake() {
    step = .handshake
    guard let tls = listener.tls else { return }
    guard let session = tls.session() else { return close() }
    transport.startTLS(session)
  }

  func transportReady(_ transport: Transport) {
    if step == .proxyHeader, !readProxyHeader() { return }
    if step == .netscalerHeader, !readNetscalerHeader() { return }
    if step == .handshake {
      if listener.tls != nil {
        guard transport.continueHandshake() == .done else {
          if transport.hasFailed { handshakeFailed() }
          return
        }
        noteTLS()
      }
      handshakeDone = worker.loop.now.instant
      guard evaluateSessionRules() else { return }
      step = .sniff
    }
    if step == .sniff { chooseProtocol() }
  }

  // MARK: PROXY protocol

  /// True when the header has been read.
  private func readProxyHeader() -> Bool {
    while true {
      switch transport.receive() {
      case .nothing where !transport.hasInput: return false
      case .end, .failed:
        close()
        return false
      default: break
      }
      switch transport.withWaiting({ ProxyProtocol.decode($0) }) {
      case .needMore:
        return false
      case .complete(let consumed, let header):
        transport.consume(consumed)
        if header.isProxied, header.source != .none {
          facts.source = header.source
          facts.destination = header.destination
        }
        facts.receivedProxyHeader = true
        facts.proxyTLVs = header.tlvs.map { ($0.type, $0.value) }
        if expectsNetscalerHeader { step = .netscalerHeader } else { beginHandshake() }
        return true
      case .invalid:
        facts.errorCode = 15
        facts.errorText = "Received something which does not look like a PROXY protocol header"
        frontend.counters.add(.requestErrors, worker: worker.index)
        worker.logConnectionError(self, "Received something which does not look like a PROXY protocol header")
        close()
        return false
      }
    }
  }

  /// `accept-netscaler-cip`: true when the header has been read.
  private func readNetscalerHeader() -> Bool {
    // Without the number that both sides know no header is right.
    let magic = listener.bind.netscalerMagic ?? 0
    while true {
      switch transport.withWaiting({ NetscalerHeader.decode($0, magic: magic) }) {
      case .needMore: break
      case .complete(let consumed, let source, let destination):
        transport.consume(consumed)
        facts.source = source
        facts.destination = destination
        beginHandshake()
        return true
      case .invalid(let fault):
        facts.errorText = Bytes(fault.rawValue)
        frontend.counters.add(.requestErrors, worker: worker.index)
        worker.logConnectionError(self, fault.rawValue)
        close()
        return false
      }
      switch transport.receive() {
      case .some: continue
      case .nothing: return false
      case .end, .failed:
        close()
        return false
      }
    }
  }

  // MARK: TLS

  private func handshakeFailed() {
    frontend.counters.add(.requestErrors, worker: worker.index)
    var failure = HandshakeFailure.closed
    if let session = transport.tls {
      failure = HandshakeFailure(ofClient: session, wasClosed: transport.tlsFailure == nil)
      facts.tls = TLSFacts(failed: session, worker.runtime.costlyFacts)
    }
    noteFailure(failure)
    if !(frontend.settings.dontLogNull && transport.octetsIn == 0) {
      worker.logConnectionError(self, failure.text)
    }
    close()
  }

  private func noteFailure(_ failure: HandshakeFailure) {
    facts.errorCode = failure.rawValue
    facts.errorText = Bytes(failure.text)
  }

  private func noteTLS() {
    worker.runtime.tlsConnectionCounter.add(1, ordering: .relaxed)
    worker.runtime.tlsRate.count(at: worker.loop.now.wall.microseconds)
    if let session = transport.tls {
      let counted = session.isResumed ? worker.runtime.tlsResumptions : worker.runtime.activity.clientKeys
      counted.count(at: worker.loop.now.wall.microseconds)
      facts.tls = TLSFacts(session, worker.runtime.costlyFacts)
    }
  }

  // MARK: Session

  private func evaluateSessionRules() -> Bool {
    worker.runtime.sessionRate.count(at: worker.loop.now.wall.microseconds)
    frontend.sessionRate.count(at: worker.loop.now.wall.microseconds)
    frontend.counters.add(.sessions, worker: worker.index)
    listener.counters.add(.sessions, worker: worker.index)
    if frontend.rules.tcpRequestSession.isEmpty {
      facts.count(.session, at: worker.loop.now)
      return true
    }
    let storage = worker.takeStorage(facts)
    defer { worker.giveStorage(storage) }
    storage.context.now = worker.loop.now
    storage.context.frontend = ProxyFacts(name: frontend.nameBytes, id: frontend.id)
    var index = 0
    switch frontend.rules.tcpRequestSession.evaluate(storage.context, resumingAt: &index) {
    case .next, .needMoreData:
      facts.count(.session, at: worker.loop.now)
      return true
    case .silentDrop:
      Socket.vanish(transport.descriptor)
      deny(.deniedSessions)
    default: deny(.deniedSessions)
    }
    return false
  }

  /// HTTP/2 by ALPN, by configuration or by its preface; HTTP/1 otherwise.
  private func chooseProtocol() {
    guard frontend.isHTTP else {
      handOver()
      TCPClientSession(self).start()
      return
    }
    switch listener.forcedProtocol ?? transport.tls?.alpn?.string ?? "" {
    case "h2": return startHTTP2()
    case "h1", "http/1.1", "http/1.0": return startHTTP1()
    default: break
    }
    if transport.tls != nil { return startHTTP1() }
    if !transport.hasInput {
      switch transport.receive() {
      case .some, .end, .failed: break
      case .nothing:
        // An idle clear connection becomes HTTP/1 at once: its session has the timers for that.
        return startHTTP1()
      }
    }
    let isHTTP2 = !frontend.settings.disablesH2Upgrade && HTTP2Preface.matches(transport.waiting)
    if isHTTP2 { startHTTP2() } else { startHTTP1() }
  }

  private func handOver() {
    step = .handedOver
    worker.loop.timers.cancel(timer)
  }

  private func startHTTP1() {
    handOver()
    frontend.counters.add(.sessionsHTTP1, worker: worker.index)
    H1ClientSession(self).readRequest()
  }

  /// A TCP mode connection goes on as HTTP. HTTP/2 has many streams, none of which is the one that rules have seen.
  func switchToHTTP(proto: String?, _ storage: StreamStorage) {
    if proto == "h2" || proto == nil && HTTP2Preface.matches(transport.waiting) {
      worker.giveStorage(storage)
      return startHTTP2()
    }
    frontend.counters.add(.sessionsHTTP1, worker: worker.index)
    H1ClientSession(self, storage, isForced: proto != nil).readRequest()
  }

  func startHTTP2() {
    handOver()
    facts.httpMajorVersion = 2
    frontend.counters.add(.sessionsHTTP2, worker: worker.index)
    H2ClientSession(self).start()
  }

  func timerFired(_ timer: Timer) {
    guard step != .handedOver else { return }
    if step == .handshake, listener.tls != nil {
      frontend.counters.add(.requestErrors, worker: worker.index)
      noteFailure(.timeout)
      worker.logConnectionError(self, HandshakeFailure.timeout.text)
    }
    close()
  }

  // MARK: End

  private func deny(_ counter: Counter) {
    frontend.counters.add(counter, worker: worker.index)
    listener.counters.add(counter, worker: worker.index)
    close(reset: true)
  }

  private func close(reset: Bool = false) {
    worker.loop.timers.cancel(timer)
    transport.close(reset: reset)
    closed()
  }

  /// The session has closed the transport: the connection's slots are given back.
  func closed() {
    guard isOpen else { return }
    isOpen = false
    facts.socket = -1
    facts.counters.release(at: worker.loop.now)
    kept.close()
    worker.connectionClosed(self)
  }
}

/// The first octets of HTTP/2 with prior knowledge (RFC 9113 section 3.4).
enum HTTP2Preface {
  static func matches(_ octets: UnsafeRawBufferPointer) -> Bool {
    let preface: StaticString = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
    let n = Swift.min(octets.count, preface.utf8CodeUnitCount)
    guard n >= 3, let base = octets.baseAddress else { return false }
    return memcmp(base, preface.utf8Start, n) == 0
  }
}
