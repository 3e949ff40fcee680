import Base
import HTTP
import Testing

@Suite("HTTP/2 requests to servers")
struct H2RequesterTests {
  @Test("a request and its response pass, however the octets are cut", arguments: [Int.max, 1, 10])
  func exchange(_ step: Int) throws {
    let pair = H2RequesterPair()
    let answer = H2ResponseRecorder()
    let head = MessageHead.request(
      "GET", "/a?b=1",
      [
        ("host", "example.org:8080"), ("connection", "close"), ("te", "gzip, trailers"), ("x-a", "b"),
        ("keep-alive", "5"), ("http2-settings", "AAA"), ("cookie", "a=1; b=2"),
      ])
    let id = try #require(pair.requester.submitRequest(head, hasBody: false, owner: answer))
    pair.run(step: step)
    let request = pair.recorder.requests[id]
    #expect(request?.head.method == "GET")
    #expect(request?.head.target == "/a?b=1")
    #expect(request?.head.uri == "https://example.org:8080/a?b=1")
    #expect(request?.head.lines == ["host: example.org:8080", "te: trailers", "x-a: b", "cookie: a=1; b=2"])
    #expect(answer.status == 200)
    #expect(answer.lines == ["x-a: b"])
    #expect(answer.body == Array("ok".utf8))
    #expect(answer.ended)
    #expect(answer.closed == 0)
    #expect(pair.requester.activeStreams == 0)
  }

  /// Method, target and fields of a request, and the URI that the server sees.
  static let targets: [(String, String, [(String, String)], String)] = [
    ("GET", "http://a.example/x", [("host", "b.example")], "http://a.example/x"),
    ("GET", "https://a.example?q", [], "https://a.example/?q"),
    ("GET", "HTTP://u:p@a.example/", [], "http://a.example/"),
    ("OPTIONS", "*", [("host", "h")], "*"),
    ("GET", "", [("host", "h")], "https://h/"),
    ("GET", "/a b\r\nx", [("host", "h")], "https://h/a%20b%0D%0Ax"),
    ("CONNECT", "h:80", [("host", "h:80")], "h:80"),
  ]

