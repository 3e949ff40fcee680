import HTTP
import Rules

/// The client's side of a stream: an HTTP/1 exchange, an HTTP/2 stream or a TCP connection.
///
/// A stream pulls the request body from it and pushes the response into it. The endpoint calls
/// `Stream.advance()` when something may go on.
protocol ClientEndpoint: BodySource, BodySink {
  var facts: ConnectionFacts { get }
  /// The client can neither be read from nor written to any more.
  var hasFailed: Bool { get }
  /// The client has said that it will send no more.
  var hasEnded: Bool { get }
  /// Output waits for the client to read.
  var isBlocked: Bool { get }
  /// Clear octets received and sent for this stream so far.
  var octetsIn: Int { get }
  var octetsOut: Int { get }
  /// For `fs.*` and the like.
  var endpointFacts: EndpointFacts { get }
  /// Begins the response. `length` nil means unknown; HTTP/1 then uses chunks or the end of the connection.
  func beginResponse(_ head: MessageHead, body: ResponseBody)
  /// Reads what has come behind octets that wait already, for rules that look at them.
  func gatherInput()
  /// 100, 103 and other interim heads.
  func sendInterim(_ head: MessageHead)
  /// What the client sends from now on is a tunnel's.
  func beginTunnel()
  /// The stream is over. With `reusable` the connection may carry the next request; otherwise it ends: orderly
  /// after what is gathered was sent, or at once when `aborted`.
  func finish(reusable: Bool, aborted: Bool)
  /// Keeps a server connection that no other client may use for this client's next request; false when it cannot.
  func keep(_ connection: ServerConnection) -> Bool
  /// A connection to `server` that `keep` was given, if one with this key still serves.
  func takeKept(_ server: Server, key: UInt64) -> ServerConnection?
  /// Whether the client's connection may go on as one of HTTP; then lets it, with what `storage` has.
  var maySwitchToHTTP: Bool { get }
  func switchToHTTP(proto: String?, _ storage: StreamStorage)
  /// Goes on with a handshake that is under way while early data is served.
  func finishHandshake()
  /// Closes without telling the client.
  func vanish()
}

extension ClientEndpoint {
  func gatherInput() {}
  var maySwitchToHTTP: Bool { false }
  func switchToHTTP(proto: String?, _ storage: StreamStorage) {}
}

/// How much body a response has.
enum ResponseBody: Equatable {
  /// No body, and none announced (HEAD, 204, 304): the head's own Content-Length stays.
  case none
  /// None for the client either, but the response is over only when `endBody` says so: the server's is swallowed.
  case swallowed
  case length(UInt64)
  case unknown
  /// The server's end of the connection is the body's: an HTTP/1 client gets it the same way.
  case untilClose
  /// The connection becomes a tunnel.
  case tunnel
}
