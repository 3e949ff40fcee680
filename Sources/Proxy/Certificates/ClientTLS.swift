import Base
import TLS

/// TLS towards a server, a peer or in a check: what the configuration says, and the context that was made of it with
/// the certificates as they are now.
final class ClientTLS: Sendable {
  let settings: TLSClientContext.Settings
  private let context: Published<TLSClientContext>

  init(_ settings: TLSClientContext.Settings, _ context: TLSClientContext, _ retirement: Retirement) {
    self.settings = settings
    self.context = Published(context, retirement)
  }

  /// The client side of a connection that is about to start; nil when the library refuses.
  /// `alpn` replaces the context's own protocols.
  func session(serverName: String?, alpn: [String]? = nil) -> TLSSession? {
    (context.read { try? TLSSession(connecting: $0, serverName: serverName, alpn: alpn) }).flatMap { $0 }
  }

  /// A look at the context of now.
  func with<R>(_ body: (TLSClientContext) -> R) -> R? { context.read(body) }

  /// Sessions that start from now on use `new`.
  func replace(with new: TLSClientContext) { context.publish(new) }
}
