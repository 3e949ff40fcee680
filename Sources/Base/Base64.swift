/// RFC 4648, with the plain alphabet or that of URLs.
public enum Base64 {
  private static let standard = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
  private static let url = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)

  public static func encode(_ octets: Bytes, forURLs: Bool = false) -> [UInt8] {
    let alphabet = forURLs ? url : standard
    var out: [UInt8] = []
    out.reserveCapacity((octets.count + 2) / 3 * 4)
    var i = 0
    while i < octets.count {
      let left = octets.count - i
      let word =
        UInt32(octets[i]) << 16 | UInt32(left > 1 ? octets[i + 1] : 0) << 8
        | UInt32(left > 2 ? octets[i + 2] : 0)
      out.append(alphabet[Int(word >> 18 & 63)])
      out.append(alphabet[Int(word >> 12 & 63)])
      if left > 1 { out.append(alphabet[Int(word >> 6 & 63)]) } else if !forURLs { out.append(0x3D) }
      if left > 2 { out.append(alphabet[Int(word & 63)]) } else if !forURLs { out.append(0x3D) }
      i += 3
    }
    return out
  }

  /// RFC 4648; padding is required in the plain alphabet and optional in that of URLs.
  public static func decode(_ text: Bytes, forURLs: Bool = false) -> [UInt8]? {
    var out: [UInt8] = []
    var word: UInt32 = 0
    var digits = 0
    var end = text.count
    while end > 0, text.count - end < 2, text[end - 1] == 0x3D { end -= 1 }
    if !forURLs, text.count % 4 != 0 { return nil }
    for i in 0..<end {
      guard let value = value(text[i], forURLs) else { return nil }
      word = word << 6 | UInt32(value)
      digits += 1
      if digits % 4 == 0 {
        for shift in [UInt32(16), 8, 0] { out.append(UInt8(truncatingIfNeeded: word >> shift)) }
        word = 0
      }
    }
    switch digits % 4 {
    case 1: return nil
    case 2: out.append(UInt8(truncatingIfNeeded: word >> 4))
    case 3:
      out.append(UInt8(truncatingIfNeeded: word >> 10))
      out.append(UInt8(truncatingIfNeeded: word >> 2))
    default: break
    }
    return out
  }

  private static func value(_ c: UInt8, _ forURLs: Bool) -> UInt8? {
    if ASCII.isUpper(c) { return c &- 0x41 }
    if ASCII.isLower(c) { return c &- 0x61 &+ 26 }
    if ASCII.isDigit(c) { return c &- 0x30 &+ 52 }
    if c == (forURLs ? 0x2D : 0x2B) { return 62 }
    if c == (forURLs ? 0x5F : 0x2F) { return 63 }
    return nil
  }
}
