import Base
import Glibc

/// The datagrams that systemd waits for (sd_notify).
enum SystemdNotice {
  static func send(_ text: String) {
    guard let path = Respawn.environment("NOTIFY_SOCKET") else { return }
    let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    guard descriptor >= 0 else { return }
    defer { close(descriptor) }
    let name = path.hasPrefix("@") ? "\0" + path.dropFirst() : path
    let octets = Array(text.utf8)
    _ = SocketAddress.unix(name).withSockaddr { address, length in
      octets.withUnsafeBytes {
        sendto(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL), address, length)
      }
    }
  }
}
