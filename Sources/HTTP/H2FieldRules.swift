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

  /// The value without blanks at either end: they are wrong, and harmless once they are gone.
  static func trimmed(_ value: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
    var low = 0
    var high = value.count
    while low < high, ASCII.isBlank(value[low]) { low += 1 }
    while high > low, ASCII.isBlank(value[high - 1]) { high -= 1 }
    return low == 0 && high == value.count ? value : UnsafeRawBufferPointer(rebasing: value[low..<high])
  }

  /// No control characters but tabs.
  static func isValue(_ value: UnsafeRawBufferPointer) -> Bool {
    guard let base = value.baseAddress else { return true }
    var i = Octets.firstControl(base, from: 0, to: value.count)
    while i < value.count {
      if value[i] != ASCII.tab { return false }
      i = Octets.firstControl(base, from: i &+ 1, to: value.count)
    }
    return true
  }

  /// Whether a field is about a connection of HTTP/1 (RFC 9113 section 8.2.2): none may be in a message, but `te` in a
  /// request, which may say `trailers` and nothing else.
  static func hasConnectionField(_ head: MessageHead, isRequest: Bool) -> Bool {
    head.withText { text in
      guard let base = text.baseAddress else { return false }
      for f in head.fields where head.isInside(f) {
        switch HopField.kind(base + Int(f.name), Int(f.nameLength)) {
        case .endToEnd, .host: continue
        case .framing where f.nameLength == 14: continue
        case .te where isRequest && Octets.equalsFolded(base + Int(f.value), Int(f.valueLength), "trailers"): continue
        default: return true
        }
      }
      return false
    }
  }
}
