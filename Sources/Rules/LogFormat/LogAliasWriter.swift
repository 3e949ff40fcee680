import Base
import Config

/// Writes the value of one alias.
struct LogAliasWriter {
  let context: RuleContext
  let flags: LogFormatFlags

  func write(_ alias: LogAlias, into out: inout [UInt8]) {
    switch alias {
    case .clientIP, .clientPort, .frontendIP, .frontendPort, .backendIP, .backendPort, .serverIP, .serverPort:
      writeAddress(alias, into: &out)
    case .acceptDate, .acceptDateUTC, .acceptDateLocal, .acceptSeconds, .milliseconds, .requestDate,
      .requestDateUTC,
      .requestDateLocal:
      writeDate(alias, into: &out)
    case .requestLine where !context.log.method.isEmpty:
      quoted(into: &out) { writeRequestLine(into: &$0) }
    case .method, .path, .pathOnly, .query, .uri, .version, .requestLine:
      let text = LogRequestLine.part(alias, context)
      quoted(into: &out) { writeEncoded(text, into: &$0) }
    case .requestHeaders: writeCaptures(context.log.requestCaptures, into: &out)
    case .responseHeaders: writeCaptures(context.log.responseCaptures, into: &out)
    case .requestHeaderList: writeCaptureList(context.log.requestCaptures, into: &out)
    case .responseHeaderList: writeCaptureList(context.log.responseCaptures, into: &out)
    case .frontend, .backend, .server, .requestCookie, .responseCookie, .hostName, .uniqueID, .origin,
      .cipher,
      .tlsVersion, .frontendTransport, .termination, .terminationWithCookies:
      writeText(alias, into: &out)
    default: writeNumber(alias, into: &out)
    }
  }

  private func writeRequestLine(into out: inout [UInt8]) {
    writeEncoded(context.log.method, into: &out)
    if !context.log.uri.isEmpty {
      out.append(ASCII.space)
      writeEncoded(context.log.uri, into: &out)
    }
    if !context.log.version.isEmpty {
      out.append(ASCII.space)
      writeEncoded(context.log.version, into: &out)
    }
  }

  private func writeEncoded(_ text: Bytes, into out: inout [UInt8]) {
    LogText.appendEncoded(
      text, marker: 0x23, unsafe: LogText.isUnsafeInURL, escaping: flags.contains(.escape), into: &out)
  }

  private func quoted(into out: inout [UInt8], _ body: (inout [UInt8]) -> Void) {
    if flags.contains(.quote) { out.append(0x22) }
    body(&out)
    if flags.contains(.quote) { out.append(0x22) }
  }

  private func writeText(_ alias: LogAlias, into out: inout [UInt8]) {
    switch alias {
    case .frontend: LogText.append(context.log.frontendName, flags, into: &out)
    case .backend: LogText.append(context.log.backendName, flags, into: &out)
    case .server: LogText.append(context.log.serverName, flags, into: &out)
    case .requestCookie: LogText.append(context.log.requestCookie ?? .empty, flags, into: &out)
    case .responseCookie: LogText.append(context.log.responseCookie ?? .empty, flags, into: &out)
    case .hostName: LogText.append(context.environment.hostName, flags, into: &out)
    case .uniqueID: LogText.append(context.log.uniqueID, flags, into: &out)
    case .origin: LogText.append(Bytes(context.log.origin.text), flags, into: &out)
    case .cipher: LogText.append(context.connection.tls?.cipher ?? .empty, flags, into: &out)
    case .tlsVersion: LogText.append(context.connection.tls?.version ?? .empty, flags, into: &out)
    case .frontendTransport:
      quoted(into: &out) {
        $0.append(context.log.frontendName)
        if context.log.frontendIsTLS { $0.append(0x7E) }
      }
    default:
      let state = context.log.termination
      out.append(state.0)
      out.append(state.1)
      if alias == .terminationWithCookies {
        out.append(state.2)
        out.append(state.3)
      }
    }
  }

  private func writeNumber(_ alias: LogAlias, into out: inout [UInt8]) {
    let value = LogNumber.value(alias, context)
    if flags.contains(.hex), alias == .pid || alias == .requestCounter || alias == .logCounter {
      out.append(contentsOf: Hexadecimal.encode(UInt64(UInt32(truncatingIfNeeded: value)), width: 4))
      return
    }
    let carriesPlus =
      alias == .retries
      ? context.log.isRedispatched
      : context.log.isEarly
        && (alias == .activeTime || alias == .totalTime || alias == .userTime || alias == .bytesRead)
    // Numbers are never quoted.
    if carriesPlus { out.append(0x2B) }
    out.append(decimal: value)
  }

  private func writeAddress(_ alias: LogAlias, into out: inout [UInt8]) {
    let address: SocketAddress
    switch alias {
    case .clientIP, .clientPort: address = context.source
    case .frontendIP, .frontendPort: address = context.destination
    case .backendIP, .backendPort: address = context.log.backendSource
    default: address = context.log.serverAddress
    }
    let isPort =
      switch alias {
      case .clientPort, .frontendPort, .backendPort, .serverPort: true
      default: false
      }
    if alias == .clientIP, !flags.contains(.hex), let text = context.sourceText {
      return quoted(into: &out) { $0.append(text) }
    }
    switch address {
    case .none: LogText.append(.empty, flags, into: &out)
    case .unix:
      if isPort {
        out.append(decimal: context.connection.listenerID)
      } else {
        LogText.append("unix", flags, into: &out)
      }
    case .ip(_, let port) where isPort:
      if flags.contains(.hex) {
        out.append(contentsOf: Hexadecimal.encode(UInt64(port), width: 4))
      } else {
        out.append(decimal: Int(port))
      }
    case .ip(let ip, _):
      if flags.contains(.hex) {
        out.append(contentsOf: Hexadecimal.encode(Bytes(ip.octets)))
      } else {
        quoted(into: &out) { AddressText.append(ip, into: &$0) }
      }
    }
  }

