import Base
import HTTP
import NetIO
import Rules

/// One request and its response on an HTTP/2 connection to a server, as the server's side of a stream.
final class H2ServerExchange: H2ResponseOwner, BodySource, BodySink {
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
  private var stream: Stream?
  private var state = State.open
  private var upgrade: ExtendedConnect?

  /// A head inside of the engine's call, then those that the stream has not taken yet.
  private var lent: (head: MessageHead, info: H1MessageInfo)?
  private var heads: [(head: MessageHead, info: H1MessageInfo)] = []
  private(set) var responseBegan = false
  private var input: ByteBuffer?
  private var inputEnded = false
  private(set) var trailers: MessageHead?

  private var output: ByteBuffer?
  private var outputEnded = false
  private var outputTrailers: MessageHead?
  private var wantsRoom = false
  private(set) var octetsOut = 0
  /// The error code with which the server gave the stream up.
  private var resetCode: UInt32?

  /// Octets of a request body held for one stream.
  private static let outputBound = 64 * 1024

  init(_ session: H2ServerSession, _ stream: Stream, isReused: Bool) {
    self.session = session
    self.stream = stream
    self.isReused = isReused
  }

  var hasFailed: Bool { if case .closed = state { !inputEnded } else { false } }
  var isBlocked: Bool { wantsRoom }
  var wasRefused: Bool { if case .closed(H2Error.refusedStream) = state { true } else { false } }
  /// Request and response went to their ends.
  var isWhole: Bool { inputEnded && outputEnded }

  var endpointFacts: EndpointFacts {
    var facts = session.endpointFacts
    facts.id = Int(id)
    facts.resetCode = resetCode
    facts.isAborted = resetCode != nil || hasFailed
    facts.streamWords = "id=\(id) out=\(octetsOut) held=\(output?.count ?? 0) ended=\(inputEnded)"
    return facts
  }

  // MARK: Request

  func sendHead(of stream: Stream) {
    let info = stream.requestInfo
    guard info.upgrade else {
      outputEnded = info.framing == .none
      return submit(stream, connectProtocol: nil, hasBody: !outputEnded)
    }
    if info.framing == .none { upgrade = ExtendedConnect(stream.request) }
    if session.allowsExtendedConnect == nil { return session.waitForPeer(self) }
    peerIsKnown()
  }

  private func submit(_ stream: Stream, connectProtocol: Bytes?, hasBody: Bool) {
    octetsOut += stream.request.byteCount
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

  func writeBody(_ bytes: UnsafeRawBufferPointer) -> Int {
    guard case .open = state else { return bytes.count }
    let buffer = output ?? session.worker.buffers.take()
    output = buffer
    let room = H2ServerExchange.outputBound - buffer.count
    guard room > 0 else {
      if !wantsRoom {
        wantsRoom = true
        session.waitForRoom(self)
      }
      return 0
    }
    let n = Swift.min(room, bytes.count)
    let wasEmpty = buffer.isEmpty
    buffer.appendGrowing(UnsafeRawBufferPointer(rebasing: bytes.prefix(n)))
    octetsOut += n
    if wasEmpty { session.bodyIsReady(self) }
    return n
  }

  func endBody(trailers: MessageHead?) {
    guard !outputEnded else { return }
    outputEnded = true
    outputTrailers = trailers
    session.bodyIsReady(self)
  }

  func flushBody() {}

  func offerBody(upTo limit: Int) -> H2BodyOffer {
    let waiting = output?.count ?? 0
    let n = Swift.min(waiting, limit)
    if n == 0, !(outputEnded && waiting == 0) { return stream == nil ? .failed : .wait }
    return .octets(n, isEnd: outputEnded && n == waiting, trailers: outputTrailers)
  }

  func writeBody(count: Int, into target: ByteBuffer) {
    guard let buffer = output else { return }
    target.appendGrowing(UnsafeRawBufferPointer(rebasing: buffer.readableBytes.prefix(count)))
    buffer.consume(count)
    if buffer.isEmpty {
      session.worker.buffers.give(buffer)
      output = nil
    }
  }

  /// The engine took octets: the stream may go on.
  func roomCame() {
    guard wantsRoom else { return }
    if let output, output.count >= H2ServerExchange.outputBound { return session.waitForRoom(self) }
    wantsRoom = false
    stream?.advance()
  }

  // MARK: Response

  func responseReceived(_ head: MessageHead, _ info: H1MessageInfo, isWhole: Bool) {
    responseBegan = true
    if !info.isInterim, isWhole { inputEnded = true }
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

  func bodyData(_ octets: UnsafeRawBufferPointer) {
    guard let stream else { return session.consumed(self, octets.count) }
    let buffer = input ?? session.worker.buffers.take()
    buffer.appendGrowing(octets)
    input = buffer
    stream.advance()
  }

  func bodyEnd(trailers: MessageHead?) {
    inputEnded = true
    self.trailers = trailers
    stream?.advance()
  }

  func responseRefused(_ fault: HTTPFault) {
    state = .refused(fault)
    stream?.advance()
  }

  func nextPiece() -> BodyPiece {
    if let input, !input.isEmpty { return .data(input.readableBytes) }
    if inputEnded { return .end }
    switch state {
    case .open: return .wait
    case .refused(let fault): return .fault(fault)
    case .closed: return .truncated
    }
  }

  func consume(_ n: Int) {
    guard let buffer = input else { return }
    buffer.consume(n)
    if buffer.isEmpty {
      session.worker.buffers.give(buffer)
      input = nil
    }
    session.consumed(self, n)
  }

  // MARK: End

  func streamClosed(error: UInt32) {
    if case .open = state {
      state = .closed(error)
      if !inputEnded || error != H2Error.noError { resetCode = error }
    }
    wantsRoom = false
    session.forget(self)
    stream?.advance()
  }

  func connectionLost() {
    if case .open = state { state = .closed(H2Error.internalError) }
    wantsRoom = false
    stream?.advance()
  }

  /// The stream is over, or wants this attempt no more: what is still under way is reset.
  func finish() {
    stream = nil
    lent = nil
    heads = []
    drop(&input)
    // Octets of a request body that its answer overtook are left out, which only a reset can say.
    let isIncomplete = !isWhole || output != nil
    drop(&output)
    if id == 0 {
      session.forget(self)
    } else if case .open = state, isIncomplete {
      session.reset(self, H2Error.cancel)
    }
  }

  private func drop(_ buffer: inout ByteBuffer?) {
    guard let held = buffer.take() else { return }
    session.worker.buffers.give(held)
  }
}
