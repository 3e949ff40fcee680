public import Base
internal import CLinux
import Glibc

/// What a read or write came to.
public enum IOResult: Equatable, Sendable {
  case bytes(Int)
  /// Nothing now; an event will tell.
  case wouldBlock
  /// Reading only: the peer has finished sending.
  case endOfStream
  /// The connection is of no more use; the errno.
  case failed(Int32)
}

/// The system calls on sockets, each with its errors as values.
public enum Socket {
  /// A non-blocking, close-on-exec stream socket for `address`; nil with errno set when the kernel refuses.
  public static func stream(for address: SocketAddress) -> Int32? {
    let family =
      switch address {
      case .ip(.v4, _): AF_INET
      case .ip(.v6, _): AF_INET6
      case .unix, .none: AF_UNIX
      }
    let fd = socket(family, Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue), 0)
    return fd < 0 ? nil : fd
  }

  /// The same for datagrams.
  public static func datagram(for address: SocketAddress) -> Int32? {
    let family = if case .ip(.v6, _) = address { AF_INET6 } else { AF_INET }
    let fd = socket(family, Int32(SOCK_DGRAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue), 0)
    return fd < 0 ? nil : fd
  }

  /// Starts to connect; nil when under way or done, an errno otherwise.
  public static func connect(_ fd: Int32, to address: SocketAddress) -> Int32? {
    let result = address.withSockaddr { Glibc.connect(fd, $0, $1) }
    guard let result else { return EINVAL }
    if result == 0 || errno == EINPROGRESS || errno == EINTR { return nil }
    return errno
  }

  /// The outcome of a connect that has become writable: 0 or an errno.
  public static func pendingError(_ fd: Int32) -> Int32 {
    var value: Int32 = 0
    var length = socklen_t(MemoryLayout<Int32>.size)
    return getsockopt(fd, SOL_SOCKET, SO_ERROR, &value, &length) == 0 ? value : errno
  }

  public static func accept(_ fd: Int32) -> (result: IOResult, descriptor: Int32, peer: SocketAddress) {
    var storage = sockaddr_storage()
    var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
    let accepted = withUnsafeMutablePointer(to: &storage) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        accept4(fd, $0, &length, Int32(SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue))
      }
    }
    if accepted >= 0 { return (.bytes(1), accepted, SocketAddress(storage, length: Int(length))) }
    return (failure(), -1, .none)
  }

  @inline(__always)
  private static func failure() -> IOResult {
    let code = errno
    return code == EAGAIN || code == EINTR || code == ECONNABORTED ? .wouldBlock : .failed(code)
  }

  public static func receive(_ fd: Int32, into room: UnsafeMutableRawBufferPointer) -> IOResult {
    let n = recv(fd, room.baseAddress, room.count, 0)
    if n > 0 { return .bytes(n) }
    return n == 0 ? .endOfStream : failure()
  }

  /// One datagram, cut to `room`, and who sent it.
  public static func receiveDatagram(_ fd: Int32, into room: UnsafeMutableRawBufferPointer)
    -> (result: IOResult, source: SocketAddress)
  {
    var storage = sockaddr_storage()
    var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
    let n = withUnsafeMutablePointer(to: &storage) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        recvfrom(fd, room.baseAddress, room.count, Int32(MSG_DONTWAIT), $0, &length)
      }
    }
    return n >= 0 ? (.bytes(n), SocketAddress(storage, length: Int(length))) : (failure(), .none)
  }

  /// Sends without raising SIGPIPE; `more` holds a partial segment back for what follows at once.
  public static func send(_ fd: Int32, _ bytes: UnsafeRawBufferPointer, more: Bool = false) -> IOResult {
    let flags = Int32(MSG_NOSIGNAL) | (more ? Int32(MSG_MORE) : 0)
    let n = Glibc.send(fd, bytes.baseAddress, bytes.count, flags)
    return n >= 0 ? .bytes(n) : failure()
  }

  /// Sends two runs in one call.
  public static func send(
    _ fd: Int32, _ first: UnsafeRawBufferPointer, _ second: UnsafeRawBufferPointer
  ) -> IOResult {
    withUnsafeTemporaryAllocation(of: iovec.self, capacity: 2) { vectors in
      vectors[0] = iovec(iov_base: UnsafeMutableRawPointer(mutating: first.baseAddress), iov_len: first.count)
      vectors[1] = iovec(iov_base: UnsafeMutableRawPointer(mutating: second.baseAddress), iov_len: second.count)
      var message = msghdr()
      message.msg_iov = vectors.baseAddress
      message.msg_iovlen = 2
      let n = sendmsg(fd, &message, Int32(MSG_NOSIGNAL))
      return n >= 0 ? .bytes(n) : failure()
    }
  }

  public static func shutdownWrite(_ fd: Int32) { _ = shutdown(fd, Int32(SHUT_WR)) }

  /// Makes close() reset the connection in place of an orderly end.
  public static func setLingerZero(_ fd: Int32) {
    var value = linger(l_onoff: 1, l_linger: 0)
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &value, socklen_t(MemoryLayout<linger>.size))
  }

  /// Makes close() say nothing to the peer, neither FIN nor RST (`silent-drop`).
  ///
  /// TCP_REPAIR needs privileges; without them the answer leaves with a TTL of 1 and dies on the way.
  public static func vanish(_ fd: Int32) {
    setLingerZero(fd)
    if set(fd, Int32(IPPROTO_TCP), 19 /* TCP_REPAIR */, 1) { return }
    set(fd, Int32(IPPROTO_IP), IP_TTL, 1)
    set(fd, Int32(IPPROTO_IPV6), IPV6_UNICAST_HOPS, 1)
  }

  /// Makes close() reset the connection with a packet that gets past no more than `hops` routers.
  public static func resetOnClose(_ fd: Int32, hops: Int32) {
    setLingerZero(fd)
    set(fd, Int32(IPPROTO_IP), IP_TTL, hops)
    set(fd, Int32(IPPROTO_IPV6), IPV6_UNICAST_HOPS, hops)
  }

  public static func setNoDelay(_ fd: Int32) { set(fd, Int32(IPPROTO_TCP), TCP_NODELAY, 1) }
  /// Probes of idle connections; a number that is not above 0 leaves the kernel's own. Times are in seconds.
  public static func setKeepAlive(_ fd: Int32, count: Int = 0, idle: Int64 = 0, interval: Int64 = 0) {
    set(fd, SOL_SOCKET, SO_KEEPALIVE, 1)
    if count > 0 { set(fd, Int32(IPPROTO_TCP), TCP_KEEPCNT, Int32(clamping: count)) }
    if idle > 0 { set(fd, Int32(IPPROTO_TCP), TCP_KEEPIDLE, Int32(clamping: idle)) }
    if interval > 0 { set(fd, Int32(IPPROTO_TCP), TCP_KEEPINTVL, Int32(clamping: interval)) }
  }
  /// One of the two levels does not apply, which the kernel says and nobody hears.
  public static func setTypeOfService(_ fd: Int32, _ value: Int32) {
    set(fd, Int32(IPPROTO_IP), IP_TOS, value)
    set(fd, Int32(IPPROTO_IPV6), IPV6_TCLASS, value)
  }

  /// Needs privileges; without them the packets stay unmarked.
  public static func setMark(_ fd: Int32, _ value: UInt32) {
    set(fd, SOL_SOCKET, SO_MARK, Int32(bitPattern: value))
  }

  public static func setQuickAck(_ fd: Int32, _ on: Bool) {
    set(fd, Int32(IPPROTO_TCP), TCP_QUICKACK, on ? 1 : 0)
  }

  @discardableResult
  public static func set(_ fd: Int32, _ level: Int32, _ option: Int32, _ value: Int32) -> Bool {
    var value = value
    return setsockopt(fd, level, option, &value, socklen_t(MemoryLayout<Int32>.size)) == 0
  }

  /// An inherited descriptor, made ready for an event loop.
  public static func adopt(_ fd: Int32) -> Bool {
    gh_set_nonblocking(fd) == 0 && gh_set_cloexec(fd, 1) == 0
  }

  /// Whether a socket may have the address, which is to ask whether it is one of this machine's.
  public static func isLocal(_ address: IPAddress) -> Bool {
    let place = SocketAddress.ip(address, port: 0)
    guard let fd = datagram(for: place) else { return false }
    defer { close(fd) }
    return place.withSockaddr { bind(fd, $0, $1) == 0 } ?? false
  }

  /// What TCP_INFO tells; times in microseconds.
  public struct Information: Sendable {
    public var roundTrip, roundTripVariation, unacknowledged, selectivelyAcknowledged: UInt32
    public var lost, retransmitted, forwardAcknowledged, reordering: UInt32
  }

  /// nil for anything but a TCP socket.
  public static func information(_ fd: Int32) -> Information? {
    var info = tcp_info()
    var length = socklen_t(MemoryLayout<tcp_info>.size)
    guard getsockopt(fd, Int32(IPPROTO_TCP), TCP_INFO, &info, &length) == 0 else { return nil }
    return Information(
      roundTrip: info.tcpi_rtt, roundTripVariation: info.tcpi_rttvar, unacknowledged: info.tcpi_unacked,
      selectivelyAcknowledged: info.tcpi_sacked, lost: info.tcpi_lost, retransmitted: info.tcpi_retrans,
      forwardAcknowledged: info.tcpi_fackets, reordering: info.tcpi_reordering)
  }

  /// `tcp-ss`: the SYN that a connection began with; nil when the kernel did not keep it, or gave it away before.
  public static func savedSYN(_ fd: Int32) -> [UInt8]? {
    guard fd >= 0 else { return nil }
    var packet = [UInt8](repeating: 0, count: 256)
    var length = socklen_t(packet.count)
    guard getsockopt(fd, Int32(IPPROTO_TCP), TCP_SAVED_SYN, &packet, &length) == 0, length > 0 else { return nil }
    return Array(packet.prefix(Int(length)))
  }

  public static func localAddress(_ fd: Int32) -> SocketAddress { address(fd, getsockname) }
  public static func peerAddress(_ fd: Int32) -> SocketAddress { address(fd, getpeername) }

  private static func address(
    _ fd: Int32, _ call: (Int32, UnsafeMutablePointer<sockaddr>, UnsafeMutablePointer<socklen_t>) -> Int32
  ) -> SocketAddress {
    var storage = sockaddr_storage()
    var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
    let result = withUnsafeMutablePointer(to: &storage) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { call(fd, $0, &length) }
    }
    return result == 0 ? SocketAddress(storage, length: Int(length)) : .none
  }

  /// Moves up to `count` octets between a socket and a pipe without copying them to user space.
  public static func splice(from source: Int32, to target: Int32, count: Int) -> IOResult {
    let n = CLinux.splice(
      source, nil, target, nil, count, UInt32(GH_SPLICE_F_MOVE | GH_SPLICE_F_NONBLOCK))
    if n > 0 { return .bytes(n) }
    return n == 0 ? .endOfStream : failure()
  }

  /// A non-blocking pipe for `splice`.
  public static func pipe() -> (read: Int32, write: Int32)? {
    var ends: [Int32] = [0, 0]
    guard pipe2(&ends, O_NONBLOCK | O_CLOEXEC) == 0 else { return nil }
    return (ends[0], ends[1])
  }
}

/// The text of an errno.
public func describe(errno code: Int32) -> String {
  guard let text = strerror(code) else { return "error \(code)" }
  return String(cString: text)
}
