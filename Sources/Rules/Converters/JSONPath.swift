import Base

/// A path such as `$.a.b[0].c` into a JSON text; reading it allocates nothing but the value found.
struct JSONPath: Sendable {
  private enum Step: Sendable {
    case key(Bytes)
    case index(Int)
  }
  private let steps: [Step]

  init?(_ text: Bytes) {
    guard text.count > 1, text[0] == 0x24 else { return nil }
    var steps: [Step] = []
    var i = 1
    while i < text.count {
      if text[i] == 0x2E {
        let start = i + 1
        i = start
        while i < text.count, text[i] != 0x2E, text[i] != 0x5B {
          if text[i] == 0x5C { i += 1 }
          i += 1
        }
        let key = text[start..<min(i, text.count)]
        guard !key.isEmpty else { return nil }
        steps.append(.key(Bytes(key.array.filter { $0 != 0x5C })))
      } else if text[i] == 0x5B, let close = text.firstIndex(of: 0x5D, from: i),
        let index = Numbers.integer(text[(i + 1)..<close]), (0..<1_000_000).contains(index)
      {
        steps.append(.index(Int(index)))
        i = close + 1
      } else {
        return nil
      }
    }
    self.steps = steps
  }

  /// The value as a boolean, integer or string; arrays and objects as their text; nil when absent or malformed.
  func find(in text: Bytes) -> Sample? {
    var reader = JSONReader(text)
    for step in steps {
      switch step {
      case .key(let key): guard reader.enter(key: key) else { return nil }
      case .index(let index): guard reader.enter(index: index) else { return nil }
      }
    }
    return reader.value()
  }
}

/// A forward-only cursor over JSON (RFC 8259).
struct JSONReader {
  private let text: Bytes
  private var i = 0

  init(_ text: Bytes) { self.text = text }

  private mutating func skipBlanks() {
    while i < text.count, ASCII.isBlank(text[i]) || text[i] == ASCII.lf || text[i] == ASCII.cr { i += 1 }
  }

  private mutating func take(_ c: UInt8) -> Bool {
    skipBlanks()
    guard i < text.count, text[i] == c else { return false }
    i += 1
    return true
  }

  mutating func enter(key wanted: Bytes) -> Bool {
    guard take(0x7B) else { return false }
    while true {
      skipBlanks()
      guard let key = string(), take(0x3A) else { return false }
      if key == wanted { return true }
      guard skipValue(), take(0x2C) else { return false }
    }
  }

  mutating func enter(index: Int) -> Bool {
    guard take(0x5B) else { return false }
    for _ in 0..<index { guard skipValue(), take(0x2C) else { return false } }
    skipBlanks()
    return i < text.count && text[i] != 0x5D
  }

  mutating func value() -> Sample? {
    skipBlanks()
    guard i < text.count else { return nil }
    let start = i
    switch text[i] {
    case 0x22: return string().map(Sample.string)
    case 0x7B, 0x5B: return skipValue() ? .string(text[start..<i]) : nil
    default:
      guard skipValue() else { return nil }
      let word = text[start..<i]
      if word == "true" { return .bool(true) }
      if word == "false" { return .bool(false) }
      if word == "null" { return nil }
      if let integer = Numbers.integer(word) { return .int(integer) }
      // Fractions have no type of their own.
      return ASCII.isDigit(word[0]) || word[0] == 0x2D ? .string(word) : nil
    }
  }

  private mutating func string() -> Bytes? {
    guard take(0x22) else { return nil }
    let start = i
    var hasEscapes = false
    while i < text.count, text[i] != 0x22 {
      if text[i] == 0x5C {
        hasEscapes = true
        i += 1
      }
      i += 1
    }
    guard i < text.count else { return nil }
    i += 1
    let raw = text[start..<(i - 1)]
    return hasEscapes ? JSONReader.unescape(raw) : raw
  }

  private static func unescape(_ raw: Bytes) -> Bytes? {
    var out: [UInt8] = []
    var i = 0
    while i < raw.count {
      guard raw[i] == 0x5C, i + 1 < raw.count else {
        out.append(raw[i])
        i += 1
        continue
      }
      switch raw[i + 1] {
      case 0x6E: out.append(ASCII.lf)
      case 0x72: out.append(ASCII.cr)
      case 0x74: out.append(ASCII.tab)
      case 0x62: out.append(8)
      case 0x66: out.append(12)
      case 0x75:
        guard let unit = hex4(raw, i + 2) else { return nil }
        var scalar = unit
        if unit >> 10 == 0x36, raw[(i + 6)..<(i + 8)] == "\\u", let low = hex4(raw, i + 8), low >> 10 == 0x37 {
          scalar = 0x10000 + (unit & 0x3FF) << 10 + low & 0x3FF
          i += 6
        }
        guard let valid = Unicode.Scalar(scalar) else { return nil }
        out.append(contentsOf: String(Character(valid)).utf8)
        i += 4
      case let other: out.append(other)
      }
      i += 2
    }
    return Bytes(out)
  }

  private static func hex4(_ text: Bytes, _ at: Int) -> UInt32? {
    guard at + 4 <= text.count else { return nil }
    var value: UInt32 = 0
    for i in 0..<4 {
      guard let digit = ASCII.hexValue(text[at + i]) else { return nil }
      value = value << 4 | UInt32(digit)
    }
    return value
  }

  /// Passes over one value of any kind without recursion.
  private mutating func skipValue() -> Bool {
    skipBlanks()
    var depth = 0
    repeat {
      skipBlanks()
      guard i < text.count else { return false }
      switch text[i] {
      case 0x22: guard string() != nil else { return false }
      case 0x7B, 0x5B:
        depth += 1
        i += 1
      case 0x7D, 0x5D:
        depth -= 1
        i += 1
        guard depth >= 0 else { return false }
      case 0x2C, 0x3A:
        guard depth > 0 else { return false }
        i += 1
      default:
        let start = i
        while i < text.count,
          ASCII.isAlpha(text[i]) || ASCII.isDigit(text[i]) || text[i] == 0x2D || text[i] == 0x2B
            || text[i] == 0x2E
        { i += 1 }
        guard i > start else { return false }
      }
    } while depth > 0
    return true
  }
}
