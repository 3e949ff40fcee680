import Base

/// What a field line of HTTP/2 may look like (RFC 9113 sections 8.2.1 and 8.3).
///
/// The library's own checks of messages are off, because they refuse requests that name no authority; these stand
/// in for them.
enum H2FieldRules {
  /// A token without upper-case letters.
  static func isName(_ name: UnsafeRawBufferPointer) -> Bool {
    if name.isEmpty { return false }
    for c in name where !Octets.isToken(c) || ASCII.isUpper(c) { return false }
    return true
  }

  /// No control characters but tabs inside, and no blanks at either end.
  static func isValue(_ value: UnsafeRawBufferPointer) -> Bool {
    guard let base = value.baseAddress, let first = value.first, let last = value.last else { return true }
    if ASCII.isBlank(first) || ASCII.isBlank(last) { return false }
    var i = Octets.firstControl(base, from: 0, to: value.count)
    while i < value.count {
      if value[i] != ASCII.tab { return false }
      i = Octets.firstControl(base, from: i &+ 1, to: value.count)
    }
    return true
  }
}
