import Base

extension LogFormat {
  /// Appends the text for the stream of `context`.
  public func render(_ context: RuleContext, into out: inout [UInt8]) {
    if !globalFlags.isDisjoint(with: [.json, .cbor]) {
      EncodedLog.render(self, context, into: &out)
      return
    }
    var afterBlank = true
    for step in steps {
      switch step {
      case .text(let start, let end):
        literals.withUnsafeBytes { out.append(contentsOf: UnsafeRawBufferPointer(rebasing: $0[Int(start)..<Int(end)])) }
        afterBlank = false
      case .separator:
        if !afterBlank { out.append(ASCII.space) }
        afterBlank = true
      case .alias(let alias, let flags):
        if !flags.isDisjoint(with: [.json, .cbor]) {
          EncodedLog.write(alias, flags, context, into: &out)
          afterBlank = false
          continue
        }
        let start = out.count
        LogAliasWriter(context: context, flags: flags).write(alias, into: &out)
        if out.count > start { afterBlank = false }
      case .expression(let expression, let flags):
        expression._withUnsafeGuaranteedRef { write($0, flags, context, into: &out) }
        afterBlank = false
      }
    }
  }

  private func write(
    _ expression: SampleExpression, _ flags: LogFormatFlags, _ context: RuleContext, into out: inout [UInt8]
  ) {
    if !flags.isDisjoint(with: [.json, .cbor]) {
      EncodedLog.write(expression.evaluate(context), flags, nil, into: &out)
      return
    }
    let value = expression.evaluate(context)
    if case .ip(let address)? = value, !flags.contains(.quote) {
      AddressText.append(address, into: &out)
      return
    }
    let text = value?.text ?? .empty
    switch escaping {
    case .header: LogText.appendEncoded(text, marker: 0x25, unsafe: LogText.isUnsafeInHeader, into: &out)
    case .log, .none: LogText.append(text, flags, into: &out)
    }
  }
}

/// The octet-level writing rules of log lines (manual 8.6).
enum LogText {
  /// A value: quoted, escaped, or `-` when it is empty and must show.
  static func append(_ text: Bytes, _ flags: LogFormatFlags, into out: inout [UInt8]) {
    if flags.contains(.quote) { out.append(0x22) }
    if text.isEmpty {
      if flags.contains(.mandatory), !flags.contains(.quote) { out.append(0x2D) }
    } else if flags.contains(.escape) {
      for i in 0..<text.count {
        let c = text[i]
        if c == 0x22 || c == 0x5C || c == 0x5D { out.append(0x5C) }
        out.append(c)
      }
    } else {
      out.append(text)
    }
    if flags.contains(.quote) { out.append(0x22) }
  }

  static func appendEncoded(
    _ text: Bytes, marker: UInt8, unsafe: (UInt8) -> Bool, escaping: Bool = false, into out: inout [UInt8]
  ) {
    text.withUnsafeBytes { octets in
      var start = 0
      for i in 0..<octets.count {
        let c = octets[i]
        if unsafe(c) {
          out.append(contentsOf: octets[start..<i])
          out.append(marker)
          out.append(Hexadecimal.digits[Int(c >> 4)])
          out.append(Hexadecimal.digits[Int(c & 15)])
          start = i + 1
        } else if escaping, c == 0x22 || c == 0x5C || c == 0x5D {
          out.append(contentsOf: octets[start..<i])
          out.append(0x5C)
          start = i
        }
      }
      out.append(contentsOf: octets[start...])
    }
  }

  /// In request lines: control characters, what is not ASCII, the quote and the marker itself.
  static func isUnsafeInURL(_ c: UInt8) -> Bool { c < 32 || c > 126 || c == 0x22 || c == 0x23 }

  /// In captured headers, which stand between braces and bars.
  static func isUnsafeInCapture(_ c: UInt8) -> Bool {
    isUnsafeInURL(c) || c == 0x7B || c == 0x7C || c == 0x7D
  }

  static func isUnsafeInHeader(_ c: UInt8) -> Bool { c < 9 || (c > 9 && c < 32) || c == 127 }
}

enum Hexadecimal {
  static let digits: [UInt8] = Array("0123456789ABCDEF".utf8)

  static func encode(_ bytes: Bytes) -> [UInt8] {
    var out: [UInt8] = []
    out.reserveCapacity(bytes.count * 2)
    for i in 0..<bytes.count {
      out.append(digits[Int(bytes[i] >> 4)])
      out.append(digits[Int(bytes[i] & 15)])
    }
    return out
  }

  /// At least `width` digits.
  static func encode(_ value: UInt64, width: Int) -> [UInt8] {
    var out = Array(String(value, radix: 16, uppercase: true).utf8)
    while out.count < width { out.insert(0x30, at: 0) }
    return out
  }
}
