import Base
import HTTP
import NetIO
import Rules

/// One request and its response on an HTTP/2 connection, as the client's side of a stream.
final class H2Exchange: ClientEndpoint, H2StreamOwner {
  let id: Int32
  private unowned let session: H2ClientSession
  private var stream: Stream?
  private let info: H1MessageInfo
  private let isFirst: Bool
  /// The place in the session's list.
  var position = 0

  private var input: ByteBuffer?
  private var inputEnded: Bool
  private var inputTotal = 0
  private var output: ByteBuffer?
  /// What the stream is writing just now, framed straight from where it was received; only while `output` is nil.
  private var lent: UnsafeRawBufferPointer?
  /// Octets of `lent` that the engine was offered and has not taken yet.
  private var promised = 0
  private var outputEnded = false
  private var outputTrailers: MessageHead?
  private(set) var trailers: MessageHead?
  private var outputTotal = 0
  private var wantsRoom = false
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

  /// From this size on a piece of body is lent to the engine; smaller ones are gathered.
  private static let lendingSize = 8 * 1024

  /// Octets of a response body held for one stream.
  private static let outputBound = 64 * 1024

  init(_ session: H2ClientSession, _ id: Int32, _ info: H1MessageInfo, isFirst: Bool) {
    self.session = session
    self.id = id
    self.info = info
    self.isFirst = isFirst
    inputEnded = info.framing == .none && !info.isExtendedConnect
  }

  var facts: ConnectionFacts { session.facts }
  var hasFailed: Bool { !wasAnswered && (isGone || session.transportFailed) }
  var hasEnded: Bool { isGone || session.transportEnded }
  var isBlocked: Bool { wantsRoom }
  var isRunning: Bool { stream != nil }
  var octetsIn: Int { inputTotal }
  var octetsOut: Int { outputTotal }

  var endpointFacts: EndpointFacts {
    var facts = session.endpointFacts
    facts.id = Int(id)
    facts.isAborted = hasFailed
    facts.resetCode = resetCode
    facts.streamWords = "id=\(id) in=\(inputTotal) out=\(outputTotal) held=\(output?.count ?? 0) ended=\(outputEnded)"
    return facts
  }

  // The session reads by itself.
  func finishHandshake() {}
  func handshakeEnded() { stream?.advance() }

