import Base

/// A domain name as messages carry it, without compression: labels with their lengths, then a zero octet; letters
/// in lower case (RFC 1035 section 3.1, RFC 4343).
struct DNSName: Hashable, Sendable {
  let wire: Bytes

  /// With the lengths and the final zero (RFC 1035 section 2.3.4).
  static let longest = 255
  private static let longestLabel = 63
  private static let dot: UInt8 = 0x2E

  /// `www.example.com`, with or without a dot at its end; nil for what can be no name.
  init?(_ text: Bytes) {
    let trimmed = text.count > 0 && text[text.count - 1] == DNSName.dot ? text.prefix(text.count - 1) : text
    guard !trimmed.isEmpty, trimmed.count + 2 <= DNSName.longest else { return nil }
    var wire: [UInt8] = []
    wire.reserveCapacity(trimmed.count + 2)
    var start = 0
    while start <= trimmed.count {
      let end = trimmed.firstIndex(of: DNSName.dot, from: start) ?? trimmed.count
      guard end > start, end - start <= DNSName.longestLabel else { return nil }
      wire.append(UInt8(truncatingIfNeeded: end - start))
      for i in start..<end {
        guard trimmed[i] > 0x20, trimmed[i] < 0x7F else { return nil }
        wire.append(ASCII.lower(trimmed[i]))
      }
      start = end + 1
    }
    wire.append(0)
    self.wire = Bytes(wire)
  }

  init?(_ text: String) { self.init(Bytes(text)) }

  private init(wire: [UInt8]) { self.wire = Bytes(wire) }

  /// With dots between the labels, without one at the end.
  var text: String {
    var out: [UInt8] = []
    var position = 0
    while position < wire.count, wire[position] > 0 {
      let length = Int(wire[position])
      if !out.isEmpty { out.append(DNSName.dot) }
      for i in 0..<length where position + 1 + i < wire.count { out.append(wire[position + 1 + i]) }
      position += 1 + length
    }
    return String(decoding: out, as: UTF8.self)
  }

  /// Reads the name at `position`, which moves behind it. nil when it is wrong.
  ///
  /// A pointer must lead to before the place that it was met at, and before the target of the pointer that led
  /// there: names can neither loop nor grow beyond their bound.
  static func read(_ message: borrowing Span<UInt8>, at position: inout Int) -> DNSName? {
    var wire: [UInt8] = []
    var cursor = position
    var bound = position
    var hasJumped = false
    while cursor < message.count {
      let length = Int(message[cursor])
      switch length & 0xC0 {
      case 0:
        cursor += 1
        guard cursor + length <= message.count, wire.count + 1 + length <= longest else { return nil }
        wire.append(UInt8(length))
        if length == 0 {
          if !hasJumped { position = cursor }
          return DNSName(wire: wire)
        }
        for i in cursor..<(cursor + length) { wire.append(ASCII.lower(message[i])) }
        cursor += length
      case 0xC0:
        guard cursor + 1 < message.count else { return nil }
        let target = (length & 0x3F) << 8 | Int(message[cursor + 1])
        guard target < bound else { return nil }
        if !hasJumped { position = cursor + 2 }
        hasJumped = true
        bound = target
        cursor = target
      default: return nil
      }
    }
    return nil
  }
}

extension DNSName: CustomStringConvertible {
  var description: String { text }
}
