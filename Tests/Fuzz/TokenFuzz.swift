import Base
import Config
import HTTP

@testable import Rules

/// libFuzzer's entry: the first octet says what the rest is: a token, signed or encrypted, a JSON Web Key, a JSON text,
/// a packet, a message of distcc, a pattern with a text, or a map with a key.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzTokens(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
  let octets = Array(UnsafeBufferPointer(start: start, count: count))
  guard let kind = octets.first else { return 0 }
  let rest = Bytes(octets, in: 1..<octets.count)
  let end = rest.firstIndex(of: 0x0A) ?? rest.count
  let (head, tail) = (rest.prefix(end), rest.dropFirst(end + 1))
  switch kind & 7 {
  case 0: _ = TokenDecryption(GlobalSettings()).open(rest, .secret(Bytes([UInt8](repeating: 7, count: 32))))
  case 1: if let key = TokenKey(json: head) { _ = TokenDecryption(GlobalSettings()).open(tail, key) }
  case 2: convert(["jwt_header_query", "jwt_payload_query"], rest, "$.a.b[1]")
  case 3: _ = JSONPath(head)?.find(in: tail)
  case 4: for entry in PacketConverters.table { _ = entry.body(.binary(rest), Arguments(), context()) }
  case 5:
    let context = context()
    context.isHTTPStream = false
    context.payload = rest
    for entry in DistccFetches.table {
      var arguments = Arguments()
      arguments.list = [.string("ARGV"), .int(2)]
      _ = entry.body(context, arguments)
    }
  case 6:
    guard let pattern = try? RegularExpression.compile(head, ignoresCase: kind & 8 != 0) else { return 0 }
    var scratch = RegexScratch()
    _ = pattern.matches(tail.span, &scratch)
  default: lookUp(Array(octets.dropFirst()))
  }
  return 0
}

private func context() -> RuleContext {
  .outsideOfStreams(at: Now(instant: Instant(microseconds: 5), wall: WallTime(microseconds: 1_700_000_000_000_000)))
}

private func convert(_ names: [String], _ text: Bytes, _ path: Bytes) {
  var arguments = Arguments()
  if let path = JSONPath(path) { arguments.list = [.path(path)] }
  for name in names { _ = SampleKeywords.converters[name]?.body(.binary(text), arguments, context()) }
}

/// A file of each kind of map, and a look-up in it.
private func lookUp(_ file: [UInt8]) {
  var proxy = ProxySettings(kind: .listen, name: "p", location: .none)
  proxy.mode = .http
  for name in ["map_str", "map_beg", "map_end", "map_ip", "map_int", "map_reg", "map_dom"] {
    let words = ["http-request", "set-var(txn.x)", "str(10.1.2.3),\(name)(file)"].map { Word(Bytes($0), at: .none) }
    proxy.rules.append(Directive(words: words, location: .none))
  }
  var configuration = Configuration()
  configuration.proxies = [Boxed(proxy)]
  let rules = RuleCompiler.compile(configuration, diagnostics: Diagnostics()) { _ in file }
  var index = 0
  _ = rules.proxies.first?.httpRequest.evaluate(context(), resumingAt: &index)
}
