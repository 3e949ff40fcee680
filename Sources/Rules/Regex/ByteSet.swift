import Base

/// A set of octets.
struct ByteSet: Hashable, Sendable {
  private var words: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)

  init() {}

  init(_ octets: some Sequence<UInt8>) {
    for octet in octets { insert(octet) }
  }

  static let all = ByteSet(UInt8.min...UInt8.max)
  static let digits = ByteSet(0x30...0x39)
  static let space = ByteSet([9, 10, 11, 12, 13, 32])
  static let word = ByteSet(0x30...0x39).union(ByteSet(0x41...0x5A)).union(ByteSet(0x61...0x7A)).union(
    ByteSet([0x5F]))
  static let newline = ByteSet([10])

  func contains(_ octet: UInt8) -> Bool {
    let bit: UInt64 = 1 << UInt64(octet & 63)
    switch octet >> 6 {
    case 0: return words.0 & bit != 0
    case 1: return words.1 & bit != 0
    case 2: return words.2 & bit != 0
    default: return words.3 & bit != 0
    }
  }

  mutating func insert(_ octet: UInt8) {
    let bit: UInt64 = 1 << UInt64(octet & 63)
    switch octet >> 6 {
    case 0: words.0 |= bit
    case 1: words.1 |= bit
    case 2: words.2 |= bit
    default: words.3 |= bit
    }
  }

  func union(_ other: ByteSet) -> ByteSet {
    var result = self
    result.words.0 |= other.words.0
    result.words.1 |= other.words.1
    result.words.2 |= other.words.2
    result.words.3 |= other.words.3
    return result
  }

  var inverted: ByteSet {
    var result = ByteSet()
    result.words = (~words.0, ~words.1, ~words.2, ~words.3)
    return result
  }

  /// With both cases of every ASCII letter in it.
  var folded: ByteSet {
    var result = self
    for octet in UInt8(0x41)...0x5A where contains(octet) || contains(octet | 0x20) {
      result.insert(octet)
      result.insert(octet | 0x20)
    }
    return result
  }

  static func == (a: ByteSet, b: ByteSet) -> Bool { a.words == b.words }

  func hash(into hasher: inout Hasher) {
    hasher.combine(words.0)
    hasher.combine(words.1)
    hasher.combine(words.2)
    hasher.combine(words.3)
  }
}
