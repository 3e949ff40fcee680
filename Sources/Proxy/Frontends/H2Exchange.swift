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
  private var outputEnded = false
  private var outputTrailers: MessageHead?
  private(set) var trailers: MessageHead?
  private var outputTotal = 0
  private var wantsRoom = false
  private var isGone = false
  /// The whole response went out: what its server still sends is not for the client, and no failure of it.
  private var wasAnswered = false
  private var isResponding = false
  /// Octets of a request that was answered before its end.
  private var discarded = 0

  /// What a client may still send of a request that is answered. Some clients take an early reset for a lost
  /// response, so the rest of a small body is swallowed.
  private static let discardBound = 1 << 20

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
    case .length, .unknown, .swallowed, .tunnel: hasBody = true
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
    let buffer = output ?? session.worker.buffers.take()
    output = buffer
    let room = H2Exchange.outputBound - buffer.count
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
    outputTotal += n
    if wasEmpty { session.bodyIsReady(self) }
    return n
  }

  func endBody(trailers: MessageHead?) {
    guard !outputEnded else { return }
    outputEnded = true
    outputTrailers = trailers
    session.bodyIsReady(self)
  }

  func flushBody() { session.scheduleFlush() }

  /// What the engine may send now.
  func offerBody(upTo limit: Int) -> H2BodyOffer {
    let waiting = output?.count ?? 0
    let n = Swift.min(waiting, limit)
    if n == 0 {
      return outputEnded && waiting == 0 ? .octets(0, isEnd: true, trailers: outputTrailers) : isGone ? .failed : .wait
    }
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
    if error == H2Error.noError, outputEnded { wasAnswered = true }
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
    if let buffer = output { session.worker.buffers.give(buffer) }
    output = nil
  }
}
