public import Glibc

/// An IPv4 or IPv6 address in network order, without a port.
public enum IPAddress: Hashable, Sendable {
  /// The 32 bits with the first octet highest.
  case v4(UInt32)
  case v6(high: UInt64, low: UInt64)

  /// Parses dotted-quad or IPv6 text (no brackets, no scope).
  public init?(_ text: String) {
    var four = in_addr()
    if inet_pton(AF_INET, text, &four) == 1 {
      self = .v4(UInt32(bigEndian: four.s_addr))
      return
    }
    var six = in6_addr()
    guard inet_pton(AF_INET6, text, &six) == 1 else { return nil }
    self.init(six)
  }

  public init(_ six: in6_addr) {
    let (high, low) = withUnsafeBytes(of: six) {
      ($0.loadUnaligned(fromByteOffset: 0, as: UInt64.self), $0.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
    }
    self = .v6(high: UInt64(bigEndian: high), low: UInt64(bigEndian: low))
  }

  /// 0.0.0.0 or ::, which stand for any address.
  public var isUnspecified: Bool { self == .v4(0) || self == .v6(high: 0, low: 0) }

  /// 4 or 16 octets in network order.
  public var octets: [UInt8] {
    switch self {
    case .v4(let word): withUnsafeBytes(of: word.bigEndian) { Array($0) }
    case .v6(let high, let low):
      withUnsafeBytes(of: high.bigEndian) { Array($0) } + withUnsafeBytes(of: low.bigEndian) { Array($0) }
    }
  }

  public var in6: in6_addr {
    var six = in6_addr()
    if case .v6(let high, let low) = self {
      withUnsafeMutableBytes(of: &six) {
        $0.storeBytes(of: high.bigEndian, toByteOffset: 0, as: UInt64.self)
        $0.storeBytes(of: low.bigEndian, toByteOffset: 8, as: UInt64.self)
      }
    }
    return six
  }

  /// The IPv4 address inside `::ffff:a.b.c.d`, or self.
  public var unmapped: IPAddress {
    if case .v6(0, let low) = self, low >> 32 == 0xFFFF { return .v4(UInt32(truncatingIfNeeded: low)) }
    return self
  }
}

extension IPAddress {
  /// 127.0.0.0/8 and ::1.
  public var isLoopback: Bool {
    switch unmapped {
    case .v4(let word): word >> 24 == 127
    case .v6(let high, let low): high == 0 && low == 1
    }
  }
}

extension IPAddress: CustomStringConvertible {
  public var description: String {
    switch self {
    case .v4(let w): return "\(w >> 24).\(w >> 16 & 255).\(w >> 8 & 255).\(w & 255)"
    case .v6:
      var six = in6
      return withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(INET6_ADDRSTRLEN)) { text in
        guard inet_ntop(AF_INET6, &six, text.baseAddress, socklen_t(text.count)) != nil,
          let base = text.baseAddress
        else { return "::" }
        return String(cString: base)
      }
    }
  }
}

/// Where a socket is or connects to.
public enum SocketAddress: Hashable, Sendable {
  case ip(IPAddress, port: UInt16)
  /// A path, or an abstract name when it starts with a NUL.
  case unix(String)
  /// No address is known (a `fd@` socket, an unnamed peer).
  case none

  /// Octets of a `sun_path`.
  static let unixBound = 108

  /// A name in Linux' abstract name space: `abnsz@` ends with its last octet, `abns@` is filled up with NULs.
  public static func abstract(_ name: String, isPadded: Bool) -> SocketAddress {
    .unix(abstractPath(name, isPadded: isPadded))
  }

  /// The same as the path of `.unix`.
  public static func abstractPath(_ name: String, isPadded: Bool) -> String {
    let missing = isPadded ? Swift.max(0, unixBound - 1 - name.utf8.count) : 0
    return "\0" + name + String(repeating: "\0", count: missing)
  }

