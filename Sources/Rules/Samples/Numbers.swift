import Base

/// Numbers and addresses out of text, bounded and without traps.
enum Numbers {
  /// The value of the digits at the start, with a sign; what follows them is ignored; nil when it overflows.
  static func leadingInteger(_ bytes: Bytes) -> Int64? {
    var index = 0
    var negative = false
    if index < bytes.count, bytes[index] == 0x2D || bytes[index] == 0x2B {
      negative = bytes[index] == 0x2D
      index += 1
    }
    var value: Int64 = 0
    while index < bytes.count, ASCII.isDigit(bytes[index]) {
      let (scaled, over1) = value.multipliedReportingOverflow(by: 10)
      let digit = Int64(bytes[index] &- 0x30)
      let (sum, over2) =
        negative ? scaled.subtractingReportingOverflow(digit) : scaled.addingReportingOverflow(digit)
      if over1 || over2 { return negative ? .min : .max }
      value = sum
      index += 1
    }
    return value
  }

  /// The digits at the start, behind a minus at most, in 32 bits that wrap around: what `hdr_val` and its like give.
  static func wrapping(_ bytes: Bytes) -> Int64 {
    var value: Int32 = 0
    let isNegative = bytes.count > 0 && bytes[0] == 0x2D
    var index = isNegative ? 1 : 0
    while index < bytes.count, ASCII.isDigit(bytes[index]) {
      let digit = Int32(bytes[index] &- 0x30)
      value = isNegative ? value &* 10 &- digit : value &* 10 &+ digit
      index += 1
    }
    return Int64(value)
  }

  /// A whole signed decimal; nil when anything else is in it.
  static func integer(_ bytes: Bytes) -> Int64? {
    var digits = bytes
    if let first = bytes.count > 0 ? bytes[0] : nil, first == 0x2D || first == 0x2B {
      digits = bytes.dropFirst(1)
    }
    guard digits.count > 0, digits.count < 20 else { return nil }
    for i in 0..<digits.count where !ASCII.isDigit(digits[i]) { return nil }
    return Int64(bytes.string)
  }

  static func integer(_ text: String) -> Int64? { integer(Bytes(text)) }

  /// Up to eight octets, most significant first.
  static func bigEndian(_ bytes: Bytes) -> Int64? {
    var value: UInt64 = 0
    for i in 0..<Swift.min(bytes.count, 8) { value = value << 8 | UInt64(bytes[i]) }
    return Int64(bitPattern: value)
  }

  /// An IPv4 or IPv6 address in text; quick for the dotted form.
  static func address(_ bytes: Bytes) -> IPAddress? {
    guard bytes.count >= 2, bytes.count <= 45 else { return nil }
    if let four = dottedQuad(bytes) { return .v4(four) }
    for i in 0..<bytes.count where bytes[i] == 0x3A { return IPAddress(bytes.string) }
    return nil
  }

  static func dottedQuad(_ bytes: Bytes) -> UInt32? {
    var value: UInt32 = 0
    var part: UInt32 = 0
    var digits = 0
    var dots = 0
    for i in 0..<bytes.count {
      let c = bytes[i]
      if ASCII.isDigit(c) {
        part = part &* 10 &+ UInt32(c &- 0x30)
        digits += 1
        if digits > 3 || part > 255 { return nil }
      } else if c == 0x2E, digits > 0, dots < 3 {
        value = value << 8 | part
        part = 0
        digits = 0
        dots += 1
      } else {
        return nil
      }
    }
    return dots == 3 && digits > 0 ? value << 8 | part : nil
  }

  /// An IPv4 address at the start of a text, whatever follows it.
  static func leadingDottedQuad(_ bytes: Bytes) -> UInt32? {
    let end = (0..<bytes.count).first { !ASCII.isDigit(bytes[$0]) && bytes[$0] != 0x2E } ?? bytes.count
    return end < bytes.count && end >= 7 ? dottedQuad(bytes.prefix(end)) : nil
  }

  static func rawAddress(_ bytes: Bytes) -> IPAddress? {
    var words: (UInt64, UInt64) = (0, 0)
    switch bytes.count {
    case 4:
      for i in 0..<4 { words.1 = words.1 << 8 | UInt64(bytes[i]) }
      return .v4(UInt32(truncatingIfNeeded: words.1))
    case 16:
      for i in 0..<8 { words.0 = words.0 << 8 | UInt64(bytes[i]) }
      for i in 8..<16 { words.1 = words.1 << 8 | UInt64(bytes[i]) }
      return .v6(high: words.0, low: words.1)
    default: return nil
    }
  }

  /// A duration with HAProxy's unit suffixes, in microseconds; `defaultUnit` is what a bare number counts.
  static func duration(_ text: String, defaultUnit: Int64 = 1000) -> Timespan? {
    let digits = text.prefix { $0.isASCII && $0.isNumber }
    guard !digits.isEmpty, digits.count < 16, let number = Int64(digits) else { return nil }
    let scale: Int64
    switch text.dropFirst(digits.count) {
    case "": scale = defaultUnit
    case "us": scale = 1
    case "ms": scale = 1000
    case "s": scale = 1_000_000
    case "m": scale = 60_000_000
    case "h": scale = 3_600_000_000
    case "d": scale = 86_400_000_000
    default: return nil
    }
    let (product, overflow) = number.multipliedReportingOverflow(by: scale)
    return overflow ? nil : .microseconds(product)
  }

  /// A size with `k`, `m`, `g`.
  static func size(_ text: String) -> Int? {
    let digits = text.prefix { $0.isASCII && $0.isNumber }
    guard !digits.isEmpty, digits.count < 13, let number = Int(digits) else { return nil }
    switch text.dropFirst(digits.count) {
    case "": return number
    case "k", "K": return number << 10
    case "m", "M": return number << 20
    case "g", "G": return number << 30
    default: return nil
    }
  }
}
