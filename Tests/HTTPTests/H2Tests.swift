import Base
import HTTP
import Testing

@Suite("HTTP/2 sessions")
struct H2Tests {
  @Test("a request and its response pass, however the octets are cut", arguments: [Int.max, 1, 10])
  func exchange(_ step: Int) {
    let pair = H2Pair()
    let id = pair.client.request(H2Client.get + [("cookie", "a=1"), ("x-b", "c"), ("cookie", "d=2")])
    pair.run(step: step)
    let request = pair.recorder.requests[id]
    #expect(request?.head.method == "GET")
    #expect(request?.head.target == "/")
    #expect(request?.head.lines == ["host: h", "x-b: c", "cookie: a=1; d=2"])
    #expect(request?.info.framing == BodyFraming.none)
    #expect(request?.closed == 0)
    let answer = pair.client.answers[id]
    #expect(answer?.status == "200")
    #expect(answer?.fields == ["x-a: b"])
    #expect(answer?.body == Array("ok".utf8))
    #expect(answer?.ended == true)
    #expect(pair.session.activeStreams == 0)
  }

  @Test("bodies larger than every window pass both ways, with trailers")
  func bodies() {
    let pair = H2Pair()
    let body = (0..<400_000).map { UInt8(truncatingIfNeeded: $0 &* 7) }
    pair.recorder.answersAtOnce = false
    let trailers = MessageHead()
    trailers.append("x-t", "v")
    pair.recorder.responseTrailers = trailers
    let id = pair.client.request(H2Client.post, body: body, trailers: [("x-sum", "1"), ("host", "evil")])
    pair.run()
    #expect(pair.recorder.requests[id]?.info.framing == .chunked)
    #expect(pair.recorder.requests[id]?.body == body)
    #expect(pair.recorder.requests[id]?.trailers == ["x-sum: 1"])
    pair.recorder.answer(id, body: body)
    pair.run()
    #expect(pair.client.answers[id]?.body == body)
    #expect(pair.client.answers[id]?.trailers == ["x-t: v"])
    #expect(pair.client.answers[id]?.ended == true)
  }

  @Test("a client cannot send more than the window while nothing is consumed")
  func backPressure() {
    var settings = H2Settings()
    settings.streamWindow = settings.initialWindow
    settings.connectionWindow = 65535
    let pair = H2Pair(settings: settings)
    pair.recorder.consumes = false
    let id = pair.client.request(H2Client.post, body: [UInt8](repeating: 1, count: 200_000))
    pair.run()
    #expect(pair.recorder.requests[id]?.body.count == 65535)
    pair.session.consumed(stream: id, 65535)
    pair.run()
    #expect(pair.recorder.requests[id]?.body.count == 131_070)
    pair.session.reset(stream: id, code: H2Error.cancel)
    pair.run()
    // What the closed stream held is given back to the connection.
    pair.recorder.consumes = true
    for _ in 0..<4 {
      let next = pair.client.request(H2Client.post, body: [UInt8](repeating: 1, count: 100_000))
      pair.run()
      #expect(pair.recorder.requests[next]?.body.count == 100_000)
    }
  }

