public import Base

/// A field name in lower case with its precomputed tag, for look-ups.
public struct FieldName: Hashable, Sendable {
  public let bytes: Bytes
  @usableFromInline let tag: UInt32

  public init(_ name: Bytes) {
    let folded = name.lowercased
    bytes = folded
    tag = folded.withUnsafeBytes { FieldName.tag(of: $0) }
  }

  public init(_ name: String) { self.init(Bytes(name)) }

  /// A cheap fingerprint of a name: unequal tags mean unequal names. Letter case does not change it.
  @inlinable
  static func tag(of name: UnsafeRawBufferPointer) -> UInt32 {
    guard let base = name.baseAddress else { return 0 }
    var head: UInt64 = 0
    var tail: UInt64 = 0
    if name.count >= 8 {
      head = UInt64(littleEndian: base.loadUnaligned(as: UInt64.self))
      tail = UInt64(
        littleEndian: base.loadUnaligned(fromByteOffset: name.count &- 8, as: UInt64.self))
    } else if name.count >= 4 {
      head = UInt64(UInt32(littleEndian: base.loadUnaligned(as: UInt32.self)))
      tail = UInt64(
        UInt32(littleEndian: base.loadUnaligned(fromByteOffset: name.count &- 4, as: UInt32.self)))
    } else {
      for byte in name { head = head << 8 | UInt64(byte) }
    }
    // Setting bit 5 folds the letters; the few other pairs that it folds only cost a full comparison.
    head |= 0x2020_2020_2020_2020
    tail |= 0x2020_2020_2020_2020
    let mixed = (head &* 0x9E37_79B9_7F4A_7C15) ^ (tail &* 0xC2B2_AE3D_27D4_EB4F) &+ UInt64(name.count)
    return UInt32(truncatingIfNeeded: mixed >> 32)
  }
}

extension FieldName: ExpressibleByStringLiteral {
  public init(stringLiteral value: String) { self.init(value) }
}

/// Names that the codecs look for, made once.
extension FieldName {
  static let connection = FieldName("connection")
  static let contentLength = FieldName("content-length")
  static let cookie = FieldName("cookie")
  static let expect = FieldName("expect")
  static let host = FieldName("host")
  static let te = FieldName("te")
  static let transferEncoding = FieldName("transfer-encoding")
  static let upgrade = FieldName("upgrade")
}
