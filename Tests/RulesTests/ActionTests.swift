import Base
import Config
import HTTP
import Testing

@testable import Rules

@Suite("Actions")
struct ActionTests {
  static let rewrites: [(String, String, String, String?)] = [
    ("set-header X-A b", "x-a", "", "b"),
    ("set-header X-A \"%[src]:%[src_port] %[path]\"", "x-a", "", "10.1.2.3:4321 /path/to"),
    ("set-header X-A %ci", "x-a", "", "10.1.2.3"),
    ("set-header X-A 100%%", "x-a", "", "100%"),
    ("set-header X-A %[req.hdr(host),lower]", "x-a", "", "www.example.com:8080"),
    ("set-header X-A \"%[str('a,b'),field(2,',')]\"", "x-a", "", "b"),
    ("add-header X-Old second", "x-old", "first", "first"),
    ("del-header X-Old", "x-old", "first", nil),
    ("del-header x-o -m beg", "x-old", "first", nil),
    ("del-header ^x-o.d$ -m reg", "x-old", "first", nil),
    ("replace-header X-Old f(.*)t \\\\1-%[src]", "x-old", "first", "irs-10.1.2.3"),
    ("replace-header X-Old zzz q", "x-old", "first", "first"),
    ("replace-value X-Old ^b$ B", "x-old", "a, b,c", "a,B,c"),
    ("set-var(txn.a) path", "x-old", "first", "first"),
  ]

  @Test("header rules change the request", arguments: rewrites)
  func header(_ action: String, _ field: String, _ before: String, _ after: String?) {
    let fixture = Fixture(["http-request \(action)"])
    #expect(fixture.messages.isEmpty)
    if !before.isEmpty { fixture.context.request?.append(FieldName(field), Bytes(before)) }
    _ = fixture.runRequest()
    #expect(fixture.value(field) == after)
  }

  static let targets: [(String, String, String)] = [
    ("set-path /new", "/path/to?x=1", "/new?x=1"), ("set-path /new%[path]", "/path?x=1", "/new/path?x=1"),
    ("set-pathq /n?y", "/path?x=1", "/n?y"), ("set-query z=2", "/path?x=1", "/path?z=2"),
    ("set-query z=2", "/path", "/path?z=2"), ("set-uri /u", "/path?x", "/u"),
    ("replace-path /a(/.*) \\\\1", "/a/b?c=/a/d", "/b?c=/a/d"),
    ("replace-pathq /a(.*) /z\\\\1", "/a/b?c", "/z/b?c"),
    ("replace-uri ^(.*)$ http://h\\\\1", "/a?b", "http://h/a?b"),
    ("set-path /p", "http://host/old?q", "http://host/p?q"),
    ("set-path \"/a b\"", "/x", "/a%20b"),
    // The authority of a target follows Host.
    ("set-header Host new:81", "http://old/p?q", "http://new:81/p?q"),
    ("add-header Host b", "http://a/p", "http://b/p"),
    ("replace-value host (.*) v\\\\1", "http://www.example.com/p", "http://vwww.Example.com:8080/p"),
    ("set-header Host b", "a:443", "b"), ("set-header Host b", "*", "*"), ("set-header Host b", "/p", "/p"),
    ("set-header X-Host b", "http://a/p", "http://a/p"), ("del-header Host", "http://a/p", "http://a/p"),
    ("set-path %[str(/a\\\\r\\\\nb)]", "/x", "/a%0D%0Ab"),
  ]

  @Test("request line rules change the target", arguments: targets)
  func target(_ action: String, _ before: String, _ after: String) {
    let fixture = Fixture(["http-request \(action)"])
    #expect(fixture.messages.isEmpty)
    fixture.context.request?.target = Bytes(before)
    _ = fixture.runRequest()
    #expect(fixture.context.request?.target.string == after)
  }

  @Test("variables carry a value from rule to rule and scope to scope")
  func variables() {
    let fixture = Fixture([
      "http-request set-var(txn.host) hdr(host),host_only", "http-request set-var(sess.n) int(4),add(3)",
      "http-request set-var-fmt(req.text) \"%[var(txn.host)]-%[var(sess.n)]\"",
      "http-request set-header X-V %[var(req.text)] if { var(sess.n) -m int 7 }",
      "http-request unset-var(txn.host)",
      "http-request set-header X-W \"%[var(txn.host,none)]\"",
      "http-response set-header X-R %[var(sess.n)]",
    ])
    #expect(fixture.messages.isEmpty)
    _ = fixture.runRequest()
    #expect(fixture.value("x-v") == "www.example.com-7")
    #expect(fixture.value("x-w") == "none")
    fixture.context.response = Fixture.response(200, [])
    _ = fixture.runResponse()
    #expect(fixture.value("x-r", in: fixture.context.response) == "7")
  }

