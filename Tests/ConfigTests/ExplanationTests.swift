import Base
import Testing

@testable import Config

/// What stands below HAProxy's line: where, what was expected, what was meant, what to write.
@Suite("Explanations")
struct ExplanationTests {
  private func printed(_ text: String, _ set: (inout ConfigurationReport) -> Void = { _ in }) -> [Substring] {
    var report = ConfigurationReport(Loading.load(text), files: ["t.cfg"])
    report.printer.processID = 7
    set(&report)
    return report.check().errors.split(separator: "\n")
  }

  @Test(
    "the underlined word is the wrong one",
    arguments: [
      ("global\n maxconn  abc\n", "abc"), ("frontend f\n defult_backend x\n", "defult_backend"),
      ("backend b\n server s 1.2.3.4:80 chek inter 1s\n", "chek"),
      ("frontend f\n bind :80 sssl\n", "sssl"), ("backend b\n balance rondrobin\n", "rondrobin"),
      ("backend b\n timeout servr 5s\n", "servr"), ("backend b\n mode htpp\n", "htpp"),
      ("frontend f\n bind :80\n default_backend nowhere\n", "nowhere"), ("backend b\n option htpchk\n", "htpchk"),
      ("backend b\n\ttimeout\tserver\t99d\n", "99d"), ("bakend b\n", "bakend"),
    ])
  func underlined(text: String, word: String) throws {
    let lines = printed(text)
    let marks = try #require(lines.firstIndex { $0.contains("^") })
    let start = try #require(lines[marks].firstIndex(of: "^"))
    let column = lines[marks].distance(from: lines[marks].startIndex, to: start)
    #expect(lines[marks - 1].dropFirst(column).prefix(word.count) == word)
    #expect(lines[marks][start...].count == word.count)
  }

  @Test(
    "it is said what was expected",
    arguments: [
      "global\n maxconn abc\n", "backend b\n server s 1.2.3.4:80 chek\n", "backend b\n balance rondrobin\n",
      "backend b\n timeout servr 5s\n", "backend b\n mode htpp\n", "frontend f\n bind :80\n default_backend no\n",
      "global\n user nobody-here\n", "frontend f\n bind :80 sssl\n", "backend b\n option htpchk\n",
    ])
  func expected(text: String) {
    let errors = Loading.load(text).diagnostics.all.filter { $0.severity == .alert }
    #expect(errors.count == 1 && errors.allSatisfy { !($0.expected ?? "").isEmpty })
  }

  @Test(
    "what may have been meant comes from the words of that place alone",
    arguments: [
      ("backend b\n server s 1.2.3.4:80 chek\n", "check"), ("backend b\n server s 1.2.3.4:80 wieght 5\n", "weight"),
      ("frontend f\n bind :80 acept-proxy\n", "accept-proxy"), ("backend b\n balance rondrobin\n", "roundrobin"),
      ("backend b\n timeout servr 5s\n", "server"), ("backend b\n option htpchk\n", "httpchk"),
      ("backend b\n mode htpp\n", "http"), ("bakend b\n", "backend"), ("global\n maxcon 5\n", "maxconn"),
      // Options of servers and of listeners, keywords of sections, sample fetches: each in another's place.
      ("backend b\n wieght 5\n", nil), ("backend b\n acept-proxy\n", nil),
      ("frontend f\n bind :80 rediss\n", nil), ("backend b\n server s 1.2.3.4:80 defult_backend x\n", nil),
      ("backend b\n server s 1.2.3.4:80 path_bge\n", nil), ("global\n defult_backend x\n", nil),
      ("backend b\n option rondrobin\n", nil), ("backend b\n balance htpchk\n", nil),
    ] as [(String, String?)])
  func meant(text: String, suggestion: String?) {
    let errors = Loading.load(text).diagnostics.all.filter { $0.severity == .alert }
    #expect(errors.count == 1)
    #expect(errors.first?.suggestion == suggestion)
  }

  @Test(
    "duplicates show the other definition",
    arguments: [
      ("backend b\n server s 1.1.1.1:1\n server s 1.1.1.1:1\n", 2),
      ("backend b\n server s 1.1.1.1:1 id 7\n server t 1.1.1.1:1 id 7\n", 2),
      ("frontend f\n bind :80\nfrontend f\n bind :81\n", 1), ("backend b\nlisten b\n bind :81\n", 1),
      ("defaults d\n mode http\ndefaults d\n mode tcp\nlisten l from d\n bind :80\n", 1),
      ("resolvers r\n nameserver a 1.1.1.1:53\n nameserver a 1.1.1.2:53\n", 2),
    ])
  func duplicates(text: String, line: Int) throws {
    let errors = Loading.load(text).diagnostics.all.filter { $0.severity == .alert }
    let related = try #require(errors.first?.related.first)
    #expect(errors.count == 1 && related.location.line == line)
    #expect(printed(text).contains { $0.hasPrefix("  t.cfg:\(line): ") })
  }

