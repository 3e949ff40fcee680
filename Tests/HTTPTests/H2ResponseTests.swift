import Base
import HTTP
import Testing

/// What a server's frames come to; each is fed whole, octet by octet, and cut at each position.
@Suite("HTTP/2 responses of servers")
struct H2ResponseTests {
  struct Good: CustomTestStringConvertible, Sendable {
    var testDescription: String
    var method = "GET"
    var frames: [UInt8]
    var interim: [Int] = []
    var status: Int
    var body = ""
    var trailers: [String]?
    var framing: BodyFraming
    var declared: UInt64?
  }

  static let good: [Good] = [
    Good(
      testDescription: "head alone", frames: H2Frames.headers(1, [(":status", "200")], ends: true), status: 200,
      framing: .none),
    Good(
      testDescription: "length and body",
      frames: H2Frames.headers(1, [(":status", "200"), ("content-length", "2")]) + H2Frames.data(1, "ok", ends: true),
      status: 200, body: "ok", framing: .length(2), declared: 2),
    Good(
      testDescription: "no length",
      frames: H2Frames.headers(1, [(":status", "404")]) + H2Frames.data(1, "a") + H2Frames.data(1, "b")
        + H2Frames.data(1, "", ends: true), status: 404, body: "ab", framing: .chunked),
    Good(
      testDescription: "interim heads",
      frames: H2Frames.headers(1, [(":status", "100")]) + H2Frames.headers(1, [(":status", "103"), ("link", "x")])
        + H2Frames.headers(1, [(":status", "200")], ends: true), interim: [100, 103], status: 200, framing: .none),
    Good(
      testDescription: "trailers, some of which mean nothing there",
      frames: H2Frames.headers(1, [(":status", "200")]) + H2Frames.data(1, "x")
        + H2Frames.headers(1, [("x-sum", "1"), ("content-length", "9"), ("grpc-status", "0")], ends: true),
      status: 200, body: "x", trailers: ["x-sum: 1", "grpc-status: 0"], framing: .chunked),
    Good(
      testDescription: "HEAD", method: "HEAD",
      frames: H2Frames.headers(1, [(":status", "200"), ("content-length", "5")], ends: true), status: 200,
      framing: .none, declared: 5),
    Good(
      testDescription: "304 with a length",
      frames: H2Frames.headers(1, [(":status", "304"), ("content-length", "5")], ends: true), status: 304,
      framing: .none, declared: 5),
    Good(
      testDescription: "204 that ends in an empty frame",
      frames: H2Frames.headers(1, [(":status", "204")]) + H2Frames.data(1, "", ends: true), status: 204,
      framing: .none),
    Good(
      testDescription: "the same length twice",
      frames: H2Frames.headers(1, [(":status", "200"), ("content-length", "2"), ("content-length", "2, 2")])
        + H2Frames.data(1, "ok", ends: true), status: 200, body: "ok", framing: .length(2), declared: 2),
    Good(
      testDescription: "2xx to CONNECT", method: "CONNECT",
      frames: H2Frames.headers(1, [(":status", "200"), ("content-length", "2")]) + H2Frames.data(1, "tunnel"),
      status: 200, body: "tunnel", framing: .tunnel),
  ]

  private func play(_ frames: [UInt8], method: String, cut: [Int]) -> (H2ResponseRecorder, H2Session, H2Outcome) {
    let requester = H2Session(connecting: H2Settings())
    let answer = H2ResponseRecorder()
    let target = method == "CONNECT" ? "h:80" : "/"
    _ = requester.submitRequest(.request(method, target), hasBody: false, owner: answer)
    _ = requester.pull(into: ByteBuffer(), upTo: 65536)
    var outcome = requester.receive(Bytes(H2Frames.settings()).span)
    var start = 0
    for end in cut + [frames.count] where outcome == .open {
      outcome = requester.receive(Bytes(frames, in: start..<end).span)
      start = end
    }
    return (answer, requester, outcome)
  }

  private func cuts(_ n: Int) -> [[Int]] { [[], Array(1..<n)] + (1..<n).map { [$0] } }

  @Test("a response is taken as it is", arguments: good)
  func takes(_ good: Good) {
    for cut in cuts(good.frames.count) {
      let (answer, _, _) = play(good.frames, method: good.method, cut: cut)
      #expect(answer.interim == good.interim)
      #expect(answer.status == good.status)
      #expect(answer.body == Array(good.body.utf8))
      #expect(answer.trailers == good.trailers)
      #expect(answer.info.framing == good.framing)
      #expect(answer.info.declaredLength == good.declared)
      #expect(answer.refused == nil)
      #expect(answer.ended == (good.framing != .tunnel))
    }
  }

