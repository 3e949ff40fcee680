public import Base
public import Config

/// What the log-format aliases report; filled by the owner of the stream as it learns each.
public struct LogFacts {
  public var frontendName = Bytes.empty
  public var backendName = Bytes.empty
  /// `<NOSRV>`, `<STATS>` or the server's name.
  public var serverName = LogFacts.noServer
  private static let noServer = Bytes("<NOSRV>")
  /// True when the client side is TLS: `%ft` then ends with `~`.
  public var frontendIsTLS = false
  public var backendSource = SocketAddress.none
  public var serverAddress = SocketAddress.none

  public var status = -1
  public var bytesIn = 0
  public var bytesOut = 0
  /// Octets sent to the server, heads included; known at the end.
  public var bytesToServer = 0
  /// Four octets: cause, state, and the two of persistence cookies.
  public var termination: (UInt8, UInt8, UInt8, UInt8) = (0x2D, 0x2D, 0x2D, 0x2D)
  public var retries = 0
  public var isRedispatched = false

  public var activeConnections = 0
  public var frontendConnections = 0
  public var backendConnections = 0
  public var serverConnections = 0
  public var serverQueue = 0
  public var backendQueue = 0

  /// Milliseconds; -1 when the step was not reached.
  public var handshakeTime = 0
  public var idleTime = 0
  public var requestTime = -1
  public var queueTime = -1
  public var connectTime = -1
  public var responseTime = -1
  public var dataTime = -1
  /// From the first octet of the request to the end (`%Ta`), and from accept to the end (`%Tt`).
  public var activeTime = 0
  public var totalTime = 0
  /// When the request's first octet came; the accept date in TCP mode.
  public var requestDate: WallTime?

  /// The request line as received, before any rule changed it.
  public var method = Bytes.empty
  public var uri = Bytes.empty
  /// `HTTP/1.1`; HTTP/2 requests are logged as `HTTP/2.0`. A request without a method logs as `<BADREQ>`.
  public var version = Bytes.empty

  public var requestCookie: Bytes?
  public var responseCookie: Bytes?
  public var requestCaptures: [Bytes?] = []
  public var responseCaptures: [Bytes?] = []
  public var uniqueID = Bytes.empty
  /// `%rt`: counts requests of the process.
  public var requestCounter = 0
  /// `%lc`.
  public var logCounter = 0
  /// `option logasap`: sizes and totals are not final and carry a `+`.
  public var isEarly = false
  /// `%OG`.
  public var origin = LogOrigin.unspecified

  public init() {}

  /// Ready for the next request of a connection.
  ///
  /// What every request sets at its start is left, but for what points into its head.
  public mutating func reset() {
    method = .empty
    uri = .empty
    if !serverName.isEmpty { serverName = LogFacts.noServer }
    backendSource = .none
    serverAddress = .none
    status = -1
    bytesIn = 0
    bytesOut = 0
    bytesToServer = 0
    termination = (0x2D, 0x2D, 0x2D, 0x2D)
    retries = 0
    isRedispatched = false
    resetLoad()
    resetTimes()
    if requestCookie != nil { requestCookie = nil }
    if responseCookie != nil { responseCookie = nil }
    if !requestCaptures.isEmpty { requestCaptures = [] }
    if !responseCaptures.isEmpty { responseCaptures = [] }
    if !uniqueID.isEmpty { uniqueID = .empty }
    logCounter = 0
    isEarly = false
  }

  private mutating func resetLoad() {
    activeConnections = 0
    frontendConnections = 0
    backendConnections = 0
    serverConnections = 0
    serverQueue = 0
    backendQueue = 0
  }

  private mutating func resetTimes() {
    handshakeTime = 0
    idleTime = 0
    requestTime = -1
    queueTime = -1
    connectTime = -1
    responseTime = -1
    dataTime = -1
    activeTime = 0
    totalTime = 0
    requestDate = nil
  }
}
