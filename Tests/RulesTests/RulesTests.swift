import Base
import Config
import HTTP
import Testing

@testable import Rules

@Suite("Conditions and ACLs")
struct ConditionTests {
  static let conditions: [(String, Bool)] = [
    ("if { path /path/to }", true), ("if { path /path }", false), ("if { path_beg /path }", true),
    ("if { path_end to }", true), ("if { path_sub th/t }", true), ("if { path_dir path }", true),
    ("if { path_dir pat }", false), ("if { path_reg ^/p.*to$ }", true), ("if { path_len 8 }", true),
    ("if { path_len gt 8 }", false), ("if !{ path / }", true), ("if ! { path / }", true),
    ("unless { path / }", true),
    ("if { hdr(host) -i www.example.com:8080 }", true), ("if { hdr(host) www.example.com:8080 }", false),
    ("if { hdr_beg(host) -i WWW. }", true), ("if { hdr_dom(host) -i example.com }", true),
    ("if { hdr_end(host) -i .com:8080 }", true),
    ("if { hdr(host),host_only,lower -m str www.example.com }", true),
    ("if { hdr_cnt(host) 1 }", true), ("if { hdr(nothing) -m found }", false),
    ("if { hdr(host) -m found }", true),
    ("if { src 10.0.0.0/8 }", true), ("if { src 10.1.2.3 }", true),
    ("if { src 11.0.0.0/8 192.168.0.0/16 }", false),
    ("if { dst_port 80 443 }", true), ("if { dst_port lt 80 }", false), ("if { dst_port 1:1024 }", true),
    ("if { method GET POST }", true), ("if METH_GET", true), ("if METH_POST", false), ("if HTTP_1.1", true),
    ("if { ssl_fc }", false), ("if TRUE", true), ("if FALSE or TRUE", true), ("if FALSE || FALSE", false),
    ("if FALSE OR TRUE", true), ("if TRUE FALSE or TRUE !FALSE", true), ("if TRUE !TRUE", false),
    ("if { url_param(x) 1 }", true), ("if { url_param(y) -m str two }", true),
    ("if { url_param(z) -m found }", false),
    ("if { urlp_val(x) ge 1 }", true), ("if { nbsrv(a) lt 1 }", false), ("if { nbsrv(full) lt 1 }", true),
    ("if { req.hdr(x-list) b }", true), ("if { req.fhdr(x-list) b }", false),
    ("if { req.hdr(x-list,1) a }", true),
    ("if { req.hdr(x-list,-1) c }", true), ("if { cook(sid) abc }", true), ("if { cook_cnt(sid) 1 }", true),
    ("if LOCALHOST", false), ("if { always_true } { always_false }", false), ("if { int(5) 5 }", true),
    ("if { str(abc) -m sub b }", true), ("if { str(ABC) -i -m str abc }", true),
    ("if { bin(414243) -m bin 414243 }", true),
    ("if { src,ipmask(24) 10.1.2.0 }", true), ("if { path,field(2,/) -m str path }", true),
    ("if { http_first_req }", true), ("if { path -f list }", true), ("if { src -f nets }", true),
    ("if { path_beg -i -f list -- /zzz }", true), ("if { hdr(host) -m reg -i ^www\\\\.EXAMPLE }", true),
  ]

  @Test("a condition holds or not", arguments: conditions)
  func holds(_ text: String, _ expected: Bool) {
    let fixture = Fixture(
      ["http-request deny \(text)"], files: ["list": "# comment\n/path/to\n", "nets": "10.1.0.0/16\n\n"])
    #expect(fixture.messages.isEmpty)
    fixture.context.request = Fixture.request(
      "GET /path/to?x=1&y=two HTTP/1.1",
      ["Host: www.Example.com:8080", "X-List: a, b", "X-List: c", "Cookie: a=b; sid=abc"])
    var denied = false
    if case .deny = fixture.runRequest() { denied = true }
    #expect(denied == expected)
  }

  @Test("named ACLs with several lines are alternatives")
  func alternatives() {
    let fixture = Fixture([
      "acl site path_beg /nope", "acl site path_beg /path", "acl other path_end nope",
      "use_backend a if other",
      "use_backend b if site !other",
    ])
    #expect(fixture.messages.isEmpty)
    guard case .proxy(let index)? = fixture.backend() else {
      Issue.record("no backend chosen")
      return
    }
    #expect(index == 2)
  }

