public import Base

/// The parts of a request target that is not a plain path (RFC 9112 section 3.2).
enum RequestTarget {
  /// Host and port as ranges of the target's octets, user information left out.
  struct Authority {
    var host: Range<Int>
    /// The port's digits; nil without a colon.
    var port: Range<Int>?
    /// What the scheme, or CONNECT, stands for when no port is given; 0 when unknown.
    var defaultPorts: (UInt16, UInt16)
    var isConnect = false
    /// Nothing follows the authority.
    var lacksPath = false
  }

  static func read(
    _ target: UnsafeRawBufferPointer, isConnect: Bool, isOptions: Bool
  ) -> (form: TargetForm, authority: Authority?)? {
    if isConnect { return connect(target).map { (.authority, $0) } }
    if target.count == 1, target[0] == 0x2A { return isOptions ? (.asterisk, nil) : nil }
    return absolute(target).map { (.absolute, $0) }
  }

  private static func connect(_ target: UnsafeRawBufferPointer) -> Authority? {
    guard let (host, port) = HostSyntax.split(target, in: 0..<target.count), !host.isEmpty,
      let port, !port.isEmpty
    else { return nil }
    return Authority(host: host, port: port, defaultPorts: (80, 443), isConnect: true)
  }

  private static func absolute(_ target: UnsafeRawBufferPointer) -> Authority? {
    guard let first = target.first, ASCII.isAlpha(first), let base = target.baseAddress else { return nil }
    var i = 1
    while i < target.count {
      let c = target[i]
      guard ASCII.isAlpha(c) || ASCII.isDigit(c) || c == 0x2B || c == 0x2D || c == 0x2E else { break }
      i += 1
    }
    guard i + 2 < target.count, target[i] == 0x3A, target[i + 1] == 0x2F, target[i + 2] == 0x2F else {
      return nil
    }
    let scheme = i
    let start = i + 3
    var end = start
    var hostStart = start
    while end < target.count {
      let c = target[end]
      if c == 0x2F || c == 0x3F || c == 0x23 { break }
      if c == 0x40 { hostStart = end + 1 }
      end += 1
    }
    guard let (host, port) = HostSyntax.split(target, in: hostStart..<end) else { return nil }
    let ports: UInt16 =
      Octets.equalsFolded(base, scheme, "http") ? 80 : Octets.equalsFolded(base, scheme, "https") ? 443 : 0
    return Authority(host: host, port: port, defaultPorts: (ports, ports), lacksPath: end == target.count)
  }
}

/// The grammar of `host [":" port]` (RFC 3986 section 3.2, without user information).
public enum HostSyntax {
  /// Unreserved, percent and sub-delims without the comma, which splits lists: a bit for each octet.
  private static let low: UInt64 = 0x2BFF_6FF2_0000_0000
  private static let high: UInt64 = 0x47FF_FFFE_87FF_FFFE

  @inline(__always)
  private static func isRegName(_ c: UInt8) -> Bool {
    let word = c < 64 ? low : high
    return c < 128 && (word &>> UInt64(c & 63)) & 1 == 1
  }

  /// Whether all of `bytes` is a host, possibly with a port; both may be empty.
  public static func isValid(_ bytes: Bytes) -> Bool {
    bytes.withUnsafeBytes { split($0, in: 0..<$0.count) != nil }
  }

  /// Splits octets into host and port; nil when they break the grammar or the port exceeds 65535.
  static func split(_ text: UnsafeRawBufferPointer, in range: Range<Int>) -> (Range<Int>, Range<Int>?)? {
    var i = range.lowerBound
    if i < range.upperBound, text[i] == 0x5B {
      i += 1
      while i < range.upperBound, isAddressOctet(text[i]) { i += 1 }
      guard i < range.upperBound, text[i] == 0x5D, i > range.lowerBound + 1 else { return nil }
      i += 1
    } else {
      while i < range.upperBound, isRegName(text[i]) { i += 1 }
    }
    let host = range.lowerBound..<i
    if i == range.upperBound { return (host, nil) }
    guard text[i] == 0x3A else { return nil }
    let port = (i + 1)..<range.upperBound
    guard port.count <= 5 else { return nil }
    var number = 0
    for j in port {
      guard ASCII.isDigit(text[j]) else { return nil }
      number = number &* 10 &+ Int(text[j] &- 0x30)
    }
    return number <= 65535 ? (host, port) : nil
  }

  private static func isAddressOctet(_ c: UInt8) -> Bool {
    ASCII.hexValue(c) != nil || c == 0x3A || c == 0x2E
  }
}
