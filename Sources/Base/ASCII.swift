/// Octet classes and numbers of the wire formats; locale-free.
public enum ASCII {
  public static let tab: UInt8 = 0x09
  public static let lf: UInt8 = 0x0A
  public static let cr: UInt8 = 0x0D
  public static let space: UInt8 = 0x20
  public static let colon: UInt8 = 0x3A
  public static let slash: UInt8 = 0x2F
  public static let question: UInt8 = 0x3F

  @inlinable public static func isUpper(_ c: UInt8) -> Bool { c &- 0x41 < 26 }
  @inlinable public static func isLower(_ c: UInt8) -> Bool { c &- 0x61 < 26 }
  @inlinable public static func isAlpha(_ c: UInt8) -> Bool { (c | 0x20) &- 0x61 < 26 }
  @inlinable public static func isDigit(_ c: UInt8) -> Bool { c &- 0x30 < 10 }
  @inlinable public static func isBlank(_ c: UInt8) -> Bool { c == space || c == tab }
  @inlinable public static func lower(_ c: UInt8) -> UInt8 { isUpper(c) ? c | 0x20 : c }
  @inlinable public static func upper(_ c: UInt8) -> UInt8 { isLower(c) ? c & 0xDF : c }

  /// The value of a hexadecimal digit, nil for anything else.
  @inlinable
  public static func hexValue(_ c: UInt8) -> UInt8? {
    if isDigit(c) { return c &- 0x30 }
    let l = c | 0x20
    return l &- 0x61 < 6 ? l &- 0x61 &+ 10 : nil
  }

  /// An unsigned decimal of digits only; nil when empty, when anything else is in it or it overflows.
  public static func decimal(_ span: borrowing Span<UInt8>) -> UInt64? {
    guard span.count > 0 else { return nil }
    var value: UInt64 = 0
    for i in 0..<span.count {
      let c = span[i]
      guard isDigit(c) else { return nil }
      let (scaled, over1) = value.multipliedReportingOverflow(by: 10)
      let (sum, over2) = scaled.addingReportingOverflow(UInt64(c &- 0x30))
      if over1 || over2 { return nil }
      value = sum
    }
    return value
  }

  /// Whether two runs are equal when ASCII case is folded.
  public static func equalsIgnoringCase(_ a: borrowing Span<UInt8>, _ b: borrowing Span<UInt8>) -> Bool {
    guard a.count == b.count else { return false }
    for i in 0..<a.count where lower(a[i]) != lower(b[i]) { return false }
    return true
  }
}
