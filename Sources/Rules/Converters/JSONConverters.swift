import Base

/// `json` escapes text for JSON, `json_query` reads a value out of it.
enum JSONConverters {
  static let table: [ConverterEntry] = [
    ConverterEntry("json", .required(.string), .string, .string, check: checkEncoding) { sample, a, _ in
      JSONEscape(rawValue: (a.string(0) ?? "ascii").string)?.escape(sample.text).map { .string(Bytes($0)) }
    },
    ConverterEntry("json_query", .atLeast(1, .string, .string), .string, .any, check: checkPath) {
      sample, a, _ in
      guard case .path(let path) = a[0], let value = path.find(in: sample.text) else { return nil }
      return a.int(1) == 1 ? value.cast(to: .int) : value
    },
  ]

  @Sendable
  private static func checkEncoding(_ arguments: inout Arguments, _ scope: CompileScope) throws(RuleError) {
    guard let name = arguments.string(0)?.string, !name.isEmpty else {
      arguments.list = [.string("ascii")]
      return
    }
    guard JSONEscape(rawValue: name) != nil else {
      throw RuleError(
        "unexpected input code type. Allowed value are 'ascii', 'utf8', 'utf8s', 'utf8p' and 'utf8ps'")
    }
  }

  @Sendable
  private static func checkPath(_ arguments: inout Arguments, _ scope: CompileScope) throws(RuleError) {
    guard let path = JSONPath(arguments.string(0) ?? .empty) else {
      throw RuleError(
        "not a valid json path '\((arguments.string(0) ?? .empty).string)'; it starts with '$.'")
    }
    arguments.list[0] = .path(path)
    guard let type = arguments.string(1)?.string, !type.isEmpty else { return }
    guard type == "int" else { throw RuleError("output_type only supports \"int\" as argument") }
    arguments.list[1] = .int(1)
  }
}

/// The input encodings of the `json` converter: what is done with octets beyond ASCII.
enum JSONEscape: String {
  case ascii, utf8, utf8s, utf8p, utf8ps

  func escape(_ text: Bytes) -> [UInt8]? {
    if self == .ascii {
      var out: [UInt8] = []
      for i in 0..<text.count {
        if text[i] < 0x80 { append(ascii: text[i], &out) } else { append(unit: UInt32(text[i]), &out) }
      }
      return out
    }
    var out: [UInt8] = []
    var i = 0
    while i < text.count {
      let (scalar, length, isValid) = JSONEscape.decode(text, i)
      i += length
      if isValid {
        if scalar < 0x80 { append(ascii: UInt8(scalar), &out) } else { append(scalar: scalar, &out) }
        continue
      }
      switch self {
      case .utf8: return nil
      case .utf8p, .utf8ps: append(unit: scalar & 0xFF, &out)
      default: continue
      }
    }
    return out
  }

  private func append(ascii c: UInt8, _ out: inout [UInt8]) {
    if c == ASCII.slash { out.append(0x5C) }
    if c == 127 { append(unit: 127, &out) } else { JSONText.appendEscaped(Bytes([c]), into: &out) }
  }

  private func append(unit: UInt32, _ out: inout [UInt8]) {
    out.append(contentsOf: "\\u".utf8)
    for shift in [UInt32(12), 8, 4, 0] {
      let digit = Hexadecimal.digits[Int(unit >> shift & 15)]
      out.append(ASCII.lower(digit))
    }
  }

  private func append(scalar: UInt32, _ out: inout [UInt8]) {
    if scalar > 0xFFFF {
      append(unit: 0xD800 + (scalar - 0x10000) >> 10, &out)
      append(unit: 0xDC00 + (scalar - 0x10000) & 0x3FF, &out)
    } else {
      append(unit: scalar, &out)
    }
  }

  private static func decode(_ text: Bytes, _ at: Int) -> (scalar: UInt32, length: Int, isValid: Bool) {
    let first = text[at]
    let length =
      first < 0x80 ? 1 : first >= 0xF0 && first < 0xF5 ? 4 : first >= 0xE0 ? 3 : first >= 0xC2 ? 2 : 0
    guard length > 0, first < 0xF5, at + length <= text.count else { return (UInt32(first), 1, false) }
    if length == 1 { return (UInt32(first), 1, true) }
    var scalar = UInt32(first) & (0xFF >> UInt32(length + 1))
    for i in 1..<length {
      guard text[at + i] & 0xC0 == 0x80 else { return (UInt32(first), 1, false) }
      scalar = scalar << 6 | UInt32(text[at + i] & 0x3F)
    }
    return (scalar, length, Unicode.Scalar(scalar) != nil)
  }
}
