import Base

/// The pseudo-header fields of a request (RFC 9113 section 8.3.1) as they arrive; their octets are kept in the head.
struct H2PseudoFields {
  var hasMethod = false
  var hasPath = false
  var scheme: Range<Int>?
  var authority: Range<Int>?
  /// Of an extended CONNECT (RFC 8441).
  var connectProtocol: Range<Int>?

  /// Takes one field; false when it is unknown or comes twice.
  mutating func add(
    _ name: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer, to head: MessageHead
  ) -> Bool {
    guard let base = name.baseAddress else { return false }
    if Octets.equalsFolded(base, name.count, ":method") {
      if hasMethod { return false }
      head.methodRange = head.keep(value)
      hasMethod = true
    } else if Octets.equalsFolded(base, name.count, ":path") {
      if hasPath { return false }
      head.targetRange = head.keep(value)
      hasPath = true
    } else if Octets.equalsFolded(base, name.count, ":scheme") {
      if scheme != nil { return false }
      scheme = head.keep(value)
    } else if Octets.equalsFolded(base, name.count, ":authority") {
      if authority != nil { return false }
      authority = head.keep(value)
    } else if Octets.equalsFolded(base, name.count, ":protocol") {
      if connectProtocol != nil { return false }
      connectProtocol = head.keep(value)
    } else {
      return false
    }
    return true
  }
}
