/// Eight octets at a time over raw input; all offsets are the caller's to keep in bounds.
enum Octets {
  @usableFromInline static let ones: UInt64 = 0x0101_0101_0101_0101
  @usableFromInline static let highs: UInt64 = 0x8080_8080_8080_8080

  /// One character for each of the 128 of US-ASCII: `t` for those of a token (RFC 9110 section 5.6.2).
  private static let tokens: StaticString = """
    ---------------------------------t-ttttt--tt-tt-tttttttttt------\
    -tttttttttttttttttttttttttt---ttttttttttttttttttttttttttttt-t-t-
    """

  @inline(__always)
  static func isToken(_ c: UInt8) -> Bool { c < 128 && tokens.utf8Start[Int(c)] == 0x74 }

  @inline(__always)
  private static func zeros(_ x: UInt64) -> UInt64 { (x &- ones) & ~x & highs }

  /// The first octet in `from..<to` that is a control or DEL, or `to`.
  @inline(__always)
  static func firstControl(_ base: UnsafeRawPointer, from: Int, to: Int) -> Int {
    var i = from
    while i &+ 8 <= to {
      let x = UInt64(littleEndian: base.loadUnaligned(fromByteOffset: i, as: UInt64.self))
      let hit = ((x &- 0x20 &* ones) & ~x & highs) | zeros(x ^ (0x7F &* ones))
      if hit != 0 { return i &+ hit.trailingZeroBitCount &>> 3 }
      i &+= 8
    }
    while i < to {
      let c = base.load(fromByteOffset: i, as: UInt8.self)
      if c < 0x20 || c == 0x7F { return i }
      i &+= 1
    }
    return to
  }

  /// The first octet in `from..<to` that is not a visible US-ASCII character, or is `#`, or `to`.
  @inline(__always)
  static func firstNonTarget(_ base: UnsafeRawPointer, from: Int, to: Int) -> Int {
    var i = from
    while i &+ 8 <= to {
      let x = UInt64(littleEndian: base.loadUnaligned(fromByteOffset: i, as: UInt64.self))
      let hit =
        ((x &- 0x21 &* ones) & ~x & highs) | (x & highs) | zeros(x ^ (0x7F &* ones))
        | zeros(x ^ (0x23 &* ones))
      if hit != 0 { return i &+ hit.trailingZeroBitCount &>> 3 }
      i &+= 8
    }
    while i < to {
      let c = base.load(fromByteOffset: i, as: UInt8.self)
      if c < 0x21 || c > 0x7E || c == 0x23 { return i }
      i &+= 1
    }
    return to
  }

  /// The first octet in `from..<to` that may not stand in a token, or `to`.
  @inline(__always)
  static func firstNonToken(_ base: UnsafeRawPointer, from: Int, to: Int) -> Int {
    let table = tokens.utf8Start
    var i = from
    while i < to {
      let c = base.load(fromByteOffset: i, as: UInt8.self)
      guard c < 128, table[Int(c)] == 0x74 else { break }
      i &+= 1
    }
    return i
  }

  /// Folds `count` octets to lower case in place; all of them are below 128.
  @inline(__always)
  static func lowercase(_ base: UnsafeMutableRawPointer, count: Int) {
    var i = 0
    while i &+ 8 <= count {
      lowercaseWord(base + i)
      i &+= 8
    }
    if i == count { return }
    if count >= 8 {
      lowercaseWord(base + (count &- 8))
      return
    }
    while i < count {
      let c = base.load(fromByteOffset: i, as: UInt8.self)
      base.storeBytes(of: c &- 0x41 < 26 ? c | 0x20 : c, toByteOffset: i, as: UInt8.self)
      i &+= 1
    }
  }

  @inline(__always)
  private static func lowercaseWord(_ p: UnsafeMutableRawPointer) {
    let x = p.loadUnaligned(as: UInt64.self)
    let fromA = x &+ (0x80 - 0x41) &* ones
    let aboveZ = x &+ (0x7F - 0x5A) &* ones
    let upper = (fromA ^ aboveZ) & highs
    p.storeBytes(of: x | upper &>> 2, as: UInt64.self)
  }

  /// Whether `count` octets are `literal`, which is in lower case, when letters are folded.
  ///
  /// No control is among the octets: setting bit 5 then folds letters, and nothing else becomes one of the
  /// letters, digits, `-` and `:` of a literal.
  @inline(__always)
  static func equalsFolded(_ p: UnsafeRawPointer, _ count: Int, _ literal: StaticString) -> Bool {
    guard count == literal.utf8CodeUnitCount else { return false }
    let wanted = UnsafeRawPointer(literal.utf8Start)
    let fold = 0x20 &* ones
    var i = 0
    while i &+ 8 <= count {
      let x = p.loadUnaligned(fromByteOffset: i, as: UInt64.self) | fold
      if x != wanted.loadUnaligned(fromByteOffset: i, as: UInt64.self) { return false }
      i &+= 8
    }
    if i == count { return true }
    if count >= 8 {
      let x = p.loadUnaligned(fromByteOffset: count &- 8, as: UInt64.self) | fold
      return x == wanted.loadUnaligned(fromByteOffset: count &- 8, as: UInt64.self)
    }
    while i < count {
      let c = p.load(fromByteOffset: i, as: UInt8.self) | 0x20
      if c != wanted.load(fromByteOffset: i, as: UInt8.self) { return false }
      i &+= 1
    }
    return true
  }
}
