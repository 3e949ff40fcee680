import Base
import HTTP

/// HTTP authentication (RFC 7617, RFC 6750) against userlists.
enum AuthenticationFetches {
  static let table: [FetchEntry] = [
    FetchEntry("http_auth", .required(.userlist), .bool, .requestData) { context, a in
      guard case .userlist(let list) = a[0] else { return nil }
      guard let login = BasicLogin(context) else { return .bool(false) }
      return .bool(list.accepts(user: login.user, password: login.password))
    },
    FetchEntry(
      "http_auth_group", .required(.userlist), .string, .requestData,
      each: { context, a, visit in
        guard case .userlist(let list) = a[0], let login = BasicLogin(context),
          list.accepts(user: login.user, password: login.password)
        else { return false }
        return list.groups(of: login.user).contains { visit(.string($0)) }
      }
    ) { context, a in
      guard case .userlist(let list) = a[0], let login = BasicLogin(context),
        list.accepts(user: login.user, password: login.password)
      else { return nil }
      return .string(login.user)
    },
    FetchEntry("http_auth_user", .none, .string, .requestData) { context, _ in
      BasicLogin(context).map { .string($0.user) }
    },
    FetchEntry("http_auth_pass", .none, .string, .requestData) { context, _ in
      BasicLogin(context).map { .string($0.password) }
    },
    FetchEntry("http_auth_type", .none, .string, .requestData) { context, _ in
      guard let credentials = credentials(context) else { return nil }
      // A login that cannot be read is none.
      if credentials.scheme.equalsIgnoringCase("basic"), BasicLogin(context) == nil { return nil }
      return .string(credentials.scheme)
    },
    FetchEntry("http_auth_bearer", .optional(.headerName), .string, .requestData) { context, a in
      let field = a.field(0) ?? authorization
      guard let value = context.request?.first(field.bytes.isEmpty ? authorization : field) else {
        return nil
      }
      let parts = split(value)
      return parts.scheme.equalsIgnoringCase("bearer") ? .string(parts.rest) : nil
    },
  ]

  private static let authorization = FieldName("authorization")
  private static let proxyAuthorization = FieldName("proxy-authorization")

  private static func split(_ value: Bytes) -> (scheme: Bytes, rest: Bytes) {
    let space = value.firstIndex(of: ASCII.space) ?? value.count
    return (value.prefix(space), value.dropFirst(space).trimmed)
  }

  static func credentials(_ context: RuleContext) -> (scheme: Bytes, rest: Bytes)? {
    guard let request = context.request else { return nil }
    // An absolute-form request is one to a proxy, which has a field of its own.
    let isProxied = !RequestTarget(request.target).isOriginForm && request.contains(proxyAuthorization)
    return request.first(isProxied ? proxyAuthorization : authorization).map(split)
  }
}

/// The user and password of `Authorization: Basic`.
struct BasicLogin {
  let user: Bytes
  let password: Bytes

  init?(_ context: RuleContext) {
    guard let credentials = AuthenticationFetches.credentials(context),
      credentials.scheme.equalsIgnoringCase("basic"), let decoded = Base64.decode(credentials.rest)
    else { return nil }
    let text = Bytes(decoded)
    guard let colon = text.firstIndex(of: ASCII.colon) else { return nil }
    user = text.prefix(colon)
    password = text.dropFirst(colon + 1)
  }
}
