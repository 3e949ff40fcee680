import Base
import HTTP
import Testing

@Suite("HTTP/1 responses")
struct H1ResponseTests {
  static let typical = "HTTP/1.1 200 All Right\r\nServer: x\r\nContent-Length: 5\r\n\r\nhello"

  @Test("the verdict is the same when the head arrives octet by octet or split anywhere")
  func splits() {
    let text = Array(Self.typical.utf8)
    let (whole, head) = parseResponse(text)
    guard case .accepted(let info) = whole else {
      Issue.record("\(whole)")
      return
    }
    #expect(info.framing == .length(5))
    #expect(info.consumed == text.count - 5)
    #expect(head.status == 200)
    #expect(head.reason == "All Right")
    for cut in 1..<text.count { #expect(parseResponse(text, cuts: [cut]).verdict == whole) }
    #expect(parseResponse(text, cuts: Array(1..<text.count)).verdict == whole)
  }

  static let malformed: [(String, HTTPFault.Reason)] = [
    ("HTTP/1.1 20 OK\r\n\r\n", HTTPFault.Reason.badStatusLine), ("HTTP/1.1 2000 OK\r\n\r\n", .badStatusLine),
    ("HTTP/1.1 abc OK\r\n\r\n", .badStatusLine), ("HTTP/1.1 099 X\r\n\r\n", .badStatusLine),
    ("HTTP/2.0 200 OK\r\n\r\n", .unsupportedVersion), ("HTP/1.1 200 OK\r\n\r\n", .badVersion),
    ("HTTP/1.1\t200\tOK\r\n\r\n", .badStatusLine), ("HTTP/1.1 200 O\0K\r\n\r\n", .badStatusLine),
    ("HTTP/1.1 200 O\rK\r\n\r\n", .badStatusLine), ("HTTP/1.1 200 OK\n\n", .badStatusLine),
    ("just a body, no head\n", .badVersion),
    ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 3\r\n\r\n", .differingContentLengths),
    ("HTTP/1.1 200 OK\r\nContent-Length: +5\r\n\r\n", .badContentLength),
    ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, identity\r\n\r\n", .badTransferEncoding),
    ("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n", .badTransferEncoding),
    ("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", .badTransferEncoding),
    ("HTTP/1.1 200 OK\r\n X: a\r\n\r\n", .foldedField),
    ("HTTP/1.1 101 S\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n", .unexpectedSwitch),
  ]

  @Test(
    "malformed or ambiguous responses are refused with 502",
    arguments: Self.malformed)
  func refuses(_ text: String, _ reason: HTTPFault.Reason) {
    let text = Array(text.utf8)
    #expect(parseResponse(text).verdict == .refused(502, reason))
    #expect(parseResponse(text, cuts: Array(1..<text.count)).verdict == .refused(502, reason))
  }

  static let framings: [(String, String, BodyFraming, Bool)] = [
    ("HTTP/1.1 200\r\n\r\n", "GET", BodyFraming.untilClose, false),
    ("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "GET", .none, true),
    ("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", "HEAD", .none, true),
    ("HTTP/1.1 204 No\r\nContent-Length: 9\r\n\r\n", "GET", .none, true),
    ("HTTP/1.1 304 Not\r\nTransfer-Encoding: chunked\r\n\r\n", "GET", .none, true),
    ("HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n", "GET", .chunked, true),
    ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n", "GET", .chunked, false),
    ("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "GET", .chunked, false),
    ("HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\n", "GET", .length(3), false),
    ("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 3\r\n\r\n", "GET", .length(3), true),
    ("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 3\r\n\r\n", "GET", .length(3), false),
    ("HTTP/1.1 200 OK\r\n\r\n", "CONNECT", .tunnel, true),
    ("HTTP/1.1 403 No\r\nContent-Length: 3\r\n\r\n", "CONNECT", .length(3), true),
  ]

  @Test(
    "framing follows status and method",
    arguments: Self.framings)
  func framing(_ text: String, _ method: String, _ framing: BodyFraming, _ keepAlive: Bool) {
    guard case .accepted(let info) = parseResponse(Array(text.utf8), method: Bytes(method)).verdict else {
      Issue.record("refused")
      return
    }
    #expect(info.framing == framing)
    #expect(info.keepAlive == keepAlive)
  }

  @Test("an interim response is told apart and a wanted 101 becomes a tunnel")
  func interim() {
    guard
      case .accepted(let hints) = parseResponse(Array("HTTP/1.1 103 Early\r\nLink: a\r\n\r\n".utf8)).verdict
    else {
      Issue.record("refused")
      return
    }
    #expect(hints.isInterim)
    let text = "HTTP/1.1 101 S\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
    guard case .accepted(let switched) = parseResponse(Array(text.utf8), upgradeOffered: true).verdict else {
      Issue.record("refused")
      return
    }
    #expect(switched.framing == .tunnel)
  }

  @Test("random changes to a valid head never trap and never differ between whole and split input")
  func mutations() {
    var dice = Dice(state: 0x77_5678_9ABC_DEF1)
    let seeds = [Self.typical, "HTTP/1.1 101 S\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"]
    for round in 0..<3000 {
      var text = Array(seeds[round % seeds.count].utf8)
      for _ in 0...Int.random(in: 0..<4, using: &dice) {
        let at = Int.random(in: 0..<text.count, using: &dice)
        switch Int.random(in: 0..<3, using: &dice) {
        case 0: text[at] = UInt8.random(in: 0...255, using: &dice)
        case 1: text.remove(at: at)
        default: text.insert([0, 9, 10, 13, 32, 58].randomElement(using: &dice) ?? 0, at: at)
        }
      }
      let cut = Int.random(in: 0..<text.count, using: &dice)
      #expect(parseResponse(text).verdict == parseResponse(text, cuts: [cut]).verdict, "\(text)")
    }
  }
}
