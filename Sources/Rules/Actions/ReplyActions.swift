import Base
import Config
import HTTP

/// Actions that answer the client.
enum ReplyActions {
  static let table: [ActionEntry] = [
    ActionEntry(
      "deny", [.httpRequest, .httpResponse],
      "[ { status | deny_status } <code> ] [ content-type <type> ] [ <body> ] [ hdr <name> <fmt> ]*"
    ) {
      parser throws(RuleError) in
      let standard = parser.place.isResponse ? 502 : 403
      let (status, reply) = try ReplyParser.parse(&parser, standardStatus: standard, isRefusal: true)
      return { _ in .deny(status: status, reply) }
    },
    ActionEntry(
      "tarpit", .httpRequest,
      "[ { status | deny_status } <code> ] [ content-type <type> ] [ <body> ] [ hdr <name> <fmt> ]*"
    ) {
      parser throws(RuleError) in
      let (status, reply) = try ReplyParser.parse(&parser, standardStatus: 500, isRefusal: true)
      return { _ in .tarpit(status: status, reply) }
    },
    ActionEntry(
      "return", [.httpRequest, .httpResponse],
      "[ status <code> ] [ content-type <type> ] [ <body> ] [ hdr <name> <fmt> ]*"
    ) {
      parser throws(RuleError) in
      let (status, reply) = try ReplyParser.parse(&parser, standardStatus: 200, isRefusal: false)
      let answer = reply ?? Reply(status: status)
      return { _ in .reply(answer) }
    },
    ActionEntry("redirect", [.httpRequest, .httpResponse], "<rule>") { parser throws(RuleError) in
      let redirect = try RedirectParser.parse(&parser, usesFormat: true)
      return body(of: redirect)
    },
    ActionEntry("auth", .httpRequest, "[ realm <realm> ]") { parser throws(RuleError) in
      var realm: LogFormat?
      if parser.accept("realm") {
        realm = try LogFormatParser.header(try parser.need("a realm").bytes, scope: parser.scope)
      }
      let standard = parser.scope.authenticationRealm
      let quoted = AuthenticationChallenge(realm: realm, standard: standard)
      return { context in .reply(quoted.reply(context)) }
    },
  ]

  static func body(of redirect: Redirect) -> ActionBody {
    let reply = Reply(kind: .redirect, status: redirect.code, redirect: redirect)
    return { context in redirect.isSuppressed(context) ? nil : .reply(reply) }
  }
}

/// `http-request auth`: 401, or 407 towards the clients of a proxy.
struct AuthenticationChallenge: Sendable {
  let realm: LogFormat?
  let standard: Bytes
  private let direct: Reply
  private let proxied: Reply

  init(realm: LogFormat?, standard: Bytes) {
    self.realm = realm
    self.standard = standard
    let value = AuthenticationChallenge.value(realm, standard)
    direct = Reply(
      kind: .authentication, status: 401, fields: [("www-authenticate", value)], body: .proxyPage)
    proxied = Reply(
      kind: .authentication, status: 407, fields: [("proxy-authenticate", value)], body: .proxyPage)
  }

  private static func value(_ realm: LogFormat?, _ standard: Bytes) -> LogFormat {
    var items = [LogFormatItem(content: .text("Basic realm=\""))]
    items += realm?.items ?? [LogFormatItem(content: .text(standard))]
    items.append(LogFormatItem(content: .text("\"")))
    return LogFormat(items: items, globalFlags: [], escaping: .header)
  }

  func reply(_ context: RuleContext) -> Reply {
    guard let request = context.request else { return direct }
    // What a rule made of the target counts no more than what has no authority at all.
    let target = RequestTarget(request.target)
    let isForProxy = !target.isOriginForm && !target.authority.isEmpty
    return isForProxy && (target.hasPath || request.method == "CONNECT") ? proxied : direct
  }
}
