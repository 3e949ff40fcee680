import Base
import Config
import HTTP

/// `redirect`: where to, with which status and options.
struct Redirect: Sendable {
  enum Kind: String, Sendable { case location, prefix, scheme }

  let kind: Kind
  let value: LogFormat
  var code = 302
  var dropsQuery = false
  var keepsQuery = false
  var appendsSlash = false
  var ignoresEmpty = false
  /// The value of the Set-Cookie field.
  var cookie: LogFormat?

  /// `ignore-empty`: the rule is passed over when its location comes out empty.
  func isSuppressed(_ context: RuleContext) -> Bool {
    ignoresEmpty && value.rendered(context).isEmpty
  }

  func render(_ context: RuleContext, into reply: inout RenderedReply) {
    var location = value.rendered(context)
    switch kind {
    case .location:
      if keepsQuery, let query = context.request.flatMap({ RequestTarget($0.target).query }) {
        location.append(location.contains(ASCII.question) ? 0x26 : ASCII.question)
        location.append(query)
      }
    case .prefix:
      // A prefix of "/" alone would only double the slash of the path.
      if location == [ASCII.slash] { location = [] }
      appendPath(context, to: &location)
    case .scheme:
      location.append(contentsOf: "://".utf8)
      if let request = context.request {
        location.append(request.first("host") ?? RequestTarget(request.target).authority)
      }
      appendPath(context, to: &location)
    }
    reply.fields.append(("content-length", "0"))
    reply.fields.append(("location", Bytes(location)))
    if code == 302 || code == 303 || code == 307 { reply.fields.append(("cache-control", "no-cache")) }
    if let cookie { reply.fields.append(("set-cookie", Bytes(cookie.rendered(context)))) }
  }

  private func appendPath(_ context: RuleContext, to location: inout [UInt8]) {
    guard let request = context.request else { return }
    let target = RequestTarget(request.target)
    let path = target.hasPath ? target.path : "/"
    location.append(path)
    if dropsQuery {
      if appendsSlash, path.isEmpty || path[path.count - 1] != ASCII.slash { location.append(ASCII.slash) }
      return
    }
    if target.hasPath, let query = target.query {
      location.append(ASCII.question)
      location.append(query)
    }
  }
}

enum RedirectParser {
  static func parse(_ parser: inout ActionParser, usesFormat: Bool) throws(RuleError) -> Redirect {
    var target: (Redirect.Kind, LogFormat)?
    var code = 302
    var options = Options()
    while let word = parser.next() {
      if let kind = Redirect.Kind(rawValue: word.text) {
        let value = try parser.need("a value for '\(word.text)'")
        target = (
          kind,
          usesFormat
            ? try LogFormatParser.header(value.bytes, scope: parser.scope)
            : LogFormat(
              items: [LogFormatItem(content: .text(value.bytes))], globalFlags: [], escaping: .header)
        )
      } else if word.text == "code" {
        let text = try parser.need("a status code").text
        guard let number = Int(text), [301, 302, 303, 307, 308].contains(number) else {
          throw RuleError(
            "'code': unsupported HTTP code '\(text)' (must be one of 301, 302, 303, 307 or 308)")
        }
        code = number
      } else {
        try options.read(word.text, &parser)
      }
    }
    guard let (kind, value) = target else {
      throw RuleError("redirection type expected ('prefix', 'location', or 'scheme')")
    }
    var redirect = Redirect(kind: kind, value: value, code: code)
    redirect.dropsQuery = options.dropsQuery
    redirect.keepsQuery = options.keepsQuery
    redirect.appendsSlash = options.appendsSlash
    redirect.ignoresEmpty = options.ignoresEmpty
    redirect.cookie = options.cookie
    return redirect
  }

  private struct Options {
    var dropsQuery = false
    var keepsQuery = false
    var appendsSlash = false
    var ignoresEmpty = false
    var cookie: LogFormat?

    mutating func read(_ name: String, _ parser: inout ActionParser) throws(RuleError) {
      switch name {
      case "drop-query": dropsQuery = true
      case "keep-query": keepsQuery = true
      case "append-slash": appendsSlash = true
      case "ignore-empty": ignoresEmpty = true
      case "set-cookie": cookie = try self.cookie(&parser, "; path=/;")
      case "set-cookie-fmt":
        let format = try LogFormatParser.header(try parser.need("a cookie").bytes, scope: parser.scope)
        let tail = LogFormatItem(content: .text("; path=/;"))
        cookie = LogFormat(items: format.items + [tail], globalFlags: format.globalFlags, escaping: .header)
      case "clear-cookie": cookie = try self.cookie(&parser, "; path=/; Max-Age=0;")
      default:
        throw RuleError(
          "expects 'code', 'prefix', 'location', 'scheme', 'set-cookie', 'set-cookie-fmt', 'clear-cookie', 'drop-query', 'keep-query', 'ignore-empty' or 'append-slash' (was '\(name)')",
          suggestion: Suggestions.nearest(
            name,
            [
              "code", "prefix", "location", "scheme", "set-cookie", "set-cookie-fmt", "clear-cookie",
              "drop-query",
              "keep-query",
              "append-slash", "ignore-empty", "if", "unless",
            ]))
      }
    }

    private func cookie(_ parser: inout ActionParser, _ attributes: String) throws(RuleError) -> LogFormat {
      var text = try parser.need("a cookie").bytes.array
      if !text.contains(0x3D) { text.append(0x3D) }
      let item = LogFormatItem(content: .text(Bytes(text + Array(attributes.utf8))))
      return LogFormat(items: [item], globalFlags: [], escaping: .header)
    }
  }
}
