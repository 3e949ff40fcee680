import Base
import HTTP
import Testing

@Suite("HTTP/1 requests")
struct H1RequestTests {
  static let typical =
    "GET /path/to/page?x=1 HTTP/1.1\r\nHost: www.example.com\r\nUser-Agent: test/1.0\r\n"
    + "Accept: */*\r\nX_Under-Score: \t padded value \t\r\nContent-Length: 5\r\n\r\n"

  @Test("a head is stored with names in lower case and values trimmed")
  func stores() throws {
    let (verdict, head) = parseRequest(Array(Self.typical.utf8))
    guard case .accepted(let info) = verdict else {
      Issue.record("\(verdict)")
      return
    }
    #expect(info.consumed == Self.typical.utf8.count)
    #expect(info.framing == .length(5))
    #expect(info.keepAlive)
    #expect(head.method == "GET")
    #expect(head.target == "/path/to/page?x=1")
    #expect(
      head.lines == [
        "host: www.example.com", "user-agent: test/1.0", "accept: */*", "x_under-score: padded value",
        "content-length: 5",
      ])
    #expect(head.first("HOST") == "www.example.com")
    #expect(head.first("X_Under-Score") == "padded value")
  }

  @Test("the verdict is the same when the head arrives octet by octet or split anywhere")
  func splits() {
    let text = Array(Self.typical.utf8)
    let (whole, head) = parseRequest(text)
    let byByte = parseRequest(text, cuts: Array(1..<text.count))
    #expect(byByte.verdict == whole)
    #expect(byByte.head.lines == head.lines)
    for cut in 1..<text.count {
      let split = parseRequest(text, cuts: [cut])
      #expect(split.verdict == whole)
      #expect(split.head.lines == head.lines)
    }
  }

  @Test("a TLS hello or other foreign octets are refused at their first octet")
  func foreign() {
    for text in [[0x16, 0x03, 0x01], [0x80, 0x2E], [0x00], [0x20]] as [[UInt8]] {
      guard case .refused(400, _) = parseRequest(text).verdict else {
        Issue.record("\(text) was not refused")
        continue
      }
    }
  }

  struct Refusal: CustomTestStringConvertible {
    var text: String
    var status: Int
    var reason: HTTPFault.Reason
    init(_ text: String, _ status: Int, _ reason: HTTPFault.Reason) {
      self.text = text
      self.status = status
      self.reason = reason
    }
    var testDescription: String { "\(text.debugDescription) is \(reason.rawValue)" }
  }

  static func post(_ fields: String) -> String { "POST /p HTTP/1.1\r\nHost: h\r\n\(fields)\r\n\r\n" }

  @Test(
    "malformed or ambiguous requests are refused",
    arguments: [
      Refusal("GET /g\r\n\r\n", 400, .badTarget),
      Refusal("GET  /g HTTP/1.1\r\nHost: h\r\n\r\n", 400, .badTarget),
      Refusal("GET /g\t HTTP/1.1\r\nHost: h\r\n\r\n", 400, .badTarget),
      Refusal("GET\t/g HTTP/1.1\r\nHost: h\r\n\r\n", 400, .badMethod),
      Refusal("G{T /g HTTP/1.1\r\nHost: h\r\n\r\n", 400, .badMethod),
      Refusal("GET /g HTTP/1.1 \r\nHost: h\r\n\r\n", 400, .badVersion),
      Refusal("GET /g HTTP/1.1\nHost: h\n\n", 400, .badVersion),
      Refusal("GET /g#f HTTP/1.1\r\nHost: h\r\n\r\n", 400, .badTarget),
      Refusal("GET /g\u{1}x HTTP/1.1\r\nHost: h\r\n\r\n", 400, .badTarget),
      Refusal("GET /g HTTP/2.0\r\nHost: h\r\n\r\n", 505, .unsupportedVersion),
      Refusal("GET /g HTTP/0.9\r\nHost: h\r\n\r\n", 505, .unsupportedVersion),
      Refusal("GET /g HTTP/1.10\r\nHost: h\r\n\r\n", 400, .badVersion),
      Refusal("GET /g HTTP/1\r\nHost: h\r\n\r\n", 400, .badVersion),
      Refusal("GET g HTTP/1.1\r\nHost: h\r\n\r\n", 400, .badTarget),
      Refusal("GET * HTTP/1.1\r\nHost: h\r\n\r\n", 400, .badTarget),
      Refusal("GET h:80 HTTP/1.1\r\nHost: h\r\n\r\n", 400, .badTarget),
      Refusal("CONNECT /g HTTP/1.1\r\nHost: h\r\n\r\n", 400, .badTarget),
      Refusal("CONNECT h HTTP/1.1\r\nHost: h\r\n\r\n", 400, .badTarget),
      Refusal("CONNECT h:80 HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\n", 400, .bodyNotAllowed),
      Refusal("GET /g HTTP/1.1\r\n\r\n", 400, .missingHost),
      Refusal("GET /g HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400, .severalHosts),
      Refusal("GET /g HTTP/1.1\r\nHost: a, b\r\n\r\n", 400, .badHost),
      Refusal("GET /g HTTP/1.1\r\nHost: u@h\r\n\r\n", 400, .badHost),
      Refusal("GET /g HTTP/1.1\r\nHost: h:port\r\n\r\n", 400, .badHost),
      Refusal("GET /g HTTP/1.1\r\nHost: h:80:80\r\n\r\n", 400, .badHost),
      Refusal("GET /g HTTP/1.1\r\nHost: h:65536\r\n\r\n", 400, .badHost),
      Refusal("GET http://a/ HTTP/1.1\r\nHost: b\r\n\r\n", 400, .hostMismatch),
      Refusal("GET http:///g HTTP/1.1\r\nHost: h\r\n\r\n", 400, .hostMismatch),
      Refusal("GET /g HTTP/1.1\r\nHost: h\r\n: b\r\n\r\n", 400, .badFieldName),
      Refusal("GET /g HTTP/1.1\r\nHost: h\r\njunk\r\n\r\n", 400, .fieldLineWithoutColon),
      Refusal("GET /g HTTP/1.1\r\n X: a\r\nHost: h\r\n\r\n", 400, .foldedField),
      Refusal("GET /g HTTP/1.1\r\nHost: h\r\nX: a\r\n b\r\n\r\n", 400, .foldedField),
      Refusal("GET /g HTTP/1.1\r\nHost: h\r\nX : a\r\n\r\n", 400, .badFieldName),
      Refusal("GET /g HTTP/1.1\r\nHost: h\r\nX: a\rb\r\n\r\n", 400, .bareCR),
      Refusal("GET /g HTTP/1.1\r\nHost: h\r\nX: a\nY: b\r\n\r\n", 400, .bareLF),
      Refusal("GET /g HTTP/1.1\r\nHost: h\r\nX: a\0b\r\n\r\n", 400, .badFieldValue),
      Refusal("GET /g HTTP/1.1\r\nHost: h\r\nX: a\u{7f}b\r\n\r\n", 400, .badFieldValue),
      Refusal("GET /g HTTP/1.1\r\nHost: h\r\nConnection: a;b\r\n\r\n", 400, .badFieldValue),
      Refusal(post("Content-Length: -5"), 400, .badContentLength),
      Refusal(post("Content-Length: +5"), 400, .badContentLength),
      Refusal(post("Content-Length:"), 400, .badContentLength),
      Refusal(post("Content-Length: 5,"), 400, .badContentLength),
      Refusal(post("Content-Length: 0x5"), 400, .badContentLength),
      Refusal(post("Content-Length: 9223372036854775808"), 400, .badContentLength),
      Refusal(post("Content-Length: 18446744073709551621"), 400, .badContentLength),
      Refusal(post("Content-Length: 5\r\nContent-Length: 6"), 400, .differingContentLengths),
      Refusal(post("Content-Length: 5, 6"), 400, .differingContentLengths),
      Refusal(post("Transfer-Encoding: chunked, chunked"), 400, .badTransferEncoding),
      Refusal(post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked"), 400, .badTransferEncoding),
      Refusal(post("Transfer-Encoding: chunked, gzip"), 400, .badTransferEncoding),
      Refusal(post("Transfer-Encoding: identity"), 400, .badTransferEncoding),
      Refusal(post("Transfer-Encoding: \"chunked\""), 400, .badTransferEncoding),
      Refusal(post("Transfer-Encoding: chunked,"), 400, .badTransferEncoding),
      Refusal(post("Transfer-Encoding:"), 400, .badTransferEncoding),
      Refusal(post("Transfer-Encoding: xchunked"), 400, .badTransferEncoding),
      Refusal(post("Transfer-Encoding: gzip, chunked"), 422, .unsupportedTransferCoding),
    ])
  func refuses(_ c: Refusal) {
    let text = Array(c.text.utf8)
    #expect(parseRequest(text).verdict == .refused(c.status, c.reason))
    #expect(parseRequest(text, cuts: Array(1..<text.count)).verdict == .refused(c.status, c.reason))
  }

  @Test("equal Host lines become one, and the other fields are still read right")
  func repeatedHosts() {
    let text =
      "POST / HTTP/1.1\r\nHost: h\r\nHost: h\r\nHost: h\r\nConnection: close\r\nContent-Length: 5\r\n\r\n"
    let (verdict, head) = parseRequest(Array(text.utf8))
    guard case .accepted(let info) = verdict else {
      Issue.record("\(verdict)")
      return
    }
    #expect(info.framing == .length(5))
    #expect(!info.keepAlive)
    #expect(head.lines == ["host: h", "connection: close", "content-length: 5"])
  }

  @Test("repeated equal lengths become one, next to other framing fields")
  func repeatedLengths() {
    let text =
      "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\nContent-Length: 5\r\n"
      + "Transfer-Encoding: chunked\r\n\r\n"
    let (verdict, head) = parseResponse(Array(text.utf8))
    guard case .accepted(let info) = verdict else {
      Issue.record("\(verdict)")
      return
    }
    #expect(info.framing == .chunked)
    #expect(head.lines == ["transfer-encoding: chunked"])
  }

  @Test("random changes to a valid head never trap and never differ between whole and split input")
  func mutations() {
    var dice = Dice(state: 0x1234_5678_9ABC_DEF1)
    let seeds = [
      Self.typical, Self.post("Transfer-Encoding: chunked\r\nConnection: close, x"),
      "CONNECT h:80 HTTP/1.1\r\nHost: h\r\n\r\n", "GET http://u@h:80?x HTTP/1.0\r\n\r\n",
    ]
    for round in 0..<4000 {
      var text = Array(seeds[round % seeds.count].utf8)
      for _ in 0...Int.random(in: 0..<4, using: &dice) {
        let at = Int.random(in: 0..<text.count, using: &dice)
        switch Int.random(in: 0..<3, using: &dice) {
        case 0: text[at] = UInt8.random(in: 0...255, using: &dice)
        case 1: text.remove(at: at)
        default: text.insert([0, 9, 10, 13, 32, 58, 44, 47, 64].randomElement(using: &dice) ?? 0, at: at)
        }
      }
      let cut = Int.random(in: 0..<text.count, using: &dice)
      let whole = parseRequest(text)
      let split = parseRequest(text, cuts: [cut])
      #expect(whole.verdict == split.verdict, "\(text)")
      #expect(whole.head.lines == split.head.lines)
    }
  }
}
