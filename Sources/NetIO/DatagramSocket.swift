public import Base
import Glibc

extension Socket {
  /// A non-blocking datagram socket that talks to `address` alone; nil with errno set when that cannot be.
  public static func datagram(to address: SocketAddress) -> Int32? {
    let family: Int32
    switch address {
    case .ip(.v4, _): family = AF_INET
    case .ip(.v6, _): family = AF_INET6
    case .unix: family = AF_UNIX
    case .none: return nil
    }
    let fd = socket(family, Int32(SOCK_DGRAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue), 0)
    guard fd >= 0 else { return nil }
    if address.withSockaddr({ Glibc.connect(fd, $0, $1) }) == 0 { return fd }
    let code = errno
    close(fd)
    errno = code
    return nil
  }

  /// Whether the kernel knows a way to the IPv6 internet; nothing is sent.
  public static var hasIPv6Route: Bool {
    // Any address of the wide world would do; this is a root name server.
    guard let root = IPAddress("2001:500:2f::f"), let fd = datagram(to: .ip(root, port: 53)) else {
      return false
    }
    close(fd)
    return true
  }
}
