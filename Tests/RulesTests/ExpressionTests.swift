import Base
import Config
import HTTP
import Testing

@testable import Rules

@Suite("Expressions")
struct ExpressionTests {
  static let expressions: [(String, String)] = [
    ("str(abc),upper", "ABC"), ("str(ABC),lower", "abc"), ("str(abc),length", "3"),
    ("int(5),add(3),mul(2)", "16"),
    ("int(7),sub(9)", "-2"), ("int(7),div(2)", "3"), ("int(7),mod(4)", "3"), ("int(6),and(3)", "2"),
    ("int(6),or(1)", "7"), ("int(6),xor(3)", "5"), ("int(6),neg", "-6"), ("int(6),cpl", "-7"),
    ("int(6),even", "1"),
    ("int(6),odd", "0"), ("int(0),bool", "0"), ("int(0),not", "1"), ("bool(true),iif(yes,no)", "yes"),
    ("int(9223372036854775807),add(1)", "9223372036854775807"),
    ("str(f1_f2_f3__f5),field(4,_)", ""), ("str(f1_f2_f3__f5),field(5,_)", "f5"),
    ("str(f1_f2_f3__f5),field(2,_,0)", "f2_f3__f5"), ("str(f1_f2_f3__f5),field(2,_,2)", "f2_f3"),
    ("str(f1_f2_f3__f5),field(-2,_,3)", "f2_f3_"), ("str(f1_f2_f3__f5),field(-3,_,0)", "f1_f2_f3"),
    ("str(w1_w2_w3___w4),word(4,_)", "w4"), ("str(w1_w2_w3___w4),word(2,_,0)", "w2_w3___w4"),
    ("str(w1_w2_w3___w4),word(3,_,2)", "w3___w4"), ("str(w1_w2_w3___w4),word(-1,_,3)", "w2_w3___w4"),
    ("str(/w1/w2/w3/w4),word(1,/)", "w1"), ("str(.a.b.),word(1,.,0)", "a.b."), ("str(.a.b.),word(-2,.,0)", ".a"),
    ("str(.a.b.),word(1,.,2)", "a.b"),
    ("str(hello),base64", "aGVsbG8="), ("str(aGVsbG8=),b64dec", "hello"), ("str(hello?),ub64enc", "aGVsbG8_"),
    ("str(ABC),hex", "414243"), ("str(1f),hex2i", "31"), ("str(a%20b),url_dec", "a b"),
    ("str(a b/c),url_enc", "a%20b%2Fc"), ("str(hello),crc32", "907060870"),
    ("str(hello),crc32c", "2591144780"),
    ("str(hello),djb2", "261238937"), ("str(hello),xxh32", "4211111929"),
    ("str(hello),xxh64", "2794345569481354659"), ("str(abcd),bytes(1,2)", "bc"),
    ("str(abcd),reverse", "dcba"),
    ("str(www.example.com),reverse_dom", "com.example.www"), ("str(xxabcxx),ltrim(x)", "abcxx"),
    ("str(xxabcxx),rtrim(x)", "xxabc"), ("str(a=1&b=2),param(b)", "2"), ("str(h:80),host_only", "h"),
    ("str(h:80),port_only", "80"), ("str([::1]:80),host_only", "[::1]"),
    ("ipv4(10.1.2.3),ipmask(24)", "10.1.2.0"),
    ("ipv6(2001:db8::1),ipmask(32,32)", "2001:db8::"), ("src,ipmask(255.255.0.0)", "10.1.0.0"),
    ("str(abac),regsub(a,x)", "xbac"), ("str(abac),regsub(a,x,g)", "xbxc"),
    ("str(ABAC),regsub(a,x,gi)", "xBxC"),
    ("str(foo/bar),regsub(\"(.*)/(.*)\",\"\\2-\\1\")", "bar-foo"), ("str(a.b),regsub(\"\\.\",-)", "a-b"),
    ("str(a),concat(-,,z)", "a-z"), ("int(784111777),http_date", "Sun, 06 Nov 1994 08:49:37 GMT"),
    ("int(784111777),utime(\"%Y-%m-%d %H:%M:%S\")", "1994-11-06 08:49:37"),
    ("str('a\\\\b'),json(utf8s)", "a\\\\\\\\b"), ("path", "/path/to"), ("pathq", "/path/to?x=1&y=two"),
    ("query", "x=1&y=two"),
    ("url", "/path/to?x=1&y=two"), ("base", "www.Example.com:8080/path/to"), ("method", "GET"),
    ("req.ver", "1.1"),
    ("hdr(host)", "www.Example.com:8080"), ("req.hdr_cnt(host)", "1"), ("url_param(y)", "two"),
    ("src", "10.1.2.3"), ("dst_port", "80"), ("date", "1700000000"), ("pid", "1234"), ("nbsrv(a)", "2"),
    ("fe_conn", "3"), ("so_id", "0"), ("act_conn", "7"), ("hostname", "host"), ("str(x),map(m,none)", "one"),
    ("str(zz),map(m,none)", "none"), ("int(7),map_int(mi,none)", "some"), ("path,map_beg(p)", "deep"),
    ("src,map_ip(nets,none)", "lan"), ("str(x-7-z),map_regm(r)", "got 7"),
    ("str(www.example.com),map_dom(d)", "dom"),
    ("str('{\"a\":{\"b\":[1,{\"c\":\"x\"}]}}'),json_query('$.a.b[1].c')", "x"),
    ("str('{\"n\":42}'),json_query('$.n','int'),add(1)", "43"), ("bin(0102),hex", "0102"),
    ("bin(01),be2dec(,1)", "1"),
    ("str(for=1.2.3.4;proto=http),rfc7239_field(for)", "1.2.3.4"), ("str(abc),set-var(txn.v),length", "3"),
    ("rand(10),mul(0)", "0"),
    ("str(eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJqb2UiLCJuIjo3fQ.x),jwt_header_query('$.alg')", "HS256"),
    ("str(eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJqb2UiLCJuIjo3fQ.x),jwt_payload_query('$.n','int'),add(1)", "8"),
    ("uuid", "01234567-89ab-4def-8123-456789abcdef"),
    ("str(a),strcmp(txn.unset)", ""), ("str('en-us;q=0.8,fr'),language(fr;en,xx)", "fr"),
    ("accept_date", "1700000000"),
  ]

