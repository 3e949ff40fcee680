import Base

/// Writes diagnostics: HAProxy's line first, then what helps to repair the file.
public struct DiagnosticPrinter {
  public enum Style: Sendable { case text, json }

  public var style = Style.text
  /// Escape sequences for a terminal.
  public var colors = false
  /// The process id between the parentheses.
  public var processID: Int32
  /// Additions of ours below HAProxy's line.
  public var details = true
  private let sources: [String: [UInt8]]
  private let lines = LineIndex()

  public init(processID: Int32, sources: [String: [UInt8]]) {
    self.processID = processID
    self.sources = sources
  }

  /// Whether to color what goes to standard error: on a terminal, unless `NO_COLOR` is there and says something.
  public static func usesColors(isTerminal: Bool, noColor: String?) -> Bool {
    isTerminal && (noColor ?? "").isEmpty
  }

  /// One diagnostic with a line feed at its end.
  public func text(of diagnostic: Diagnostic) -> String {
    style == .json ? JSONDiagnostic(diagnostic).text + "\n" : plain(diagnostic)
  }

  /// A message without a place, in the same form.
  public func line(_ severity: Diagnostic.Severity, _ message: String) -> String {
    label(severity) + "config : " + message + "\n"
  }

  /// `[ALERT]    (pid) : `, as wide as HAProxy's.
  public func label(_ severity: Diagnostic.Severity) -> String {
    let name =
      switch severity {
      case .alert: "[ALERT]   "
      case .warning: "[WARNING] "
      case .notice: "[NOTICE]  "
      case .diag: "[DIAG]    "
      }
    return paint(name, severity) + " (\(processID)) : "
  }

  private func plain(_ diagnostic: Diagnostic) -> String {
    let place = diagnostic.location
    var text = label(diagnostic.severity) + "config : "
    if place.line > 0 {
      switch diagnostic.form {
      case .parsing: text += "parsing [\(place.file):\(place.line)] : "
      case .place: text += "[\(place.file):\(place.line)] : "
      case .plain: break
      }
    }
    text += diagnostic.message + "\n"
    if details { text += addition(diagnostic) }
    return text
  }

  private func addition(_ diagnostic: Diagnostic) -> String {
    var text = excerpt(diagnostic.location, diagnostic.severity)
    if let expected = diagnostic.expected { text += "  expected: \(expected)\n" }
    if let suggestion = diagnostic.suggestion { text += "  did you mean: \(suggestion)\n" }
    if let replacement = diagnostic.replacement {
      let lines = replacement.split(separator: "\n").joined(separator: "\n                 ")
      text += "  write instead: \(lines)\n"
    }
    for (place, message) in diagnostic.related {
      text += "  \(place.file):\(place.line): \(message)\n"
      text += excerpt(place, .notice)
    }
    return text
  }

  /// The line as written with the word underlined.
  private func excerpt(_ place: SourceLocation, _ severity: Diagnostic.Severity) -> String {
    guard place.line > 0, let line = sourceLine(place) else { return "" }
    let number = String(place.line)
    var shown = ""
    var before = 0
    var width = 0
    for (i, c) in line.enumerated() {
      // Control octets would move the terminal's cursor; continuation octets of UTF-8 take no column.
      let isContinuation = c & 0xC0 == 0x80
      if i < place.column - 1, !isContinuation { before += 1 }
      if i >= place.column - 1, i < place.column - 1 + place.length, !isContinuation { width += 1 }
    }
    shown = String(decoding: line.map { $0 < 0x20 || $0 == 0x7F ? 0x20 : $0 }, as: UTF8.self)
    let margin = String(repeating: " ", count: number.count)
    var text = "  \(number) | \(shown)\n"
    if place.column > 0 {
      let marks = String(repeating: "^", count: max(1, width))
      text += "  \(margin) | " + String(repeating: " ", count: before) + paint(marks, severity) + "\n"
    }
    return text
  }

  private func sourceLine(_ place: SourceLocation) -> ArraySlice<UInt8>? {
    guard let text = sources[place.file],
      let start = lines.start(of: place.line, in: place.file, text: text)
    else { return nil }
    var end = text[start...].firstIndex(of: ASCII.lf) ?? text.count
    if end > start, text[end - 1] == ASCII.cr { end -= 1 }
    guard start < end else { return nil }
    return text[start..<min(end, start + 400)]
  }

  private func paint(_ text: String, _ severity: Diagnostic.Severity) -> String {
    guard colors else { return text }
    let code =
      switch severity {
      case .alert: "1;31"
      case .warning: "1;33"
      case .notice: "1;36"
      case .diag: "1;35"
      }
    return "\u{1B}[\(code)m\(text)\u{1B}[0m"
  }
}

/// Where the lines of the files start, looked for once a file.
private final class LineIndex {
  private var starts: [String: [Int]] = [:]

  func start(of line: Int, in file: String, text: [UInt8]) -> Int? {
    if starts[file] == nil {
      var found = [0]
      for (offset, octet) in text.enumerated() where octet == ASCII.lf { found.append(offset + 1) }
      starts[file] = found
    }
    guard let known = starts[file], line >= 1, line <= known.count, known[line - 1] < text.count else {
      return nil
    }
    return known[line - 1]
  }
}

/// A diagnostic as one line of JSON, for editors.
struct JSONDiagnostic {
  let text: String

  init(_ diagnostic: Diagnostic) {
    var fields = [
      "\"severity\":\"\(diagnostic.severity)\"", JSONDiagnostic.place(diagnostic.location),
      "\"message\":\(JSONDiagnostic.quote(diagnostic.message))",
    ]
    if let expected = diagnostic.expected { fields.append("\"expected\":\(JSONDiagnostic.quote(expected))") }
    if let suggestion = diagnostic.suggestion {
      fields.append("\"suggestion\":\(JSONDiagnostic.quote(suggestion))")
    }
    if let replacement = diagnostic.replacement {
      fields.append("\"replacement\":\(JSONDiagnostic.quote(replacement))")
    }
    if !diagnostic.related.isEmpty {
      let related = diagnostic.related.map {
        "{\(JSONDiagnostic.place($0.location)),\"message\":\(JSONDiagnostic.quote($0.message))}"
      }
      fields.append("\"related\":[\(related.joined(separator: ","))]")
    }
    if !diagnostic.countsAsWarning { fields.append("\"advice\":true") }
    text = "{" + fields.joined(separator: ",") + "}"
  }

  private static func place(_ place: SourceLocation) -> String {
    "\"file\":\(quote(place.file)),\"line\":\(place.line),\"column\":\(place.column),\"length\":\(place.length)"
  }

  static func quote(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": result += "\\\""
      case "\\": result += "\\\\"
      case "\n": result += "\\n"
      case "\r": result += "\\r"
      case "\t": result += "\\t"
      default:
        if scalar.value < 0x20 {
          let hex = String(scalar.value, radix: 16)
          result += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
        } else {
          result.unicodeScalars.append(scalar)
        }
      }
    }
    return result + "\""
  }
}
