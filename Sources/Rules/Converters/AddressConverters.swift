import Base

/// IP addresses, and what of other formats is made of them (RFC 7239).
enum AddressConverters {
  static let table: [ConverterEntry] = [
    ConverterEntry("ipmask", .atLeast(1, .mask4, .mask6), .address, .address) { sample, a, _ in
      guard let address = sample.address?.unmapped else { return nil }
      switch address {
      case .v4(let word):
        guard case .mask4(let mask) = a[0] else { return nil }
        return .ip(.v4(word & mask))
      case .v6(let high, let low):
        guard case .mask6(let maskHigh, let maskLow) = a[1] else { return nil }
        return .ip(.v6(high: high & maskHigh, low: low & maskLow))
      }
    },
    ConverterEntry("rfc7239_is_valid", .none, .string, .bool) { sample, _, _ in
      .bool(ForwardedHeader.elements(sample.text) != nil)
    },
    ConverterEntry("rfc7239_field", .required(.string), .string, .string) { sample, a, _ in
      guard let wanted = a.string(0) else { return nil }
      for element in ForwardedHeader.elements(sample.text) ?? [] {
        for pair in element where pair.name.equalsIgnoringCase(wanted) { return .string(pair.value) }
      }
      return nil
    },
    ConverterEntry("rfc7239_n2nn", .none, .string, .any) { sample, _, _ in
      guard let name = ForwardedHeader.node(sample.text)?.name else { return nil }
      return Numbers.address(name).map(Sample.ip) ?? .string(name)
    },
    ConverterEntry("rfc7239_n2np", .none, .string, .any) { sample, _, _ in
      guard let port = ForwardedHeader.node(sample.text)?.port else { return nil }
      return Numbers.integer(port).map(Sample.int) ?? .string(port)
    },
    ConverterEntry("rfc7239_nn", .none, .any, .string) { sample, _, _ in
      switch sample {
      case .ip(let address):
        if case .v6 = address { return .string(Bytes("[\(address)]")) }
        return .string(Bytes(address.description))
      default:
        let name = sample.text
        if name.isEmpty { return .string("unknown") }
        return ForwardedHeader.isIdentifier(name) ? .string(Bytes([0x5F] + name.array)) : nil
      }
    },
    ConverterEntry("rfc7239_np", .none, .any, .string) { sample, _, _ in
      if case .int(let port) = sample { return (0...65535).contains(port) ? .string(Bytes(String(port))) : nil }
      let name = sample.text
      return !name.isEmpty && ForwardedHeader.isIdentifier(name) ? .string(Bytes([0x5F] + name.array)) : nil
    },
  ]
}

/// `Forwarded` (RFC 7239, 4).
enum ForwardedHeader {
  /// The octets that an obfuscated identifier may have behind its underscore.
  static func isIdentifier(_ name: Bytes) -> Bool {
    for i in 0..<name.count {
      let c = name[i]
      guard ASCII.isAlpha(c) || ASCII.isDigit(c) || c == 0x2E || c == 0x5F || c == 0x2D else { return false }
    }
    return true
  }

  /// Elements of name and value pairs, nil when the field is malformed.
  static func elements(_ text: Bytes) -> [[(name: Bytes, value: Bytes)]]? {
    var all: [[(name: Bytes, value: Bytes)]] = []
    var current: [(name: Bytes, value: Bytes)] = []
    var i = 0
    while i < text.count {
      while i < text.count, ASCII.isBlank(text[i]) { i += 1 }
      let start = i
      while i < text.count, ASCII.isAlpha(text[i]) { i += 1 }
      let name = text[start..<i]
      guard !name.isEmpty, i < text.count, text[i] == 0x3D else { return nil }
      i += 1
      guard let value = value(text, &i), isValid(name, value),
        !current.contains(where: { $0.name.equalsIgnoringCase(name) })
      else {
        return nil
      }
      current.append((name, value))
      while i < text.count, ASCII.isBlank(text[i]) { i += 1 }
      if i == text.count { break }
      guard text[i] == 0x3B || text[i] == 0x2C else { return nil }
      if text[i] == 0x2C {
        all.append(current)
        current = []
      }
      i += 1
      if i == text.count { return nil }
    }
    if current.isEmpty { return nil }
    all.append(current)
    return all
  }

  private static func isValid(_ name: Bytes, _ value: Bytes) -> Bool {
    switch name.lowercased.string {
    case "for", "by": return node(value) != nil
    case "proto": return HeaderText.isName(value)
    case "host":
      let host = HostText.split(value).host
      return !host.isEmpty
        && (0..<host.count).allSatisfy { host[$0] > 32 && host[$0] < 127 && host[$0] != ASCII.slash }
    default: return false
    }
  }

  /// RFC 7239 section 6: `nodename[:port]`, the name without brackets; nil when it is none.
  static func node(_ text: Bytes) -> (name: Bytes, port: Bytes?)? {
    var name = text
    var rest = Bytes.empty
    if text.starts(with: "[") {
      guard let close = text.firstIndex(of: 0x5D) else { return nil }
      name = text[1..<close]
      rest = text.dropFirst(close + 1)
      guard case .v6? = Numbers.address(name) else { return nil }
    } else {
      if let colon = text.firstIndex(of: ASCII.colon) {
        name = text.prefix(colon)
        rest = text.dropFirst(colon)
      }
      if case .v4? = Numbers.address(name) {
      } else if name != "unknown", !isObfuscated(name) {
        return nil
      }
    }
    if rest.isEmpty { return (name, nil) }
    let port = rest.dropFirst(1)
    guard rest[0] == ASCII.colon, !port.isEmpty else { return nil }
    if isObfuscated(port) { return (name, port) }
    guard port.count < 6, let number = Numbers.integer(port), (0...65535).contains(number) else { return nil }
    return (name, port)
  }

  private static func isObfuscated(_ text: Bytes) -> Bool {
    guard text.count > 1, text[0] == 0x5F else { return false }
    return (1..<text.count).allSatisfy {
      ASCII.isAlpha(text[$0]) || ASCII.isDigit(text[$0]) || [0x2E, 0x5F, 0x2D].contains(text[$0])
    }
  }

  private static func value(_ text: Bytes, _ i: inout Int) -> Bytes? {
    guard i < text.count else { return nil }
    if text[i] == 0x22 {
      var out: [UInt8] = []
      i += 1
      while i < text.count, text[i] != 0x22 {
        if text[i] == 0x5C, i + 1 < text.count { i += 1 }
        out.append(text[i])
        i += 1
      }
      guard i < text.count else { return nil }
      i += 1
      return Bytes(out)
    }
    let start = i
    while i < text.count, text[i] > 32, text[i] < 127, text[i] != 0x3B, text[i] != 0x2C, text[i] != 0x3A,
      text[i] != 0x5B
    { i += 1 }
    return i > start ? text[start..<i] : nil
  }
}
