import Base

/// `%{+json}o` and `%{+cbor}o`: the named items of a format as one object.
enum EncodedLog {
  static func render(_ format: LogFormat, _ context: RuleContext, into out: inout [UInt8]) {
    let isJSON = format.globalFlags.contains(.json)
    var cbor: [UInt8] = [0xBF]
    if isJSON { out.append(0x7B) }
    var isFirst = true
    for item in format.items where !item.name.isEmpty {
      let value = sample(item, context, isJSON: isJSON)
      if isJSON {
        if !isFirst { out.append(contentsOf: ", ".utf8) }
        out.append(0x22)
        JSONText.appendEscaped(item.name, into: &out)
        out.append(contentsOf: "\": ".utf8)
        appendJSON(value, item.forcedType, into: &out)
      } else {
        appendCBORText(item.name, into: &cbor)
        appendCBOR(value, item.forcedType, into: &cbor)
      }
      isFirst = false
    }
    if isJSON {
      out.append(0x7D)
    } else {
      cbor.append(0xFF)
      if format.globalFlags.contains(.binary) {
        out.append(contentsOf: cbor)
      } else {
        out.append(contentsOf: Hexadecimal.encode(Bytes(cbor)))
      }
    }
  }

  static func write(
    _ alias: LogAlias, _ flags: LogFormatFlags, _ context: RuleContext, into out: inout [UInt8]
  ) {
    let item = LogFormatItem(content: .alias(alias))
    write(sample(item, context, isJSON: flags.contains(.json)), flags, nil, into: &out)
  }

  /// One item that asks for an encoding by itself.
  static func write(_ value: Sample?, _ flags: LogFormatFlags, _ type: SampleType?, into out: inout [UInt8]) {
    if flags.contains(.json) {
      appendJSON(value, type, into: &out)
      return
    }
    var cbor: [UInt8] = []
    appendCBOR(value, type, into: &cbor)
    out.append(contentsOf: flags.contains(.binary) ? cbor : Hexadecimal.encode(Bytes(cbor)))
  }

  private static func sample(_ item: LogFormatItem, _ context: RuleContext, isJSON: Bool) -> Sample? {
    switch item.content {
    case .expression(let expression): return expression.evaluate(context) ?? (isJSON ? .string(.empty) : nil)
    case .alias(let alias):
      switch alias {
      case .clientPort, .frontendPort, .backendPort, .serverPort, .acceptSeconds, .milliseconds:
        var text: [UInt8] = []
        LogAliasWriter(context: context, flags: []).write(alias, into: &text)
        return Numbers.integer(Bytes(text)).map(Sample.int)
      default:
        if isNumber(alias) { return .int(Int64(LogNumber.value(alias, context))) }
        var text: [UInt8] = []
        LogAliasWriter(context: context, flags: []).write(alias, into: &text)
        if !text.isEmpty { return .string(Bytes(text)) }
        // JSON tells an empty text from captures that there are not.
        let isCapture = [.requestHeaders, .responseHeaders, .requestHeaderList, .responseHeaderList].contains(
          alias)
        return isCapture || !isJSON ? nil : .string(.empty)
      }
    case .text(let bytes): return .string(bytes)
    case .separator: return nil
    }
  }

  private static func isNumber(_ alias: LogAlias) -> Bool {
    switch alias {
    case .bytesRead, .bytesUploaded, .status, .activeTime, .connectTime, .dataTime, .handshakeTime, .idleTime,
      .requestTime, .totalRequestTime, .responseTime, .totalTime, .userTime, .queueTime, .activeConnections,
      .backendConnections, .backendQueue, .frontendConnections, .logCounter, .pid, .retries, .requestCounter,
      .serverConnections, .serverQueue:
      true
    default: false
    }
  }

  private static func appendJSON(_ value: Sample?, _ type: SampleType?, into out: inout [UInt8]) {
    switch type.flatMap({ value?.cast(to: $0) }) ?? value {
    case nil: out.append(contentsOf: "null".utf8)
    case .bool(let truth): out.append(contentsOf: (truth ? "true" : "false").utf8)
    case .int(let number): out.append(contentsOf: String(number).utf8)
    case .binary(let octets):
      out.append(0x22)
      out.append(contentsOf: Hexadecimal.encode(octets))
      out.append(0x22)
    case .some(let other):
      out.append(0x22)
      JSONText.appendEscaped(other.text, into: &out)
      out.append(0x22)
    }
  }

  private static func appendCBOR(_ value: Sample?, _ type: SampleType?, into out: inout [UInt8]) {
    switch type.flatMap({ value?.cast(to: $0) }) ?? value {
    case nil: out.append(0xF6)
    case .bool(let truth): out.append(truth ? 0xF5 : 0xF4)
    case .int(let number):
      if number >= 0 {
        appendCBORHead(0, UInt64(number), into: &out)
      } else {
        appendCBORHead(1, UInt64(bitPattern: ~number), into: &out)
      }
    case .binary(let octets):
      appendCBORHead(2, UInt64(octets.count), into: &out)
      out.append(octets)
    case .some(let other): appendCBORText(other.text, into: &out)
    }
  }

  private static func appendCBORText(_ text: Bytes, into out: inout [UInt8]) {
    appendCBORHead(3, UInt64(text.count), into: &out)
    out.append(text)
  }

  /// Major type and argument (RFC 8949, 3).
  private static func appendCBORHead(_ major: UInt8, _ value: UInt64, into out: inout [UInt8]) {
    let type = major << 5
    switch value {
    case 0..<24: out.append(type | UInt8(value))
    case 24...0xFF: out.append(contentsOf: [type | 24, UInt8(value)])
    case 0x100...0xFFFF:
      out.append(type | 25)
      for shift in [UInt64(8), 0] { out.append(UInt8(truncatingIfNeeded: value >> shift)) }
    case 0x1_0000...0xFFFF_FFFF:
      out.append(type | 26)
      for shift in [UInt64(24), 16, 8, 0] { out.append(UInt8(truncatingIfNeeded: value >> shift)) }
    default:
      out.append(type | 27)
      for shift in stride(from: UInt64(56), through: 0, by: -8) {
        out.append(UInt8(truncatingIfNeeded: value >> shift))
      }
    }
  }
}

enum JSONText {
  /// RFC 8259, 7.
  static func appendEscaped(_ text: Bytes, into out: inout [UInt8]) {
    for i in 0..<text.count {
      switch text[i] {
      case 0x22: out.append(contentsOf: "\\\"".utf8)
      case 0x5C: out.append(contentsOf: "\\\\".utf8)
      case 0x08: out.append(contentsOf: "\\b".utf8)
      case 0x0C: out.append(contentsOf: "\\f".utf8)
      case ASCII.lf: out.append(contentsOf: "\\n".utf8)
      case ASCII.cr: out.append(contentsOf: "\\r".utf8)
      case ASCII.tab: out.append(contentsOf: "\\t".utf8)
      case let c where c < 32:
        out.append(contentsOf: "\\u00".utf8)
        out.append(Hexadecimal.digits[Int(c >> 4)])
        out.append(Hexadecimal.digits[Int(c & 15)])
      case let c: out.append(c)
      }
    }
  }
}