  /// The name of an abstract address, without what fills it up, and whether that was there.
  public var abstractName: (name: String, isPadded: Bool)? {
    guard case .unix(let path) = self, path.utf8.first == 0 else { return nil }
    let name = path.utf8.dropFirst().reversed().drop { $0 == 0 }.reversed()
    return (String(decoding: Array(name), as: UTF8.self), path.utf8.last == 0)
  }

  public var ip: IPAddress? { if case .ip(let a, _) = self { a } else { nil } }
  public var port: UInt16? { if case .ip(_, let p) = self { p } else { nil } }

  public init(_ storage: sockaddr_storage, length: Int) {
    self = withUnsafeBytes(of: storage) { raw in
      switch Int32(storage.ss_family) {
      case AF_INET where length >= MemoryLayout<sockaddr_in>.size:
        let sin = raw.load(as: sockaddr_in.self)
        return .ip(.v4(UInt32(bigEndian: sin.sin_addr.s_addr)), port: UInt16(bigEndian: sin.sin_port))
      case AF_INET6 where length >= MemoryLayout<sockaddr_in6>.size:
        let sin6 = raw.load(as: sockaddr_in6.self)
        return .ip(IPAddress(sin6.sin6_addr).unmapped, port: UInt16(bigEndian: sin6.sin6_port))
      case AF_UNIX:
        let path = raw[2..<Swift.max(2, Swift.min(length, raw.count))]
        if path.isEmpty { return .unix("") }
        let text = path.first == 0 ? path : path.prefix { $0 != 0 }
        return .unix(String(decoding: text, as: UTF8.self))
      default: return .none
      }
    }
  }

  /// The kernel's form; nil for `.none` and for a path that does not fit.
  public func withSockaddr<R>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> R) -> R? {
    var storage = sockaddr_storage()
    let length: Int? = withUnsafeMutableBytes(of: &storage) { raw in
      switch self {
      case .ip(.v4(let word), let port):
        var sin = sockaddr_in()
        sin.sin_family = sa_family_t(AF_INET)
        sin.sin_port = port.bigEndian
        sin.sin_addr.s_addr = word.bigEndian
        raw.storeBytes(of: sin, as: sockaddr_in.self)
        return MemoryLayout<sockaddr_in>.size
      case .ip(let six, let port):
        var sin6 = sockaddr_in6()
        sin6.sin6_family = sa_family_t(AF_INET6)
        sin6.sin6_port = port.bigEndian
        sin6.sin6_addr = six.in6
        raw.storeBytes(of: sin6, as: sockaddr_in6.self)
        return MemoryLayout<sockaddr_in6>.size
      case .unix(let path):
        let octets = Array(path.utf8)
        // A path is ended by a NUL, an abstract name by the address's length.
        guard octets.count < SocketAddress.unixBound || octets.count == SocketAddress.unixBound && octets[0] == 0
        else { return nil }
        raw.storeBytes(of: sa_family_t(AF_UNIX), as: sa_family_t.self)
        for (i, c) in octets.enumerated() { raw[2 + i] = c }
        return 2 + octets.count + (octets.first == 0 ? 0 : 1)
      case .none: return nil
      }
    }
    guard let length else { return nil }
    return withUnsafePointer(to: &storage) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(length)) }
    }
  }
}

extension SocketAddress {
  /// `address:port` without brackets, `unix:1` for a Unix peer: HAProxy's form in logs.
  public var logText: String {
    switch self {
    case .ip(let address, let port): "\(address):\(port)"
    case .unix, .none: "unix:1"
    }
  }
}

extension SocketAddress: CustomStringConvertible {
  public var description: String {
    switch self {
    case .ip(let address, let port):
      if case .v6 = address { return "[\(address)]:\(port)" }
      return "\(address):\(port)"
    case .unix(let path):
      if let (name, isPadded) = abstractName { return (isPadded ? "abns@" : "abnsz@") + name }
      return path.isEmpty ? "unix" : path
    case .none: return "<none>"
    }
  }
}