  struct Bad: CustomTestStringConvertible, Sendable {
    var testDescription: String
    var method = "GET"
    var frames: [UInt8]
    init(_ name: String, method: String = "GET", _ frames: [UInt8]) {
      testDescription = name
      self.method = method
      self.frames = frames
    }
    /// A head alone that is wrong.
    init(_ name: String, _ fields: [(String, String)]) { self.init(name, H2Frames.headers(1, fields, ends: true)) }
  }

  private static let ok = H2Frames.headers(1, [(":status", "200")])

  static let bad: [Bad] = [
    Bad("no status", [("x-a", "b")]),
    Bad("upper case in a pseudo-header field", [(":Status", "200")]),
    Bad("te", [(":status", "200"), ("te", "trailers")]),
    Bad("two statuses", [(":status", "200"), (":status", "200")]),
    Bad("status of two digits", [(":status", "20")]),
    Bad("status of four digits", [(":status", "2000")]),
    Bad("status with a sign", [(":status", "+20")]),
    Bad("status with a blank", [(":status", "200 ")]),
    Bad("empty status", [(":status", "")]),
    Bad("status below 100", [(":status", "099")]),
    Bad("status above 599", [(":status", "600")]),
    Bad("status behind a field", [("x-a", "b"), (":status", "200")]),
    Bad("unknown pseudo-header field", [(":status", "200"), (":reason", "OK")]),
    Bad("a request's pseudo-header field", [(":status", "200"), (":path", "/")]),
    Bad("101", H2Frames.headers(1, [(":status", "101")])),
    Bad("interim head that ends the stream", [(":status", "103")]),
    Bad("upper case in a name", [(":status", "200"), ("X-A", "b")]),
    Bad("blank in a name", [(":status", "200"), ("x a", "b")]),
    Bad("empty name", [(":status", "200"), ("", "b")]),
    Bad("line end in a value", [(":status", "200"), ("x-a", "b\r\nset-cookie: c")]),
    Bad("NUL in a value", [(":status", "200"), ("x-a", "b\u{0}")]),
    Bad("connection", [(":status", "200"), ("connection", "close")]),
    Bad("keep-alive", [(":status", "200"), ("keep-alive", "5")]),
    Bad("transfer-encoding", [(":status", "200"), ("transfer-encoding", "chunked")]),
    Bad("upgrade", [(":status", "200"), ("upgrade", "h2c")]),
    Bad("proxy-connection", [(":status", "200"), ("proxy-connection", "close")]),
    Bad("length that is no number", [(":status", "200"), ("content-length", "x")]),
    Bad("length with a sign", [(":status", "200"), ("content-length", "-0")]),
    Bad("length of 2^64", [(":status", "200"), ("content-length", "18446744073709551616")]),
    Bad("differing lengths", [(":status", "200"), ("content-length", "0"), ("content-length", "1")]),
    Bad("differing lengths in a list", [(":status", "200"), ("content-length", "0, 1")]),
    Bad("length without a body", [(":status", "200"), ("content-length", "5")]),
    Bad(
      "more than the length",
      H2Frames.headers(1, [(":status", "200"), ("content-length", "1")]) + H2Frames.data(1, "ab", ends: true)),
    Bad(
      "less than the length",
      H2Frames.headers(1, [(":status", "200"), ("content-length", "3")]) + H2Frames.data(1, "ab", ends: true)),
    Bad(
      "less than the length, then trailers",
      H2Frames.headers(1, [(":status", "200"), ("content-length", "3")]) + H2Frames.data(1, "ab")
        + H2Frames.headers(1, [("x-t", "1")], ends: true)),
    Bad(
      "body behind a length of zero",
      H2Frames.headers(1, [(":status", "200"), ("content-length", "0")]) + H2Frames.data(1, "a", ends: true)),
    Bad("body behind 204", H2Frames.headers(1, [(":status", "204")]) + H2Frames.data(1, "a", ends: true)),
    Bad("body behind 304", H2Frames.headers(1, [(":status", "304")]) + H2Frames.data(1, "a", ends: true)),
    Bad("body behind HEAD", method: "HEAD", ok + H2Frames.data(1, "a", ends: true)),
    Bad("body behind an interim head", H2Frames.headers(1, [(":status", "100")]) + H2Frames.data(1, "a")),
    Bad("second head in place of trailers", ok + H2Frames.headers(1, [(":status", "200")], ends: true)),
    Bad("trailers that do not end", ok + H2Frames.headers(1, [("x-t", "1")]) + H2Frames.data(1, "a", ends: true)),
    Bad("line end in a trailer", ok + H2Frames.headers(1, [("x-t", "1\nb")], ends: true)),
    Bad(
      "many interim heads",
      (0..<20).flatMap { _ in H2Frames.headers(1, [(":status", "103")]) } + H2Frames.headers(1, [(":status", "200")])),
    Bad("too many fields", H2Frames.headers(1, [(":status", "200")] + (0..<150).map { ("x-\($0)", "y") }, ends: true)),
  ]

