import Base
import Config
import HTTP
import Rules

/// RFC 7239's `Forwarded`, as `option forwarded` asks for it.
enum ForwardedField {
  /// The element for this hop; nil when nothing can be said. Without arguments: `proto` and `for`.
  static func value(_ option: Directive, _ request: MessageHead, _ facts: ConnectionFacts) -> Bytes? {
    let words = option.words.dropFirst(2).map(\.text)
    let wanted = words.isEmpty ? ["proto", "for"] : words
    var parts: [String] = []
    if wanted.contains("proto") { parts.append("proto=\(facts.tls == nil ? "http" : "https")") }
    if wanted.contains("host"), let host = request.first("host") { parts.append("host=\"\(quoted(host.string))\"") }
    if wanted.contains("by") {
      parts.append("by=" + node(facts.destination, withPort: wanted.contains("by_port")))
    }
    if wanted.contains("for") { parts.append("for=" + node(facts.source, withPort: wanted.contains("for_port"))) }
    return parts.isEmpty ? nil : Bytes(parts.joined(separator: ";"))
  }

  /// The arguments that are understood; those with expressions are not.
  static let words: Set<String> = ["proto", "host", "by", "by_port", "for", "for_port"]

  /// RFC 7239 section 6: IPv6 and ports need quotes.
  private static func node(_ address: SocketAddress, withPort: Bool) -> String {
    guard case .ip(let ip, let port) = address else { return "unknown" }
    var text = "\(ip)"
    var needsQuotes = withPort
    if case .v6 = ip {
      text = "[\(text)]"
      needsQuotes = true
    }
    if withPort { text += ":\(port)" }
    return needsQuotes ? "\"\(text)\"" : text
  }

  private static func quoted(_ text: String) -> String {
    text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
  }
}
