public import Base

/// What is known about a client connection; shared by all its streams.
public final class ConnectionFacts {
  /// The client as seen by rules: what the PROXY protocol or `set-src` said, or the socket's peer.
  public var source: SocketAddress
  /// The address that the client reached, or what the PROXY protocol or `set-dst` said.
  public var destination: SocketAddress
  /// The socket's own peer and local address, which nothing rewrites.
  public var originalSource: SocketAddress
  public var originalDestination: SocketAddress
  /// The client's socket; negative when it is closed, or there is none.
  public var socket: Int32 = -1
  public var listenerID = 0
  public var listenerName = Bytes.empty
  /// When the connection was accepted.
  public var accepted: Now
  public var tls: TLSFacts?
  /// 1 or 2.
  public var httpMajorVersion = 1
  public var receivedProxyHeader = false
  /// PROXY v2 TLVs: type and value, in order.
  public var proxyTLVs: [(type: UInt8, value: Bytes)] = []
  public var variables = VariableStore()
  /// `fc_err`: 0 without an error, and its words.
  public var errorCode = 0
  public var errorText = Bytes.empty
  /// The same for the server's connection: `bc_err`.
  public var serverErrorCode = 0
  public var serverErrorText = Bytes.empty
  /// HTTP/2 glitches and streams.
  public var glitches = 0
  public var streamCount = 1
  /// The address of the server-side connection, for `bc_dst` and `bc_src`; `.none` without one.
  public var serverSource = SocketAddress.none
  public var serverDestination = SocketAddress.none
  public var serverTLS: TLSFacts?
  public var serverHTTPMajorVersion = 0
  public var serverConnectionReused = false

  public init(source: SocketAddress, destination: SocketAddress, accepted: Now) {
    self.source = source
    self.destination = destination
    originalSource = source
    originalDestination = destination
    self.accepted = accepted
  }
}
