import Base
import Config
import Rules
import Testing

@testable import Proxy

/// One check against one answer of a server.
struct CheckCase: CustomTestStringConvertible, Sendable {
  var lines: String
  /// What the server sends, in turn, after each of our messages (or at once when we send none).
  var answer: [UInt8]
  var status: String
  var code = 0
  var text = ""
  /// The server has closed behind its answer.
  var ends = true

  init(
    _ lines: String, _ answer: String, _ status: String, code: Int = 0, _ text: String = "", ends: Bool = true
  ) {
    self.init(lines, octets: Array(answer.utf8), status, code: code, text, ends: ends)
  }

  init(
    _ lines: String, octets: [UInt8], _ status: String, code: Int = 0, _ text: String = "", ends: Bool = true
  ) {
    self.lines = lines
    answer = octets
    self.status = status
    self.code = code
    self.text = text
    self.ends = ends
  }

  var testDescription: String { "\(lines) / \(answer.count) octets" }

  static let all: [CheckCase] = http + tcp + protocols

  private static let http: [CheckCase] = [
    CheckCase(" option httpchk", "HTTP/1.0 200 OK\r\n\r\n", "L7OK", code: 200),
    CheckCase(" option httpchk", "HTTP/1.0 404 Not Found\r\n\r\n", "L7STS", code: 404, "Not Found"),
    CheckCase(
      " option httpchk", "HTTP/1.1 100 C\r\n\r\nHTTP/1.1 204 No\r\n\r\n", "L7OK", code: 204, ends: false),
    CheckCase(" option httpchk", "", "L7RSP", "TCPCHK got an empty response at step 2"),
    CheckCase(
      " option httpchk\n http-check expect ! rstatus ^5", "HTTP/1.0 503 Busy\r\n\r\n", "L7STS", code: 503,
      "Busy"),
    CheckCase(
      " option httpchk GET /\n http-check expect string hello",
      "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n", "L7OK",
      code: 200,
      ends: false),
    CheckCase(
      " option httpchk GET /\n http-check expect string hello",
      "HTTP/1.0 200 OK\r\ncontent-length: 3\r\n\r\nbye",
      "L7RSP", code: 200, "HTTP content check did not match"),
    CheckCase(
      " option httpchk\n http-check expect hdr name x-state value -m beg up",
      "HTTP/1.0 200 OK\r\nX-State: down, upper\r\n\r\n", "L7OK", code: 200),
    CheckCase(
      " option httpchk\n http-check expect fhdr name -m sub stat value up",
      "HTTP/1.0 200 OK\r\nX-State: down, up\r\n\r\n", "L7STS", code: 200, "OK"),
    CheckCase(
      " option httpchk\n http-check disable-on-404", "HTTP/1.0 404 Gone\r\n\r\n", "L7OKC", code: 404),
    CheckCase(
      " option httpchk\n http-check expect status 200 error-status L7OKC on-error \"%[res.hdr(x)]\"",
      "HTTP/1.0 500 No\r\nx: why\r\n\r\n", "L7OKC", code: 500, "why"),
  ]

  private static let tcp: [CheckCase] = [
    CheckCase(
      " option tcp-check\n tcp-check send PING\n tcp-check expect string PONG", "xPONG", "L7OK",
      "(tcp-check)",
      ends: false),
    CheckCase(
      " option tcp-check\n tcp-check expect string ready comment greeting", "nope!", "L7RSP",
      "TCPCHK did not match content 'ready' at step 1 comment: greeting"),
    CheckCase(
      " option tcp-check\n tcp-check expect !string error\n tcp-check expect rstring ^[a-z]+$", "fine",
      "L7OK",
      "(tcp-check)"),
    CheckCase(
      " option tcp-check\n tcp-check expect binary 0d0a", "a\r\n", "L7OK", "(tcp-check)", ends: false),
    CheckCase(
      " option tcp-check\n tcp-check expect min-recv 3 rbinary ^6162", "abc", "L7OK", "(tcp-check)",
      ends: false),
    CheckCase(
      " option tcp-check\n tcp-check set-var(check.x) str(go)\n tcp-check expect string-lf %[var(check.x)]",
      "ago",
      "L7OK", "(tcp-check)", ends: false),
  ]

