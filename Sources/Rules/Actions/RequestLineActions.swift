import Base
import Config
import HTTP

/// Changing the request line and the status line.
enum RequestLineActions {
  static let table: [ActionEntry] =
    [
      set("set-method") { request, value in
        // What is no token cannot be sent; the request keeps its method.
        if HeaderText.isName(value) { request.method = value }
      },
      set("set-uri") { request, value in setURI(value, of: request) },
      set("set-path") { request, value in
        let target = RequestTarget(request.target)
        request.target = join(target.prefix, value, target.query)
      },
      set("set-pathq") { request, value in
        request.target = join(RequestTarget(request.target).prefix, value, nil)
      },
      set("set-query") { request, value in
        let query = value.count > 0 && value[0] == ASCII.question ? value.dropFirst(1) : value
        let end = request.target.firstIndex(of: ASCII.question) ?? request.target.count
        request.target = join(
          .empty, request.target.prefix(end), query.isEmpty && value.isEmpty ? nil : query)
      },
      replace("replace-uri", pick: { $0.target }) { request, value in setURI(value, of: request) },
      replace("replace-path", pick: { RequestTarget($0.target).existingPath }) { request, value in
        let target = RequestTarget(request.target)
        request.target = join(target.prefix, value, target.query)
      },
      replace(
        "replace-pathq",
        pick: { RequestTarget($0.target).hasPath ? RequestTarget($0.target).pathAndQuery : nil }
      ) { request, value in
        request.target = join(RequestTarget(request.target).prefix, value, nil)
      },
      ActionEntry("set-status", [.httpResponse, .httpAfterResponse], "<status> [reason <str>]") {
        parser throws(RuleError) in
        let word = try parser.need("a status code")
        guard let status = Int(word.text), (100...999).contains(status) else {
          throw RuleError("expects an integer status code between 100 and 999")
        }
        let reason = parser.accept("reason") ? try parser.need("a reason").bytes : Reply.reason(for: status)
        return { context in
          context.response?.status = status
          context.response?.reason = reason
          return nil
        }
      },
    ]

  private static func set(
    _ name: String, _ apply: @escaping @Sendable (MessageHead, Bytes) -> Void
  ) -> ActionEntry {
    ActionEntry(name, .httpRequest, "<fmt>") { parser throws(RuleError) in
      let format = try parser.format()
      return { context in
        guard let request = context.request else { return nil }
        let value = TargetText.safe(Bytes(format.rendered(context)))
        guard context.allows(value.count, in: request, isResponse: false) else {
          return context.rewriteFailed(isResponse: false)
        }
        apply(request, value)
        return nil
      }
    }
  }

  private static func replace(
    _ name: String, pick: @escaping @Sendable (MessageHead) -> Bytes?,
    _ apply: @escaping @Sendable (MessageHead, Bytes) -> Void
  ) -> ActionEntry {
    ActionEntry(name, .httpRequest, "<match-regex> <replace-fmt>") { parser throws(RuleError) in
      let regex = try RegularExpression.compile(
        try parser.need("a regular expression").bytes, ignoresCase: false)
      let format = try parser.format("a replacement")
      return { context in
        guard let request = context.request else { return nil }
        guard let old = pick(request), let new = HeaderActions.substitute(old, regex, format, context) else {
          return nil
        }
        let value = TargetText.safe(new)
        guard context.allows(Swift.max(0, value.count - old.count), in: request, isResponse: false) else {
          return context.rewriteFailed(isResponse: false)
        }
        apply(request, value)
        return nil
      }
    }
  }

  /// A URI that names an authority changes the Host field too, so that both say the same.
  private static func setURI(_ value: Bytes, of request: MessageHead) {
    request.target = value
    let authority = RequestTarget(value).authority
    guard !authority.isEmpty else { return }
    let end = (0..<authority.count).first { "/?#".utf8.contains(authority[$0]) } ?? authority.count
    let host = authority.prefix(end).dropFirst(authority.firstIndex(of: 0x40).map { $0 + 1 } ?? 0)
    guard let index = request.firstIndex(of: hostField) else { return }
    request.replaceValue(at: index, with: Bytes(copying: host.span))
  }

  private static let hostField: FieldName = "host"

  private static func join(_ prefix: Bytes, _ path: Bytes, _ query: Bytes?) -> Bytes {
    var out = prefix.array
    out.append(path)
    if let query {
      out.append(ASCII.question)
      out.append(query)
    }
    return Bytes(out)
  }
}

enum TargetText {
  /// What would end a request line early is percent-encoded: a value computed from the request must not be able to
  /// smuggle a second one.
  static func safe(_ text: Bytes) -> Bytes {
    for i in 0..<text.count where isUnsafe(text[i]) {
      var out: [UInt8] = []
      LogText.appendEncoded(text, marker: 0x25, unsafe: isUnsafe, into: &out)
      return Bytes(out)
    }
    return text
  }

  private static func isUnsafe(_ c: UInt8) -> Bool { c <= 32 || c == 127 }
}
