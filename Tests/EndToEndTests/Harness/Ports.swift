import Glibc
import Synchronization

/// Loopback ports that were free a moment ago; none is given out twice in a run.
enum Ports {
  private static let given = Mutex<Set<Int>>([])

  static func free() throws -> Int {
    for _ in 0..<64 {
      let port = try probe()
      if given.withLock({ $0.insert(port).inserted }) { return port }
    }
    throw Failure("no free port")
  }

  private static func probe() throws -> Int {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    guard descriptor >= 0 else { throw Failure.system("socket") }
    defer { close(descriptor) }
    var address = IPv4.address("0.0.0.0", 0)
    guard IPv4.with(&address, { bind(descriptor, $0, $1) }) == 0 else { throw Failure.system("bind") }
    return IPv4.localPort(descriptor)
  }
}

/// `sockaddr_in` without ceremony.
enum IPv4 {
  static func address(_ host: String, _ port: Int) -> sockaddr_in {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = in_port_t(port).bigEndian
    inet_pton(AF_INET, host, &address.sin_addr)
    return address
  }

  static func with<R>(_ address: inout sockaddr_in, _ body: (UnsafePointer<sockaddr>, socklen_t) -> R) -> R {
    withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
  }

  static func localPort(_ descriptor: Int32) -> Int {
    var address = sockaddr_in()
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    withUnsafeMutablePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { _ = getsockname(descriptor, $0, &length) }
    }
    return Int(in_port_t(bigEndian: address.sin_port))
  }
}

/// `sockaddr_un` without ceremony.
enum UnixPath {
  static func with<R>(_ path: String, _ body: (UnsafePointer<sockaddr>, socklen_t) -> R) -> R {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8.prefix($0.count - 1)) }
    return withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        body($0, socklen_t(MemoryLayout<sockaddr_un>.size))
      }
    }
  }
}