  static let normalized: [(String, String, String)] = [
    ("fragment-encode", "/#foo", "/%23foo"), ("fragment-strip", "/#foo", "/"),
    ("path-merge-slashes", "//", "/"),
    ("path-merge-slashes", "/foo//bar?a//b", "/foo/bar?a//b"), ("path-strip-dot", "/.", "/"),
    ("path-strip-dot", "/./bar/", "/bar/"), ("path-strip-dot", "/a/./a", "/a/a"),
    ("path-strip-dot", "/.well-known/", "/.well-known/"), ("path-strip-dotdot", "/foo/../", "/"),
    ("path-strip-dotdot", "/foo/../bar/", "/bar/"), ("path-strip-dotdot", "/foo/bar/../", "/foo/"),
    ("path-strip-dotdot", "/../bar/", "/../bar/"), ("path-strip-dotdot", "/bar/../../", "/../"),
    ("path-strip-dotdot", "/foo//../", "/foo/"), ("path-strip-dotdot full", "/../bar/", "/bar/"),
    ("path-strip-dotdot full", "/bar/../../", "/"), ("percent-decode-unreserved", "/%61dmin", "/admin"),
    ("percent-decode-unreserved", "/foo%3Fbar=baz", "/foo%3Fbar=baz"),
    ("percent-decode-unreserved", "/%%36%36", "/%66"),
    ("percent-to-uppercase", "/%6f", "/%6F"), ("query-sort-by-name", "/?c=3&a=1&b=2", "/?a=1&b=2&c=3"),
    ("query-sort-by-name", "/?aaa=3&a=1&aa=2", "/?a=1&aa=2&aaa=3"),
    ("query-sort-by-name", "/?a=3&b=4&a=1", "/?a=3&a=1&b=4"),
  ]

  @Test("targets are normalized", arguments: normalized)
  func normalize(_ normalizer: String, _ before: String, _ after: String) {
    let fixture = Fixture(["http-request normalize-uri \(normalizer)"])
    #expect(fixture.messages.isEmpty)
    fixture.context.request?.target = Bytes(before)
    _ = fixture.runRequest()
    #expect(fixture.context.request?.target.string == after)
  }

  @Test("a strict normalizer refuses what it cannot decode")
  func strict() {
    let fixture = Fixture(["http-request normalize-uri percent-decode-unreserved strict"])
    fixture.context.request?.target = "/%ZZ"
    guard case .deny(400, nil) = fixture.runRequest() else {
      Issue.record("not refused")
      return
    }
  }

  static let conditional: [(String, String, String)] = [
    ("ifexists", "txn.new", ""), ("ifnotexists", "txn.new", "x"), ("ifset", "txn.old", "x"),
    ("ifnotset", "txn.old", "5"),
    ("ifempty", "txn.old", "5"), ("ifnotempty", "txn.old", "x"), ("ifset,ifnotempty", "txn.old", "x"),
    ("ifgt", "txn.old", "x"),
  ]

  @Test("a variable is set under its conditions", arguments: conditional)
  func conditions(_ conditions: String, _ name: String, _ after: String) {
    let fixture = Fixture([
      "http-request set-var(txn.old) int(5)", "http-request set-var(\(name),\(conditions)) str(x)",
      "http-request set-header X-V %[var(\(name))]",
    ])
    #expect(fixture.messages.isEmpty)
    _ = fixture.runRequest()
    #expect(fixture.value("x-v") == after)
  }

  static let redirects: [(String, Int, String)] = [
    ("redirect scheme https", 302, "https://www.Example.com:8080/path/to?x=1&y=two"),
    ("http-request redirect scheme https code 301", 301, "https://www.Example.com:8080/path/to?x=1&y=two"),
    ("redirect location http://x/%[path]", 302, "http://x/%[path]"),
    ("http-request redirect location http://x%[path] code 307", 307, "http://x/path/to"),
    ("redirect prefix http://y drop-query append-slash", 302, "http://y/path/to/"),
    ("redirect prefix http://y", 302, "http://y/path/to?x=1&y=two"),
    ("redirect prefix / code 308", 308, "/path/to?x=1&y=two"),
  ]

