import Base
import HTTP

/// How much the head and the buffered body of a message may take while rules rewrite it.
///
/// What was received leaves `tune.maxrewrite` octets of a buffer free; a message that is smaller leaves more.
public struct RewriteRoom: Sendable {
  /// `tune.bufsize` and `tune.maxrewrite`.
  public var bufferSize = Int.max
  public var reserve = Int.max
  /// Octets of the head as it was received, and of its body that were there with it.
  var receivedHead = 0
  var receivedBody = 0
  /// `strict-mode off`: what does not fit is left out, and the message goes on.
  var isLenient = false

  public init() {}

  public mutating func begin(head: Int, body: Int) {
    receivedHead = head
    receivedBody = body
    isLenient = false
  }

  /// Whether `head` may grow by `growth` octets.
  func allows(_ head: MessageHead, _ growth: Int, body: Int) -> Bool {
    // Whatever was received, the reserve is free.
    if head.storedOctets &- receivedHead &+ growth <= reserve { return true }
    let used = Swift.min(receivedHead &+ Swift.max(body, receivedBody), bufferSize &- reserve)
    return head.encodedSize &- receivedHead &+ growth <= bufferSize &- used
  }
}

extension RuleContext {
  /// Whether a rewrite that makes the message of this side longer by `growth` octets fits.
  func allows(_ growth: Int, in head: MessageHead, isResponse: Bool) -> Bool {
    isResponse
      ? responseRoom.allows(head, growth, body: responseBody.count)
      : requestRoom.allows(head, growth, body: requestBody.count)
  }

  /// A rewrite did not fit: the end of the message, or nothing in the lenient mode.
  func rewriteFailed(isResponse: Bool) -> Verdict? {
    failedRewrites += 1
    return (isResponse ? responseRoom : requestRoom).isLenient ? nil : .rewriteFailed
  }
}
