import Base
import Config
import HTTP

/// What changes how a stream is handled.
enum StreamActions {
  static let table: [ActionEntry] = [
    ActionEntry("set-log-level", [.tcpContent, .tcpResponse, .http], "<level>") { parser throws(RuleError) in
      let word = try parser.need("a log level")
      let levels = ["emerg", "alert", "crit", "err", "warning", "notice", "info", "debug"]
      guard let level = word.text == "silent" ? -1 : levels.firstIndex(of: word.text) else {
        throw RuleError(
          "unknown log level '\(word.text)'", suggestion: Suggestions.nearest(word.text, levels + ["silent"]),
          expected: (levels + ["silent"]).joined(separator: ", "))
      }
      return { context in
        context.logLevel = level
        return nil
      }
    },
    ActionEntry("strict-mode", .http, "{ on | off }") { parser throws(RuleError) in
      let word = try parser.need("'on' or 'off'").text
      guard word == "on" || word == "off" else {
        throw RuleError("unexpected value '\(word)'", expected: "on or off")
      }
      let (isLenient, isResponse) = (word == "off", parser.place.isResponse)
      return { context in
        if isResponse {
          context.responseRoom.isLenient = isLenient
        } else {
          context.requestRoom.isLenient = isLenient
        }
        return nil
      }
    },
    ActionEntry("wait-for-handshake", .httpRequest) { _ throws(RuleError) in
      // Only a request that came as early data can be here before the handshake is complete.
      return { context in context.connection.tls?.hasEarlyData ?? false ? .waitForHandshake : nil }
    },
    ActionEntry("pause", [.httpRequest, .httpResponse], "{ <timeout> | <expr> }") { parser throws(RuleError) in
      if let word = parser.peek, let time = Numbers.duration(word) {
        _ = parser.next()
        guard time > .zero else { throw RuleError("null value is not valid for a 'pause' rule") }
        return { _ in .pause(time) }
      }
      let expression = try parser.expression("a duration or an expression")
      return { context in
        guard let value = expression.evaluate(context)?.cast(to: .int)?.integer, value > 0 else { return nil }
        return .pause(.milliseconds(Int64(Int32(clamping: value))))
      }
    },
    ActionEntry("disable-l7-retry", .httpRequest) { _ throws(RuleError) in
      return { context in
        context.retriesDisabled = true
        return nil
      }
    },
    ActionEntry("early-hint", .httpRequest, "<name> <fmt>") { parser throws(RuleError) in
      let name = FieldName(try parser.need("a header name").bytes)
      let format = try parser.format("a header value")
      return { context in
        context.earlyHints.append((name, Bytes(format.rendered(context))))
        return nil
      }
    },
    ActionEntry("wait-for-body", [.httpRequest, .httpResponse], "time <time> [ at-least <bytes> ]") {
      parser throws(RuleError) in
      var timeout: Timespan?
      var atLeast = 0
      while let option = parser.next() {
        switch option.text {
        case "time": timeout = try parser.duration()
        case "at-least":
          let word = try parser.need("a size")
          guard let size = Numbers.size(word.text) else { throw RuleError("invalid size '\(word.text)'") }
          atLeast = size
        default:
          throw RuleError("expects 'time <time> [ at-least <bytes> ]', got '\(option.text)'")
        }
      }
      guard let timeout else { throw RuleError("expects 'time <time>'") }
      let isResponse = parser.place.isResponse
      let enough = atLeast
      return { context in
        if isResponse ? context.responseBodyIsComplete : context.requestBodyIsComplete { return nil }
        let count = isResponse ? context.responseBody.count : context.requestBody.count
        return enough > 0 && count >= enough ? nil : .waitForBody(timeout: timeout, atLeast: enough)
      }
    },
    ActionEntry(
      "set-timeout", [.httpRequest, .httpResponse],
      "{ client | server | tunnel | connect | queue | tarpit } { <time> | <expr> }"
    ) {
      parser throws(RuleError) in
      let which = try parser.need("the name of a timeout")
      let apply = try timeout(which.text)
      if let word = parser.peek, let value = Numbers.duration(word) {
        _ = parser.next()
        return { context in
          apply(&context.timeoutChanges, value)
          return nil
        }
      }
      let expression = try parser.expression("a duration or an expression")
      return { context in
        if let value = expression.evaluate(context)?.integer, value >= 0 {
          apply(&context.timeoutChanges, .milliseconds(value))
        }
        return nil
      }
    },
    ActionEntry("set-retries", [.tcpContent, .httpRequest], "{ <number> | <expr> }") {
      parser throws(RuleError) in
      if let word = parser.peek, let value = Numbers.integer(word) {
        _ = parser.next()
        guard (0...100).contains(value) else {
          throw RuleError("invalid number of retries '\(word)'", expected: "a number from 0 to 100")
        }
        return { context in
          context.retries = Int(value)
          return nil
        }
      }
      let expression = try parser.expression("a number or an expression")
      return { context in
        if let value = expression.evaluate(context)?.integer, (0...100).contains(value) {
          context.retries = Int(value)
        }
        return nil
      }
    },
    ActionEntry("set-nice", [.tcpContent, .tcpResponse, .httpRequest, .httpResponse], "<nice>") {
      parser throws(RuleError) in
      let word = try parser.need("a number")
      guard let value = Numbers.integer(word.text), (-1024...1024).contains(value) else {
        throw RuleError("expects a number from -1024 to 1024, got '\(word.text)'")
      }
      parser.scope.diagnostics.advice(
        "'set-nice' has no effect here: all streams of a thread have their turns", at: parser.line.location)
      return { _ in nil }
    },
    priority("set-priority-class", -2047...2047) { context, value in context.priorityClass = value },
    priority("set-priority-offset", -524_287...524_287) { context, value in context.priorityOffset = value },
  ]

  private static func timeout(_ name: String) throws(RuleError)
    -> @Sendable (inout TimeoutChanges, Timespan) -> Void
  {
    switch name {
    case "client": return { $0.client = $1 }
    case "server": return { $0.server = $1 }
    case "tunnel": return { $0.tunnel = $1 }
    case "connect": return { $0.connect = $1 }
    case "queue": return { $0.queue = $1 }
    case "tarpit": return { $0.tarpit = $1 }
    default:
      throw RuleError(
        "'set-timeout' rule supports 'server'/'tunnel'/'client'/'connect'/'queue'/'tarpit' (got '\(name)')")
    }
  }

  private static func priority(
    _ name: String, _ range: ClosedRange<Int64>, _ apply: @escaping @Sendable (RuleContext, Int) -> Void
  ) -> ActionEntry {
    ActionEntry(name, [.tcpContent, .httpRequest], "<expr>") { parser throws(RuleError) in
      let expression = try parser.expression()
      return { context in
        if let value = expression.evaluate(context)?.integer {
          apply(context, Int(min(max(value, range.lowerBound), range.upperBound)))
        }
        return nil
      }
    }
  }
}
