import Base
import Config
import HTTP
import Testing

@testable import Rules

@Suite("Log lines")
struct LogFormatTests {
  private func fixture() -> Fixture {
    let fixture = Fixture([])
    let context = fixture.context
    context.log.frontendName = "f"
    context.log.backendName = "b"
    context.log.serverName = "s1"
    context.log.status = 200
    context.log.bytesOut = 1234
    context.log.requestTime = 1
    context.log.queueTime = 0
    context.log.connectTime = 2
    context.log.responseTime = 3
    context.log.activeTime = 6
    context.log.totalTime = 7
    context.log.activeConnections = 1
    context.log.frontendConnections = 1
    context.log.method = "GET"
    context.log.uri = "/a?b=\"c\""
    context.log.version = "HTTP/1.1"
    return fixture
  }

  private func render(_ format: LogFormat, _ edit: (RuleContext) -> Void = { _ in }) -> String {
    let fixture = fixture()
    edit(fixture.context)
    return String(decoding: format.rendered(fixture.context), as: UTF8.self)
  }

  /// Whatever the time zone of the machine.
  private var date: String {
    var out: [UInt8] = []
    var dates = DateCache()
    DateText.appendLocalMilliseconds(WallTime(microseconds: 1_700_000_000_123_456), &dates, into: &out)
    return String(decoding: out, as: UTF8.self)
  }

  @Test("httplog is HAProxy's line")
  func http() {
    #expect(
      render(.http)
        == "10.1.2.3:4321 [\(date)] f b/s1 1/0/2/3/6 200 1234 - - ---- 1/1/0/0/0 0/0 \"GET /a?b=#22c#22 HTTP/1.1\""
    )
    let line = render(.http) { context in
      context.log.frontendIsTLS = true
      context.log.requestCaptures = ["a|b", nil]
      context.log.responseCaptures = ["x"]
      context.log.requestCookie = "c=1"
      context.log.isRedispatched = true
      context.log.retries = 2
      context.log.isEarly = true
      context.log.method = .empty
      context.log.termination = (0x50, 0x52, 0x2D, 0x2D)
    }
    #expect(
      line
        == "10.1.2.3:4321 [\(date)] f~ b/s1 1/0/2/3/+6 200 +1234 c=1 - PR-- 1/1/0/0/+2 0/0 {a#7Cb|} {x} \"<BADREQ>\""
    )
  }

  @Test("tcplog, the short line and clf are HAProxy's")
  func others() {
    #expect(render(.tcp) == "10.1.2.3:4321 [\(date)] f b/s1 0/2/7 1234 -- 1/1/0/0/0 0/0")
    #expect(render(.shortTCP) == "Connect from 10.1.2.3:4321 to 192.168.0.1:80 (f/TCP)")
    #expect(
      render(.clf)
        == "10.1.2.3 - - [14/Nov/2023:22:13:20 +0000] \"GET /a?b=#22c#22 HTTP/1.1\" 200 1234 \"\" \"\" 4321 123 \"f\" \"b\" \"s1\" 1 0 2 3 6 ---- 1 1 0 0 0 0 0 \"\" \"\" "
    )
  }

  static let formats: [(String, String)] = [
    ("%ci %cp", "10.1.2.3 4321"), ("%{+X}ci:%{+X}cp", "0A010203:10E1"), ("%{+Q}s", "\"s1\""), ("%%x", "%x"),
    ("%HM %HP %HQ %HU %HV %HPO", "GET /a ?b=#22c#22 /a?b=#22c#22 HTTP/1.1 /a"), ("a  b", "a b"), ("%CC", "-"),
    ("%hr %hs x", "x"), ("%[src]", "10.1.2.3"), ("%[hdr(nothing)]", "-"), ("%{+Q}[hdr(nothing)]", "\"\""),
    ("%{+E}[str('a]b')]", "a\\]b"), ("%Ts %ms", "1700000000 123"), ("%{+X}o %ci %pid", "0A010203 04D2"),
    ("%Tq %Ta %Tt %Tu", "1 6 7 7"), ("%ID %H %pid %rt", "- host 1234 0"), ("%ac/%fc/%bc", "1/1/0"),
    ("%ft%b", "fb"),
    ("%{+json}o %(ip)ci %(n)ST %(missing)CC", "{\"ip\": \"10.1.2.3\", \"n\": 200, \"missing\": \"\"}"),
    ("%{+cbor}o %(n)ST", "BF616E18C8FF"), ("%cix", "10.1.2.3x"),
  ]

  @Test("a format gives its text", arguments: formats)
  func custom(_ text: String, _ expected: String) throws {
    let diagnostics = Diagnostics()
    let format = RuleCompiler.logFormat(Word(text), configuration: Configuration(), diagnostics: diagnostics)
    #expect(diagnostics.all.map(\.message).isEmpty || text.contains("hdr"))
    guard let format else {
      #expect(text.contains("hdr("))
      return
    }
    #expect(render(format) == expected)
  }

  static let mistakes = [
    ("%zz", "no such format alias 'zz'"), ("%", "no variable name"), ("%[src", "missing ']'"),
    ("%{+Y}s", "unknown log-format flag 'Y'"), ("%{+Q", "missing '}'"),
    ("%[nosuch]", "unknown fetch method 'nosuch'"),
  ]

  @Test("a broken format is refused with a reason", arguments: mistakes)
  func mistake(_ text: String, _ message: String) {
    let diagnostics = Diagnostics()
    #expect(
      RuleCompiler.logFormat(Word(text), configuration: Configuration(), diagnostics: diagnostics) == nil)
    #expect(diagnostics.all.first?.message.contains(message) ?? false)
  }
}

