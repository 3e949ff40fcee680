import Base
import HTTP
import NetIO
import Rules

/// One request and its response on an HTTP/2 connection to a server, as the server's side of a stream.
final class H2ServerExchange: H2StreamEnd {
  private enum State {
    case open
    /// The response breaks the rules, or the request cannot be said to this server.
    case refused(HTTPFault)
    /// The stream is closed; an HTTP/2 error code.
    case closed(UInt32)
  }

  let session: H2ServerSession
  var id: Int32 = 0
  /// The place in the session's list.
  var position = 0
  /// The connection carried other requests before.
  let isReused: Bool
  private(set) var stream: Stream?
  private var state = State.open
  private var upgrade: ExtendedConnect?

  /// A head inside of the engine's call, then those that the stream has not taken yet.
  private var lent: (head: MessageHead, info: H1MessageInfo)?
  private var heads: [(head: MessageHead, info: H1MessageInfo)] = []
  private(set) var responseBegan = false
  var inlet = H2Inlet()
  var outlet = H2Outlet()
  /// The error code with which the server gave the stream up.
  private var resetCode: UInt32?

  init(_ session: H2ServerSession, _ stream: Stream, isReused: Bool) {
    self.session = session
    self.stream = stream
    self.isReused = isReused
  }

  var hasFailed: Bool { if case .closed = state { !inlet.isEnded } else { false } }
  var dropsOutput: Bool { if case .open = state { stream == nil } else { true } }
  var isBlocked: Bool { outlet.wantsRoom }
  var octetsOut: Int { outlet.total }
  var wasRefused: Bool { if case .closed(H2Error.refusedStream) = state { true } else { false } }
  /// Request and response went to their ends.
  var isWhole: Bool { inlet.isEnded && outlet.isEnded }

  var endpointFacts: EndpointFacts {
    var facts = session.endpointFacts
    facts.id = Int(id)
    facts.resetCode = resetCode
    facts.isAborted = resetCode != nil || hasFailed
    facts.streamWords = "id=\(id) out=\(octetsOut) held=\(outlet.held) ended=\(inlet.isEnded)"
    return facts
  }

  // MARK: Request

  func sendHead(of stream: Stream) {
    let info = stream.requestInfo
    guard info.upgrade else {
      outlet.isEnded = info.framing == .none
      return submit(stream, connectProtocol: nil, hasBody: !outlet.isEnded)
    }
    if info.framing == .none { upgrade = ExtendedConnect(stream.request) }
    if session.allowsExtendedConnect == nil { return session.waitForPeer(self) }
    peerIsKnown()
  }

  private func submit(_ stream: Stream, connectProtocol: Bytes?, hasBody: Bool) {
    outlet.total += stream.request.byteCount
    if !session.submit(self, stream.request, connectProtocol: connectProtocol, hasBody: hasBody) {
      state = .closed(H2Error.refusedStream)
    }
  }

  /// An upgrade waited for what the server allows (RFC 8441 section 3).
  func peerIsKnown() {
    guard let stream else { return }
    if let upgrade, session.allowsExtendedConnect == true {
      upgrade.prepare(stream.request)
      submit(stream, connectProtocol: upgrade.name, hasBody: true)
    } else {
      refuseUpgrade()
    }
    stream.advance()
  }

  private func refuseUpgrade() {
    state = .refused(HTTPFault(502, .unexpectedSwitch, at: 0))
    session.abandonNext()
  }

  // MARK: Response

  func headReceived(_ head: MessageHead, _ info: H1MessageInfo, isWhole: Bool) {
    responseBegan = true
    if !info.isInterim, isWhole { inlet.isEnded = true }
    upgrade?.translate(head, info)
    lent = (head, info)
    stream?.advance()
    guard let left = lent.take(), stream != nil else { return }
    let kept = MessageHead()
    kept.swapContents(with: left.head)
    heads.append((kept, info))
  }

  func receiveHead(into head: MessageHead) -> H1ParseResult {
    if let first = heads.first {
      heads.removeFirst()
      head.swapContents(with: first.head)
      return .complete(first.info)
    }
    if let taken = lent.take() {
      head.swapContents(with: taken.head)
      return .complete(taken.info)
    }
    if case .refused(let fault) = state { return .invalid(fault) }
    return .incomplete
  }

  func discard(_ n: Int) { session.consumed(self, n) }

  func responseRefused(_ fault: HTTPFault) {
    state = .refused(fault)
    stream?.advance()
  }

  func nextPiece() -> BodyPiece {
    if let waiting = inlet.waiting { return .data(waiting) }
    if inlet.isEnded { return .end }
    switch state {
    case .open: return .wait
    case .refused(let fault): return .fault(fault)
    case .closed: return .truncated
    }
  }

  // MARK: End

  func streamClosed(error: UInt32) {
    if case .open = state {
      state = .closed(error)
      if !inlet.isEnded || error != H2Error.noError { resetCode = error }
    }
    outlet.wantsRoom = false
    session.leave(self)
    stream?.advance()
  }

  func connectionLost() {
    if case .open = state { state = .closed(H2Error.internalError) }
    outlet.wantsRoom = false
    stream?.advance()
  }

  /// The stream is over, or wants this attempt no more: what is still under way is reset.
  func finish() {
    stream = nil
    lent = nil
    heads = []
    dropInput()
    // Octets of a request body that its answer overtook are left out, which only a reset can say.
    let isIncomplete = !isWhole || outlet.held > 0
    dropOutput()
    if id == 0 {
      session.leave(self)
    } else if case .open = state, isIncomplete {
      session.reset(self, H2Error.cancel)
    }
  }
}