  @Test("the fix is a line to paste, and one of several lines is shown whole")
  func fix() {
    #expect(printed("backend b\n contimeout 5000\n").contains("  write instead: timeout connect 5000"))
    let lines = printed("backend b\n option httpchk GET / HTTP/1.1\\r\\nHost:\\ w\n")
    let first = lines.firstIndex(of: "  write instead: option httpchk") ?? lines.count - 1
    #expect(
      lines[(first + 1)...].first == "                 http-check send meth GET uri / ver HTTP/1.1 hdr Host w")
  }

  @Test("HAProxy's own line is the first of each, word for word")
  func firstLine() {
    let lines = printed("global\n foo\n maxconn abc\nbackend b\n contimeout 5000\n bar\n")
    #expect(
      lines.filter { $0.hasPrefix("[") }.map(String.init).dropLast(2) == [
        "[ALERT]    (7) : config : parsing [t.cfg:2] : unknown keyword 'foo' in 'global' section",
        "[ALERT]    (7) : config : parsing [t.cfg:3] : cannot parse 'maxconn' value 'abc', an integer is expected.",
        "[WARNING]  (7) : config : parsing [t.cfg:5] : the 'contimeout' directive is gone since 2.1 in favor of "
          + "'timeout connect'.",
        "[ALERT]    (7) : config : parsing [t.cfg:6] : unknown keyword 'bar' in 'backend' section",
      ])
    #expect(lines.allSatisfy { $0.hasPrefix("[") || $0.hasPrefix("  ") })
  }

  @Test(
    "colors are for a terminal, and NO_COLOR turns them off",
    arguments: [
      (true, nil, true), (true, "1", false), (true, "0", false), (true, "", true), (false, nil, false),
      (false, "", false),
    ] as [(Bool, String?, Bool)])
  func colors(isTerminal: Bool, noColor: String?, expected: Bool) {
    let colors = DiagnosticPrinter.usesColors(isTerminal: isTerminal, noColor: noColor)
    #expect(colors == expected)
    let lines = printed("global\n foo\n") { $0.printer.colors = colors }
    #expect(lines.contains { $0.contains("\u{1B}[") } == expected)
  }

  @Test("JSON carries what the text does")
  func json() throws {
    func only(_ text: String, _ part: String) -> Bool {
      let lines = printed(text) { $0.printer.style = .json }
      return lines.contains { $0.contains(part) } && lines.allSatisfy { $0.hasPrefix("{") && $0.hasSuffix("}") }
    }
    #expect(only("global\n maxconn abc\n", #""expected":"an integer"#))
    #expect(only("backend b\n contimeout 5\n", #""severity":"warning""#))
    #expect(only("backend b\n contimeout 5\n", #""replacement":"timeout connect 5""#))
    #expect(only("backend b\n server s 1.1.1.1:1\n server s 1.1.1.1:1\n", #""related":[{"file":"t.cfg","line":2"#))
    #expect(only("backend b\n server s 192.0.2.1:443 ssl verify none\n", #""advice":true"#))
  }

  @Test(
    "HAProxy's own warnings about what a proxy says",
    arguments: [
      ("frontend f\n bind :80\n", "missing timeouts for frontend 'f'."),
      ("listen l\n bind :80\n server s 127.0.0.1:1\n timeout client 1s\n", "missing timeouts for proxy 'l'."),
      (
        "backend b\n server s 127.0.0.1:1\n timeout server 1s\n timeout connect 1s\n option forwardfor\n",
        "'option forwardfor' ignored for backend 'b' as it requires HTTP mode."
      ),
      (
        "backend b\n mode tcp\n http-request deny\n",
        "'http-request' rules ignored for backend 'b' as they require HTTP mode."
      ),
      ("frontend f\n timeout client 1s\n", "frontend 'f' has no 'bind' directive."),
    ])
  func semantic(text: String, message: String) {
    let loaded = Loading.load(text)
    #expect(loaded.diagnostics.all.filter { $0.message.hasPrefix(message) }.map(\.severity) == [.warning])
    #expect(loaded.diagnostics.warningCount == 1 && !loaded.diagnostics.hasErrors)
  }
}
