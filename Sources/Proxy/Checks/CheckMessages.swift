import Base
import HTTP
import Rules

/// What checks send.
extension CheckConversation {
  func octets(of message: CheckMessage, _ step: CheckStep) throws(CheckFailure) -> [UInt8] {
    switch message {
    case .fixed(let text): return text.array
    case .format(let format): return context.map { format.rendered($0) } ?? []
    case .binaryFormat(let format):
      guard let context else { return [] }
      let digits = format.rendered(context)
      guard let octets = HexDigits.octets(Bytes(digits)) else {
        throw CheckFailure(
          .invalidLayer7,
          message: Bytes("tcp-check send : failed to build log-format string at step \(step.number)"))
      }
      return octets
    case .request(let request): return self.request(request)
    case .tlsHello: return tlsHello()
    case .agent: return agentMessage.array
    }
  }

  private func request(_ request: CheckRequest) -> [UInt8] {
    guard let context else { return [] }
    var out: [UInt8] = []
    out.reserveCapacity(256)
    out.append(request.method)
    out.append(ASCII.space)
    let target = request.targetFormat.map { Bytes($0.rendered(context)) } ?? request.target
    out.append(target.isEmpty ? "/" : target)
    out.append(ASCII.space)
    out.append(request.version)
    out += [ASCII.cr, ASCII.lf]
    let body = request.bodyFormat.map { Bytes($0.rendered(context)) } ?? request.body
    var namesConnection = false
    for (name, format) in request.fields {
      let value = format.rendered(context)
      if value.isEmpty { continue }
      if name.equalsIgnoringCase("connection") { namesConnection = true }
      CheckConversation.append(name.lowercased, Bytes(value), to: &out)
    }
    if rules.sendsState { CheckConversation.append("x-haproxy-server-state", stateField, to: &out) }
    let bodiless: [Bytes] = ["OPTIONS", "GET", "HEAD", "DELETE"]
    if !body.isEmpty || !bodiless.contains(request.method) {
      CheckConversation.append("content-length", Bytes(String(body.count)), to: &out)
    }
    // Before HTTP/1.1 a connection closes anyway.
    let closesAnyway = request.version == "HTTP/1.0" || request.version == "HTTP/0.9"
    if !namesConnection, !closesAnyway { CheckConversation.append("connection", "close", to: &out) }
    out += [ASCII.cr, ASCII.lf]
    out.append(body)
    return out
  }

  private static func append(_ name: Bytes, _ value: Bytes, to out: inout [UInt8]) {
    out.append(name)
    out += [0x3A, ASCII.space]
    out.append(value)
    out += [ASCII.cr, ASCII.lf]
  }

  /// An SSLv3 ClientHello with the ciphers that were common once and the time of day.
  private func tlsHello() -> [UInt8] {
    let seconds = UInt32(truncatingIfNeeded: context?.now.wall.seconds ?? 0)
    var hello: [UInt8] = [0x16, 0x03, 0x00, 0x00, 0x79, 0x01, 0x00, 0x00, 0x75, 0x03, 0x00]
    hello += (0..<4).map { UInt8(truncatingIfNeeded: seconds >> (24 - 8 * UInt32($0))) }
    hello += Array("HAPROXYSSLCHK\nHAPROXYSSLCHK\n".utf8)
    hello += [0x00, 0x00, 0x4E]
    for cipher in Array(UInt8(0x01)...0x1B) + Array(0x2F...0x3A) { hello += [0x00, cipher] }
    hello += [0x01, 0x00]
    return hello
  }
}
