/// A fast DEFLATE encoder (RFC 1951) that keeps nothing of one piece of input for the next but a few bits.
///
/// Matches are looked for inside the piece at hand only, codes are the fixed ones, and a piece that does not get
/// smaller is stored. Memory is one table of positions, whatever passes through.
public struct DeflateEncoder: Sendable {
  /// Distances reach no further (RFC 1951 section 2).
  private static let window = 32768
  private static let hashBits: UInt32 = 13
  private static let longestMatch = 258

  /// Where a run of four octets was last seen, as a position in all that was ever encoded; 0 for never.
  private var seen = [UInt32](repeating: 0, count: 1 << 13)
  /// The position of the next octet; it starts high enough that 0 is never within reach.
  private var position: UInt32 = 1 << 16
  private var bits: UInt64 = 0
  private var bitCount: UInt64 = 0
  private var blockIsOpen = false
  /// Something was encoded that a reader cannot see yet.
  public private(set) var hasUnseen = false

  public init() {}

  /// Encodes `input` behind what was encoded before.
  public mutating func encode(_ input: UnsafeRawBufferPointer, into out: inout [UInt8]) {
    var start = 0
    while start < input.count {
      let end = Swift.min(input.count, start + DeflateEncoder.window)
      piece(UnsafeRawBufferPointer(rebasing: input[start..<end]), into: &out)
      start = end
    }
  }

  /// Makes everything so far readable: ends the block and aligns to an octet.
  public mutating func sync(into out: inout [UInt8]) {
    guard hasUnseen else { return }
    closeBlock(&out)
    stored(UnsafeRawBufferPointer(start: nil, count: 0), isLast: false, &out)
  }

  /// Ends the stream.
  public mutating func finish(into out: inout [UInt8]) {
    closeBlock(&out)
    put(0b011, 3, &out)
    put(0, 7, &out)
    align(&out)
    hasUnseen = false
  }

  // MARK: Pieces

  private mutating func piece(_ input: UnsafeRawBufferPointer, into out: inout [UInt8]) {
    if input.isEmpty { return }
    if position > UInt32.max - (1 << 20) {
      // Old positions would come around: forget them.
      seen = [UInt32](repeating: 0, count: seen.count)
      position = 1 << 16
    }
    let before = (bits, bitCount, blockIsOpen, out.count)
    out.reserveCapacity(out.count + input.count + 64)
    if !blockIsOpen {
      put(0b010, 3, &out)
      blockIsOpen = true
    }
    compress(input, &out)
    hasUnseen = true
    if out.count - before.3 > input.count + 5 {
      out.removeLast(out.count - before.3)
      (bits, bitCount, blockIsOpen) = (before.0, before.1, before.2)
      closeBlock(&out)
      stored(input, isLast: false, &out)
    }
    position &+= UInt32(truncatingIfNeeded: input.count)
  }

  private mutating func compress(_ input: UnsafeRawBufferPointer, _ out: inout [UInt8]) {
    let count = input.count
    let start = position
    var i = 0
    while i + 4 <= count {
      let word = input.loadUnaligned(fromByteOffset: i, as: UInt32.self)
      let slot = Int((word &* 0x9E37_79B1) >> (32 - DeflateEncoder.hashBits))
      let candidate = seen[slot]
      seen[slot] = start &+ UInt32(truncatingIfNeeded: i)
      guard candidate >= start else {
        literal(input[i], &out)
        i += 1
        continue
      }
      let from = Int(candidate &- start)
      guard input.loadUnaligned(fromByteOffset: from, as: UInt32.self) == word else {
        literal(input[i], &out)
        i += 1
        continue
      }
      let longest = Swift.min(count - i, DeflateEncoder.longestMatch)
      var length = 4
      while length < longest, input[from + length] == input[i + length] { length += 1 }
      match(length, distance: i - from, &out)
      i += length
    }
    while i < count {
      literal(input[i], &out)
      i += 1
    }
  }

  // MARK: Codes

  @inline(__always)
  private mutating func literal(_ octet: UInt8, _ out: inout [UInt8]) {
    let entry = FixedCodes.literals[Int(octet)]
    put(UInt64(entry.code), UInt64(entry.length), &out)
  }

