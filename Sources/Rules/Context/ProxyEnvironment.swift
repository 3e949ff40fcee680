public import Base
public import Config
public import TLS

/// What expressions ask about the process and about proxies and servers other than the stream's own.
///
/// Unknown names never get here: the compiler resolves them. Answers are snapshots.
public protocol ProxyEnvironment: AnyObject {
  var processID: Int { get }
  var nodeName: Bytes { get }
  var hostName: Bytes { get }
  var threadCount: Int { get }
  /// The worker's number, from 1.
  var threadID: Int { get }
  var activeConnections: Int { get }
  var isStopping: Bool { get }
  /// When the process started.
  var started: Instant { get }

  /// A number out of 0..<2^64.
  func random() -> UInt64

  func frontendCount(_ query: FrontendQuery, of frontend: String) -> Int
  func backendCount(_ query: BackendQuery, of backend: String) -> Int
  func serverCount(_ query: ServerQuery, of server: String, in backend: String) -> Int
  /// Connections that the listener of this stream has open.
  func listenerConnections(_ connection: ConnectionFacts) -> Int
  /// `set-tos`, `set-mark`: the packets that leave through `socket` from now on.
  /// What the kernel knows of a TCP connection; nil without one.
  func transport(_ query: TransportQuery, of socket: Int32) -> Int64?
  /// The client's SYN packet, if the listener keeps them (`tcp-ss`).
  func savedSYN(of socket: Int32) -> Bytes?
  /// Per cent of the time that was spent at work lately, 0 to 100.
  func usage(of scope: UsageScope) -> Int
  /// A certificate that is loaded under this name, whether or not tokens may be checked and opened with it.
  func certificate(named name: Bytes) -> CertificateBundle?
  func hasFrontend(_ name: Bytes) -> Bool
  /// Whether this machine has an address.
  func isLocal(_ address: IPAddress) -> Bool
  /// `debug`: a line for an event sink.
  func show(_ text: String, in sink: String)
  /// `do-log`: writes a log line for the stream or connection of `context` as it is now.
  func log(_ context: RuleContext, _ origin: LogOrigin, _ profile: LogProfile?)
  func label(_ socket: Int32, typeOfService: Int?, mark: UInt32?)
  /// Makes the end of a connection a reset that gets no further than so many routers.
  func resetOnClose(_ socket: Int32, hops: Int)
}

extension ProxyEnvironment {
  public func resetOnClose(_ socket: Int32, hops: Int) {}
}

extension ProxyEnvironment {
  public func savedSYN(of socket: Int32) -> Bytes? { nil }
  public func usage(of scope: UsageScope) -> Int { 0 }
  public func certificate(named name: Bytes) -> CertificateBundle? { nil }
}

/// Numbers of TCP_INFO; times in microseconds.
public enum TransportQuery: Sendable {
  case roundTrip, roundTripVariation, unacknowledged, selectivelyAcknowledged, lost, retransmitted
  case forwardAcknowledged, reordering
}

/// Of this worker, or of all of them on average.
public enum UsageScope: Sendable { case thread, process }

public enum FrontendQuery: Sendable { case connections, requestRate, sessionRate }

public enum BackendQuery: Sendable {
  /// `nbsrv`, `connslots`, `queue`, `avg_queue`, `be_conn`, `be_conn_free`, `be_sess_rate`.
  case usableServers, connectionSlots, queue, averageQueue, connections, freeConnections, sessionRate
}

public enum ServerQuery: Sendable {
  /// `isUp` answers 0 or 1.
  case connections, freeConnections, isUp, queue, sessionRate, weight, initialWeight, userWeight
}