  private static let protocols: [CheckCase] = [
    CheckCase(" option redis-check", "+PONG\r\n", "L7OK", "Redis server is ok", ends: false),
    CheckCase(" option redis-check", "-ERR no\r\n", "L7STS", "-ERR no"),
    CheckCase(
      " option ldap-check", octets: [0x30, 12, 2, 1, 1, 0x61, 7, 0x0A, 1, 0, 4, 0, 4, 0], "L7OK", "Success",
      ends: false),
    CheckCase(
      " option ldap-check", octets: [0x30, 12, 2, 1, 1, 0x61, 7, 0x0A, 1, 49, 4, 0, 4, 0], "L7STS", code: 49,
      "See RFC: http://tools.ietf.org/html/rfc4511#section-4.1.9"),
    CheckCase(
      " option ldap-check",
      octets: [0x30, 0x84, 0, 0, 0, 16, 2, 1, 1, 0x61, 0x84, 0, 0, 0, 7, 0x0A, 1, 0, 4, 0, 4, 0], "L7OK",
      "Success",
      ends: false),
    CheckCase(" option ldap-check", "+PONG but not LDAP", "L7RSP", "Not LDAPv3 protocol"),
    CheckCase(
      " option mysql-check", octets: [5, 0, 0, 0, 10] + Array("5.7".utf8) + [0], "L7OK", "5.7", ends: false),
    CheckCase(
      " option mysql-check", octets: [9, 0, 0, 0, 0xFF, 0x15, 4] + Array("denied".utf8), "L7STS", code: 1045,
      "denied",
      ends: false),
    CheckCase(
      " option mysql-check user x",
      octets: [5, 0, 0, 0, 10] + Array("8.0".utf8) + [0] + [7, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0], "L7OK", "8.0",
      ends: false
    ),
    CheckCase(
      " option pgsql-check user bob", octets: [0x52, 0, 0, 0, 8, 0, 0, 0, 5], "L7OK",
      "PostgreSQL server is ok",
      ends: false),
    CheckCase(" option ssl-hello-chk", octets: [0x15, 3, 0, 0, 2], "L6OK", ends: false),
    CheckCase(" option ssl-hello-chk", "HTTP/", "L6RSP", ends: false),
  ]
}

@Suite("Check conversations")
struct CheckConversationTests {
  @Test("an answer that comes at once decides", arguments: CheckCase.all)
  func whole(_ item: CheckCase) throws {
    let rules = try #require(Checks.rules(item.lines))
    let script = CheckScript(
      rules, (item.answer.isEmpty ? [] : [.receive(item.answer)]) + (item.ends ? [.end] : []))
    expect(script, item)
  }

  @Test("an answer that comes octet by octet decides the same", arguments: CheckCase.all)
  func dribbled(_ item: CheckCase) throws {
    let rules = try #require(Checks.rules(item.lines))
    let script = CheckScript(rules, item.answer.map { .receive([$0]) } + (item.ends ? [.end] : []))
    expect(script, item)
  }

  @Test("an answer split anywhere decides the same", arguments: CheckCase.all)
  func split(_ item: CheckCase) throws {
    let rules = try #require(Checks.rules(item.lines))
    guard item.answer.count > 1 else { return }
    for cut in 1..<item.answer.count {
      let parts = [Array(item.answer[..<cut]), Array(item.answer[cut...])]
      expect(CheckScript(rules, parts.map { .receive($0) } + (item.ends ? [.end] : [])), item)
    }
  }

  @Test("an answer that is cut off always ends the check", arguments: CheckCase.all)
  func truncated(_ item: CheckCase) throws {
    let rules = try #require(Checks.rules(item.lines))
    for cut in 0..<item.answer.count {
      let part = Array(item.answer[..<cut])
      let script = CheckScript(rules, (part.isEmpty ? [] : [.receive(part)]) + [.end])
      #expect(script.outcome != nil)
    }
  }

  private func expect(_ script: CheckScript, _ item: CheckCase) {
    #expect(script.status == item.status, "\(script)")
    #expect(script.outcome?.code == item.code)
    #expect(script.text == item.text)
  }

  @Test(
    "the first message is HAProxy's, octet by octet",
    arguments: [
      (" option httpchk", "OPTIONS / HTTP/1.0\r\n\r\n"),
      (" option httpchk /ping", "OPTIONS /ping HTTP/1.0\r\n\r\n"),
      (" option httpchk HEAD / HTTP/1.0", "HEAD / HTTP/1.0\r\n\r\n"),
      (
        " option httpchk GET /x HTTP/1.1\n http-check send hdr Host www.ex.org\n http-check send-state",
        "GET /x HTTP/1.1\r\nhost: www.ex.org\r\nx-haproxy-server-state: UP\r\nconnection: close\r\n\r\n"
      ),
      (
        " option httpchk HEAD / HTTP/1.1\\r\\nHost:\\ www",
        "HEAD / HTTP/1.1\r\nhost: www\r\nconnection: close\r\n\r\n"
      ),
      (
        " option httpchk\n http-check send meth POST uri /p ver HTTP/1.1 hdr Host h body hello",
        "POST /p HTTP/1.1\r\nhost: h\r\ncontent-length: 5\r\nconnection: close\r\n\r\nhello"
      ),
      (" option redis-check", "*1\r\n$4\r\nPING\r\n"),
      (" option pgsql-check user bob", "\0\0\0\u{12}\0\u{3}\0\0user\0bob\0\0"),
      (" option ldap-check", "0\u{C}\u{2}\u{1}\u{1}`\u{7}\u{2}\u{1}\u{3}\u{4}\0"),
    ])
  func sends(_ lines: String, _ expected: String) throws {
    let rules = try #require(Checks.rules(lines))
    let script = CheckScript(rules, [])
    let first = try #require(script.sent.first)
    #expect(first.starts(with: Array(expected.utf8)), "\(script.sentText)")
  }

