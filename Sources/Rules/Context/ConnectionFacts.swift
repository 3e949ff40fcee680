public import Base

/// What is known about a client connection; shared by all its streams.
public final class ConnectionFacts {
  /// The client as seen by rules: what the PROXY protocol or `set-src` said, or the socket's peer.
  public var source: SocketAddress { didSet { sourceIP = nil } }
  /// The source's IP address in text, made once for all requests of the connection; nil without one.
  public var sourceText: Bytes? {
    if let sourceIP { return sourceIP }
    sourceIP = source.ip.map { Bytes($0.description) }
    return sourceIP
  }
  private var sourceIP: Bytes?
  /// The address that the client reached, or what the PROXY protocol or `set-dst` said.
  public var destination: SocketAddress {
    get { rewrittenDestination ?? originalDestination }
    set { rewrittenDestination = newValue }
  }
  private var rewrittenDestination: SocketAddress?
  /// The connection's own: only `tcp-request connection` rules change these.
  public var originalSource: SocketAddress
  public lazy var originalDestination: SocketAddress = socket < 0 ? .none : localAddress(socket)
  /// Asks the kernel; few configurations want to know, and none for most connections.
  private let localAddress: (Int32) -> SocketAddress
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
  /// What rules of the connection and the session track.
  public var counters = StickCounters()
  /// `fc_err`: 0 without an error, and its words.
  public var errorCode = 0
  public var errorText = Bytes.empty
  public var glitches = 0
  /// The number of the server that the last request went to, for `prefer-last-server`; negative before the first.
  public var lastServer = -1

  /// `localAddress` tells the address that `socket` is bound to when it is first asked for.
  public init(
    source: SocketAddress, socket: Int32, accepted: Now, localAddress: @escaping (Int32) -> SocketAddress
  ) {
    self.source = source
    self.socket = socket
    originalSource = source
    self.accepted = accepted
    self.localAddress = localAddress
  }

  /// A connection whose addresses are known, or that has none.
  public convenience init(source: SocketAddress, destination: SocketAddress, accepted: Now) {
    self.init(source: source, socket: -1, accepted: accepted) { _ in .none }
    originalDestination = destination
  }
}

/// What is known about the connection to the server that a stream uses; `bc_*` and `ssl_bc*`.
public struct ServerSideFacts {
  /// Our own address, and the server's; `.none` without a connection.
  public var source = SocketAddress.none
  public var destination = SocketAddress.none
  public var tls: TLSFacts?
  /// The socket; negative without a connection.
  public var socket: Int32 = -1
  /// 1 or 2; 0 without a connection.
  public var httpMajorVersion = 0
  public var isReused = false
  /// `bc_err`: 0 without an error, and its words.
  public var errorCode = 0
  public var errorText = Bytes.empty
  public init() {}

  mutating func clear() {
    if destination == .none, errorCode == 0 { return }
    self = ServerSideFacts()
  }
}
