import Base
import Config
import HTTP

/// The modern line for an old one.
enum LegacyModern {
  /// Nil where no single line does the same.
  static func line(
    _ parsed: LegacyRules.Parsed, _ words: ArraySlice<Word>, _ condition: ArraySlice<Word>
  ) -> String? {
    let set = parsed.isResponse ? "http-response" : "http-request"
    let pattern = words.first?.text ?? ""
    let tail = condition.isEmpty ? "" : " " + LegacyRules.text(condition)
    switch parsed.verb {
    case "add":
      let colon = pattern.firstIndex(of: ":") ?? pattern.endIndex
      let value = pattern[colon...].dropFirst().drop { $0 == " " || $0 == "\t" }
      return "\(set) add-header \(pattern[..<colon]) \(LegacyRules.quoted(String(value).replacingPercent))\(tail)"
    case "del":
      guard let header = Header(pattern) else {
        // Names are matched in lower case today.
        let name = pattern.prefix { $0 != ":" }
        return "\(set) del-header \(LegacyRules.quoted("(?i)\(name)$")) -m reg\(tail)"
      }
      if header.isWhole { return "\(set) del-header \(header.name)\(tail)" }
      guard let all = joined(criterion(parsed, header), condition) else { return nil }
      return "\(set) del-header \(header.name)\(all)"
    case "rep":
      guard let change = replacement(parsed, pattern, words.dropFirst().first?.text ?? "") else { return nil }
      return "\(set) \(change)\(tail)"
    default:
      let what = Header(pattern).map { criterion(parsed, $0) } ?? startLineCriterion(parsed, pattern)
      guard let what, let all = joined(what, condition) else { return nil }
      return "\(set) \(parsed.verb)\(all)"
    }
  }

  private static func replacement(
    _ parsed: LegacyRules.Parsed, _ pattern: String, _ text: String
  ) -> String? {
    if let header = Header(pattern) {
      guard let colon = text.firstIndex(of: ":") else { return nil }
      let value = text[colon...].dropFirst().drop { $0 == " " }
      return "replace-header \(header.name) \(search(header.search, parsed)) "
        + LegacyRules.quoted(String(value).replacingPercent)
    }
    guard !parsed.isResponse, let line = StartLine(pattern), let target = line.target(of: text) else { return nil }
    let action = line.target.hasPrefix("/") ? "replace-pathq" : "replace-uri"
    return "\(action) \(search("^" + line.target, parsed)) \(LegacyRules.quoted(target.replacingPercent))"
  }

  private static func search(_ text: String, _ parsed: LegacyRules.Parsed) -> String {
    LegacyRules.quoted(parsed.ignoresCase && text.contains { $0.isLetter } ? "(?i)" + text : text)
  }

  private static func criterion(_ parsed: LegacyRules.Parsed, _ header: Header) -> String {
    let fetch = parsed.isResponse ? "res.fhdr" : "req.fhdr"
    if header.isWhole { return "{ \(fetch)(\(header.name)) -m found }" }
    let flag = parsed.ignoresCase ? " -i" : ""
    return "{ \(fetch)(\(header.name)) -m reg\(flag) \(LegacyRules.quoted(header.search)) }"
  }

  private static func startLineCriterion(_ parsed: LegacyRules.Parsed, _ pattern: String) -> String? {
    guard !parsed.isResponse else { return nil }
    let flag = parsed.ignoresCase ? " -i" : ""
    guard let line = StartLine(pattern) else {
      return pattern.contains(" ") ? nil : "{ url_reg\(flag) \(LegacyRules.quoted(pattern)) }"
    }
    let method = line.isLiteral ? "{ method \(line.method) } " : ""
    return "\(method){ url_reg\(flag) \(LegacyRules.quoted("^" + line.target)) }"
  }

  /// ` if <criterion>` with the line's own condition behind it, each side of an `or` on its own.
  private static func joined(_ criterion: String, _ condition: ArraySlice<Word>) -> String? {
    guard let kind = condition.first else { return " if " + criterion }
    var alternatives = condition.dropFirst().split { ["or", "||"].contains($0.text) }.map { LegacyRules.text($0) }
    if kind.text == "unless" {
      guard alternatives.allSatisfy({ !$0.contains(" ") && !$0.hasPrefix("!") }) else { return nil }
      alternatives = [alternatives.map { "!" + $0 }.joined(separator: " ")]
    }
    return " if " + alternatives.map { "\(criterion) \($0)" }.joined(separator: " or ")
  }
}

extension LegacyModern {
  /// What a pattern such as `^X-Foo:.*` says of one header.
  struct Header {
    let name: String
    let search: String
    /// Any value matches.
    var isWhole: Bool { ["", ".*", ".*$"].contains(search) }

    init?(_ pattern: String) {
      let text = pattern.hasPrefix("^") ? pattern.dropFirst() : pattern[...]
      guard let colon = text.firstIndex(of: ":") else { return nil }
      name = String(text[..<colon])
      search = String(text[colon...].dropFirst().drop { $0 == " " })
      guard HeaderText.isName(Bytes(name)), !name.contains("*"), !name.contains("|") else { return nil }
    }
  }

  /// What a pattern such as `^([^ :]*) /path/(.*)` says of a request line.
  struct StartLine {
    private static let anyMethod = ["[^ :]*", "[^ ]*", "[^ :]+", "[^ ]+", ".*", "[A-Z]*", "[A-Z]+", "\\S+", "\\w+"]

    let method: String
    let target: String
    let isLiteral: Bool
    /// The method's group comes first in the replacement.
    private let isGroup: Bool

    init?(_ pattern: String) {
      guard pattern.hasPrefix("^") else { return nil }
      var parts: [String] = [""]
      var isInClass = false
      for c in pattern.dropFirst() {
        if c == "[" { isInClass = true } else if c == "]" { isInClass = false }
        if c == " ", !isInClass { parts.append("") } else { parts[parts.count - 1].append(c) }
      }
      guard parts.count == 2 || parts.count == 3 && parts[2].hasPrefix("HTTP/") else { return nil }
      var method = parts[0]
      isGroup = method.hasPrefix("(") && method.hasSuffix(")")
      if isGroup { method = String(method.dropFirst().dropLast()) }
      isLiteral = !method.isEmpty && method.allSatisfy { $0.isLetter && $0.isASCII }
      guard isLiteral || StartLine.anyMethod.contains(method), !parts[1].isEmpty else { return nil }
      self.method = method
      target = parts[1]
    }

    /// The target's part of a replacement, with the groups counted anew; nil when it writes another method.
    func target(of replacement: String) -> String? {
      var words = replacement.split(separator: " ", omittingEmptySubsequences: false)
      guard words.count > 1, isGroup && words[0] == "\\1" || isLiteral && words[0] == method else {
        return nil
      }
      words.removeFirst()
      if words.count > 1, words.last?.hasPrefix("HTTP/") ?? false { words.removeLast() }
      guard words.count == 1, let text = words.first else { return nil }
      guard isGroup else { return String(text) }
      var result = ""
      var isEscaped = false
      for c in text {
        if isEscaped, let group = c.wholeNumberValue, c.isASCII {
          guard group > 1 else { return nil }
          result += String(group - 1)
        } else {
          result.append(c)
        }
        isEscaped = c == "\\" && !isEscaped
      }
      return result
    }
  }
}

extension String {
  /// A log-format string takes a doubled percent sign for one.
  fileprivate var replacingPercent: String { map { $0 == "%" ? "%%" : String($0) }.joined() }
}
