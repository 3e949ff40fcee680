import Base
import Config
import TLS

/// TLS of a `bind` line: what the configuration says, and the context that was made of it with the certificates as
/// they are now.
final class ListenerTLS: Sendable {
  let settings: TLSServerContext.Settings
  /// For listings: the proxy, and where its line stands.
  let proxyName: String
  let place: SourceLocation
  private let context: Published<TLSServerContext>

  init(
    _ settings: TLSServerContext.Settings, _ context: TLSServerContext, proxyName: String, place: SourceLocation,
    _ retirement: Retirement
  ) {
    self.settings = settings
    self.proxyName = proxyName
    self.place = place
    self.context = Published(context, retirement)
  }

  /// The server side of a connection; nil when the library refuses.
  func session() -> TLSSession? { (context.read { try? TLSSession(accepting: $0) }).flatMap { $0 } }

  /// A look at the context of now.
  func with<R>(_ body: (TLSServerContext) -> R) -> R? { context.read(body) }

  /// Handshakes that begin from now on use `new`.
  func replace(with new: TLSServerContext) { context.publish(new) }
}