  @Test("a response that breaks the rules is refused, and the connection goes on", arguments: bad)
  func refuses(_ bad: Bad) {
    for cut in bad.frames.count < 400 ? cuts(bad.frames.count) : [[]] {
      let (answer, requester, outcome) = play(bad.frames, method: bad.method, cut: cut)
      #expect(answer.refused?.status == 502)
      #expect(!answer.ended)
      #expect(outcome == .open)
      let next = H2ResponseRecorder()
      let id = requester.submitRequest(.request(), hasBody: false, owner: next)
      #expect(id == 3)
      let output = ByteBuffer()
      _ = requester.pull(into: output, upTo: 65536)
      #expect(answer.closed != nil)
      _ = requester.receive(Bytes(H2Frames.headers(3, [(":status", "200")], ends: true)).span)
      #expect(next.status == 200)
    }
  }

  @Test("changed octets and random frames never trap")
  func mutations() {
    var dice = Dice(state: 0x1234_5678_9ABC_DEF1)
    let octets = (Self.good.map(\.frames) + Self.bad.filter { $0.frames.count < 400 }.map(\.frames)).flatMap { $0 }
    for _ in 0..<1500 {
      var changed = octets
      for _ in 0...Int.random(in: 0..<6, using: &dice) {
        changed[Int.random(in: 0..<changed.count, using: &dice)] = UInt8.random(in: 0...255, using: &dice)
      }
      let start = Int.random(in: 0..<changed.count, using: &dice)
      let (_, requester, _) = play(Array(changed[start...]), method: "GET", cut: [])
      _ = requester.pull(into: ByteBuffer(), upTo: 65536)
    }
    for _ in 0..<3000 {
      var frames: [UInt8] = []
      for _ in 0..<8 {
        let payload = (0..<Int.random(in: 0..<24, using: &dice)).map { _ in UInt8.random(in: 0...255, using: &dice) }
        frames += H2Frames.frame(
          UInt8.random(in: 0...10, using: &dice), flags: UInt8.random(in: 0...63, using: &dice),
          stream: UInt32.random(in: 0...3, using: &dice), payload)
      }
      let (_, requester, _) = play(frames, method: "GET", cut: [])
      _ = requester.pull(into: ByteBuffer(), upTo: 65536)
    }
  }

  /// What ends the whole connection.
  static let broken: [Bad] = [
    Bad("no HTTP/2 at all", Array("HTTP/1.1 400 Bad request\r\n\r\n".utf8)),
    Bad("frame that is too large", H2Frames.frame(0, stream: 1, [UInt8](repeating: 0, count: 16385))),
    Bad("body before a head", H2Frames.data(1, "a")),
    Bad("end before a head", H2Frames.data(1, "", ends: true)),
    Bad("DATA on the connection", H2Frames.data(0, "a")),
    Bad("HEADERS of a stream that nobody opened", H2Frames.headers(7, [(":status", "200")])),
    Bad("broken field section", H2Frames.frame(1, flags: 5, stream: 1, [0x80])),
    Bad("window of zero", H2Frames.frame(8, [0, 0, 0, 0])),
    Bad("SETTINGS of five octets", H2Frames.frame(4, [0, 0, 0, 0, 0])),
    Bad("frame inside of a field section", H2Frames.frame(1, stream: 1, [0x88]) + H2Frames.data(1, "a")),
  ]

  @Test("what is not HTTP/2 ends the connection, and every request with it", arguments: broken)
  func ends(_ bad: Bad) {
    let (answer, requester, _) = play(bad.frames, method: bad.method, cut: [])
    let outcome = requester.pull(into: ByteBuffer(), upTo: 65536)
    #expect(answer.status == nil)
    #expect(!answer.ended)
    #expect(outcome != .open)
    #expect(requester.capacity == 0)
  }
}
