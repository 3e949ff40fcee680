import Config
import Testing

@Suite("Conditional blocks")
struct ConditionTests {
  @Test(
    "predicates and operators",
    arguments: [
      ("1", true), ("0", false), ("", false), ("!0", true), ("1 && 0", false), ("1 || 0", true),
      ("0 || 0 || 1", true),
      ("(1 && !0) || 0", true), ("defined(A)", true), ("defined(B)", false), ("streq(a,a)", true),
      ("streq(\"$A\",a)", false), ("strneq(a,b)", true), ("strstr(hello,ell)", true),
      ("strstr(hello,elo)", false),
      ("feature(THREAD)", true), ("feature(QUIC)", false), ("version_atleast(2.4)", true),
      ("version_atleast(3.5-dev4)", true), ("version_atleast(v3.5-dev0)", true),
      ("version_atleast(3.6-dev0)", false),
      ("version_before(3.5)", false), ("version_before(4.0)", true), ("openssl_version_atleast(1.1.1)", true),
      ("openssl_version_before(4.0.0)", true), ("openssl_version_atleast(1.1.1l)", true),
      ("ssllib_name_startswith(OpenSSL)", true), ("!ssllib_name_startswith(AWS-LC)", true),
      ("enabled(SPLICE)", true),
      ("!fips_mode()", true), ("awslc_api_atleast(27)", false), ("feature(ZLIB) || feature(EPOLL)", true),
    ] as [(String, Bool)])
  func predicates(text: String, expected: Bool) throws {
    #expect(try Condition(text, environment: ["A": "x"]).evaluate() == expected)
  }

  @Test(
    "wrong conditions",
    arguments: ["foo", "foo(1)", "streq(a)", "(1", "1 1", "version_atleast(x)", "defined(A", "&&"])
  func wrong(text: String) {
    #expect(throws: Condition.Failure.self) { try Condition(text, environment: [:]).evaluate() }
  }

  @Test("deep nesting is refused and does not exhaust the stack")
  func nesting() {
    let text = String(repeating: "(", count: 10_000) + "1" + String(repeating: ")", count: 10_000)
    #expect(throws: Condition.Failure.self) { try Condition(text, environment: [:]).evaluate() }
  }

  private func chosen(_ text: String) -> Int? {
    Loading.load("global\n" + text).configuration.global.maxConnections
  }

  @Test(
    "only the lines of the branch that holds count",
    arguments: [
      (".if 1\n maxconn 1\n.else\n maxconn 2\n.endif\n", 1),
      (".if 0\n maxconn 1\n.else\n maxconn 2\n.endif\n", 2),
      (".if 0\n maxconn 1\n.elif 1\n maxconn 2\n.else\n maxconn 3\n.endif\n", 2),
      (".if 1\n maxconn 1\n.elif 1\n maxconn 2\n.else\n maxconn 3\n.endif\n", 1),
      ("maxconn 9\n.if 0\n.if 1\nmaxconn 1\n.else\nmaxconn 2\n.endif\n.elif 0\n\"broken\n.endif\n", 9),
      ("setenv X y\n.if streq(\"$X\",y)\nmaxconn 4\n.endif\n", 4),
      ("presetenv X y\nunsetenv X\n.if !defined(X)\nmaxconn 5\n.endif\n", 5),
    ] as [(String, Int)])
  func branches(text: String, expected: Int) { #expect(chosen(text) == expected) }

  @Test(
    "blocks that do not match up",
    arguments: [
      (".else\n", "1: lone '.else' with no matching '.if'."),
      (".endif\n", "1: lone '.endif' with no matching '.if'."),
      (".if 1\n", "1: non-terminated '.if' block."),
      (".if 1\n.else\n.else\n.endif\n", "3: '.else' after '.else' is not permitted."),
      (".if 1\n.else x\n.endif\n", "2: Unexpected argument 'x' for '.else'."),
      (".alert \"no\"\n", "1: 'no'."), (".foo\n", "1: unknown directive '.foo'."),
    ] as [(String, String)])
  func mismatched(text: String, message: String) { #expect(Loading.errors(text) == [message]) }

  @Test("messages have the severity of their keyword")
  func messages() {
    let loaded = Loading.load(".notice a\n.warning b\n.diag c\n")
    #expect(loaded.diagnostics.all.map(\.severity) == [.notice, .warning, .diag])
    #expect(!loaded.diagnostics.hasErrors)
  }
}
