import Base
import HTTP
import TLS

/// The keys of a WebSocket handshake (RFC 6455 section 4): an upgrade without them is not one, and HTTP/2, which
/// has none (RFC 8441 section 5), gets its own towards servers that speak HTTP/1.
struct WebSocketHandshake {
  private static let protocolName = Bytes("websocket")
  private static let upgrade: FieldName = "upgrade"
  private static let key: FieldName = "sec-websocket-key"
  private static let version: FieldName = "sec-websocket-version"
  private static let accept: FieldName = "sec-websocket-accept"
  private static let suffix = Array("258EAFA5-E914-47DA-95CA-C5AB0DC85B11".utf8)

  /// What the server must answer; nil when the key was the client's, who checks the answer itself.
  private let expected: Bytes?

  /// Looks at a request that offers an upgrade; nil when it is to something else. For an extended CONNECT the
  /// missing key is added.
  ///
  /// - Throws: `HTTPFault` with 400 for a handshake without a key.
  init?(request: MessageHead, isExtendedConnect: Bool) throws(HTTPFault) {
    guard WebSocketHandshake.isOffered(request) else { return nil }
    if request.contains(WebSocketHandshake.key) {
      expected = nil
      return
    }
    guard isExtendedConnect, let octets = RandomOctets.make(16) else {
      throw HTTPFault(400, .missingWebSocketKey, at: 0)
    }
    let key = Base64.encode(Bytes(octets))
    request.append(WebSocketHandshake.key, Bytes(key))
    if !request.contains(WebSocketHandshake.version) { request.append(WebSocketHandshake.version, Bytes("13")) }
    expected = WebSocketHandshake.answer(to: Bytes(key))
  }

  /// What a server answers to a key.
  static func answer(to key: Bytes) -> Bytes {
    Bytes(Base64.encode(Bytes(Digest.sha1.hash(Bytes(key.array + suffix)))))
  }

  /// Whether a 101 completes the handshake. What answers a key of our own is not for the client.
  func isAccepted(_ response: MessageHead) -> Bool {
    guard let given = response.first(WebSocketHandshake.accept) else { return false }
    guard let expected else { return true }
    response.remove(WebSocketHandshake.accept)
    return given == expected
  }

  private static func isOffered(_ request: MessageHead) -> Bool {
    var next = request.firstIndex(of: upgrade)
    while let index = next {
      let value = request.value(at: index)
      var start = 0
      while start <= value.count {
        let comma = value.firstIndex(of: 0x2C, from: start) ?? value.count
        if value[start..<comma].trimmed.equalsIgnoringCase(protocolName) { return true }
        start = comma + 1
      }
      next = request.firstIndex(of: upgrade, from: index + 1)
    }
    return false
  }
}
