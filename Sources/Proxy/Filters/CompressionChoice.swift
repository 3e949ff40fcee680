import Base
import Config
import HTTP

/// Whether a body is given a content coding, by HAProxy's conditions (manual chapter 4.2, `compression`).
struct CompressionChoice {
  /// The backend's settings, then the frontend's: the first that says something counts.
  let settings: [CompressionSettings]

  init?(_ backend: CompressionSettings?, _ frontend: CompressionSettings?) {
    settings = [backend, frontend].compactMap { $0 }
    if settings.isEmpty { return nil }
  }

  private func first<T: Collection>(_ pick: (CompressionSettings) -> T) -> T? {
    settings.lazy.map(pick).first { !$0.isEmpty }
  }

  var isOffloading: Bool { settings.contains(where: \.offload) }

  // MARK: Responses

  /// The coding that the client of `request` would take.
  func coding(for request: MessageHead) -> ContentCoding? {
    guard settings.contains(where: { $0.direction != .request }), let names = first(\.responseAlgorithms),
      !CompressionChoice.isOldClient(request)
    else { return nil }
    let known = names.compactMap(ContentCoding.init)
    var best: (coding: ContentCoding, quality: Int)?
    FieldValues.forEach(request, "accept-encoding") { value in
      let end = (0..<value.count).first { value[$0] == 0x3B || ASCII.isBlank(value[$0]) } ?? value.count
      let token = value.prefix(end)
      let quality = QualityValue.thousandths(value.dropFirst(end))
      guard quality > best?.quality ?? 0 else { return }
      if let coding = known.first(where: { token == "*" || $0.token.equalsIgnoringCase(token) }) {
        best = (coding, quality)
      }
    }
    return best?.coding ?? known.first { $0 == .identity }
  }

  /// Clients that call themselves Mozilla/4, unless they are known to be good.
  private static func isOldClient(_ request: MessageHead) -> Bool {
    guard let agent = request.first("user-agent"), agent.starts(with: "Mozilla/4") else { return false }
    guard agent.count >= 31, agent.dropFirst(25).starts(with: "MSIE "), agent[30] >= 0x36 else { return true }
    return agent[30] == 0x36 && (agent.count < 54 || !agent.dropFirst(51).starts(with: "SV1"))
  }

  /// Whether this response may be changed. `length` is nil when it is not known.
  func allows(_ response: MessageHead, length: UInt64?) -> Bool {
    guard response.version >= .http11, (200...203).contains(response.status),
      CompressionChoice.mayChange(response)
    else { return false }
    if let length, let least = settings.lazy.map(\.minimumResponseSize).first(where: { $0 > 0 }),
      length < UInt64(least)
    {
      return false
    }
    var hasNoTransform = false
    FieldValues.forEach(response, "cache-control") {
      if $0.equalsIgnoringCase("no-transform") { hasNoTransform = true }
    }
    if hasNoTransform { return false }
    if let first = response.firstIndex(of: "etag") {
      guard CompressionChoice.isEntityTag(response.value(at: first)),
        response.firstIndex(of: "etag", from: first + 1) == nil
      else { return false }
    }
    return matches(response, first(\.types))
  }

  private static func mayChange(_ head: MessageHead) -> Bool { !head.contains("content-encoding") }

  private func matches(_ head: MessageHead, _ types: [Bytes]?) -> Bool {
    guard let type = head.first("content-type") else { return types == nil }
    if type.prefix(9).equalsIgnoringCase("multipart") { return false }
    guard let types else { return true }
    return types.contains { type.prefix($0.count).equalsIgnoringCase($0) }
  }

  private static func isEntityTag(_ tag: Bytes) -> Bool {
    let opaque = tag.starts(with: "W/") ? tag.dropFirst(2) : tag
    return opaque.count >= 2 && opaque[0] == 0x22 && opaque[opaque.count - 1] == 0x22
  }

  /// The fields of a response whose body is going to be encoded.
  static func rewrite(_ response: MessageHead, _ coding: ContentCoding) {
    response.remove("content-length")
    if let index = response.firstIndex(of: "etag") {
      let tag = response.value(at: index)
      if !tag.starts(with: "W/") {
        response.replaceValue(at: index, with: Bytes(Array("W/".utf8) + tag.array))
      }
    }
    addVary(response)
    if coding != .identity { response.append("content-encoding", coding.token) }
  }

  private static func addVary(_ response: MessageHead) {
    var isNamed = false
    FieldValues.forEach(response, "vary") { if $0.equalsIgnoringCase("accept-encoding") { isNamed = true } }
    if isNamed { return }
    guard var last = response.firstIndex(of: "vary") else {
      return response.append("vary", "Accept-Encoding")
    }
    while let next = response.firstIndex(of: "vary", from: last + 1) { last = next }
    let value = response.value(at: last).trimmed
    response.replaceValue(
      at: last, with: value.isEmpty ? "Accept-Encoding" : Bytes(value.array + Array(",Accept-Encoding".utf8)))
  }

  // MARK: Requests

  /// The coding that a request's body is given.
  func requestCoding(_ request: MessageHead, length: UInt64?) -> ContentCoding? {
    guard settings.contains(where: { $0.direction != .response }),
      let name = first(\.requestAlgorithms)?.first,
      let coding = ContentCoding(rawValue: name), request.version >= .http11,
      CompressionChoice.mayChange(request)
    else { return nil }
    if let length, let least = settings.lazy.map(\.minimumRequestSize).first(where: { $0 > 0 }),
      length < UInt64(least)
    {
      return nil
    }
    return matches(request, first(\.requestTypes)) ? coding : nil
  }

  static func rewrite(request: MessageHead, _ coding: ContentCoding) {
    request.remove("content-length")
    if coding != .identity { request.append("content-encoding", coding.token) }
  }
}