  private func writeDate(_ alias: LogAlias, into out: inout [UInt8]) {
    let accepted = context.connection.accepted.wall
    switch alias {
    case .acceptSeconds:
      if flags.contains(.hex) {
        out.append(
          contentsOf: Hexadecimal.encode(UInt64(UInt32(truncatingIfNeeded: accepted.seconds)), width: 4))
      } else {
        out.append(decimal: Int(accepted.seconds))
      }
    case .milliseconds:
      let value = Int(accepted.microseconds / 1000 % 1000)
      if flags.contains(.hex) {
        out.append(contentsOf: Hexadecimal.encode(UInt64(max(0, value)), width: 2))
      } else {
        DateText.append(padded: value, width: 3, into: &out)
      }
    default:
      // Dates are never quoted.
      let requestDate = context.log.requestDate ?? accepted
      switch alias {
      case .acceptDate: DateText.appendLocalMilliseconds(accepted, &context.dates, into: &out)
      case .acceptDateUTC: DateText.appendUTC(accepted, into: &out)
      case .acceptDateLocal: DateText.appendLocal(accepted, into: &out)
      case .requestDate: DateText.appendLocalMilliseconds(requestDate, &context.dates, into: &out)
      case .requestDateUTC: DateText.appendUTC(requestDate, into: &out)
      default: DateText.appendLocal(requestDate, into: &out)
      }
    }
  }

  private func writeCaptures(_ captures: [Bytes?], into out: inout [UInt8]) {
    guard !captures.isEmpty else { return }
    quoted(into: &out) {
      $0.append(0x7B)
      for (i, capture) in captures.enumerated() {
        if i > 0 { $0.append(0x7C) }
        if let capture {
          LogText.appendEncoded(
            capture, marker: 0x23, unsafe: LogText.isUnsafeInCapture, escaping: flags.contains(.escape),
            into: &$0)
        }
      }
      $0.append(0x7D)
    }
  }

  private func writeCaptureList(_ captures: [Bytes?], into out: inout [UInt8]) {
    for (i, capture) in captures.enumerated() {
      if i > 0 { out.append(ASCII.space) }
      quoted(into: &out) {
        if let capture {
          LogText.appendEncoded(
            capture, marker: 0x23, unsafe: LogText.isUnsafeInCapture, escaping: flags.contains(.escape),
            into: &$0)
        } else if !flags.contains(.quote) {
          $0.append(0x2D)
        }
      }
    }
  }
}

/// The numeric aliases.
enum LogNumber {
  static func value(_ alias: LogAlias, _ context: RuleContext) -> Int {
    let idle = max(0, context.log.idleTime)
    switch alias {
    case .bytesRead: return context.log.bytesOut
    case .bytesUploaded: return context.log.bytesIn
    case .status: return context.log.status
    case .activeTime: return context.log.activeTime
    case .connectTime: return context.log.connectTime
    case .dataTime: return context.log.dataTime
    case .handshakeTime: return context.log.handshakeTime
    case .idleTime: return context.log.idleTime
    case .requestTime: return context.log.requestTime
    case .totalRequestTime:
      return context.log.requestTime < 0 ? -1 : context.log.requestTime &+ idle &+ context.log.handshakeTime
    case .responseTime: return context.log.responseTime
    case .totalTime: return context.log.totalTime
    case .userTime: return context.log.totalTime &- idle
    case .queueTime: return context.log.queueTime
    case .activeConnections: return context.log.activeConnections
    case .backendConnections: return context.log.backendConnections
    case .backendQueue: return context.log.backendQueue
    case .frontendConnections: return context.log.frontendConnections
    case .logCounter: return context.log.logCounter
    case .pid: return context.environment.processID
    case .retries: return context.log.retries
    case .requestCounter: return context.log.requestCounter
    case .serverConnections: return context.log.serverConnections
    case .serverQueue: return context.log.serverQueue
    default: return 0
    }
  }
}

/// The pieces of the request line as it was received; all of it is `LogAliasWriter.writeRequestLine`.
enum LogRequestLine {
  private static let bad = Bytes("<BADREQ>")

  static func part(_ alias: LogAlias, _ context: RuleContext) -> Bytes {
    guard !context.log.method.isEmpty else { return bad }
    switch alias {
    case .method: return context.log.method
    case .uri: return context.log.uri
    case .version: return context.log.version.isEmpty ? "HTTP/0.9" : context.log.version
    case .query:
      guard let question = context.log.uri.firstIndex(of: ASCII.question) else { return .empty }
      return context.log.uri.dropFirst(question)
    case .path:
      return context.log.uri.prefix(context.log.uri.firstIndex(of: ASCII.question) ?? context.log.uri.count)
    case .pathOnly: return RequestTarget(context.log.uri).path
    default: return bad
    }
  }
}
