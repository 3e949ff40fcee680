import Config

/// Which version of HTTP is spoken to a server: `proto`, or what ALPN comes to.
enum ServerWire {
  case http1, http2
  /// Known after the TLS handshake.
  case negotiated

  init(_ settings: ServerSettings) {
    switch settings.proto {
    case "h2": self = .http2
    case nil: self = settings.isTLS && settings.tls.alpn?.contains("h2") ?? false ? .negotiated : .http1
    default: self = .http1
    }
  }
}
