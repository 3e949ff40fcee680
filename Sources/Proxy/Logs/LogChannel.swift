import Base
import Config
import Glibc
import NetIO
import Synchronization

/// Where finished lines go. Taking one never blocks; shared by all workers.
protocol LogSink: AnyObject, Sendable {
  /// Takes a line without its end, whose text begins at `textAt`; false when it is lost. What is left of `line`
  /// does not matter any more.
  func take(_ line: inout [UInt8], textAt: Int) -> Bool
  /// What lines without a `format` or `len` of their own have.
  var format: LogTarget.Format? { get }
  var maxLength: Int? { get }
}

extension LogSink {
  var format: LogTarget.Format? { nil }
  var maxLength: Int? { nil }
}

/// Everything that `log` lines name, made once for each destination of the configuration.
final class LogChannels {
  private var byDestination: [LogTarget.Destination: any LogSink] = [:]
  private(set) var rings: [Ring] = []
  private var backends: [String: LogBackend] = [:]

  init(_ configuration: Configuration = Configuration()) {
    rings.append(Ring(name: "buf0", description: "in-memory ring buffer", size: 1 << 20, format: .timed))
    for settings in configuration.rings {
      rings.append(Ring(settings, defaultSize: configuration.global.bufferSize))
    }
  }

  /// nil when the destination cannot be resolved.
  func sink(for destination: LogTarget.Destination) -> (any LogSink)? {
    if let known = byDestination[destination] { return known }
    guard let sink = make(destination) else { return nil }
    byDestination[destination] = sink
    return sink
  }

  private func make(_ destination: LogTarget.Destination) -> (any LogSink)? {
    switch destination {
    case .descriptor(let fd): return LogChannel(descriptor: fd)
    case .unixDatagram(let path): return LogChannel(.unix(path))
    case .udp(let host, let port):
      return HostResolver.resolve(host).map { LogChannel(.ip($0, port: port)) }
    case .stream(let host, let port):
      guard let address = HostResolver.resolve(host) else { return nil }
      return implicitRing(to: .ip(address, port: port), "created from log directive")
    case .ring(let name): return rings.first { $0.name == name }
    case .backend(let name): return backend(named: name)
    }
  }

  /// The log backend of that name, which may not be there yet.
  func backend(named name: String) -> LogBackend {
    if let known = backends[name] { return known }
    let backend = LogBackend()
    backends[name] = backend
    return backend
  }

  private func implicitRing(to address: SocketAddress, _ description: String) -> Ring {
    let number = rings.count { $0.name.hasPrefix("ring#") } + 1
    let ring = Ring(name: "ring#\(number)", description: description, size: 16_384, format: nil)
    ring.servers.append(RingTarget(address: address))
    rings.append(ring)
    return ring
  }

  /// A ring that empties into a server of a log backend.
  func ring(for server: Server, _ target: RingTarget) -> Ring {
    let ring = Ring(
      name: "\(server.backendName)/\(server.name)", description: "created from log backend",
      size: server.settings.logBufferSize ?? 16_384, format: nil)
    ring.servers.append(target)
    rings.append(ring)
    return ring
  }
}

/// A datagram socket or an open descriptor that lines are written to.
final class LogChannel: LogSink {
  private let address: SocketAddress
  private let fixedDescriptor: Int32?
  private let descriptor = Atomic<Int32>(-1)

  /// A descriptor that is open already.
  init(descriptor: Int32) {
    fixedDescriptor = descriptor
    address = .none
  }

  /// Opens a socket for `address` now, before chroot and before privileges are dropped.
  init(_ address: SocketAddress) {
    fixedDescriptor = nil
    self.address = address
    _ = socketDescriptor()
  }

  deinit {
    let opened = descriptor.load(ordering: .acquiring)
    if opened >= 0 { close(opened) }
  }

  private func socketDescriptor() -> Int32 {
    let known = descriptor.load(ordering: .acquiring)
    if known >= 0 { return known }
    let family: Int32
    switch address {
    case .ip(.v4, _): family = AF_INET
    case .ip(.v6, _): family = AF_INET6
    default: family = AF_UNIX
    }
    let type = Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
    let opened = socket(family, type, 0)
    guard opened >= 0 else { return -1 }
    // A connected socket survives chroot, where a path is out of sight, and need not look for a route each time.
    _ = address.withSockaddr { connect(opened, $0, $1) }
    let (exchanged, original) = descriptor.compareExchange(
      expected: -1, desired: opened, ordering: .acquiringAndReleasing)
    if !exchanged {
      close(opened)
      return original
    }
    return opened
  }

  func take(_ line: inout [UInt8], textAt: Int) -> Bool {
    line.append(ASCII.lf)
    return send(line)
  }

  private func send(_ line: [UInt8]) -> Bool {
    line.withUnsafeBytes { bytes in
      if let fd = fixedDescriptor { return write(fd, bytes.baseAddress, bytes.count) == bytes.count }
      let fd = socketDescriptor()
      let flags = Int32(MSG_DONTWAIT) | Int32(MSG_NOSIGNAL)
      if Glibc.send(fd, bytes.baseAddress, bytes.count, flags) >= 0 { return true }
      if errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOBUFS || errno == EMSGSIZE { return false }
      // The log daemon was restarted, nobody listened to the message before this one, or the way there has changed.
      _ = address.withSockaddr { connect(fd, $0, $1) }
      return Glibc.send(fd, bytes.baseAddress, bytes.count, flags) >= 0
    }
  }
}

/// Name resolution at start-up; blocking, so never used by a running worker.
enum HostResolver {
  static func resolve(_ host: String) -> IPAddress? {
    if let literal = IPAddress(host) { return literal }
    if host.isEmpty || host == "*" { return .v4(0) }
    var hints = addrinfo()
    hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    var list: UnsafeMutablePointer<addrinfo>?
    guard getaddrinfo(host, nil, &hints, &list) == 0, let first = list else { return nil }
    defer { freeaddrinfo(first) }
    guard let raw = first.pointee.ai_addr else { return nil }
    var storage = sockaddr_storage()
    memcpy(&storage, raw, Swift.min(Int(first.pointee.ai_addrlen), MemoryLayout<sockaddr_storage>.size))
    return SocketAddress(storage, length: Int(first.pointee.ai_addrlen)).ip
  }
}
