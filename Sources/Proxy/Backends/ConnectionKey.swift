import Base
import Config
import Rules
import Synchronization

/// What makes connections to one server differ, so that only those that are alike serve each other's requests.
extension Server {
  /// Which of a request's properties show in its connections; empty for most servers, whose connections are all alike.
  struct KeyParts: OptionSet {
    let rawValue: Int
    /// `pool-conn-name`, or the SNI.
    static let name = KeyParts(rawValue: 1)
    /// The server line leaves host or port to the request.
    static let address = KeyParts(rawValue: 2)
    /// `send-proxy`: the header tells of the client.
    static let proxyHeader = KeyParts(rawValue: 4)
    /// `source ... usesrc`: the connection seems to come from the client.
    static let foreignSource = KeyParts(rawValue: 8)

    init(rawValue: Int) { self.rawValue = rawValue }

    init(_ settings: ServerSettings, _ expressions: ServerExpressions) {
      var parts: KeyParts = []
      if expressions.connectionName != nil { parts.insert(.name) }
      if settings.sendProxy != nil { parts.insert(.proxyHeader) }
      if case .ip(let ip, let port) = settings.address, ip.isUnspecified || port == 0 || settings.portOffset != nil {
        parts.insert(.address)
      }
      switch settings.source?.foreign {
      case .client, .clientAddress, .header: parts.insert(.foreignSource)
      case .address, nil: break
      }
      self = parts
    }
  }

  /// The same number for requests that may share connections.
  func connectionKey(for stream: Stream) -> UInt64 {
    if keyParts.isEmpty { return 0 }
    var hasher = Hasher()
    if keyParts.contains(.name), let name = expressions.connectionName?.evaluateText(stream.context) {
      name.span.withUnsafeBytes { hasher.combine(bytes: $0) }
    }
    if keyParts.contains(.address) { hasher.combine(address(for: stream)) }
    if keyParts.contains(.foreignSource) {
      hasher.combine(ServerSocket(self, nil).foreignAddress(for: stream))
    }
    if keyParts.contains(.proxyHeader), let version = settings.sendProxy {
      ProxyHeaderWriter.header(version, stream, self).withUnsafeBytes { hasher.combine(bytes: $0) }
    }
    return UInt64(bitPattern: Int64(hasher.finalize()))
  }

  /// Where to connect to: a port relative to the one that the client reached, or host and port of its own, when the
  /// line says so.
  func address(for stream: Stream) -> SocketAddress {
    let (configured, portOffset) = state.withLock { ($0.address, $0.portOffset) }
    guard case .ip(let ip, let port) = configured else { return configured }
    if !ip.isUnspecified, port != 0, portOffset == nil { return configured }
    let reached = stream.context.destination
    let host = ip.isUnspecified ? reached.ip ?? ip : ip
    if let offset = portOffset {
      return .ip(host, port: UInt16(truncatingIfNeeded: Int(reached.port ?? 0) + offset))
    }
    return .ip(host, port: port == 0 ? reached.port ?? 0 : port)
  }
}