  private mutating func match(_ length: Int, distance: Int, _ out: inout [UInt8]) {
    let entry = FixedCodes.lengths[length]
    put(UInt64(entry.code), UInt64(entry.length), &out)
    let (symbol, extraBits, base) = FixedCodes.distance(distance)
    let extra = UInt64(truncatingIfNeeded: distance - base)
    put(UInt64(FixedCodes.reversed(symbol, 5)) | extra << 5, 5 + UInt64(extraBits), &out)
  }

  @inline(__always)
  private mutating func put(_ value: UInt64, _ count: UInt64, _ out: inout [UInt8]) {
    bits |= value << bitCount
    bitCount &+= count
    while bitCount >= 8 {
      out.append(UInt8(truncatingIfNeeded: bits))
      bits >>= 8
      bitCount &-= 8
    }
  }

  private mutating func align(_ out: inout [UInt8]) {
    if bitCount > 0 { out.append(UInt8(truncatingIfNeeded: bits)) }
    bits = 0
    bitCount = 0
  }

  private mutating func closeBlock(_ out: inout [UInt8]) {
    guard blockIsOpen else { return }
    put(0, 7, &out)
    blockIsOpen = false
  }

  /// A block of octets as they are; an empty one only aligns.
  private mutating func stored(_ input: UnsafeRawBufferPointer, isLast: Bool, _ out: inout [UInt8]) {
    put(isLast ? 1 : 0, 3, &out)
    align(&out)
    let length = UInt16(truncatingIfNeeded: input.count)
    for half in [length, ~length] {
      out.append(UInt8(truncatingIfNeeded: half))
      out.append(UInt8(truncatingIfNeeded: half >> 8))
    }
    out.append(contentsOf: input)
    hasUnseen = false
  }
}

/// The fixed Huffman codes of RFC 1951 section 3.2.6, ready to be written from the lowest bit on.
enum FixedCodes {
  struct Entry {
    let code: UInt32
    let length: UInt8
  }

  static let literals: [Entry] = (0..<256).map { symbol(UInt32($0)) }

  /// The code of each match length with its extra bits, by length; those below 3 are not used.
  static let lengths: [Entry] = (0...258).map { length in
    guard length >= 3 else { return Entry(code: 0, length: 0) }
    if length == 258 { return symbol(285) }
    var index = lengthBases.count - 2
    while lengthBases[index] > length { index -= 1 }
    let base = symbol(UInt32(257 + index))
    let extraBits = index < 8 ? 0 : (index - 4) / 4
    let extra = UInt32(length - lengthBases[index])
    return Entry(code: base.code | extra << UInt32(base.length), length: base.length + UInt8(extraBits))
  }

  private static let lengthBases = [
    3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195,
    227,
    258,
  ]

  private static func symbol(_ value: UInt32) -> Entry {
    switch value {
    case 0..<144: Entry(code: reversed(0x30 + value, 8), length: 8)
    case 144..<256: Entry(code: reversed(0x190 + value - 144, 9), length: 9)
    case 256..<280: Entry(code: reversed(value - 256, 7), length: 7)
    default: Entry(code: reversed(0xC0 + value - 280, 8), length: 8)
    }
  }

  static func reversed(_ code: UInt32, _ length: UInt32) -> UInt32 {
    var result: UInt32 = 0
    for bit in 0..<length where code >> bit & 1 == 1 { result |= 1 << (length - 1 - bit) }
    return result
  }

  /// The symbol of a distance from 1 to 32768, how many extra bits it has, and the first distance that it stands for.
  @inline(__always)
  static func distance(_ distance: Int) -> (symbol: UInt32, extraBits: Int, base: Int) {
    if distance <= 4 { return (UInt32(truncatingIfNeeded: distance - 1), 0, distance) }
    let value = distance - 1
    let top = Int.bitWidth - 1 - value.leadingZeroBitCount
    let half = value >> (top - 1) & 1
    let extraBits = top - 1
    return (UInt32(truncatingIfNeeded: 2 * top + half), extraBits, ((2 + half) << extraBits) + 1)
  }
}