@Suite("Many rules")
struct ScaleTests {
  @Test("a run of host rules keeps first-match order")
  func order() {
    var lines = (0..<500).map { "use_backend a if { hdr(host) -i h\($0).example }" }
    lines.insert("use_backend b if { hdr(host) -i h7.example x.example }", at: 3)
    lines.append("use_backend c if { hdr(host) -i x.example }")
    lines.append("use_backend c if { hdr(host) -i y.example } || { hdr(host) -i z.example }")
    let fixture = Fixture(lines)
    #expect(fixture.messages.isEmpty)
    let expected = ["h7.example": 2, "h499.example": 1, "x.example": 2, "Z.example": 3, "none": -1]
    for (host, index) in expected {
      fixture.context.request = Fixture.request("GET / HTTP/1.1", ["Host: \(host)"])
      var chosen = -1
      if case .proxy(let found)? = fixture.backend() { chosen = found }
      #expect(chosen == index, "\(host)")
    }
  }

  @Test("a run inside of http-request rules performs each rule that holds, in order")
  func runs() {
    let fixture = Fixture([
      "http-request add-header X-A 1 if { path /path/to }",
      "http-request add-header X-A 2 if { path /other }",
      "http-request add-header X-A 3 if { path /path/to /third }",
      "http-request add-header X-A 4 if { path /path/to }",
      "http-request add-header X-A 5",
    ])
    _ = fixture.runRequest()
    let head = fixture.context.request
    let values = (0..<(head?.count ?? 0)).compactMap { i in
      head?.isField(at: i, named: "x-a") ?? false ? head?.value(at: i).string : nil
    }
    #expect(values == ["1", "3", "4", "5"])
  }
}

@Suite("Keyword listings")
struct ListingTests {
  @Test("the listings have HAProxy's form")
  func form() {
    #expect(KeywordListing.fetches.contains("[ . . Y Y Y Y Y Y Y Y Y . . . . . . . . . . . ] path: str"))
    #expect(KeywordListing.converters.contains("lower: str => str"))
    #expect(KeywordListing.aclKeywords.contains("path_beg = path -m beg"))
    #expect(KeywordListing.actions.contains("http-request set-header"))
  }
}
