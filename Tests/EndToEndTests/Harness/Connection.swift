import Glibc

/// A blocking stream socket; every operation ends within its socket's timeout.
final class Connection: @unchecked Sendable {
  private var descriptor: Int32
  private var pending: [UInt8] = []

  init(adopting descriptor: Int32, timeout: Int = 10) {
    self.descriptor = descriptor
    var limit = timeval(tv_sec: timeout, tv_usec: 0)
    let size = socklen_t(MemoryLayout<timeval>.size)
    setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, size)
    setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, size)
  }

  /// Connects to a port of loopback, from another address of loopback if told.
  convenience init(port: Int, host: String = "127.0.0.1", from source: String? = nil, timeout: Int = 10)
    throws
  {
    let fd = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    guard fd >= 0 else { throw Failure.system("socket") }
    self.init(adopting: fd, timeout: timeout)
    if let source {
      var local = IPv4.address(source, 0)
      guard IPv4.with(&local, { bind(fd, $0, $1) }) == 0 else { throw Failure.system("bind \(source)") }
    }
    var remote = IPv4.address(host, port)
    guard IPv4.with(&remote, { connect(fd, $0, $1) }) == 0 else {
      throw Failure.system("connect \(host):\(port)")
    }
  }

  convenience init(unix path: String, timeout: Int = 10) throws {
    let fd = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    guard fd >= 0 else { throw Failure.system("socket") }
    self.init(adopting: fd, timeout: timeout)
    guard UnixPath.with(path, { connect(fd, $0, $1) }) == 0 else { throw Failure.system("connect \(path)") }
  }

  deinit { close() }

  func close() {
    guard descriptor >= 0 else { return }
    Glibc.close(descriptor)
    descriptor = -1
  }

  /// No more will be sent.
  func finish() { shutdown(descriptor, Int32(SHUT_WR)) }

  /// The next close sends a reset.
  func reset() {
    var value = linger(l_onoff: 1, l_linger: 0)
    setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &value, socklen_t(MemoryLayout<linger>.size))
    close()
  }

  func send(_ text: String) throws { try send(Array(text.utf8)) }

  func send(_ octets: [UInt8]) throws {
    var offset = 0
    while offset < octets.count {
      let n = octets[offset...].withUnsafeBytes {
        Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
      }
      if n < 0, errno == EINTR { continue }
      guard n > 0 else { throw Failure.system("send") }
      offset += n
    }
  }

  /// What has come in, at least one octet; empty at the end of the stream or after a reset.
  func receiveSome() throws -> [UInt8] {
    if !pending.isEmpty {
      defer { pending = [] }
      return pending
    }
    var buffer = [UInt8](repeating: 0, count: 65536)
    while true {
      let n = recv(descriptor, &buffer, buffer.count, 0)
      if n < 0, errno == EINTR { continue }
      if n < 0, errno == ECONNRESET { return [] }
      guard n >= 0 else { throw Failure.system("recv") }
      return Array(buffer[..<n])
    }
  }

  /// Everything up to and with `end`; what follows stays for the next call.
  func receive(through end: String) throws -> String {
    let mark = Array(end.utf8)
    var octets: [UInt8] = []
    while true {
      let searched = Swift.max(0, octets.count - mark.count)
      let more = try receiveSome()
      if more.isEmpty {
        throw Failure(
          "end of stream before \(end.debugDescription): \(String(decoding: octets, as: UTF8.self))")
      }
      octets += more
      if let found = Octets.find(mark, in: octets, from: searched) {
        pending = Array(octets[(found + mark.count)...])
        return String(decoding: octets[..<(found + mark.count)], as: UTF8.self)
      }
    }
  }

  func receive(count: Int) throws -> [UInt8] {
    var octets: [UInt8] = []
    while octets.count < count {
      let more = try receiveSome()
      if more.isEmpty { throw Failure("end of stream after \(octets.count) of \(count) octets") }
      octets += more
    }
    pending = Array(octets[count...])
    return Array(octets[..<count])
  }

  func receiveAll() throws -> [UInt8] {
    var octets: [UInt8] = []
    while true {
      let more = try receiveSome()
      if more.isEmpty { return octets }
      octets += more
    }
  }

  func receiveText() throws -> String { String(decoding: try receiveAll(), as: UTF8.self) }
}

enum Octets {
  static func find(_ mark: [UInt8], in octets: [UInt8], from start: Int = 0) -> Int? {
    guard octets.count >= mark.count else { return nil }
    return (start...(octets.count - mark.count)).first {
      octets[$0] == mark[0] && octets[$0...].starts(with: mark)
    }
  }
}