  func requestReceived(_ head: MessageHead) {
    let connection = session.connection
    let worker = session.worker
    let now = worker.loop.now.instant
    let storage = worker.takeStorage(facts)
    inputTotal = head.byteCount
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

  // MARK: Request body

  func bodyData(_ octets: UnsafeRawBufferPointer) {
    inputTotal += octets.count
    guard let stream else { return discard(octets.count) }
    let buffer = input ?? session.worker.buffers.take()
    buffer.appendGrowing(octets)
    input = buffer
    stream.advance()
  }

  private func discard(_ n: Int) {
    discarded += n
    session.consumed(self, n)
    if discarded > H2Exchange.discardBound { session.reset(self, H2Error.noError) }
  }

  func bodyEnd(trailers: MessageHead?) {
    inputEnded = true
    self.trailers = trailers
    stream?.advance()
  }

  func nextPiece() -> BodyPiece {
    if let input, !input.isEmpty { return .data(input.readableBytes) }
    if inputEnded { return .end }
    return isGone ? .truncated : .wait
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

  func beginTunnel() {}

  // MARK: Response

  func beginResponse(_ head: MessageHead, body: ResponseBody) {
    isResponding = true
    outputTotal += head.byteCount
    let hasBody: Bool
    switch body {
    case .none, .length(0): hasBody = false
    case .length, .unknown, .untilClose, .swallowed, .tunnel: hasBody = true
    }
    if case .length(let n) = body, !head.contains("content-length") {
      head.append("content-length", Bytes(String(n)))
    }
    // RFC 8441: the tunnel of an extended CONNECT begins with 200, and HTTP/2 has no 101.
    if head.status == 101 { head.status = 200 }
    session.submit(self, head, hasBody: hasBody)
    if !hasBody { outputEnded = true }
  }

  func sendInterim(_ head: MessageHead) {
    guard head.status != 101 else { return }
    session.submitInterim(self, head)
  }

  func writeBody(_ bytes: UnsafeRawBufferPointer) -> Int {
    if hasFailed { return bytes.count }
    if bytes.count >= H2Exchange.lendingSize, output == nil, session.mayPull {
      let n = lend(bytes)
      if n == 0 { waitForRoom() }
      return n
    }
    let buffer = output ?? session.worker.buffers.take()
    output = buffer
    let room = H2Exchange.outputBound - buffer.count
    guard room > 0 else {
      waitForRoom()
      return 0
    }
    let n = Swift.min(room, bytes.count)
    let wasEmpty = buffer.isEmpty
    buffer.appendGrowing(UnsafeRawBufferPointer(rebasing: bytes.prefix(n)))
    outputTotal += n
    if wasEmpty { session.bodyIsReady(self) }
    return n
  }

  private func waitForRoom() {
    guard !wantsRoom else { return }
    wantsRoom = true
    session.waitForRoom(self)
  }

  /// Lets the engine frame `bytes` where they are; the number that it took.
  private func lend(_ bytes: UnsafeRawBufferPointer) -> Int {
    lent = bytes
    session.pullBody(of: self)
    let taken = bytes.count - (lent?.count ?? bytes.count)
    let owed = promised
    if owed > 0, let rest = lent {
      // A frame of that length is under way already: its octets must stay.
      let buffer = session.worker.buffers.take()
      buffer.appendGrowing(UnsafeRawBufferPointer(rebasing: rest.prefix(owed)))
      output = buffer
    }
    lent = nil
    promised = 0
    outputTotal += taken + owed
    return taken + owed
  }

  /// Whether octets that were lent still wait for the engine.
  var isLending: Bool { !(lent?.isEmpty ?? true) }

  func endBody(trailers: MessageHead?) {
    guard !outputEnded else { return }
    outputEnded = true
    outputTrailers = trailers
    session.bodyIsReady(self)
  }

  func flushBody() { session.scheduleFlush() }

  /// What the engine may send now.
  func offerBody(upTo limit: Int) -> H2BodyOffer {
    if let lent, !lent.isEmpty {
      promised = Swift.min(lent.count, limit)
      return promised > 0 ? .octets(promised, isEnd: false) : .wait
    }
    let waiting = output?.count ?? 0
    let n = Swift.min(waiting, limit)
    if n == 0 {
      if wantsRoom { session.roomIsAsked() }
      return outputEnded && waiting == 0 ? .octets(0, isEnd: true, trailers: outputTrailers) : isGone ? .failed : .wait
    }
    return .octets(n, isEnd: outputEnded && n == waiting, trailers: outputTrailers)
  }

  func writeBody(count: Int, into target: ByteBuffer) {
    if let octets = lent, promised == count {
      target.appendGrowing(UnsafeRawBufferPointer(rebasing: octets.prefix(count)))
      lent = UnsafeRawBufferPointer(rebasing: octets.dropFirst(count))
      promised = 0
      return
    }
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
    if let output, output.count >= H2Exchange.outputBound {
      session.waitForRoom(self)
      return
    }
    wantsRoom = false
    stream?.advance()
  }

  // MARK: End

  func finish(reusable: Bool, aborted: Bool) {
    stream = nil
    dropInput()
    if aborted, !outputEnded || !isResponding {
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
    session.forget(self)
    if error == H2Error.noError, outputEnded { wasAnswered = true } else if stream != nil { resetCode = error }
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

  private func dropInput() {
    guard let buffer = input else { return }
    session.consumed(self, buffer.count)
    session.worker.buffers.give(buffer)
    input = nil
  }

  private func dropOutput() {
    lent = nil
    promised = 0
    if let buffer = output { session.worker.buffers.give(buffer) }
    output = nil
  }
}
