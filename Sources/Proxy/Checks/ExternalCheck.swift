import Base
import Config
import Glibc
import NetIO

/// `option external-check`: what the program is told that stays the same.
struct ExternalCheckSettings: Sendable {
  let command: String
  let path: String?
  let proxyName: String
  let proxyID: Int
  let proxyAddress: SocketAddress
}

/// One run of an external check program: exit status 0 means that the server is well.
final class ExternalCheckRun {
  typealias Exit = ChildProcess.Exit

  private let settings: ExternalCheckSettings
  private let arguments: [String]
  private let environment: [String]
  private var process: ChildProcess?

  init(
    _ settings: ExternalCheckSettings, _ entry: ServerControl.Entry, _ state: ServerState,
    address: SocketAddress
  ) {
    self.settings = settings
    let server = entry.server
    let proxy = ExternalCheckRun.words(settings.proxyAddress)
    var target = ExternalCheckRun.words(address == .none ? state.checkAddress ?? state.address : address)
    if let port = state.checkPort {
      target.port = String(port)
    } else if target.port == "0", let port = state.address.port {
      target.port = String(port)
    }
    arguments = [settings.command, proxy.host, proxy.port, target.host, target.port]
    environment = [
      "PATH=\(settings.path ?? "/sbin:/usr/sbin:/usr/local/sbin:/bin:/usr/bin:/usr/local/bin")",
      "HAPROXY_PROXY_NAME=\(settings.proxyName)",
      "HAPROXY_PROXY_ID=\(entry.backend.id)",
      "HAPROXY_PROXY_ADDR=\(proxy.host)",
      "HAPROXY_PROXY_PORT=\(proxy.port)",
      "HAPROXY_SERVER_NAME=\(server.name)",
      "HAPROXY_SERVER_ID=\(server.id)",
      "HAPROXY_SERVER_ADDR=\(target.host)",
      "HAPROXY_SERVER_PORT=\(target.port)",
      "HAPROXY_SERVER_MAXCONN=\(server.settings.maxConnections ?? 0)",
      "HAPROXY_SERVER_CURCONN=\(server.sessions.current)",
      "HAPROXY_SERVER_SSL=\(server.settings.isTLS ? 1 : 0)",
      "HAPROXY_SERVER_PROTO=\(entry.backend.settings.mode.label)",
    ]
  }

  private static func words(_ address: SocketAddress) -> (host: String, port: String) {
    switch address {
    case .ip(let ip, let port): (ip.description, String(port))
    case .unix(let path): (path, "NOT_USED")
    case .none: ("NOT_USED", "NOT_USED")
    }
  }

  /// nil when it runs now, otherwise why not.
  func start(on loop: EventLoop, ended: @escaping (Exit) -> Void) -> String? {
    process = ChildProcess(
      settings.command, arguments: arguments, environment: environment, on: loop, ended: ended)
    return process == nil ? describe(errno: errno) : nil
  }

  func kill() { process?.kill() }
}
