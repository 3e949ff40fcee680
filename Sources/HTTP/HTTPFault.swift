/// Why octets are not a message that may be passed on, and how to answer that.
public struct HTTPFault: Error, Equatable, Sendable {
  /// Stable words for logs and counters.
  public enum Reason: String, Sendable {
    case notHTTP = "not an HTTP message"
    case badMethod = "invalid method"
    case prefaceMethod = "method of the HTTP/2 preface"
    case badTarget = "invalid request target"
    case badVersion = "invalid version"
    case unsupportedVersion = "unsupported version"
    case badStatusLine = "invalid status line"
    case bareCR = "CR without LF"
    case bareLF = "LF without CR"
    case badFieldName = "invalid field name"
    case badFieldValue = "invalid field value"
    case foldedField = "folded field line"
    case fieldLineWithoutColon = "field line without colon"
    case tooManyFields = "too many fields"
    case headTooLarge = "head too large"
    case targetTooLong = "request target too long"
    case missingHost = "missing Host"
    case severalHosts = "several Host fields"
    case badHost = "invalid Host"
    case hostMismatch = "Host differs from the request target"
    case badContentLength = "invalid Content-Length"
    case differingContentLengths = "differing Content-Length values"
    case badTransferEncoding = "invalid Transfer-Encoding"
    case unsupportedTransferCoding = "unsupported transfer coding"
    case bodyNotAllowed = "body where none is allowed"
    case badChunkSize = "invalid chunk size"
    case badChunkExtension = "invalid chunk extension"
    case chunkLineTooLong = "chunk line too long"
    case badChunkEnd = "chunk data without its CRLF"
    case badTrailer = "invalid trailer"
    case trailersTooLarge = "trailers too large"
    case missingWebSocketKey = "WebSocket handshake without a key"
    case unexpectedSwitch = "101 that was not asked for"
    case badPseudoField = "invalid pseudo-header field"
    case badScheme = "invalid scheme"
    case connectionField = "connection-specific field in HTTP/2"
    case lengthMismatch = "body length differs from Content-Length"
  }

  /// The status to answer a client with; 502 when the message came from a server.
  public var status: Int
  public var reason: Reason
  /// Where in the message it was seen, in octets from its start.
  public var offset: Int

  public init(_ status: Int, _ reason: Reason, at offset: Int) {
    self.status = status
    self.reason = reason
    self.offset = offset
  }
}