  @Test("SMTP is greeted, asked and told QUIT")
  func smtp() throws {
    let rules = try #require(Checks.rules(" option smtpchk EHLO mail.org"))
    let script = CheckScript(
      rules, [.text("220 hi\r\n"), .text("250-a\r\n250 ok\r\n"), .text("221 bye\r\n")])
    #expect(script.sentText == ["EHLO mail.org\r\n", "QUIT\r\n"])
    #expect(script.status == "L7OK")
    #expect(script.outcome?.code == 221)
    #expect(script.text == "bye")
  }

  @Test("SMTP that refuses is a wrong status with its code")
  func smtpRefusal() throws {
    let rules = try #require(Checks.rules(" option smtpchk"))
    let script = CheckScript(rules, [.text("554 no service\r\n")])
    #expect(script.status == "L7STS")
    #expect(script.outcome?.code == 554)
    #expect(script.text == "no service")
  }

  @Test("a 404 of a server that is down does not make it stop")
  func stoppedServer() throws {
    let rules = try #require(Checks.rules(" option httpchk\n http-check disable-on-404"))
    let script = CheckScript(rules, [.text("HTTP/1.0 404 Gone\r\n\r\n")], isStopped: true)
    #expect(script.status == "L7STS")
  }

  @Test("without any option connecting is enough")
  func connection() throws {
    let rules = try #require(Checks.rules(" mode tcp"))
    let script = CheckScript(rules, [])
    #expect(script.status == "L4OK")
    #expect(script.text.isEmpty)
  }

  @Test(
    "a wrong line is refused with its reason",
    arguments: [
      (" option tcp-check\n tcp-check expect strin x", "strin"),
      (" option tcp-check\n tcp-check expect", "matching pattern"),
      (" option tcp-check\n tcp-check send-binary 0g", "0g"),
      (" option tcp-check\n tcp-check connect port 70000", "70000"),
      (" option tcp-check\n tcp-check send x\n tcp-check connect", "first step MUST"),
      (" option httpchk\n http-check expect status 2xx", "status codes"),
      (" option httpchk\n http-check expect binary 00", "binary"),
      (" option httpchk\n http-check expect string a string b", "only one pattern"),
    ])
  func refused(_ lines: String, _ part: String) {
    let errors = Checks.errors(lines)
    #expect(errors.contains { $0.contains(part) }, "\(errors)")
  }

  @Test("a failed connection names the step of a tcp-check")
  func connectionFailure() throws {
    let rules = try #require(
      Checks.rules(" option tcp-check\n tcp-check connect port 25\n tcp-check expect string x"))
    var conversation = CheckConversation(rules, context: Checks.context())
    _ = conversation.next()
    let refused = CheckConnectionFailure(layer: .connecting, text: "Connection refused")
    #expect(
      conversation.connectionFailed(refused).text
        == "Connection refused at step 1 of tcp-check (connect port 25)")
    conversation.connected(isTLS: false)
    _ = conversation.next()
    let late = conversation.connectionFailed(CheckConnectionFailure(layer: .established, isTimeout: true))
    #expect(late.status == .timeoutLayer7)
    #expect(late.text == " at step 2 of tcp-check (expect string 'x')")
  }
}

@Suite("Agents")
struct AgentReplyTests {
  @Test("an agent's line is read in any order")
  func line() throws {
    let read = AgentReply.read(Array("75%, maxconn:30\tmaint,DOWN # disk full\r\n".utf8).span)
    let reply = try #require(read)
    #expect(reply.health == .down)
    #expect(reply.administration == .maintenance)
    #expect(reply.weight == "75%")
    #expect(reply.sessionLimit == "30")
    #expect(reply.comment == "disk full")
  }

  @Test("a line without its end is not read")
  func incomplete() {
    let half = AgentReply.read(Array("up".utf8).span)
    let nothing = AgentReply.read([UInt8]().span)
    #expect(half == nil)
    #expect(nothing == nil)
  }

  @Test("the first word that means nothing is kept")
  func unknown() throws {
    let read = AgentReply.read(Array("uqp ready xx\n".utf8).span)
    let reply = try #require(read)
    #expect(reply.unknownWord == "uqp")
    #expect(reply.administration == .ready)
  }
}
