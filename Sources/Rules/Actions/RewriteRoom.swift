import Base
public import HTTP

/// How much the head and the buffered body of a message may take while rules rewrite it.
///
/// What was received leaves `tune.maxrewrite` octets of a buffer free; a message that is smaller leaves more.
public struct RewriteRoom: Sendable {
  /// `tune.bufsize` and `tune.maxrewrite`.
  public var bufferSize = Int.max
  public var reserve = Int.max
  /// Octets of the head as it was received and as it was stored then, and of its body that were there with it.
  var receivedHead = 0
  var storedHead = 0
  var receivedBody = 0
  /// `strict-mode off`: what does not fit is left out, and the message goes on.
  var isLenient = false

  public init() {}

  public mutating func begin(_ head: MessageHead?, body: Int) {
    receivedHead = head?.receivedSize ?? 0
    storedHead = head?.storedOctets ?? 0
    receivedBody = body
    isLenient = false
  }

  /// Whether `head` may grow by `growth` octets, once the fields called `replaced` are gone.
  func allows(_ head: MessageHead, _ growth: Int, replaced: FieldName?, body: Int) -> Bool {
    // Whatever was received, the reserve is free.
    if head.storedOctets &- storedHead &+ growth <= reserve { return true }
    let used = Swift.min(receivedHead &+ Swift.max(body, receivedBody), bufferSize &- reserve)
    let size = head.encodedSize &- (replaced.map { head.encodedSize(of: $0) } ?? 0)
    return size &- receivedHead &+ growth <= bufferSize &- used
  }
}

extension RuleContext {
  /// Whether a rewrite that makes the message of this side longer by `growth` octets fits.
  func allows(_ growth: Int, in head: MessageHead, replaced: FieldName? = nil, isResponse: Bool) -> Bool {
    isResponse
      ? responseRoom.allows(head, growth, replaced: replaced, body: responseBody.count)
      : requestRoom.allows(head, growth, replaced: replaced, body: requestBody.count)
  }

  /// A rewrite did not fit: the end of the message, or nothing in the lenient mode.
  func rewriteFailed(isResponse: Bool) -> Verdict? {
    failedRewrites += 1
    return (isResponse ? responseRoom : requestRoom).isLenient ? nil : .rewriteFailed
  }
}
