import Base

/// The ways that `show stat` and `show info` write a value.
enum StatText {
  static func append(_ value: StatValue, to out: inout [UInt8]) {
    switch value {
    case .empty: break
    case .u32(let n), .s32(let n), .u64(let n): out.append(decimal: n)
    case .text(let text): out.append(contentsOf: text.utf8)
    }
  }

  /// A CSV cell; quoted when it holds a comma, a quote or a line end (RFC 4180).
  static func appendCSV(_ value: StatValue, to out: inout [UInt8]) {
    guard case .text(let text) = value else { return append(value, to: &out) }
    let needsQuotes = text.utf8.contains { $0 == 0x2C || $0 == 0x22 || $0 == ASCII.lf || $0 == ASCII.cr }
    guard needsQuotes else { return out.append(contentsOf: text.utf8) }
    out.append(0x22)
    for octet in text.utf8 {
      if octet == 0x22 { out.append(0x22) }
      out.append(octet)
    }
    out.append(0x22)
  }

  /// `u32:5`, `str:OPEN`.
  static func appendTyped(_ value: StatValue, to out: inout [UInt8]) {
    out.append(literal: typeName(value))
    out.append(ASCII.colon)
    append(value, to: &out)
  }

  /// One element of JSON output: `head` is what stands before the field, such as the object's type.
  static func appendJSON(
    head: [UInt8], position: Int, name: StaticString, tags: StaticString, _ value: StatValue,
    to out: inout [UInt8]
  ) {
    out.append(literal: "{")
    out.append(contentsOf: head)
    out.append(literal: "\"field\":{\"pos\":")
    out.append(decimal: position)
    out.append(literal: ",\"name\":\"")
    out.append(literal: name)
    out.append(literal: "\"},\"processNum\":1,\"tags\":{\"origin\":\"")
    out.append(literal: origin(letter(tags, 0)))
    out.append(literal: "\",\"nature\":\"")
    out.append(literal: nature(letter(tags, 1)))
    out.append(literal: "\",\"scope\":\"")
    out.append(literal: scope(letter(tags, 2)))
    out.append(literal: "\"},\"value\":{\"type\":\"")
    out.append(literal: typeName(value))
    out.append(literal: "\",\"value\":")
    if case .text(let text) = value {
      appendJSONString(text, to: &out)
    } else {
      append(value, to: &out)
    }
    out.append(literal: "}}")
  }

  /// A JSON string with its quotes (RFC 8259 section 7).
  static func appendJSONString(_ text: String, to out: inout [UInt8]) {
    out.append(0x22)
    for octet in text.utf8 {
      switch octet {
      case 0x22, 0x5C:
        out.append(0x5C)
        out.append(octet)
      case 0..<0x20:
        let digits = Array("0123456789abcdef".utf8)
        out.append(literal: "\\u00")
        out.append(digits[Int(octet >> 4)])
        out.append(digits[Int(octet & 15)])
      default: out.append(octet)
      }
    }
    out.append(0x22)
  }

  static func typeName(_ value: StatValue) -> StaticString {
    switch value {
    case .empty, .text: "str"
    case .u32: "u32"
    case .s32: "s32"
    case .u64: "u64"
    }
  }

  private static func letter(_ tags: StaticString, _ index: Int) -> UInt8 {
    tags.withUTF8Buffer { index < $0.count ? $0[index] : 0 }
  }

  private static func origin(_ letter: UInt8) -> StaticString {
    switch letter {
    case UInt8(ascii: "M"): "Metric"
    case UInt8(ascii: "S"): "Status"
    case UInt8(ascii: "K"): "Key"
    case UInt8(ascii: "C"): "Config"
    default: "Product"
    }
  }

  private static func nature(_ letter: UInt8) -> StaticString {
    switch letter {
    case UInt8(ascii: "A"): "Age"
    case UInt8(ascii: "a"): "Avg"
    case UInt8(ascii: "C"): "Counter"
    case UInt8(ascii: "D"): "Duration"
    case UInt8(ascii: "L"): "Limit"
    case UInt8(ascii: "M"): "Max"
    case UInt8(ascii: "N"): "Name"
    case UInt8(ascii: "O"): "Output"
    case UInt8(ascii: "R"): "Rate"
    case UInt8(ascii: "T"): "Time"
    default: "Gauge"
    }
  }

  private static func scope(_ letter: UInt8) -> StaticString {
    letter == UInt8(ascii: "S") ? "Service" : "Process"
  }
}

extension [UInt8] {
  mutating func append(literal text: StaticString) {
    text.withUTF8Buffer { append(contentsOf: $0) }
  }

  mutating func append(_ text: String) { append(contentsOf: text.utf8) }
}