  static let files = [
    "m": "x one\n# no\ny two\n", "mi": "1:9 some\n", "p": "/ root\n/path deep\n",
    "nets": "10.0.0.0/8 lan\n10.1.2.9 host\n",
    "r": "x-([0-9]+)-z got \\1\n", "d": "example.com dom\n",
  ]

  @Test("an expression gives its value", arguments: expressions)
  func value(_ expression: String, _ expected: String) {
    #expect((evaluated(expression, files: ExpressionTests.files) ?? "") == expected)
  }

  static let mistakes: [(String, String)] = [
    ("field", "unknown fetch method 'field'"), ("str(abc),add(x)", "invalid variable name 'x'"),
    ("str(abc", "missing ']'"), ("str(a),field", "missing args for converter 'field'"),
    ("src(1)", "does not support any args"), ("str(a),field(0,_)", "unexpected value 0"),
    ("str(a),regsub(\"(\",b)", "missing closing parenthesis"), ("str(a),regsub(\"a(?=b)\",b)", "look-ahead"),
    ("src_http_req_rate", "no table in proxy 'front'"),
    ("src_http_req_rate(nix)", "unable to find table 'nix'"),
    ("date(1,hours)", "expects 's', 'ms' or 'us'"),
    ("res.hdr(a)", "may not be reliably used here"), ("nbsrv(nosuch)", "unable to find backend 'nosuch'"),
    ("str(a),map(nofile)", "failed to open map file <nofile>"), ("bool(x)", "invalid boolean"),
  ]

  @Test("a mistake in an expression is named", arguments: mistakes)
  func mistake(_ expression: String, _ message: String) {
    let result = evaluated(expression) ?? ""
    #expect(result.contains(message), "\(result)")
  }

  @Test("random text never traps a parser")
  func random() {
    var generator = SystemRandomNumberGenerator()
    let alphabet = Array("abcsrt%[](){}|\\*+?.,^$!\"'/-:;=0123456789 hdr path".utf8)
    for _ in 0..<3000 {
      let count = Int.random(in: 0..<40, using: &generator)
      let text = (0..<count).map { _ in alphabet.randomElement(using: &generator) ?? 0x20 }
      let scope = CompileScope(
        configuration: Configuration(), diagnostics: Diagnostics(),
        shared: SharedScope(configuration: Configuration(), diagnostics: Diagnostics()) { _ in nil },
        proxyIndex: -1)
      _ = try? ExpressionParser.parse(Bytes(text), scope: scope)
      _ = try? LogFormatParser.log(Bytes(text), scope: scope)
      if let regex = try? RegularExpression.compile(Bytes(text), ignoresCase: false) {
        var scratch = RegexScratch()
        _ = regex.captures(Bytes(text), &scratch)
      }
      _ = ClientHello.parse(Bytes([0x16, 3, 1, 0, UInt8(count) &+ 4] + text))
      _ = JSONPath(Bytes("$." + String(decoding: text, as: UTF8.self)))?.find(in: Bytes(text))
    }
  }
}
