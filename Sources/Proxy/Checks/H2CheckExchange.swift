import Base
import HTTP

/// The request of an HTTP check over HTTP/2, without I/O: a check speaks HTTP/1, this says it in HTTP/2 and tells the
/// answer in HTTP/1 again.
final class H2CheckExchange: H2StreamOwner {
  private let engine: H2Session
  private let head = MessageHead()
  private var body: [UInt8] = []
  private var offset = 0
  private var response: MessageHead?
  private var answerBody: [UInt8] = []
  private(set) var isOver = false
  private var isValid = false

  init(settings: H2Settings) {
    engine = H2Session(connecting: settings)
  }

  /// Takes a request as HTTP/1 octets; false when it is not one.
  func send(_ request: [UInt8]) -> Bool {
    var limits = H1Limits()
    limits.requiresHost = false
    var parser = H1RequestParser()
    guard case .complete(let info) = parser.parse(request.span, into: head, limits: limits) else { return false }
    body = Array(request[info.consumed...])
    return engine.submitRequest(head, scheme: "http", hasBody: !body.isEmpty, owner: self) != nil
  }

  /// Takes octets from the server.
  func received(_ octets: borrowing Span<UInt8>) {
    if engine.receive(octets) == .failed { isOver = true }
  }

  /// Appends what is to be sent.
  func pull(into output: ByteBuffer) { _ = engine.pull(into: output, upTo: 65536) }

  /// The whole answer as HTTP/1; nil when there is none.
  func takeAnswer() -> [UInt8]? {
    guard isOver, isValid, let response else { return nil }
    let output = ByteBuffer()
    response.remove("content-length")
    H1Encoder.writeResponse(
      response, framing: answerBody.isEmpty ? .none : .length(UInt64(answerBody.count)), connection: .none,
      into: output)
    output.appendGrowing(answerBody)
    return Array(output.readableBytes)
  }

  // MARK: Events

  func headReceived(_ head: MessageHead, _ info: H1MessageInfo, isWhole: Bool) {
    guard !info.isInterim else { return }
    let kept = MessageHead()
    kept.swapContents(with: head)
    response = kept
    if isWhole { bodyEnd(trailers: nil) }
  }

  func bodyData(_ octets: UnsafeRawBufferPointer) {
    // What is beyond the check's own bound is of no use to it.
    answerBody.append(contentsOf: octets.prefix(Swift.max(0, CheckConversation.inputLimit - answerBody.count)))
  }

  func bodyEnd(trailers: MessageHead?) {
    isOver = true
    isValid = true
  }

  func responseRefused(_ fault: HTTPFault) { isOver = true }
  func streamClosed(error: UInt32) { isOver = true }

  func offerBody(upTo limit: Int) -> H2BodyOffer {
    let n = Swift.min(limit, body.count - offset)
    return .octets(n, isEnd: offset + n == body.count)
  }

  func writeBody(count: Int, into output: ByteBuffer) {
    output.appendGrowing(Array(body[offset..<(offset + count)]))
    offset += count
  }
}