  static let mistakes: [(String, String, String?)] = [
    ("http-request deny if nosuch", "no such ACL : 'nosuch'", nil),
    ("http-request deny if is_admn", "no such ACL : 'is_admn'", "is_admin"),
    (
      "http-request deny if { pathbeg / }", "unknown fetch method 'pathbeg' in ACL expression 'pathbeg'",
      "path_beg"
    ),
    ("http-request deny if { path_beg /", "missing closing '}' in condition", nil),
    ("http-request denny", "unknown action 'denny' in 'http-request' rule", "deny"),
    (
      "http-request deny iff TRUE",
      "'http-request deny' expects either 'if' or 'unless' followed by a condition but found 'iff'", "if"
    ),
    ("http-request set-header X-A %[hddr(host)]", "unknown fetch method 'hddr'", "hdr"),
    ("http-request set-header X-A %[path,lowwer]", "unknown converter 'lowwer'", "lower"),
    ("http-request track-sc0 src", "no table in proxy 'front'", nil),
    ("http-request deny if { path_reg ((a) }", "missing closing parenthesis", nil),
    ("http-request deny if { src 10.0.0.300 }", "'10.0.0.300' is not a valid IPv4 or IPv6 address", nil),
    ("http-request deny if { path -f missing }", "failed to open pattern file <missing>", nil),
    ("use_backend nosuch", "unable to find required use_backend: 'nosuch'", nil),
    ("http-request set-var(foo.x) src", "invalid variable name 'foo.x'", nil),
    ("redirect scheme https code 500", "'code': unsupported HTTP code '500'", nil),
    ("http-request deny if { src,lowwer -m found }", "unknown converter 'lowwer'", "lower"),
  ]

  @Test("mistakes are reported with what may have been meant", arguments: mistakes)
  func mistake(_ line: String, _ message: String, _ suggestion: String?) {
    let fixture = Fixture(["acl is_admin path_beg /admin", line])
    let errors = fixture.diagnostics.all.filter { $0.severity == .alert }
    #expect(errors.count == 1)
    #expect(errors.first?.message.contains(message) ?? false, "\(errors.first?.message ?? "none")")
    #expect(errors.first?.suggestion == suggestion || suggestion == nil)
    #expect(errors.first?.location.line == 3)
  }

  static let warnings: [(String, String)] = [
    (
      "http-request deny if { res.hdr(x) a }",
      "anonymous acl will never match because it uses keyword 'res.hdr' which is incompatible with 'frontend http-request header rule'"
    ),
    (
      "tcp-request connection reject if { path / }",
      "anonymous acl will never match because it uses keyword 'path' which is incompatible with 'frontend tcp-request connection rule'"
    ),
  ]

  static let elsewhere: [(String, String)] = [
    // Options of servers, keywords of sections, actions, fetches and converters, each in another's place.
    ("acl x chekc -m found", "check"), ("acl x wieght 5", "weight"), ("acl x defult_backend", "default_backend"),
    ("http-request deny if { lowerr a }", "lower"), ("http-request set-header X-A %[path,methodd]", "method"),
    ("http-request wieght 5", "weight"), ("http-request pathbeg /", "path_beg"),
    ("use_backend is_admn", "is_admin"), ("http-request deny if set-haeder", "set-header"),
  ]

  @Test("what may have been meant is of the kind that was wanted", arguments: elsewhere)
  func category(_ line: String, _ foreign: String) {
    let errors = Fixture(["acl is_admin path_beg /admin", line]).diagnostics.all.filter { $0.severity == .alert }
    #expect(errors.count == 1)
    #expect(errors.first?.suggestion != foreign)
  }

  static let advices: [([String], String, Int)] = [
    (["use_backend a", "use_backend b if HTTP"], "this 'use_backend' is never reached", 3),
    (["use_backend a if HTTP", "acl lonely path /x"], "acl 'lonely' is defined and never used", 3),
  ]

  @Test("advice of ours is told at its line and counts as no warning", arguments: advices)
  func advice(_ lines: [String], _ message: String, _ line: Int) {
    let all = Fixture(lines).diagnostics.all
    #expect(all.map(\.countsAsWarning) == [false] && all.map(\.location.line) == [line])
    #expect(all.first?.message.hasPrefix(message) ?? false, "\(all.first?.message ?? "none")")
  }

  static let unreachable: [([String], String)] = [
    (
      ["http-request deny", "http-request set-header X-A b"],
      "previous 'http-request' action is final and has no condition attached, further entries are NOOP."
    ),
    (
      ["http-response deny", "http-response set-header X-A b"],
      "previous 'http-response' action is final and has no condition attached, further entries are NOOP."
    ),
    (["acl x path", "use_backend a if x"], "parsing acl keyword 'path' : no pattern to match against"),
    (["acl x hdr(host)", "use_backend a if x"], "parsing acl keyword 'hdr(host)' : no pattern to match against"),
  ]

  @Test("what is never reached and what never matches is a warning, as in HAProxy", arguments: unreachable)
  func never(_ lines: [String], _ message: String) {
    let all = Fixture(lines).diagnostics.all
    #expect(all.map(\.severity) == [.warning] && all.allSatisfy(\.countsAsWarning))
    #expect(all.first?.message.hasPrefix(message) ?? false, "\(all.first?.message ?? "none")")
  }

  @Test("criteria that cannot match where they stand give a warning", arguments: warnings)
  func misplaced(_ line: String, _ message: String) {
    let fixture = Fixture([line])
    #expect(fixture.messages == [message])
  }

  @Test("a rule behind a kind that is evaluated later gives a warning")
  func order() {
    let fixture = Fixture(["redirect scheme https if { ssl_fc }", "http-request deny if FALSE"])
    #expect(
      fixture.messages == [
        "a 'http-request' rule placed after a 'redirect' rule will still be processed before"
      ])
  }
}
