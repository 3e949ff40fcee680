import Base

/// What a field line of HTTP/2 may look like (RFC 9113 sections 8.2.1 and 8.3).
///
/// The library's own checks of messages are off, because they refuse requests that name no authority; these stand
/// in for them.
enum H2FieldRules {
  /// A token without upper-case letters.
  static func isName(_ name: UnsafeRawBufferPointer) -> Bool {
    guard let base = name.baseAddress, name.count > 0 else { return false }
    if Octets.firstNonToken(base, from: 0, to: name.count) != name.count { return false }
    return !name.contains(where: ASCII.isUpper)
  }

  /// No control characters but tabs inside, and no blanks at either end.
  static func isValue(_ value: UnsafeRawBufferPointer) -> Bool {
    guard let first = value.first, let last = value.last else { return true }
    if ASCII.isBlank(first) || ASCII.isBlank(last) { return false }
    return !value.contains { $0 < 0x20 && $0 != ASCII.tab || $0 == 0x7F }
  }
}
