import Base
import Config
import Testing

@testable import Rules

/// Runs of rules that look up the same sample must do what testing one by one does.
@Suite("Runs of rules")
struct RuleRunTests {
  private static let prefixes = ["/a", "/a/b", "/ab", "/a/b/c", "/", "/long/er", "/long", "/A"]
  private static let paths = ["/", "/a", "/a/b", "/a/b/c/d", "/abc", "/longer", "/long/er", "/A/b", "/x", "*"]

  /// What the rules leave in X-Which.
  private func outcome(_ lines: [String], path: String, runs: Int) -> String? {
    let fixture = Fixture(lines)
    #expect(fixture.messages == [] && fixture.proxy.httpRequest.runs.count == runs)
    fixture.context.request = Fixture.request("GET \(path) HTTP/1.1", ["Host: h"])
    _ = fixture.runRequest()
    return fixture.value("x-which")
  }

  @Test("each rule whose prefix holds runs, in the order of the lines, whatever their lengths")
  func prefixes() {
    var order = RuleRunTests.prefixes
    for turn in 0..<order.count {
      order.append(order.removeFirst())
      let lines = order.enumerated().map {
        "http-request set-header X-Which \($0.offset) if { path_beg \($0.element) }"
      }
      for path in RuleRunTests.paths {
        let last = order.lastIndex { path.hasPrefix($0) }.map { String($0) }
        #expect(outcome(lines, path: path, runs: 1) == last, "turn \(turn), \(path)")
      }
    }
  }

  @Test("the first rule that ends the list wins")
  func first() {
    var order = RuleRunTests.prefixes
    for turn in 0..<order.count {
      order.append(order.removeFirst())
      let lines = order.map { "http-request deny if { path_beg \($0) }" }
      let fixture = Fixture(lines)
      for path in RuleRunTests.paths {
        fixture.context.request = Fixture.request("GET \(path) HTTP/1.1", ["Host: h"])
        var index = 0
        let verdict = fixture.proxy.httpRequest.evaluate(fixture.context, resumingAt: &index)
        if let expected = order.firstIndex(where: { path.hasPrefix($0) }) {
          #expect(index == expected + 1, "turn \(turn), \(path)")
        } else {
          guard case .next = verdict else {
            Issue.record("turn \(turn), \(path): \(verdict)")
            continue
          }
        }
      }
    }
  }

  @Test("whole strings, several to a rule; another case is another string unless it is said not to be")
  func strings() {
    let lines = ["/a /b", "/b /c", "/d", "/f"].enumerated().map {
      "http-request set-header X-Which \($0.offset) if { path \($0.element) }"
    }
    for (path, expected) in [("/a", "0"), ("/b", "1"), ("/c", "1"), ("/d", "2"), ("/f", "3"), ("/A", nil), ("/", nil)] {
      #expect(outcome(lines, path: path, runs: 1) == expected, "\(path)")
    }
    let folded = ["/A", "/b", "/C"].enumerated().map {
      "http-request set-header X-Which \($0.offset) if { path -i \($0.element) }"
    }
    for (path, expected) in [("/a", "0"), ("/B", "1"), ("/c", "2"), ("/d", nil)] {
      #expect(outcome(folded, path: path, runs: 1) == expected, "\(path)")
    }
  }

  @Test("a further condition, a negation or another sample between them changes nothing")
  func mixed() {
    let order = RuleRunTests.prefixes
    let once = "!{ req.hdr(x-which) -m found }"
    let run = order.enumerated().map {
      "http-request set-header X-Which \($0.offset) if \(once) { path_beg \($0.element) }"
    }
    let broken = run.flatMap { [$0, "http-request set-var(txn.x) int(1) if !{ path_beg /never }"] }
    for path in RuleRunTests.paths {
      let expected = order.firstIndex { path.hasPrefix($0) }.map { String($0) }
      #expect(outcome(run, path: path, runs: 1) == expected, "\(path)")
      #expect(outcome(broken, path: path, runs: 0) == expected, "\(path)")
    }
  }
}
