import Base

/// Gathers HTML; text from configurations, servers and clients goes through `text` only.
struct HTMLWriter {
  var out: [UInt8] = []

  /// Markup, as it is.
  mutating func raw(_ markup: StaticString) { out.append(literal: markup) }

  /// Text with everything escaped that could end it, inside of elements and quoted attributes.
  mutating func text(_ octets: some Sequence<UInt8>) {
    for octet in octets {
      switch octet {
      case UInt8(ascii: "<"): raw("&lt;")
      case UInt8(ascii: ">"): raw("&gt;")
      case UInt8(ascii: "&"): raw("&amp;")
      case UInt8(ascii: "\""): raw("&quot;")
      case UInt8(ascii: "'"): raw("&#39;")
      case 0..<0x20, 0x7F: raw(" ")
      default: out.append(octet)
      }
    }
  }

  mutating func text(_ string: String) { text(string.utf8) }

  /// A number as it is.
  mutating func plain(_ value: Int) { out.append(decimal: value) }

  /// A number with its thousands set apart.
  mutating func number(_ value: Int) {
    let digits = Array(String(value).utf8)
    guard digits.count > 3, value > 0 else { return out.append(contentsOf: digits) }
    var index = 0
    while index < digits.count - 3 {
      let end = index + (digits.count - 1 - index) % 3 + 1
      raw("<span class=\"rls\">")
      out.append(contentsOf: digits[index..<end])
      raw("</span>")
      index = end
    }
    out.append(contentsOf: digits[index...])
  }

  /// `24s`, `3m5s`, `2h10m`, `4d1h`; `?` for what has not been.
  mutating func duration(_ seconds: Int) {
    guard seconds >= 0 else { return raw("?") }
    func pair(_ big: Int, _ bigUnit: String, _ small: Int, _ smallUnit: String) -> String {
      "\(big)\(bigUnit)\(small)\(smallUnit)"
    }
    if seconds >= 86400 {
      text(pair(seconds / 86400, "d", seconds / 3600 % 24, "h"))
    } else if seconds >= 3600 {
      text(pair(seconds / 3600, "h", seconds / 60 % 60, "m"))
    } else if seconds >= 60 {
      text(pair(seconds / 60, "m", seconds % 60, "s"))
    } else {
      text("\(seconds)s")
    }
  }

  // MARK: Cells

  mutating func cell(_ value: Int) {
    raw("<td>")
    number(value)
    raw("</td>")
  }

  /// A limit; `-` when there is none.
  mutating func limit(_ value: Int) {
    if value > 0 { cell(value) } else { raw("<td>-</td>") }
  }

  /// Opens a number whose details are shown while the pointer is on it; end with `endTips`.
  mutating func beginTips(_ value: Int) {
    raw("<td><u>")
    number(value)
    raw("<div class=tips><table class=det>")
  }

  mutating func endTips() { raw("</table></div></u></td>") }

  /// One line of details.
  mutating func detail(_ label: StaticString, _ value: Int, suffix: StaticString = "") {
    raw("<tr><th>")
    raw(label)
    raw("</th><td>")
    number(value)
    raw(suffix)
    raw("</td></tr>")
  }

  /// One line of details with its share of `whole`.
  mutating func detail(_ label: StaticString, _ value: Int, of whole: Int) {
    raw("<tr><th>")
    raw(label)
    raw("</th><td>")
    number(value)
    raw("</td><td>(")
    plain(whole > 0 ? Int(Double(value) * 100 / Double(whole)) : 0)
    raw("%)</td></tr>")
  }

  /// Highest and average time.
  mutating func times(_ label: StaticString, _ highest: Int, _ average: Int) {
    raw("<tr><th>")
    raw(label)
    raw("</th><td>")
    number(highest)
    raw(" / ")
    number(average)
    raw("</td><td>ms</td></tr>")
  }
}
