/// `HTTP/` and two digits around a dot.
enum VersionReader {
  /// Reads the eight octets at `offset`. A minor version above 1 counts as 1 (RFC 9110 section 2.5).
  @inline(__always)
  static func read(_ base: UnsafeRawPointer, at offset: Int) -> Result<HTTPVersion, HTTPFault> {
    let word = UInt64(littleEndian: base.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
    if word == 0x312E_312F_5054_5448 { return .success(.http11) }
    if word == 0x302E_312F_5054_5448 { return .success(.http10) }
    return unusual(base, at: offset)
  }

  private static func unusual(_ base: UnsafeRawPointer, at offset: Int) -> Result<HTTPVersion, HTTPFault> {
    if let fault = partialFault(base, from: offset, to: offset + 8) { return .failure(fault) }
    let major = base.load(fromByteOffset: offset + 5, as: UInt8.self)
    if major == 0x31 { return .success(.http11) }
    return .failure(HTTPFault(505, .unsupportedVersion, at: offset))
  }

  /// The fault of octets that cannot become a version, nil while they still can.
  static func partialFault(_ base: UnsafeRawPointer, from: Int, to: Int) -> HTTPFault? {
    let pattern: StaticString = "HTTP/0.0"
    for i in 0..<Swift.min(to - from, 8) {
      let c = base.load(fromByteOffset: from + i, as: UInt8.self)
      let matches = i == 5 || i == 7 ? c &- 0x30 < 10 : c == pattern.utf8Start[i]
      if !matches { return HTTPFault(400, .badVersion, at: from + i) }
    }
    return nil
  }
}
