import Base
import HTTP
import TLS

/// An HTTP/1 upgrade as an extended CONNECT of HTTP/2 (RFC 8441), and the answer as the 101 that it stands for.
struct ExtendedConnect {
  private static let upgrade: FieldName = "upgrade"
  private static let key: FieldName = "sec-websocket-key"
  private static let accept: FieldName = "sec-websocket-accept"

  /// `:protocol`.
  let name: Bytes
  /// What answers the client's WebSocket key, which HTTP/2 has no use for.
  private let answer: Bytes?

  /// nil when the request does not offer exactly one protocol.
  init?(_ request: MessageHead) {
    guard let index = request.firstIndex(of: Self.upgrade),
      request.firstIndex(of: Self.upgrade, from: index + 1) == nil
    else { return nil }
    name = request.value(at: index)
    guard !name.isEmpty, name.firstIndex(of: 0x2C) == nil, name.firstIndex(of: 0x20) == nil else { return nil }
    answer = request.first(Self.key).map { WebSocketHandshake.answer(to: $0) }
  }

  /// Takes out what only HTTP/1 needs.
  func prepare(_ request: MessageHead) { request.remove(Self.key) }

  /// Makes a 2xx the 101 that HTTP/1 would have brought.
  func translate(_ response: MessageHead, _ info: H1MessageInfo) {
    guard info.framing == .tunnel else { return }
    response.status = 101
    response.reason = "Switching Protocols"
    response.set(Self.upgrade, name)
    response.remove(Self.accept)
    if let answer { response.append(Self.accept, answer) }
  }
}
