import Foundation
import Synchronization

/// A syslog daemon that only remembers: datagrams on a UDP port or on a unix socket.
final class LogReceiver: @unchecked Sendable {
  let port: Int
  private let descriptor: Int32
  private let received = Mutex<[String]>([])

  var lines: [String] { received.withLock { $0 } }

  /// On a UDP port of loopback.
  init() throws {
    descriptor = socket(AF_INET, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    guard descriptor >= 0 else { throw Failure.system("socket") }
    var address = IPv4.address("127.0.0.1", 0)
    guard IPv4.with(&address, { [descriptor] in bind(descriptor, $0, $1) }) == 0 else {
      throw Failure.system("bind")
    }
    port = IPv4.localPort(descriptor)
    start()
  }

  /// On a unix datagram socket, as `/dev/log` is one.
  init(unix path: String) throws {
    descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    guard descriptor >= 0 else { throw Failure.system("socket") }
    port = 0
    guard UnixPath.with(path, { [descriptor] in bind(descriptor, $0, $1) }) == 0 else {
      throw Failure.system("bind \(path)")
    }
    chmod(path, 0o666)
    start()
  }

  private func start() {
    // The thread ends with the process: a handful of descriptors is all that a run of the tests leaves open.
    Thread.detachNewThread { [self] in
      var buffer = [UInt8](repeating: 0, count: 65536)
      while true {
        let n = recv(descriptor, &buffer, buffer.count, 0)
        if n < 0, errno == EINTR { continue }
        guard n >= 0 else { return }
        let line = String(decoding: buffer[..<n], as: UTF8.self)
        received.withLock { $0.append(line) }
      }
    }
  }

  /// The first line that `matches`, waiting for it if need be.
  func line(within seconds: Double = 10, where matches: (String) -> Bool) -> String? {
    var found: String?
    _ = Clock.until(within: seconds) {
      found = lines.first(where: matches)
      return found != nil
    }
    return found
  }
}
