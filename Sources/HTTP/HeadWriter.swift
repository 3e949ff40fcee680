import Base
import Glibc

/// Writes a head's octets into a buffer's free end, with one check of room for the common case.
struct HeadWriter {
  private let output: ByteBuffer
  private var base: UnsafeMutableRawPointer
  private var at = 0
  private var room: Int

  /// - Parameter expected: octets that will probably be written.
  init?(_ output: ByteBuffer, expected: Int) {
    output.ensureRoom(expected)
    guard let base = output.writableBytes.baseAddress else { return nil }
    self.output = output
    self.base = base
    room = output.writableBytes.count
  }

  /// Hands what was written to the buffer.
  mutating func finish() {
    output.produced(at)
    at = 0
  }

  @inline(__always)
  private mutating func reserve(_ n: Int) -> Bool { n <= room &- at || grow(n) }

  private mutating func grow(_ n: Int) -> Bool {
    finish()
    output.ensureRoom(n + 256)
    guard let base = output.writableBytes.baseAddress else { return false }
    self.base = base
    room = output.writableBytes.count
    return true
  }

  @inline(__always)
  mutating func put(_ octets: UnsafeRawPointer, _ count: Int) {
    guard count > 0, reserve(count) else { return }
    memcpy(base + at, octets, count)
    at &+= count
  }

  @inline(__always)
  mutating func put(_ text: StaticString) { put(text.utf8Start, text.utf8CodeUnitCount) }

  mutating func put(copying bytes: Bytes) {
    bytes.withUnsafeBytes { if let from = $0.baseAddress { put(from, $0.count) } }
  }

  @inline(__always)
  mutating func put(_ octet: UInt8) {
    guard reserve(1) else { return }
    base.storeBytes(of: octet, toByteOffset: at, as: UInt8.self)
    at &+= 1
  }

  /// `name: value` and the end of the line.
  @inline(__always)
  mutating func putLine(
    _ name: UnsafeRawPointer, _ nameLength: Int, _ value: UnsafeRawPointer, _ valueLength: Int
  ) {
    guard reserve(nameLength &+ valueLength &+ 4) else { return }
    let to = base + at
    memcpy(to, name, nameLength)
    (to + nameLength).storeBytes(of: UInt16(0x203A).littleEndian, as: UInt16.self)
    memcpy(to + (nameLength &+ 2), value, valueLength)
    (to + (nameLength &+ 2 &+ valueLength)).storeBytes(of: UInt16(0x0A0D).littleEndian, as: UInt16.self)
    at &+= nameLength &+ valueLength &+ 4
  }

  mutating func putDecimal(_ value: UInt64) {
    var scale: UInt64 = 1
    while value / scale >= 10 { scale *= 10 }
    while scale > 0 {
      put(UInt8(truncatingIfNeeded: 0x30 + value / scale % 10))
      scale /= 10
    }
  }

  /// Octets that rules made: what would end the line, or a word of the start line, is replaced.
  mutating func putGuarded(_ octets: UnsafeRawBufferPointer, isTarget: Bool) {
    guard let from = octets.baseAddress else { return }
    var start = 0
    for i in 0..<octets.count {
      let c = octets[i]
      let isHarmless = isTarget ? c > 0x20 && c != 0x7F : c != 0x0D && c != 0x0A && c != 0
      if isHarmless { continue }
      put(from + start, i - start)
      start = i + 1
      if isTarget {
        put(0x25)
        for nibble in [c >> 4, c & 15] { put(nibble < 10 ? 0x30 + nibble : 0x37 + nibble) }
      } else {
        put(0x20)
      }
    }
    put(from + start, octets.count - start)
  }
}
