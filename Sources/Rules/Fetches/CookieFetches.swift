public import Base
public import HTTP

/// Cookies of requests (`Cookie`) and responses (`Set-Cookie`).
enum CookieFetches {
  static let table: [FetchEntry] =
    family("req.cook", .requestData, places: .requestData, isResponse: { _ in false })
    + family("res.cook", .responseData, places: .responseData, isResponse: { _ in true })
    + family("scook", .responseData, places: .responseData, isResponse: { _ in true }).filter {
      $0.name != "scook_names"
    }
    + family("cook", .requestData, places: .requestData, isResponse: { $0.isResponseSide }).filter {
      $0.name != "cook_names"
    }
    + [
      FetchEntry(
        "cookie", .optional(.string), .string, .cookieLasting,
        each: { context, a, visit in
          each(context, a, context.isResponseSide) { visit(.string($0)) }
        }
      ) { context, a in last(context, a, context.isResponseSide).map(Sample.string) }
    ]

  private typealias Side = @Sendable (RuleContext) -> Bool

  private static func family(
    _ name: String, _ derived: SamplePlaces, places: SamplePlaces, isResponse: @escaping Side
  ) -> [FetchEntry] {
    [
      FetchEntry(
        name, .optional(.string), .string, places,
        each: { context, a, visit in
          each(context, a, isResponse(context)) { visit(.string($0)) }
        }
      ) { context, a in last(context, a, isResponse(context)).map(Sample.string) },
      FetchEntry(name + "_cnt", .optional(.string), .int, derived) { context, a in
        var count: Int64 = 0
        _ = each(context, a, isResponse(context)) { _ in
          count += 1
          return false
        }
        return .int(count)
      },
      FetchEntry(name + "_val", .optional(.string), .int, derived) { context, a in
        last(context, a, isResponse(context)).map { .int(Numbers.wrapping($0)) }
      },
      FetchEntry(name + "_names", .optional(.string), .string, derived) { context, a in
        let delimiter = a.string(0).flatMap { $0.isEmpty ? nil : $0.prefix(1) } ?? ","
        var out: [UInt8] = []
        _ = forEachCookie(context, isResponse(context)) { cookieName, _ in
          if !out.isEmpty { out.append(delimiter) }
          out.append(cookieName)
          return false
        }
        return out.isEmpty ? nil : .string(Bytes(out))
      },
    ]
  }

  private static func each(
    _ context: RuleContext, _ arguments: Arguments, _ isResponse: Bool, _ visit: (Bytes) -> Bool
  ) -> Bool {
    let wanted = arguments.string(0)
    return forEachCookie(context, isResponse) { name, value in
      wanted.map { $0.isEmpty || $0 == name } ?? true ? visit(value) : false
    }
  }

  /// The last cookie of a name, as HAProxy does; without a name the first of all.
  private static func last(_ context: RuleContext, _ arguments: Arguments, _ isResponse: Bool) -> Bytes? {
    var found: Bytes?
    let takesFirst = arguments.string(0)?.isEmpty ?? true
    _ = each(context, arguments, isResponse) {
      found = $0
      return takesFirst
    }
    return found
  }

  private static func forEachCookie(
    _ context: RuleContext, _ isResponse: Bool, _ visit: (Bytes, Bytes) -> Bool
  ) -> Bool {
    let field: FieldName = isResponse ? setCookie : cookie
    guard let head = isResponse ? context.response : context.request else { return false }
    var index = 0
    while let at = head.firstIndex(of: field, from: index) {
      if CookieText.forEach(head.value(at: at), isSetCookie: isResponse, visit) { return true }
      index = at + 1
    }
    return false
  }

  private static let cookie = FieldName("cookie")
  private static let setCookie = FieldName("set-cookie")
}

/// `capture cookie`: what logs show of a cookie.
public enum CookieCapture {
  /// `name=value`, cut to `length`, of the first cookie that is called `name`, or begins so; nil without one.
  public static func find(
    in head: MessageHead, isResponse: Bool, name: Bytes, isPrefix: Bool, length: Int
  ) -> Bytes? {
    let field: FieldName = isResponse ? "set-cookie" : "cookie"
    var found: Bytes?
    var index = 0
    while found == nil, let at = head.firstIndex(of: field, from: index) {
      _ = CookieText.forEach(head.value(at: at), isSetCookie: isResponse) { cookie, value in
        guard isPrefix ? cookie.starts(with: name) : cookie == name else { return false }
        found = Bytes(cookie.array + [0x3D] + value.array).prefix(length)
        return true
      }
      index = at + 1
    }
    return found
  }
}

enum CookieText {
  /// Name and value of each cookie until `visit` answers true; of a Set-Cookie only the first pair is one.
  static func forEach(_ line: Bytes, isSetCookie: Bool, _ visit: (Bytes, Bytes) -> Bool) -> Bool {
    var start = 0
    while start < line.count {
      let end = line.firstIndex(of: 0x3B, from: start) ?? line.count
      let pair = line[start..<end].trimmed
      if let equal = pair.firstIndex(of: 0x3D) {
        if visit(pair.prefix(equal).trimmed, pair.dropFirst(equal + 1).trimmed) { return true }
      }
      if isSetCookie { return false }
      start = end + 1
    }
    return false
  }
}
