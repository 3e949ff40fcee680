public import Base
internal import CLinux
import Glibc

/// Options of TCP sockets that the C library does not name.
extension Socket {
  /// False when the kernel has no such algorithm or does not let this process use it.
  @discardableResult
  public static func setCongestionControl(_ fd: Int32, _ name: String) -> Bool {
    name.withCString {
      setsockopt(fd, Int32(IPPROTO_TCP), 13 /* TCP_CONGESTION */, $0, socklen_t(name.utf8.count)) == 0
    }
  }

  public static func congestionControl(_ fd: Int32) -> String? {
    var name = [CChar](repeating: 0, count: 16)
    var length = socklen_t(name.count)
    guard getsockopt(fd, Int32(IPPROTO_TCP), 13, &name, &length) == 0 else { return nil }
    return String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  public static func bindToDevice(_ fd: Int32, _ interface: String) -> Bool {
    interface.withCString {
      setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, $0, socklen_t(interface.utf8.count + 1)) == 0
    }
  }

  /// Lets the socket have an address that is not this machine's; needs privileges.
  public static func setTransparent(_ fd: Int32, _ address: SocketAddress) -> Bool {
    if case .ip(.v6, _) = address { return set(fd, Int32(IPPROTO_IPV6), 75 /* IPV6_TRANSPARENT */, 1) }
    return set(fd, Int32(IPPROTO_IP), 19 /* IP_TRANSPARENT */, 1)
  }

  /// Leaves the choice of a port to `connect`, which knows the other end.
  public static func bindAddressOnly(_ fd: Int32) {
    set(fd, Int32(IPPROTO_IP), 24 /* IP_BIND_ADDRESS_NO_PORT */, 1)
  }

  public static func setUserTimeout(_ fd: Int32, milliseconds: Int64) {
    set(fd, Int32(IPPROTO_TCP), 18 /* TCP_USER_TIMEOUT */, Int32(clamping: milliseconds))
  }

  /// The first octets of a connection go with its SYN.
  public static func setFastOpenConnect(_ fd: Int32) {
    set(fd, Int32(IPPROTO_TCP), 30 /* TCP_FASTOPEN_CONNECT */, 1)
  }

  /// Signs segments (RFC 2385) to and from `peer`, or everybody on a listening socket of `family` when it has no
  /// address; false when the kernel cannot.
  public static func setSignature(_ fd: Int32, _ password: Bytes, peer: SocketAddress, isListening: Bool) -> Bool {
    // struct tcp_md5sig: an address, flags, the length of a prefix, the length of the key, an interface, the key.
    var octets = [UInt8](repeating: 0, count: 128 + 8 + 80)
    let known = peer.withSockaddr { address, length in
      octets.withUnsafeMutableBytes { $0.copyMemory(from: UnsafeRawBufferPointer(start: address, count: Int(length))) }
      return true
    }
    guard known != nil, password.count <= 80 else { return false }
    if isListening {
      // A prefix of no bits: whoever connects.
      for index in 2..<128 { octets[index] = 0 }
      octets[128] = 1
    }
    octets[130] = UInt8(password.count & 255)
    octets[131] = 0
    for index in 0..<password.count { octets[136 + index] = password[index] }
    let option: Int32 = isListening ? 32 /* TCP_MD5SIG_EXT */ : 14 /* TCP_MD5SIG */
    return setsockopt(fd, Int32(IPPROTO_TCP), option, octets, socklen_t(octets.count)) == 0
  }

  /// Sizes in octets of the kernel's buffers, and of what may wait unsent; 0 leaves them as they are.
  public static func setSizes(_ fd: Int32, receive: Int32, send: Int32, unsent: Int32) {
    if receive > 0 { set(fd, SOL_SOCKET, SO_RCVBUF, receive) }
    if send > 0 { set(fd, SOL_SOCKET, SO_SNDBUF, send) }
    if unsent > 0 { set(fd, Int32(IPPROTO_TCP), 25 /* TCP_NOTSENT_LOWAT */, unsent) }
  }
}
