public import Base
internal import CLinux
import Glibc

/// Opens sockets that accept connections.
public enum ListeningSocket {
  public struct Options: Sendable {
    public var backlog: Int32 = 1024
    /// Every worker opens its own socket and the kernel spreads connections over them.
    public var reusePort = true
    public var v6only = false
    public var interface: String?
    public var transparent = false
    public var deferAccept = false
    /// For datagrams: bound, and nothing to accept.
    public var isDatagram = false
    public var fastOpen = false
    /// `tcp-ss`: 1 keeps the IP and TCP headers of SYN packets, 2 the Ethernet header too.
    public var savedSYN: Int32?
    public var maxSegmentSize: Int32?
    public var userTimeoutMilliseconds: Int32?
    /// The algorithm of TCP's congestion control; one that the kernel refuses leaves its own.
    public var congestionControl: String?
    /// What segments are signed with (RFC 2385).
    public var segmentPassword: Bytes?
    /// Unix sockets: permission bits and owner of the path.
    public var mode: UInt32?
    public var uid: UInt32?
    public var gid: UInt32?
    public init() {}
  }

  /// Why a socket could not be opened: the call that failed and its errno.
  public struct Failure: Error {
    public var call: String
    public var code: Int32
    public init(call: String, code: Int32) {
      self.call = call
      self.code = code
    }
    public var text: String { "cannot \(call) (\(describe(errno: code)))" }
  }

  public static func open(_ address: SocketAddress, _ options: Options) throws(Failure) -> Int32 {
    let created = options.isDatagram ? Socket.datagram(for: address) : Socket.stream(for: address)
    guard let fd = created else { throw Failure(call: "create socket", code: errno) }
    do throws(Failure) {
      if case .unix(let path) = address, path.utf8.first != 0 {
        try bindPath(fd, path, options)
      } else {
        try bindAddress(fd, address, options)
      }
      if !options.isDatagram, listen(fd, options.backlog) != 0 { throw Failure(call: "listen to socket", code: errno) }
    } catch let failure {
      close(fd)
      throw failure
    }
    return fd
  }

  private static func bindAddress(_ fd: Int32, _ address: SocketAddress, _ options: Options) throws(Failure) {
    if address.ip != nil {
      Socket.set(fd, SOL_SOCKET, SO_REUSEADDR, 1)
      if options.reusePort { Socket.set(fd, SOL_SOCKET, SO_REUSEPORT, 1) }
      if case .v6 = address.ip {
        Socket.set(fd, Int32(IPPROTO_IPV6), IPV6_V6ONLY, options.v6only ? 1 : 0)
      }
      if options.transparent { Socket.set(fd, Int32(IPPROTO_IP), 19 /* IP_TRANSPARENT */, 1) }
      if options.deferAccept { Socket.set(fd, Int32(IPPROTO_TCP), TCP_DEFER_ACCEPT, 1) }
      if options.fastOpen { Socket.set(fd, Int32(IPPROTO_TCP), 23 /* TCP_FASTOPEN */, 256) }
      if let depth = options.savedSYN { Socket.set(fd, Int32(IPPROTO_TCP), TCP_SAVE_SYN, depth) }
      if let size = options.maxSegmentSize { Socket.set(fd, Int32(IPPROTO_TCP), TCP_MAXSEG, size) }
      if let time = options.userTimeoutMilliseconds {
        Socket.set(fd, Int32(IPPROTO_TCP), 18 /* TCP_USER_TIMEOUT */, time)
      }
      if let algorithm = options.congestionControl { Socket.setCongestionControl(fd, algorithm) }
      if let password = options.segmentPassword,
        !Socket.setSignature(fd, password, peer: address, isListening: true)
      {
        throw Failure(call: "set MD5 signature", code: errno)
      }
      if let interface = options.interface, !Socket.bindToDevice(fd, interface) {
        throw Failure(call: "bind listener to device", code: errno)
      }
    }
    let bound = address.withSockaddr { bind(fd, $0, $1) }
    if bound != 0 { throw Failure(call: "bind socket", code: bound == nil ? EINVAL : errno) }
  }

  /// Binds beside the path and renames into place, so that there is no moment without a socket.
  private static func bindPath(_ fd: Int32, _ path: String, _ options: Options) throws(Failure) {
    let temporary = "\(path).\(getpid()).tmp"
    unlink(temporary)
    let bound = SocketAddress.unix(temporary).withSockaddr { bind(fd, $0, $1) }
    guard let bound else { throw Failure(call: "bind UNIX socket: path is too long", code: ENAMETOOLONG) }
    if bound != 0 { throw Failure(call: "bind UNIX socket", code: errno) }
    if let mode = options.mode, chmod(temporary, mode) != 0 {
      throw Failure(call: "change permissions of UNIX socket", code: errno)
    }
    if options.uid != nil || options.gid != nil,
      chown(temporary, options.uid ?? .max, options.gid ?? .max) != 0
    {
      throw Failure(call: "change owner of UNIX socket", code: errno)
    }
    if rename(temporary, path) != 0 { throw Failure(call: "switch final and temporary UNIX sockets", code: errno) }
  }
}
