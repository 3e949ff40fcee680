import Base

/// Base64, hexadecimal, URL and numeric encodings.
enum EncodingConverters {
  static let table: [ConverterEntry] = [
    ConverterEntry("base64", .none, .binary, .string) { sample, _, _ in
      .string(Bytes(Base64.encode(sample.octets)))
    },
    ConverterEntry("b64dec", .none, .string, .binary) { sample, _, _ in
      Base64.decode(sample.text).map { .binary(Bytes($0)) }
    },
    ConverterEntry("ub64enc", .none, .binary, .string) { sample, _, _ in
      .string(Bytes(Base64.encode(sample.octets, forURLs: true)))
    },
    ConverterEntry("ub64dec", .none, .string, .binary) { sample, _, _ in
      Base64.decode(sample.text, forURLs: true).map { .binary(Bytes($0)) }
    },
    ConverterEntry("hex", .none, .binary, .string) { sample, _, _ in
      .string(Bytes(Hexadecimal.encode(sample.octets)))
    },
    ConverterEntry("hex2i", .none, .string, .int) { sample, _, _ in
      let text = sample.text
      var value: UInt64 = 0
      for i in 0..<text.count {
        guard let digit = ASCII.hexValue(text[i]) else { return nil }
        value = value << 4 | UInt64(digit)
      }
      return .int(Int64(bitPattern: value))
    },
    ConverterEntry("base2", .none, .binary, .string) { sample, _, _ in
      let octets = sample.octets
      var out: [UInt8] = []
      for i in 0..<octets.count {
        for bit in stride(from: 7, through: 0, by: -1) { out.append(0x30 + octets[i] >> UInt8(bit) & 1) }
      }
      return .string(Bytes(out))
    },
    ConverterEntry("be2dec", .atLeast(1, .string, .integer, .integer), .binary, .string, check: checkChunks) {
      sample, a, _ in chunked(sample.octets, a) { decimal($0, littleEndian: false) }
    },
    ConverterEntry("le2dec", .atLeast(1, .string, .integer, .integer), .binary, .string, check: checkChunks) {
      sample, a, _ in chunked(sample.octets, a) { decimal($0, littleEndian: true) }
    },
    ConverterEntry("be2hex", .atLeast(1, .string, .integer, .integer), .binary, .string) { sample, a, _ in
      chunked(sample.octets, a) { Hexadecimal.encode($0) }
    },
    ConverterEntry("htonl", .none, .int, .binary) { sample, _, _ in
      guard let value = sample.integer else { return nil }
      return .binary(Bytes(withUnsafeBytes(of: UInt32(truncatingIfNeeded: value).bigEndian) { Array($0) }))
    },
    ConverterEntry("url_dec", .optional(.integer), .string, .string) { sample, a, _ in
      URLText.decode(sample.text, isForm: a.int(0) ?? 0 != 0).map { .string(Bytes($0)) }
    },
    ConverterEntry("url_enc", .required(.string), .string, .string, check: checkURLEncoding) { sample, _, _ in
      .string(Bytes(URLText.encode(sample.text)))
    },
  ]

  private static func chunked(_ octets: Bytes, _ arguments: Arguments, _ write: (Bytes) -> [UInt8]) -> Sample {
    let separator = arguments.string(0) ?? .empty
    let size = Int(clamping: max(1, arguments.int(1) ?? 1))
    let truncates = arguments.int(2) ?? 0 != 0
    var out: [UInt8] = []
    var start = 0
    while start < octets.count {
      let chunk = octets.dropFirst(start).prefix(size)
      if chunk.count < size, truncates { break }
      if start > 0 { out.append(separator) }
      out.append(contentsOf: write(chunk))
      start += chunk.count
    }
    return .string(Bytes(out))
  }

  private static func decimal(_ chunk: Bytes, littleEndian: Bool) -> [UInt8] {
    var value: UInt64 = 0
    for i in 0..<min(8, chunk.count) {
      value = value << 8 | UInt64(chunk[littleEndian ? chunk.count - 1 - i : i])
    }
    return Array(String(value).utf8)
  }

  @Sendable
  private static func checkChunks(_ arguments: inout Arguments, _ scope: CompileScope) throws(RuleError) {
    let size = arguments.int(1) ?? 1
    guard (1...8).contains(size) else {
      throw RuleError("chunk_size value must be in the range 1..8, not \(size)")
    }
  }

  @Sendable
  private static func checkURLEncoding(_ arguments: inout Arguments, _ scope: CompileScope) throws(RuleError) {
    if let kind = arguments.string(0), !kind.isEmpty, kind != "query" {
      throw RuleError("Unknown value for the encoding type: '\(kind.string)'", expected: "query")
    }
  }
}

enum URLText {
  /// Percent decoding; `+` is a blank behind the question mark, or everywhere in forms.
  public static func decode(_ text: Bytes, isForm: Bool) -> [UInt8]? {
    var out: [UInt8] = []
    var inQuery = isForm
    var i = 0
    while i < text.count {
      let c = text[i]
      if c == 0x25 {
        guard i + 2 < text.count, let high = ASCII.hexValue(text[i + 1]),
          let low = ASCII.hexValue(text[i + 2])
        else {
          return nil
        }
        out.append(high << 4 | low)
        i += 3
        continue
      }
      if c == ASCII.question { inQuery = true }
      out.append(c == 0x2B && inQuery ? ASCII.space : c)
      i += 1
    }
    return out
  }

  public static func encode(_ text: Bytes) -> [UInt8] {
    var out: [UInt8] = []
    for i in 0..<text.count {
      let c = text[i]
      if ASCII.isAlpha(c) || ASCII.isDigit(c) || c == 0x2D || c == 0x2E || c == 0x5F || c == 0x7E {
        out.append(c)
      } else {
        out.append(0x25)
        out.append(Hexadecimal.digits[Int(c >> 4)])
        out.append(Hexadecimal.digits[Int(c & 15)])
      }
    }
    return out
  }
}
