import Base
import Config
import HTTP

@testable import Rules

/// libFuzzer's entry: the octets up to the first line's end as a log format, the rest as an expression; both are
/// compiled, and evaluated on a request.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzRules(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
  let text = Array(UnsafeBufferPointer(start: start, count: count))
  let end = text.firstIndex(of: 0x0A) ?? text.count
  let format = Bytes(Array(text[..<end]))
  let expression = Bytes(Array(text[min(end + 1, text.count)...]))
  var proxy = ProxySettings(kind: .listen, name: "p", location: .none)
  proxy.mode = .http
  proxy.rules = [
    rule(["http-request", "set-header", "x-format"], format),
    rule(["http-request", "set-var(txn.x)"], expression),
    rule(["http-request", "deny", "if", "{"], expression, ["-m", "sub", "a", "}"]),
  ]
  var configuration = Configuration()
  configuration.proxies = [Boxed(proxy)]
  let rules = RuleCompiler.compile(configuration, diagnostics: Diagnostics()) { _ in nil }
  let now = Now(instant: Instant(microseconds: 5), wall: WallTime(microseconds: 1_700_000_000_000_000))
  let connection = ConnectionFacts(
    source: .ip(.v4(0x7F00_0001), port: 1), destination: .ip(.v4(0x7F00_0001), port: 2), accepted: now)
  let context = RuleContext(connection: connection, environment: GlobalVariables.StartEnvironment(), now: now)
  context.processVariables = rules.processVariables
  let head = MessageHead()
  let method = Bytes("GET")
  let target = Bytes("/a/b?c=d&e=%41")
  head.setRequestLine(method: method.span, target: target.span, version: .http11)
  for (name, value) in [
    ("host", "example.com"), ("cookie", "a=b; c=d"), ("x-list", "1, \"2,3\", {\"k\":[1]}"),
  ] {
    let name = Bytes(name)
    let value = Bytes(value)
    head.append(name: name.span, value: value.span)
  }
  context.request = head
  if let compiled = rules.proxies.first {
    var index = 0
    _ = compiled.httpRequest.evaluate(context, resumingAt: &index)
  }
  return 0
}

private func rule(_ before: [String], _ text: Bytes, _ after: [String] = []) -> Directive {
  let words = before.map { Word(Bytes($0), at: .none) } + [Word(text, at: .none)]
  return Directive(words: words + after.map { Word(Bytes($0), at: .none) }, location: .none)
}
