import Base
import HTTP
import NetIO
import Rules

/// One request and its response on an HTTP/2 connection, as the client's side of a stream.
final class H2Exchange: ClientEndpoint, H2StreamEnd {
  let id: Int32
  /// Counted, though the session has the exchange in its list: each step asks for it, and a look at a reference that is
  /// not counted counts it for the while. The list lets go of an exchange that is over.
  let session: H2ClientSession
  private(set) var stream: Stream?
  private let info: H1MessageInfo
  private let isFirst: Bool
  /// The place in the session's list.
  var position = 0
  var inlet = H2Inlet()
  var outlet = H2Outlet()
  private var isGone = false
  /// The whole response went out: what its server still sends is not for the client, and no failure of it.
  private var wasAnswered = false
  private var isResponding = false
  /// The error code with which the stream was given up while it ran.
  private var resetCode: UInt32?
  /// Octets of a request that was answered before its end.
  private var discarded = 0

  /// What a client may still send of a request that is answered. Some clients take an early reset for a lost
  /// response, so the rest of a small body is swallowed.
  private static let discardBound = 1 << 20

  init(_ session: H2ClientSession, _ id: Int32, _ info: H1MessageInfo, isFirst: Bool) {
    self.session = session
    self.id = id
    self.info = info
    self.isFirst = isFirst
    inlet.isEnded = info.framing == .none && !info.isExtendedConnect
  }

  var facts: ConnectionFacts { session.facts }
  var hasFailed: Bool { !wasAnswered && (isGone || session.transportFailed) }
  var dropsOutput: Bool { hasFailed }
  var hasEnded: Bool { isGone || session.transportEnded }
  var isBlocked: Bool { outlet.wantsRoom }
  var isRunning: Bool { stream != nil }
  var octetsIn: Int { inlet.total }
  var octetsOut: Int { outlet.total }

  var endpointFacts: EndpointFacts {
    var facts = session.endpointFacts
    facts.id = Int(id)
    facts.isAborted = hasFailed
    facts.resetCode = resetCode
    facts.streamWords = "id=\(id) in=\(inlet.total) out=\(outlet.total) held=\(outlet.held) ended=\(outlet.isEnded)"
    return facts
  }

  // The session reads by itself.
  func finishHandshake() {}
  func handshakeEnded() { stream?.advance() }

  // MARK: Request

  func headReceived(_ head: MessageHead, _ info: H1MessageInfo, isWhole: Bool) {
    let connection = session.connection
    let worker = session.worker
    let now = worker.loop.now.instant
    let storage = worker.takeStorage(facts)
    inlet.total = head.byteCount
    storage.request.swapContents(with: head)
    let times = StreamTimes(
      accepted: isFirst ? connection.accepted : now, handshakeDone: isFirst ? connection.handshakeDone : now,
      idleSince: isFirst ? connection.handshakeDone : now, began: now)
    let stream = Stream(
      worker: worker, frontend: session.frontend, client: self, storage: storage, times: times)
    stream.context.isFirstRequest = isFirst
    self.stream = stream
    stream.requestReceived(info)
  }

  func discard(_ n: Int) {
    discarded += n
    session.consumed(self, n)
    if discarded > H2Exchange.discardBound { session.reset(self, H2Error.noError) }
  }

  func nextPiece() -> BodyPiece {
    if let waiting = inlet.waiting { return .data(waiting) }
    if inlet.isEnded { return .end }
    return isGone ? .truncated : .wait
  }

  func beginTunnel() {}

  // MARK: Response

  func beginResponse(_ head: MessageHead, body: ResponseBody) {
    isResponding = true
    outlet.total += head.byteCount
    let hasBody: Bool
    switch body {
    case .none, .length(0): hasBody = false
    case .length, .unknown, .untilClose, .swallowed, .tunnel: hasBody = true
    }
    if case .length(let n) = body, !head.contains(H2Exchange.contentLength) {
      head.append(H2Exchange.contentLength, Bytes(String(n)))
    }
    // RFC 8441: the tunnel of an extended CONNECT begins with 200, and HTTP/2 has no 101.
    if head.status == 101 { head.status = 200 }
    session.submit(self, head, hasBody: hasBody)
    if !hasBody { outlet.isEnded = true }
  }

  private static let contentLength: FieldName = "content-length"

  func sendInterim(_ head: MessageHead) {
    guard head.status != 101 else { return }
    session.submitInterim(self, head)
  }

  // A request that breaks the rules is the session's to tell.
  func responseRefused(_ fault: HTTPFault) {}

  // MARK: End

  func finish(reusable: Bool, aborted: Bool) {
    stream = nil
    dropInput()
    if aborted, !outlet.isEnded || !isResponding {
      session.reset(self, isResponding ? H2Error.internalError : H2Error.cancel)
    }
    session.exchangeIsOver()
  }

  func keep(_ server: ServerConnection) -> Bool { session.connection.kept.keep(server) }
  func takeKept(_ server: Server, key: UInt64) -> ServerConnection? {
    session.connection.kept.take(server, key: key)
  }

  func vanish() { session.reset(self, H2Error.cancel) }

  func streamClosed(error: UInt32) {
    session.leave(self)
    if error == H2Error.noError, outlet.isEnded { wasAnswered = true } else if stream != nil { resetCode = error }
    closed()
  }

  /// The client reset the stream, or the connection ended.
  func closed() {
    isGone = true
    dropOutput()
    let running = stream
    running?.advance()
    dropInput()
  }
}
