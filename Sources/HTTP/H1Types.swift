public import Base

/// Bounds of an HTTP/1 head and of trailers.
public struct H1Limits: Sendable {
  /// Octets of start line and fields together; HAProxy's `tune.bufsize` less `tune.maxrewrite`.
  public var maxHeadBytes = 15360
  /// Field lines of a head, and of a trailer section (`tune.http.maxhdr`).
  public var maxFields = 101
  /// Octets of a trailer section.
  public var maxTrailerBytes = 8192
  /// `option accept-unsafe-violations-in-http-request` and `-response`: takes what is odd but cannot
  /// be framed in two ways.
  public var isLenient = false
  /// An HTTP/1.1 request without Host is refused (RFC 9112 section 3.2).
  public var requiresHost = true

  public init() {}
}

/// How the end of a message's body is found.
public enum BodyFraming: Equatable, Sendable {
  case none
  /// Exactly so many octets; more than zero.
  case length(UInt64)
  case chunked
  /// The rest of the connection; responses only.
  case untilClose
  /// Both directions carry octets without meaning until they end: after CONNECT or a 101.
  case tunnel
}

/// The form of a request target (RFC 9112 section 3.2).
public enum TargetForm: Equatable, Sendable { case origin, absolute, authority, asterisk }

/// What a complete head says about its message.
public struct H1MessageInfo: Equatable, Sendable {
  /// Octets of input that the head took, with empty lines before it.
  public var consumed = 0
  public var framing = BodyFraming.none
  /// Whether the connection may carry another message after this one.
  public var keepAlive = true
  /// Upgrade is offered or accepted: Connection names it, the Upgrade field is there, HTTP/1.1.
  public var upgrade = false
  /// The client waits for 100 before it sends the body.
  public var expectContinue = false
  public var isConnect = false
  public var isHead = false
  public var targetForm = TargetForm.origin
  /// A 1xx response other than 101: another head follows.
  public var isInterim = false
  /// A response of HTTP/1.0 with a Transfer-Encoding: neither connection can be trusted after it (RFC 9112 section 6.1).
  public var isDoubtful = false
  /// Content-Length as given by a response without a body (HEAD, 304).
  public var declaredLength: UInt64?

  /// An extended CONNECT (RFC 8441), HTTP/2 only: the head is that of a GET whose Upgrade field names the protocol.
  public var isExtendedConnect = false
  /// Connection names fields, which were removed from the head.
  var namesFields = false

  public init() {}
}

/// What of a request's method decides about the framing of its response (RFC 9112 section 6.3).
public enum AnsweredMethod: Sendable {
  case head, connect, other

  public init(_ method: Bytes) { self = method == "HEAD" ? .head : method == "CONNECT" ? .connect : .other }

  init(of request: MessageHead) {
    self = request.isMethod("HEAD") ? .head : request.isMethod("CONNECT") ? .connect : .other
  }
}

public enum H1ParseResult: Equatable, Sendable {
  /// More input is needed; call again with the same octets and more after them.
  case incomplete
  case complete(H1MessageInfo)
  case invalid(HTTPFault)
}
