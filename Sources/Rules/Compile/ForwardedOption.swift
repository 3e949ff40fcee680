public import Base
import Config
import HTTP

/// `option forwarded`: what the `Forwarded` field of RFC 7239 says of this hop.
public struct ForwardedOption: Sendable {
  private enum Source: Sendable {
    case own
    case expression(SampleExpression)
  }

  private var saysProto = false
  private var host: Source?
  private var by: Source?
  private var byPort: Source?
  private var from: Source?
  private var fromPort: Source?

  /// `line` holds `option forwarded` and its arguments; without any: `proto` and `for`.
  init(_ line: Directive, scope: CompileScope) throws(RuleError) {
    var words = line.words.dropFirst(2)
    guard !words.isEmpty else {
      saysProto = true
      from = .own
      return
    }
    while let word = words.popFirst() {
      switch word.text {
      case "proto": saysProto = true
      case "host": host = .own
      case "by": by = .own
      case "by_port": byPort = .own
      case "for": from = .own
      case "for_port": fromPort = .own
      case "host-expr": host = try ForwardedOption.expression(&words, word, scope)
      case "by-expr": by = try ForwardedOption.expression(&words, word, scope)
      case "by_port-expr": byPort = try ForwardedOption.expression(&words, word, scope)
      case "for-expr": from = try ForwardedOption.expression(&words, word, scope)
      case "for_port-expr": fromPort = try ForwardedOption.expression(&words, word, scope)
      default:
        throw RuleError(
          "unexpected argument '\(word.text)'",
          suggestion: Suggestions.nearest(word.text, ForwardedOption.names),
          expected: ForwardedOption.names.joined(separator: ", "))
      }
    }
    if byPort != nil, by == nil { throw RuleError("'by_port' needs 'by' or 'by-expr'") }
    if fromPort != nil, from == nil { throw RuleError("'for_port' needs 'for' or 'for-expr'") }
  }

  private static let names = [
    "proto", "host", "by", "by_port", "for", "for_port", "host-expr", "by-expr", "by_port-expr", "for-expr",
    "for_port-expr",
  ]

  private static func expression(
    _ words: inout ArraySlice<Word>, _ name: Word, _ scope: CompileScope
  ) throws(RuleError) -> Source {
    guard var word = words.popFirst() else { throw RuleError("'\(name.text)' expects a sample expression") }
    while word.text.hasSuffix(","), let more = words.popFirst() {
      word = Word(Bytes(word.bytes.array + more.bytes.array), at: word.location)
    }
    return .expression(try ExpressionParser.parse(word.bytes, scope: scope))
  }

  /// The element for the request of `context`; nil when there is nothing to say.
  public func value(_ context: RuleContext) -> Bytes? {
    let facts = context.connection
    var parts: [String] = []
    if saysProto { parts.append("proto=\(facts.tls == nil ? "http" : "https")") }
    if let host = hostText(context) { parts.append("host=\"\(ForwardedOption.escaped(host.string))\"") }
    if let by {
      parts.append("by=" + node(by, byPort, context.destination, context))
    }
    if let from {
      parts.append("for=" + node(from, fromPort, context.source, context))
    }
    return parts.isEmpty ? nil : Bytes(parts.joined(separator: ";"))
  }

  private func hostText(_ context: RuleContext) -> Bytes? {
    switch host {
    case nil: nil
    case .own?: context.request?.first("host")
    case .expression(let expression)?: expression.evaluateText(context)
    }
  }

  /// RFC 7239 section 6: addresses of IPv6 and ports need quotes; other names are obfuscated ones.
  private func node(_ name: Source, _ port: Source?, _ own: SocketAddress, _ context: RuleContext) -> String {
    var address = own.ip
    var text: String?
    if case .expression(let expression) = name {
      let sample = expression.evaluate(context)
      address = sample?.address
      if address == nil { text = sample.map { ForwardedOption.obfuscated($0.text.string) } }
    }
    var needsQuotes = false
    if let address {
      text = "\(address)"
      if case .v6 = address {
        text = "[\(address)]"
        needsQuotes = true
      }
    }
    guard let port else { return ForwardedOption.quoted(text ?? "unknown", needsQuotes) }
    guard let portText = portText(port, own, context) else {
      return ForwardedOption.quoted(text ?? "unknown", needsQuotes)
    }
    return ForwardedOption.quoted("\(text ?? "unknown"):\(portText)", true)
  }

  private func portText(_ source: Source, _ own: SocketAddress, _ context: RuleContext) -> String? {
    guard case .expression(let expression) = source else { return own.port.map { String($0) } }
    switch expression.evaluate(context) {
    case .int(let number)?: return (0...65535).contains(number) ? String(number) : nil
    case let sample?: return ForwardedOption.obfuscated(sample.text.string)
    case nil: return nil
    }
  }

  private static func obfuscated(_ text: String) -> String {
    text == "unknown" || text.hasPrefix("_") ? text : "_" + text
  }

  private static func quoted(_ text: String, _ isNeeded: Bool) -> String { isNeeded ? "\"\(text)\"" : text }

  private static func escaped(_ text: String) -> String {
    text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
  }
}