  @Test("targets of every form become pseudo-header fields", arguments: targets)
  func target(_ method: String, _ target: String, _ fields: [(String, String)], _ seen: String) throws {
    let pair = H2RequesterPair()
    pair.recorder.answersAtOnce = false
    let answer = H2ResponseRecorder()
    let id = try #require(
      pair.requester.submitRequest(.request(method, target, fields), hasBody: method == "CONNECT", owner: answer))
    pair.run()
    #expect(pair.recorder.requests[id]?.head.uri.string == seen)
    #expect(pair.recorder.requests[id]?.head.method.string == method)
  }

  @Test("fields that rules spoiled do not leave")
  func spoiledFields() throws {
    let pair = H2RequesterPair()
    let answer = H2ResponseRecorder()
    let head = MessageHead.request("GET", "/", [("host", "h"), ("x-a", "1\r\nx-b: 2"), ("x c", "3"), ("x-d", "4")])
    let id = try #require(pair.requester.submitRequest(head, hasBody: false, owner: answer))
    pair.run()
    #expect(pair.recorder.requests[id]?.head.lines == ["host: h", "x-d: 4"])
  }

  @Test("bodies larger than every window pass both ways, with trailers")
  func bodies() throws {
    let pair = H2RequesterPair()
    let body = (0..<400_000).map { UInt8(truncatingIfNeeded: $0 &* 7) }
    let answer = H2ResponseRecorder()
    let trailers = MessageHead()
    trailers.append("x-t", "v")
    answer.source = body
    answer.sourceTrailers = trailers
    pair.recorder.answersAtOnce = false
    pair.recorder.responseTrailers = trailers
    let id = try #require(pair.requester.submitRequest(.request("POST"), hasBody: true, owner: answer))
    answer.onData = { pair.requester.consumed(stream: id, $0) }
    pair.run()
    #expect(pair.recorder.requests[id]?.body == body)
    #expect(pair.recorder.requests[id]?.trailers == ["x-t: v"])
    pair.recorder.answer(id, body: body)
    pair.run()
    #expect(answer.body == body)
    #expect(answer.trailers == ["x-t: v"])
    #expect(answer.ended)
  }

  @Test("a stream that is not read holds its window and no more, and does not hold up others")
  func backPressure() throws {
    var settings = H2Settings()
    settings.connectionWindow = 6_553_600
    let pair = H2RequesterPair(settings: settings)
    pair.recorder.answersAtOnce = false
    let slow = H2ResponseRecorder()
    let first = try #require(pair.requester.submitRequest(.request(), hasBody: false, owner: slow))
    pair.run()
    pair.recorder.answer(first, body: [UInt8](repeating: 1, count: 500_000))
    pair.run()
    #expect(slow.body.count == 65536)
    let quick = H2ResponseRecorder()
    let second = try #require(pair.requester.submitRequest(.request(), hasBody: false, owner: quick))
    quick.onData = { pair.requester.consumed(stream: second, $0) }
    pair.run()
    pair.recorder.answer(second, body: [UInt8](repeating: 2, count: 500_000))
    pair.run()
    #expect(quick.body.count == 500_000)
    #expect(quick.ended)
    slow.onData = { pair.requester.consumed(stream: first, $0) }
    pair.requester.consumed(stream: first, 65536)
    pair.run()
    #expect(slow.body.count == 500_000)
  }

  @Test("capacity is the less of both sides' limits, and comes back")
  func capacity() throws {
    var theirs = H2Settings()
    theirs.maxConcurrentStreams = 3
    let pair = H2RequesterPair(serverSettings: theirs)
    pair.recorder.answersAtOnce = false
    #expect(pair.requester.capacity == 100)
    let ids = try (0..<3).map { _ in
      try #require(pair.requester.submitRequest(.request(), hasBody: false, owner: H2ResponseRecorder()))
    }
    pair.run()
    #expect(pair.requester.capacity == 0)
    for id in ids { pair.recorder.answer(id) }
    pair.run()
    #expect(pair.requester.capacity == 3)
  }

  @Test("extended CONNECT is sent where the server allows it")
  func extendedConnect() throws {
    let pair = H2RequesterPair()
    #expect(pair.requester.allowsExtendedConnect == nil)
    let answer = H2ResponseRecorder()
    answer.source = nil
    pair.recorder.answersAtOnce = false
    let id = try #require(
      pair.requester.submitRequest(
        .request("GET", "/chat", [("host", "h"), ("upgrade", "websocket"), ("content-length", "3")]),
        connectProtocol: "websocket", hasBody: true, owner: answer))
    pair.run()
    #expect(pair.requester.allowsExtendedConnect == true)
    #expect(pair.recorder.requests[id]?.info.isExtendedConnect == true)
    #expect(pair.recorder.requests[id]?.head.lines == ["host: h", "upgrade: websocket"])
    pair.recorder.answer(id, body: [])
    pair.run()
    #expect(answer.info.framing == .tunnel)
  }

  @Test("after GOAWAY nothing more is submitted; what the server has not looked at is refused, the rest goes on")
  func goAway() throws {
    let requester = H2Session(connecting: H2Settings())
    let answers = [H2ResponseRecorder(), H2ResponseRecorder()]
    for answer in answers { #expect(requester.submitRequest(.request(), hasBody: false, owner: answer) != nil) }
    _ = requester.pull(into: ByteBuffer(), upTo: 65536)
    _ = requester.receive(Bytes(H2Frames.settings() + H2Frames.goAway(last: 1, 0)).span)
    #expect(requester.peerIsLeaving)
    #expect(requester.capacity == 0)
    #expect(requester.submitRequest(.request(), hasBody: false, owner: H2ResponseRecorder()) == nil)
    #expect(answers[1].closed == H2Error.refusedStream)
    #expect(answers[0].closed == nil)
    _ = requester.receive(Bytes(H2Frames.headers(1, [(":status", "204")], ends: true)).span)
    #expect(answers[0].status == 204)
    #expect(answers[0].ended)
  }

  @Test("a request that waits for its turn is refused when GOAWAY comes first")
  func queuedGoAway() {
    let requester = H2Session(connecting: H2Settings())
    let first = H2ResponseRecorder()
    let second = H2ResponseRecorder()
    _ = requester.submitRequest(.request(), hasBody: false, owner: first)
    _ = requester.pull(into: ByteBuffer(), upTo: 65536)
    _ = requester.submitRequest(.request(), hasBody: false, owner: second)
    _ = requester.receive(Bytes(H2Frames.settings() + H2Frames.goAway(last: 1, 0)).span)
    _ = requester.pull(into: ByteBuffer(), upTo: 65536)
    #expect(second.closed == H2Error.refusedStream)
    #expect(requester.activeStreams == 1)
  }

  @Test("a push is not taken")
  func push() {
    let requester = H2Session(connecting: H2Settings())
    let answer = H2ResponseRecorder()
    _ = requester.submitRequest(.request(), hasBody: false, owner: answer)
    let output = ByteBuffer()
    _ = requester.pull(into: output, upTo: 65536)
    let promise = H2Frames.frame(
      5, flags: 4, stream: 1,
      H2Frames.word(2)
        + H2Frames.block([(":method", "GET"), (":scheme", "https"), (":path", "/x"), (":authority", "h")]))
    _ = requester.receive(Bytes(H2Frames.settings() + promise).span)
    _ = requester.receive(Bytes(H2Frames.headers(2, [(":status", "200")], ends: true)).span)
    #expect(answer.status == nil)
  }

  @Test("floods end the session", arguments: [6, 4, 2] as [UInt8])
  func floods(_ type: UInt8) {
    let requester = H2Session(connecting: H2Settings())
    _ = requester.submitRequest(.request(), hasBody: false, owner: H2ResponseRecorder())
    _ = requester.pull(into: ByteBuffer(), upTo: 65536)
    _ = requester.receive(Bytes(H2Frames.settings()).span)
    let frame =
      switch type {
      case 6: H2Frames.frame(6, [UInt8](repeating: 0, count: 8))
      case 4: H2Frames.settings()
      default: H2Frames.frame(2, stream: 1, [0, 0, 0, 0, 0])
      }
    var outcome = H2Outcome.open
    for _ in 0..<25_000 where outcome == .open { outcome = requester.receive(Bytes(frame).span) }
    #expect(outcome != .open)
  }
}