  @Test("redirections go where they should", arguments: redirects)
  func redirect(_ line: String, _ status: Int, _ location: String) {
    let fixture = Fixture([line])
    #expect(fixture.messages.isEmpty)
    guard case .reply(let reply) = fixture.runRequest() else {
      Issue.record("no reply")
      return
    }
    let rendered = reply.render(fixture.context)
    #expect(rendered.status == status)
    #expect(rendered.fields.first { $0.name == "location" }?.value.string == location)
    #expect(rendered.fields.contains { $0.name == "cache-control" } == [302, 303, 307].contains(status))
  }

  @Test("a reply has the status, fields and body that its rule names")
  func reply() {
    let fixture = Fixture([
      "http-request return status 201 content-type text/plain lf-string \"hello %[src]\" hdr X-A %[path]"
    ])
    #expect(fixture.messages.isEmpty)
    guard case .reply(let reply) = fixture.runRequest() else {
      Issue.record("no reply")
      return
    }
    let rendered = reply.render(fixture.context)
    #expect(rendered.status == 201)
    #expect(rendered.reason == "Created")
    #expect(rendered.body == "hello 10.1.2.3")
    #expect(
      rendered.fields.map { "\($0.name.bytes): \($0.value)" } == [
        "x-a: /path/to", "content-length: 14", "content-type: text/plain",
      ])
  }

  @Test("an error file gives its status, fields and body")
  func errorFile() {
    let fixture = Fixture(
      ["http-request deny status 429 errorfile page"],
      files: [
        "page": "HTTP/1.0 403 Forbidden\r\nCache-Control: no-cache\r\nConnection: close\r\n\r\n<b>no</b>"
      ])
    #expect(fixture.messages.isEmpty)
    guard case .deny(let status, let reply?) = fixture.runRequest() else {
      Issue.record("not denied")
      return
    }
    #expect(status == 429)
    let rendered = reply.render(fixture.context)
    #expect(rendered.status == 403)
    #expect(rendered.body == "<b>no</b>")
    #expect(rendered.fields.map(\.name) == ["cache-control", "content-length"])
  }

  @Test("a login is asked for until it is right")
  func authentication() {
    var list = Userlist(name: "users", location: .none)
    var user = Userlist.User(name: "joe", password: "secret", isClear: true)
    user.groups = ["admins"]
    list.users = [user]
    let fixture = Fixture(
      [
        "http-request auth realm Zone if !{ http_auth(users) }",
        "http-request deny unless { http_auth_group(users) admins }",
        "http-request set-header X-User %[http_auth_user]",
      ], userlists: [list])
    #expect(fixture.messages.isEmpty)
    guard case .reply(let reply) = fixture.runRequest() else {
      Issue.record("no challenge")
      return
    }
    let rendered = reply.render(fixture.context)
    #expect(rendered.status == 401)
    #expect(rendered.fields.first?.value == "Basic realm=\"Zone\"")
    #expect(rendered.usesProxyPage)
    fixture.context.request?.append("authorization", Bytes("Basic " + "am9lOnNlY3JldA=="))
    _ = fixture.runRequest()
    #expect(fixture.value("x-user") == "joe")
  }

  @Test("a hashed password is verified by the system's crypt")
  func hashed() {
    guard PasswordHash.isAvailable else { return }
    let hash: Bytes = "$1$abcdefgh$irWbblnpmw.5z7wgBnprh0"
    #expect(!PasswordHash.verify("wrong", hash))
    #expect(PasswordHash.verify("password", "$1$xyz$cEUv8aN9ehjhMXG/kSFnM1"))
  }

  static let legacy: [(String, String)] = [
    ("reqadd X-Forwarded-Proto:\\ https", "http-request add-header X-Forwarded-Proto https"),
    ("reqadd X-A:\\ b\\ c if TRUE", "http-request add-header X-A \"b c\" if TRUE"),
    ("rspadd X-A:\\ b", "http-response add-header X-A b"),
    ("reqidel ^X-Foo:.*", "http-request del-header X-Foo"),
    ("rspidel ^Server:", "http-response del-header Server"),
    ("block if { path_beg /x }", "http-request deny if { path_beg /x }"),
    ("block unless HTTP", "http-request deny unless HTTP"),
    ("reqdel ^X-Foo: if HTTP", "http-request del-header X-Foo if HTTP"),
    ("rspdel ^X-Foo:.*$", "http-response del-header X-Foo"),
    ("rspidel ^X-(A|B):.*", "http-response del-header \"(?i)^X-(A|B)\\$\" -m reg"),
    ("reqidel ^Cookie:\\ a=", "http-request del-header Cookie if { req.fhdr(Cookie) -m reg -i a= }"),
    (
      "reqrep ^([^\\ :]*)\\ /old/(.*) \\\\1\\ /new/\\\\2",
      "http-request replace-pathq ^/old/(.*) \"/new/\\\\1\""
    ),
    (
      "reqirep ^GET\\ /old\\ HTTP/1.1 GET\\ /new\\ HTTP/1.1 if HTTP",
      "http-request replace-pathq (?i)^/old /new if HTTP"
    ),
    ("reqirep ^Host:\\ old(.*) Host:\\ 100%", "http-request replace-header Host (?i)old(.*) 100%%"),
    (
      "rspirep ^Location:\\ http://(.*) Location:\\ https://\\\\1",
      "http-response replace-header Location (?i)http://(.*) \"https://\\\\1\""
    ),
    ("rsprep ^Server:.* Server:\\ x", "http-response replace-header Server .* x"),
    ("reqdeny ^GET\\ /admin", "http-request deny if { method GET } { url_reg ^/admin }"),
    (
      "reqideny ^X-Bad:\\ yes if HTTP or METH_GET",
      "http-request deny if { req.fhdr(X-Bad) -m reg -i yes } HTTP or { req.fhdr(X-Bad) -m reg -i yes } METH_GET"
    ),
    ("rspdeny ^X-Leak:", "http-response deny if { res.fhdr(X-Leak) -m found }"),
    ("reqallow ^X-Ok: unless LOCALHOST", "http-request allow if { req.fhdr(X-Ok) -m found } !LOCALHOST"),
    ("reqiallow ^[^\\ ]*\\ /open", "http-request allow if { url_reg -i ^/open }"),
    ("reqitarpit ^[^\\ ]*\\ /trap", "http-request tarpit if { url_reg -i ^/trap }"),
  ]

  @Test("an old directive runs and shows the modern line", arguments: legacy)
  func old(_ line: String, _ modern: String) {
    let fixture = Fixture([line])
    #expect(fixture.diagnostics.all.map(\.severity) == [.warning])
    #expect(fixture.diagnostics.all.first?.replacement == modern)
    #expect(Fixture([modern]).messages.isEmpty, "the modern line is accepted as it stands")
  }

  static let oldVerdicts: [([String], String)] = [
    (["reqdeny ^X-Bad:"], "deny 403"), (["reqdeny ^x-bad:"], "next"), (["reqideny ^x-bad:"], "deny 403"),
    (["reqdeny ^GET\\ /path"], "deny 403"), (["reqtarpit ^X-Bad:"], "tarpit 500"),
    (["block if { method GET }"], "deny 403"), (["block unless { method GET }"], "next"),
    (["reqallow ^Host:", "reqdeny ^GET", "reqtarpit ^X-Bad:"], "next"),
    (["reqiallow ^host:", "reqdeny ^GET"], "next"), (["reqallow ^Nothing:", "reqdeny ^GET"], "deny 403"),
    (["reqdeny ^GET", "reqallow ^Host:"], "deny 403"),
    (["reqallow ^Host: if { method POST }", "reqdeny ^GET"], "deny 403"),
    (["reqallow ^Host:", "block if { method GET }"], "deny 403"),
  ]

  @Test("old verdicts are those they were, and reqallow lifts those behind it", arguments: oldVerdicts)
  func oldVerdict(_ lines: [String], _ expected: String) {
    let fixture = Fixture(lines)
    fixture.context.request?.append("x-bad", "yes")
    let verdict =
      switch fixture.runRequest() {
      case .next: "next"
      case .deny(let status, _): "deny \(status)"
      case .tarpit(let status, _): "tarpit \(status)"
      default: "something else"
      }
    #expect(verdict == expected)
  }

  @Test("behind reqallow the request is still rewritten, and the next request starts anew")
  func oldAllow() {
    let fixture = Fixture(["reqallow ^X-Ok:", "reqirep ^Host:.* Host:\\ inner", "reqdeny ^GET"])
    fixture.context.request?.append("x-ok", "1")
    guard case .next = fixture.runRequest() else {
      Issue.record("not allowed")
      return
    }
    #expect(fixture.value("host") == "inner")
    fixture.context.reset()
    fixture.context.request = Fixture.request("GET / HTTP/1.1", ["Host: h"])
    guard case .deny(403, _) = fixture.runRequest() else {
      Issue.record("not refused")
      return
    }
  }

  static let oldResponses: [(String, String, String?)] = [
    ("rspadd X-Added:\\ a\\ b", "x-added", "a b"), ("rspdel ^Server:", "server", nil),
    ("rspdel ^server:", "server", "Apache"), ("rspidel ^server:", "server", nil),
    ("rsprep ^Server:\\ (.).* Server:\\ \\\\1", "server", "A"),
    ("rspirep ^server:.*apache.* X-Was:\\ it", "x-was", "it"),
  ]

  @Test("old rules on responses do what they did", arguments: oldResponses)
  func oldResponse(_ line: String, _ field: String, _ expected: String?) {
    let fixture = Fixture([line])
    fixture.context.response = Fixture.response(200, ["Server: Apache"])
    _ = fixture.runResponse()
    #expect(fixture.value(field, in: fixture.context.response) == expected)
  }

  @Test("what cannot be mapped says what to write")
  func oldPass() {
    let fixture = Fixture(["reqipass ^X:"])
    #expect(fixture.diagnostics.all.map(\.severity) == [.alert])
    #expect(fixture.diagnostics.all.first?.expected == "http-request allow if <condition>")
  }

  @Test("old additions, deletions and replacements do what they did")
  func oldRules() {
    let fixture = Fixture([
      "reqadd X-Forwarded-Proto:\\ https", "reqidel ^x-secret:.*",
      "reqirep ^([^\\ :]*)\\ /path/(.*) \\\\1\\ /\\\\2",
      "reqirep ^Host:\\ .* Host:\\ inner", "block if { hdr(x-bad) -m found }",
    ])
    fixture.context.request?.append("x-secret", "1")
    _ = fixture.runRequest()
    #expect(fixture.value("x-forwarded-proto") == "https")
    #expect(fixture.value("x-secret") == nil)
    #expect(fixture.value("host") == "inner")
    #expect(fixture.context.request?.target == "/to?x=1&y=two")
  }

  @Test("content rules wait for the ClientHello, then route on its name")
  func content() {
    let fixture = Fixture(
      [
        "tcp-request inspect-delay 5s", "tcp-request content reject if !{ req_ssl_hello_type 1 }",
        "use_backend a if { req_ssl_sni -i One.Example }", "use_backend b if { req.ssl_sni -m end .two }",
      ], mode: .tcp)
    #expect(fixture.messages.isEmpty)
    #expect(fixture.proxy.inspectDelay == .seconds(5))
    fixture.context.request = nil
    let hello = TestHello.make(name: "one.example")
    for split in 0..<hello.count {
      fixture.context.payload = Bytes(Array(hello.prefix(split)))
      var index = 0
      guard case .needMoreData = fixture.proxy.tcpRequestContent.evaluate(fixture.context, resumingAt: &index)
      else {
        Issue.record("decided after \(split) octets")
        return
      }
      #expect(index == 0)
    }
    fixture.context.payload = Bytes(hello)
    var index = 0
    guard case .next = fixture.proxy.tcpRequestContent.evaluate(fixture.context, resumingAt: &index) else {
      Issue.record("not accepted")
      return
    }
    guard case .proxy(1)? = fixture.backend() else {
      Issue.record("not routed")
      return
    }
    fixture.context.payload = "GET / HTTP/1.0"
    index = 0
    guard case .reject = fixture.proxy.tcpRequestContent.evaluate(fixture.context, resumingAt: &index) else {
      Issue.record("not rejected")
      return
    }
  }
}

enum TestHello {
  /// A ClientHello record with a server name.
  static func make(name: String) -> [UInt8] {
    let host = Array(name.utf8)
    func vector16(_ body: [UInt8]) -> [UInt8] { [UInt8(body.count >> 8), UInt8(body.count & 255)] + body }
    let sni = [0, 0] + vector16(vector16([0] + vector16(host)))
    let body =
      [3, 3] + [UInt8](repeating: 7, count: 32) + [0] + vector16([0x13, 1]) + [1, 0] + vector16(sni)
    let message = [1, 0] + vector16(body)
    return [0x16, 3, 1] + vector16(message)
  }
}
