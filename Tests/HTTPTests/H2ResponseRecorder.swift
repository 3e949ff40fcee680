import Base
import HTTP

/// Records what a session says of one request of ours.
final class H2ResponseRecorder: H2StreamOwner {
  var interim: [Int] = []
  var status: Int?
  var info = H1MessageInfo()
  var lines: [String] = []
  var body: [UInt8] = []
  var trailers: [String]?
  var ended = false
  var refused: HTTPFault?
  var closed: UInt32?
  /// What the request's body still has to send; nil waits.
  var source: [UInt8]?
  var sourceTrailers: MessageHead?
  /// Called for body octets.
  var onData: (Int) -> Void = { _ in }

  func headReceived(_ head: MessageHead, _ info: H1MessageInfo, isWhole: Bool) {
    if info.isInterim { return interim.append(head.status) }
    status = head.status
    self.info = info
    lines = head.lines
    if isWhole { ended = true }
  }
  func bodyData(_ octets: UnsafeRawBufferPointer) {
    body += Array(octets)
    onData(octets.count)
  }
  func bodyEnd(trailers: MessageHead?) {
    self.trailers = trailers?.lines
    ended = true
  }
  func responseRefused(_ fault: HTTPFault) { refused = fault }
  func streamClosed(error: UInt32) { closed = error }
  func offerBody(upTo limit: Int) -> H2BodyOffer {
    guard let source else { return .wait }
    let n = Swift.min(limit, source.count)
    return .octets(n, isEnd: n == source.count, trailers: sourceTrailers)
  }
  func writeBody(count: Int, into output: ByteBuffer) {
    guard let source else { return }
    output.appendGrowing(Array(source[..<count]))
    self.source = Array(source[count...])
  }
}

extension MessageHead {
  /// A request for tests.
  static func request(
    _ method: String = "GET", _ target: String = "/", _ fields: [(String, String)] = [("host", "h")]
  ) -> MessageHead {
    let head = MessageHead()
    head.setRequestLine(method: Bytes(method).span, target: Bytes(target).span, version: .http11)
    for (name, value) in fields { head.append(FieldName(name), Bytes(value)) }
    return head
  }
}

/// A requester and the server side of this gateway joined in memory.
final class H2RequesterPair {
  let requester: H2Session
  let recorder = H2Recorder()
  let server: H2Session
  private(set) var outcome = H2Outcome.open

  init(settings: H2Settings = H2Settings(), serverSettings: H2Settings = H2Settings()) {
    requester = H2Session(connecting: settings)
    server = H2Session(accepting: serverSettings)
    server.delegate = recorder
    recorder.session = server
  }

  /// Moves octets both ways until both are quiet; the server's in pieces of `step`.
  func run(step: Int = .max) {
    for _ in 0..<10_000 {
      let toServer = ByteBuffer()
      _ = requester.pull(into: toServer, upTo: 65536)
      if !toServer.isEmpty { _ = server.receive(toServer.readable) }
      let toUs = ByteBuffer()
      _ = server.pull(into: toUs, upTo: 65536)
      let octets = Array(toUs.readableBytes)
      var at = 0
      while at < octets.count {
        let end = at + Swift.min(step, octets.count - at)
        outcome = requester.receive(Bytes(octets, in: at..<end).span)
        at = end
      }
      if toServer.isEmpty, octets.isEmpty { return }
    }
  }
}
