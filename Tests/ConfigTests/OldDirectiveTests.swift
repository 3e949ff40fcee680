import Base
import Testing

@testable import Config

/// What versions 1.3 to 2.x took and later ones do not: it keeps its meaning.
@Suite("Old directives")
struct OldDirectiveTests {
  typealias Holds = @Sendable (Configuration) -> Bool

  static let meanings: [(String, Holds)] = [
    ("frontend f\n bind :80\n clitimeout 5s\n", { $0.proxies[0].timeouts.client == .seconds(5) }),
    ("backend b\n srvtimeout 5000\n", { $0.proxies[0].timeouts.server == .seconds(5) }),
    ("backend b\n contimeout 5000\n", { $0.proxies[0].timeouts.connect == .seconds(5) }),
    ("defaults\n contimeout 5000\nbackend b\n", { $0.proxies[0].timeouts.connect == .seconds(5) }),
    ("backend b\n redispatch\n", { $0.proxies[0].redispatch == -1 }),
    ("backend b\n mode http\n option forceclose\n", { $0.proxies[0].connectionMode == .close }),
    ("listen l 127.0.0.1:80\n mode tcp\n", { $0.proxies[0].binds.map(\.addressText) == ["127.0.0.1:80"] }),
    ("listen l :80,:81\n mode tcp\n", { $0.proxies[0].binds.reduce(0) { $0 + $1.listenerCount } == 2 }),
    ("global\n nbproc 4\n", { $0.global.threads == 4 }),
    ("global\n nbproc 1\n", { $0.global.threads == nil }),
    ("global\n nbthread 2\n nbproc 4\n", { $0.global.threads == 2 }),
    (
      "frontend f\n mode http\n bind :80\n monitor-net 10.0.0.0/8\n",
      {
        $0.proxies[0].rules.map { $0.words.map(\.text).joined(separator: " ") }
          == ["http-request return status 200 if { src 10.0.0.0/8 }"]
      }
    ),
    (
      "frontend f\n mode tcp\n bind :80\n monitor-net 10.0.0.0/8\n",
      { $0.proxies[0].rules.map(\.keyword) == ["tcp-request"] }
    ),
    (
      "backend b\n mode http\n appsession SID len 32 timeout 1h request-learn\n",
      {
        $0.proxies[0].stickTable?.keyLength == 32 && $0.proxies[0].stickTable?.expire == .seconds(3600)
          && $0.proxies[0].rules.map { $0.words[1].text } == ["store-response", "on", "on"]
      }
    ),
    (
      "backend b\n option httpchk GET /up HTTP/1.1\\r\\nHost:\\ www\n",
      {
        guard case .http("GET", "/up", "HTTP/1.1", "\r\nHost: www") = $0.proxies[0].check.kind else { return false }
        return true
      }
    ),
    ("global\n master-worker\n", { $0.global.masterWorker }),
    ("global\n master-worker no-exit-on-failure\n", { $0.global.masterWorker }),
    ("frontend x\n bind :80\n default_backend x\nbackend x\n", { $0.proxies.map(\.name) == ["x", "x"] }),
  ]

  @Test("a directive of old keeps its meaning", arguments: meanings)
  func meaning(text: String, holds: Holds) {
    let loaded = Loading.load(text)
    #expect(Loading.messages(loaded, .alert) == [])
    #expect(holds(loaded.configuration))
  }

  @Test(
    "what 2.6 took without a word is no warning",
    arguments: [
      "global\n master-worker\n", "frontend x\n bind :80\n default_backend x\nbackend x\n",
    ])
  func silent(text: String) {
    #expect(Loading.messages(Loading.load(text), .warning) == [])
  }

  @Test(
    "headers behind the version, quoted and split by blanks, come back as words to paste",
    arguments: [
      ("HTTP/1.1\\r\\nHost:\\ a.test", "ver HTTP/1.1 hdr Host a.test"),
      ("\"HTTP/1.0\\r\\nHost: a.test\"", "ver HTTP/1.0 hdr Host a.test"),
      ("HTTP/1.1\\r\\nHost: a.test", "ver HTTP/1.1 hdr Host a.test"),
      ("HTTP/1.1\\r\\nHost:\\ a\\r\\nUser-Agent:\\ b\\ c", "ver HTTP/1.1 hdr Host a hdr User-Agent \"b c\""),
    ])
  func checkHeaders(words: String, expected: String) {
    let loaded = Loading.load("backend b\n option httpchk GET /up \(words)\n")
    let line = "option httpchk\nhttp-check send meth GET uri /up " + expected
    #expect(loaded.diagnostics.all.compactMap(\.replacement) == [line])
    #expect(loaded.diagnostics.warningCount == 0, "2.6 says nothing: it is advice")
    let again = Loading.load("backend b\n" + line + "\n")
    #expect(again.diagnostics.all.compactMap(\.replacement) == [] && !again.diagnostics.hasErrors)
  }
}
