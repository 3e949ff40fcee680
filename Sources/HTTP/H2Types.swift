public import Base

/// Limits and flow control of an HTTP/2 session.
public struct H2Settings: Sendable {
  /// Requests in flight (`tune.h2.fe.max-concurrent-streams`).
  public var maxConcurrentStreams: UInt32 = 100
  /// Octets of body that a client may send ahead on one stream (`tune.h2.fe.initial-window-size`).
  public var initialWindow: UInt32 = 65536
  /// The same for a stream whose request has a body, once that is known.
  public var streamWindow: UInt32 = 131_072
  /// The same over all streams of the connection: what one client can make us hold.
  public var connectionWindow: UInt32 = 262_144
  /// HPACK table of the decoder (`tune.h2.header-table-size`).
  public var headerTableSize: UInt32 = 4096
  /// Octets of a head's names and values together.
  public var maxHeadBytes = 15360
  /// Field lines of a head, cookie crumbs included (`tune.http.maxhdr`).
  public var maxFields = 101
  /// Octets of a frame that the peer may send, from 16384 on (`tune.h2.max-frame-size`).
  public var maxFrameSize: UInt32 = 16384
  /// Glitches that end the session, and three quarters of which retire it; 0 for any number
  /// (`tune.h2.fe.glitches-threshold`).
  public var glitchesThreshold = 0
  /// Requests after which the session retires; 0 for any number (`tune.h2.fe.max-total-streams`).
  public var maxTotalStreams = 0
  /// Frames, and resets among them, that one turn may have (`tune.h2.fe.max-frames-at-once`).
  public var framesPerTurn = Int.max
  public var resetsPerTurn = Int.max
  /// RFC 8441: WebSocket over HTTP/2.
  public var allowsExtendedConnect = true

  public init() {}
}

extension HTTPFault {
  /// What came is a request of HTTP/2, only not one that can be served: it gets an answer where others are reset.
  var isRequest: Bool {
    status == 431 || reason == .prefaceMethod || reason == .badMethod || reason == .badScheme
  }
}

/// How a session stands after a call.
public enum H2Outcome: Equatable, Sendable {
  case open
  /// A GOAWAY that ends the session was queued: send what `pull` gives, then close.
  case closing
  /// The library refuses further input: send what `pull` gives, then close.
  case failed
}

/// What a stream's source has for its response body.
public enum H2BodyOffer {
  /// So many octets now, at most what was asked for; `writeBody` is called for them at once. With `isEnd`
  /// nothing follows but `trailers`.
  case octets(Int, isEnd: Bool, trailers: MessageHead? = nil)
  /// Nothing now; `resumeBody` when there is.
  case wait
  /// The source broke: the stream is reset.
  case failed
}

/// What a session tells its owner. Calls come from inside `receive` and `pull`; submitting from them is fine, `receive`
/// and `pull` are not.
public protocol H2SessionDelegate: AnyObject {
  /// A valid request; the session keeps what is returned and tells it all the rest. A body follows unless
  /// `info.framing` is `.none`: `.length` if announced, `.chunked` if not, `.tunnel` for CONNECT.
  func requestOpened(stream: Int32, info: H1MessageInfo) -> any H2StreamOwner
  /// A malformed request was answered with its fault's status, or its stream was reset; for logs and counters.
  func requestRefused(stream: Int32, fault: HTTPFault, isAnswered: Bool)
}

/// Who is told of one stream, in calls from inside the session's `receive` and `pull`: of a client's request, or of the
/// response to a request of ours. Submitting from them is fine, `receive` and `pull` are not.
public protocol H2StreamOwner: AnyObject {
  /// The head: of a request, or of a response, which may have interim ones (`info.isInterim`) before it. `head` is lent:
  /// take its content with `swapContents`, or copy it. DATA may follow as `info.framing` says, whatever else comes is
  /// refused before it gets here; nothing follows a head that `isWhole`.
  func headReceived(_ head: MessageHead, _ info: H1MessageInfo, isWhole: Bool)
  /// Body octets, valid during the call; call the session's `consumed` for them when they are passed on.
  func bodyData(_ octets: UnsafeRawBufferPointer)
  func bodyEnd(trailers: MessageHead?)
  /// The response breaks the rules; its stream is being reset and nothing more of it comes. A request that does is told
  /// to the session's delegate.
  func responseRefused(_ fault: HTTPFault)
  /// The last call; `error` is an HTTP/2 code: 0 for a regular end, `refusedStream` when a server has not looked at the
  /// request.
  func streamClosed(error: UInt32)
  func offerBody(upTo limit: Int) -> H2BodyOffer
  /// Appends exactly `count` octets of the body, as offered just before, to `output`.
  func writeBody(count: Int, into output: ByteBuffer)
}

/// Error codes of RFC 9113 section 7.
public enum H2Error {
  public static let noError: UInt32 = 0
  public static let protocolError: UInt32 = 1
  public static let internalError: UInt32 = 2
  public static let refusedStream: UInt32 = 7
  public static let cancel: UInt32 = 8
  public static let connectError: UInt32 = 10
  public static let enhanceYourCalm: UInt32 = 11
}

/// The client connection preface.
public enum H2Preface {
  public static let octets = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)

  /// Whether `input` starts with the preface; nil while it is a shorter beginning of it.
  public static func matches(_ input: borrowing Span<UInt8>) -> Bool? {
    let n = Swift.min(input.count, octets.count)
    for i in 0..<n where input[i] != octets[i] { return false }
    return n == octets.count ? true : nil
  }
}
