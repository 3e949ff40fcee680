import Base
import Config
import Glibc
import NetIO
import Synchronization

/// The `log` lines that apply to one proxy or to the process: takes finished messages and sends them.
///
/// Sending never blocks: what a full socket does not take is counted as dropped. Shared by all workers.
final class LogTargets: Sendable {
  private let targets: [Target]
  private let tag: Bytes
  private let header: SyslogHeader
  /// Messages that a socket did not take.
  let dropped = Atomic<Int>(0)

  private struct Target: Sendable {
    let settings: LogTarget
    let channel: LogChannel
    let sampler: LogSampler?
  }

  static let none = LogTargets([], channels: LogChannels(), tag: "haproxy", hostName: nil)

  init(_ lines: [LogTarget], channels: LogChannels, tag: Bytes, hostName: Bytes?) {
    targets = lines.compactMap { line in
      guard let channel = channels.channel(for: line.destination) else { return nil }
      return Target(settings: line, channel: channel, sampler: LogSampler(line))
    }
    self.tag = tag
    header = SyslogHeader(tag: tag, hostName: hostName)
  }

  var isEmpty: Bool { targets.isEmpty }

  /// Sends `message` at `level` (0...7) to every target that wants it.
  func send(level: Int, _ message: [UInt8], at time: WallTime, structuredData: [UInt8] = []) {
    for target in targets where level <= target.settings.level {
      if let sampler = target.sampler, !sampler.selects() { continue }
      let shown = Swift.max(level, target.settings.minimumLevel)
      var line: [UInt8] = []
      line.reserveCapacity(message.count + 64)
      header.write(
        target.settings.format, priority: target.settings.facility * 8 + shown, time: time,
        structuredData: structuredData, into: &line)
      line.append(contentsOf: message)
      if line.count > target.settings.maxLength - 1 { line.removeLast(line.count - target.settings.maxLength + 1) }
      line.append(ASCII.lf)
      if !target.channel.send(line) { dropped.add(1, ordering: .relaxed) }
    }
  }

  func send(level: Int, _ text: String, at time: WallTime) { send(level: level, Array(text.utf8), at: time) }
}

/// `log ... sample <ranges>:<size>`.
private final class LogSampler: Sendable {
  private let ranges: [ClosedRange<Int>]
  private let size: Int
  private let position = Atomic<Int>(0)

  init?(_ line: LogTarget) {
    guard line.sampleSize > 0 else { return nil }
    ranges = line.sampleRanges
    size = line.sampleSize
  }

  func selects() -> Bool {
    let n = position.add(1, ordering: .relaxed).oldValue % size + 1
    return ranges.contains { $0.contains(n) }
  }
}

/// The sockets that log messages go out on, one for each destination of the configuration.
final class LogChannels {
  private var byDestination: [LogTarget.Destination: LogChannel] = [:]

  init() {}

  /// nil when the destination cannot be resolved.
  func channel(for destination: LogTarget.Destination) -> LogChannel? {
    if let known = byDestination[destination] { return known }
    guard let channel = LogChannel(destination) else { return nil }
    byDestination[destination] = channel
    return channel
  }
}

/// One destination of log messages.
final class LogChannel: Sendable {
  private let address: SocketAddress
  private let fixedDescriptor: Int32?
  private let descriptor = Atomic<Int32>(-1)

  init?(_ destination: LogTarget.Destination) {
    switch destination {
    case .descriptor(let fd):
      fixedDescriptor = fd
      address = .none
    case .unixDatagram(let path):
      fixedDescriptor = nil
      address = .unix(path)
    case .udp(let host, let port):
      guard let resolved = HostResolver.resolve(host) else { return nil }
      fixedDescriptor = nil
      address = .ip(resolved, port: port)
    case .ring: return nil
    }
    // Opened before chroot and before privileges are dropped.
    if fixedDescriptor == nil { _ = socketDescriptor() }
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
    if family == AF_UNIX {
      // A connected socket survives chroot, where the path is out of sight.
      _ = address.withSockaddr { connect(opened, $0, $1) }
    }
    let (exchanged, original) = descriptor.compareExchange(
      expected: -1, desired: opened, ordering: .acquiringAndReleasing)
    if !exchanged {
      close(opened)
      return original
    }
    return opened
  }

  func send(_ line: [UInt8]) -> Bool {
    line.withUnsafeBytes { bytes in
      if let fd = fixedDescriptor { return write(fd, bytes.baseAddress, bytes.count) == bytes.count }
      let fd = socketDescriptor()
      let flags = Int32(MSG_DONTWAIT) | Int32(MSG_NOSIGNAL)
      if case .unix = address {
        if Glibc.send(fd, bytes.baseAddress, bytes.count, flags) >= 0 { return true }
        guard errno == ECONNREFUSED || errno == ENOTCONN || errno == ECONNRESET || errno == EDESTADDRREQ else {
          return false
        }
        // The log daemon was restarted.
        _ = address.withSockaddr { connect(fd, $0, $1) }
        return Glibc.send(fd, bytes.baseAddress, bytes.count, flags) >= 0
      }
      return address.withSockaddr { sendto(fd, bytes.baseAddress, bytes.count, flags, $0, $1) >= 0 } ?? false
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