  @Test("one pull brings no more than its limit and a frame, however many bodies are ready")
  func boundedPull() {
    let pair = H2Pair(clientWindow: 1 << 20)
    pair.recorder.answersAtOnce = false
    let ids = (0..<8).map { _ in pair.client.request(H2Client.get) }
    pair.run()
    for id in ids { pair.recorder.answer(id, body: [UInt8](repeating: UInt8(id), count: 100_000)) }
    pair.run()
    #expect(pair.largestPull <= 65536 + 16384 + 9)
    for id in ids { #expect(pair.client.answers[id]?.body == [UInt8](repeating: UInt8(id), count: 100_000)) }
  }

  @Test("a body that waits goes on when it is resumed")
  func resumes() {
    let pair = H2Pair()
    pair.recorder.answersAtOnce = false
    let id = pair.client.request(H2Client.get)
    pair.run()
    pair.recorder.answer(id)
    pair.recorder.sources[id] = nil
    pair.run()
    #expect(pair.client.answers[id]?.status == "200")
    #expect(pair.client.answers[id]?.ended == false)
    pair.recorder.sources[id] = Array("late".utf8)
    pair.session.resumeBody(stream: id)
    pair.run()
    #expect(pair.client.answers[id]?.body == Array("late".utf8))
  }

  @Test("an interim response goes before the final one")
  func interim() {
    let pair = H2Pair()
    pair.recorder.answersAtOnce = false
    let id = pair.client.request(H2Client.get)
    pair.run()
    let hints = MessageHead()
    hints.status = 103
    pair.session.submitInterim(stream: id, head: hints)
    pair.recorder.answer(id)
    pair.run()
    #expect(pair.client.answers[id]?.interim == ["103"])
    #expect(pair.client.answers[id]?.status == "200")
  }

  static func with(_ changes: [(String, String?)], _ extra: [(String, String)] = []) -> [(String, String)] {
    H2Client.get.compactMap { field in
      guard let change = changes.first(where: { $0.0 == field.0 }) else { return field }
      return change.1.map { (field.0, $0) }
    } + extra
  }

  static let malformed: [[(String, String)]] = [
    with([], [("te", "trailers"), ("te", "gzip")]), with([], [("te", "trailers, gzip")]),
    with([], [(":", "x")]),
    with([(":method", nil)]), with([(":path", nil)]), with([(":path", "")]), with([(":scheme", nil)]),
    with([(":path", "/g x")]), with([(":path", "/g\rx")]), with([(":method", "GE\nT")]),
    with([(":path", "/g\nx")]), with([(":path", "/g\tx")]), with([(":path", "*")]),
    with([(":path", "http://evil/")]), with([(":path", "/g#x")]), with([(":path", "g")]),
    with([(":authority", "h\r\nx: y")]), with([(":authority", "u@h")]), with([(":authority", "h/evil")]),
    with([(":authority", "h:1:2")]), with([(":authority", "h, i")]), with([(":authority", "")]),
    with([], [(":path", "/late")]), with([], [(":foo", "x")]), with([], [(":status", "200")]),
    with([], [(":protocol", "websocket")]), with([], [("connection", "close")]),
    with([], [("transfer-encoding", "chunked")]), with([], [("keep-alive", "5")]), with([], [("te", "gzip")]),
    with([], [("proxy-connection", "close")]), with([], [("upgrade", "h2c")]),
    with([], [("x y", "z")]), with([], [("x-a", "a\r\nb")]),
    with([], [("", "a")]),
    with([], [("content-length", "5")]), with([], [("content-length", "-5")]),
    with([], [("content-length", "0"), ("content-length", "0")]), with([(":method", "CONNECT")]),
  ]

  @Test("a request without an authority passes: RFC 9113 section 8.3.1 leaves it to the client")
  func withoutAuthority() {
    let pair = H2Pair()
    let id = pair.client.request(Self.with([(":authority", nil)]))
    pair.run()
    #expect(pair.client.answers[id]?.status == "200")
  }

  /// What is a request, but not one that can be served.
  static let answered: [([(String, String)], String)] = [
    (with([(":method", "G T")]), "400"), (with([(":method", "")]), "400"),
    (with([(":scheme", "http://evil?")]), "400"), (with([(":scheme", "ftp")]), "400"),
    (with([(":scheme", "")]), "400"), (with([(":method", "PRI")]), "400"),
  ]

  @Test("a request with a method or scheme that cannot be served is answered, and not delivered", arguments: answered)
  func answersRefusals(_ fields: [(String, String)], _ status: String) {
    let pair = H2Pair()
    let id = pair.client.request(fields)
    pair.run()
    #expect(pair.recorder.requests[id] == nil)
    #expect(pair.client.answers[id]?.status == status)
  }

  @Test("a Host that differs from :authority is dropped")
  func differingHost() {
    let pair = H2Pair()
    let id = pair.client.request(H2Client.get + [("host", "other")])
    pair.run()
    #expect(pair.recorder.requests[id]?.head.lines == ["host: h"])
  }

  @Test("malformed requests are reset and never delivered", arguments: malformed)
  func refuses(_ fields: [(String, String)]) {
    let pair = H2Pair()
    let id = pair.client.request(fields)
    pair.run()
    #expect(pair.recorder.requests[id] == nil)
    #expect(pair.client.answers[id]?.error != nil || pair.client.goAway != nil)
    let good = pair.client.request(H2Client.get)
    pair.run()
    #expect(pair.client.answers[good]?.status == "200" || pair.client.goAway != nil)
  }

  @Test("a body must have the announced length", arguments: ["3", "10", "0"])
  func lengths(_ announced: String) {
    let pair = H2Pair()
    let id = pair.client.request(H2Client.post + [("content-length", announced)], body: Array("hello".utf8))
    pair.run()
    #expect(pair.recorder.requests[id]?.ended != true || announced == "0")
    #expect(pair.client.answers[id]?.error == H2Error.protocolError)
  }

  @Test("CONNECT and extended CONNECT are told")
  func connect() {
    let pair = H2Pair()
    let plain = pair.client.request([(":method", "CONNECT"), (":authority", "h:80")], body: [1])
    let extended = pair.client.request(
      [
        (":method", "CONNECT"), (":protocol", "websocket"), (":scheme", "https"), (":path", "/chat"),
        (":authority", "h"),
      ], body: [1])
    pair.run()
    #expect(pair.recorder.requests[plain]?.info.isConnect == true)
    #expect(pair.recorder.requests[plain]?.head.target == "h:80")
    #expect(pair.recorder.requests[extended]?.info.isExtendedConnect == true)
    #expect(pair.recorder.requests[extended]?.info.upgrade == true)
    #expect(pair.recorder.requests[extended]?.head.method == "GET")
    #expect(pair.recorder.requests[extended]?.head.first("upgrade") == "websocket")
    #expect(pair.recorder.requests[extended]?.body == [1])
  }

  @Test("too many or too large fields are answered with 431")
  func bounds() {
    let many = (0..<150).map { ("x-\($0)", "v") }
    let large = [("x-large", String(repeating: "v", count: 40000))]
    for extra in [many, large] {
      let pair = H2Pair()
      let id = pair.client.request(H2Client.get + extra)
      pair.run()
      #expect(pair.client.answers[id]?.status == "431")
      #expect(pair.recorder.refused[id]?.status == 431)
      #expect(pair.recorder.requests[id] == nil)
    }
  }

  @Test("rapid resets end the session")
  func rapidReset() {
    let pair = H2Pair()
    pair.recorder.answersAtOnce = false
    for _ in 0..<1000 {
      let id = pair.client.request(H2Client.get)
      pair.run()
      pair.client.reset(id)
      pair.run()
      if pair.client.goAway != nil { break }
    }
    #expect(pair.client.goAway == H2Error.enhanceYourCalm)
    #expect(pair.session.requestCount < 1000)
    #expect(pair.outcome != .open)
  }

  @Test("floods of frames without use end the session")
  func floods() {
    // PING, SETTINGS, PRIORITY of stream 3, DATA on stream 1 that is empty, or has only padding.
    let frames: [[UInt8]] = [
      [0, 0, 8, 6, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8], [0, 0, 0, 4, 0, 0, 0, 0, 0],
      [0, 0, 5, 2, 0, 0, 0, 0, 3, 0, 0, 0, 1, 10], [0, 0, 0, 0, 0, 0, 0, 0, 1],
      [0, 0, 1, 0, 8, 0, 0, 0, 1, 0], [0, 0, 4, 0, 8, 0, 0, 0, 1, 3, 0, 0, 0],
    ]
    for frame in frames {
      let pair = H2Pair()
      pair.recorder.answersAtOnce = false
      pair.client.request(H2Client.post, body: [1])
      let start = pair.client.output().prefix { _ in true }
      // Cut the client's DATA off so that stream 1 stays open.
      pair.inject(Array(start.dropLast(10)))
      let drain = ByteBuffer()
      var count = 0
      while pair.outcome == .open, count < 200_000 {
        pair.inject(Array(repeatElement(frame, count: 100).joined()))
        _ = pair.session.pull(into: drain, upTo: 1 << 20)
        drain.removeAll()
        count += 100
      }
      #expect(count < 200_000, "frame type \(frame[3])")
    }
  }

  @Test("a client that reads a long body in small windows is not taken for a flood")
  func smallWindows() {
    let pair = H2Pair()
    pair.recorder.answersAtOnce = false
    pair.inject(
      H2Preface.octets + H2Frames.settings([(4, 0)]) + H2Frames.headers(1, H2Client.get, ends: true))
    let pieces = 12_000
    pair.recorder.answer(1, body: [])
    let drain = ByteBuffer()
    for _ in 0..<pieces {
      pair.recorder.sources[1] = [UInt8](repeating: 1, count: 101)
      pair.session.resumeBody(stream: 1)
      let room = H2Frames.word(100)
      pair.inject(H2Frames.frame(8, stream: 1, room) + H2Frames.frame(8, room))
      drain.removeAll()
      _ = pair.session.pull(into: drain, upTo: 65536)
    }
    #expect(pair.outcome == .open)
    #expect(drain.count == 109)
  }

  @Test("the end of an extended CONNECT is told, even when it comes at once")
  func endOfExtendedConnect() {
    let pair = H2Pair()
    pair.recorder.answersAtOnce = false
    let id = pair.client.request(Self.with([(":method", "CONNECT")], [(":protocol", "websocket")]))
    pair.run()
    #expect(pair.recorder.requests[id]?.info.isExtendedConnect == true)
    #expect(pair.recorder.ends[id] == 1)
  }

  @Test("trailers of an empty body are checked as all others are")
  func trailersOfEmptyBody() {
    for (trailer, isFine) in [(("x-sum", "1"), true), ((":path", "/evil"), false), (("x-a", "a\r\nb"), false)] {
      let pair = H2Pair()
      let id = pair.client.request(H2Client.post + [("content-length", "0")], body: [], trailers: [trailer])
      pair.run()
      #expect((pair.recorder.requests[id] != nil) == isFine)
      #expect((pair.recorder.refused[id] == nil) == isFine)
    }
  }

  @Test(
    "names in upper case are refused, also those of pseudo-header fields", arguments: [":Method", ":method", "X-A"])
  func upperCase(_ name: String) {
    let pair = H2Pair()
    var fields = Self.with([(":method", nil)], [(name, "GET")])
    if name == "X-A" { fields = H2Client.get + [(name, "b")] }
    let isFine = name == ":method"
    pair.inject(H2Preface.octets + H2Frames.settings() + H2Frames.headers(1, fields, ends: true))
    #expect((pair.recorder.requests[1] != nil) == isFine)
    #expect((pair.recorder.refused[1] == nil) == isFine)
  }

  @Test("random octets never trap")
  func mutations() {
    var dice = Dice(state: 0xABCD_5678_9ABC_DEF1)
    let client = H2Client()
    client.request(H2Client.post + [("content-length", "5")], body: Array("hello".utf8))
    client.request(H2Client.get)
    let octets = client.output()
    for _ in 0..<3000 {
      var changed = octets
      for _ in 0...Int.random(in: 0..<4, using: &dice) {
        changed[Int.random(in: 24..<changed.count, using: &dice)] = UInt8.random(in: 0...255, using: &dice)
      }
      let pair = H2Pair()
      pair.inject(changed)
      let drain = ByteBuffer()
      _ = pair.session.pull(into: drain, upTo: 65536)
    }
  }

  @Test("a graceful end lets requests in flight finish")
  func goAway() {
    let pair = H2Pair()
    pair.recorder.answersAtOnce = false
    let id = pair.client.request(H2Client.get)
    pair.run()
    pair.session.goAway()
    pair.run()
    #expect(pair.client.goAway == 0)
    pair.recorder.answer(id)
    pair.run()
    #expect(pair.client.answers[id]?.ended == true)
    #expect(!pair.session.wantsRead)
  }
}
