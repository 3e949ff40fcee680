import Base
import HTTP

/// The request line and what it is made of.
enum HTTPRequestFetches {
  static let table: [FetchEntry] =
    [
      FetchEntry("method", .none, .method, .requestLasting) { context, _ in
        // Of the methods that have a number in HAProxy, `set-method` does not change what is seen here.
        if !context.log.method.isEmpty, wellKnown.contains(context.log.method) {
          return .method(context.log.method)
        }
        if let request = context.request { return .method(request.method) }
        return context.log.method.isEmpty ? nil : .method(context.log.method)
      },
      FetchEntry("url", .none, .string, .requestData) { context, _ in
        request(context).map { .string($0.uri) }
      },
      FetchEntry("path", .none, .string, .requestData) { context, _ in
        guard let request = context.request else { return nil }
        if let path = request.originPath { return .string(path) }
        return RequestTarget(request.target).existingPath.map(Sample.string)
      },
      FetchEntry("pathq", .none, .string, .requestData) { context, _ in
        request(context).map { RequestTarget($0.target) }.flatMap {
          $0.hasPath ? .string($0.pathAndQuery) : nil
        }
      },
      FetchEntry("query", .optional(.string), .string, .requestData) { context, a in
        guard let request = request(context) else { return nil }
        guard let query = RequestTarget(request.target).query else { return nil }
        if a.string(0) == "with_qm" { return .string(Bytes([ASCII.question] + query.array)) }
        return .string(query)
      },
      FetchEntry("base", .none, .string, .requestData) { context, _ in
        base(context, withQuery: false).map(Sample.string)
      },
      FetchEntry("baseq", .none, .string, .requestData) { context, _ in
        base(context, withQuery: true).map(Sample.string)
      },
      FetchEntry("base32", .none, .int, .requestData) { context, _ in
        baseHash(context).map { .int(Int64($0)) }
      },
      FetchEntry("base32+src", .none, .binary, .requestData) { context, _ in
        baseHash(context).map { withSource($0, context) }
      },
      FetchEntry("url32", .none, .int, .requestData) { context, _ in
        urlHash(context).map { .int(Int64($0)) }
      },
      FetchEntry("url32+src", .none, .binary, .requestData) { context, _ in
        urlHash(context).map { withSource($0, context) }
      },
      FetchEntry("url_ip", .none, .ipv4, .requestData) { context, _ in
        urlAuthority(context).flatMap { $0.host.string }.flatMap { Numbers.dottedQuad(Bytes($0)) }.map {
          .ip(.v4($0))
        }
      },
      FetchEntry("url_port", .none, .int, .requestData) { context, _ in
        urlAuthority(context).map { .int(Int64($0.port ?? 80)) }
      },
      FetchEntry("http_first_req", .none, .bool, .requestLasting) { context, _ in
        .bool(context.isFirstRequest)
      },
      FetchEntry("capture.req.method", .none, .string, .requestLasting) { context, _ in
        context.log.method.isEmpty ? nil : .string(context.log.method)
      },
      FetchEntry("capture.req.uri", .none, .string, .requestLasting) { context, _ in
        context.log.method.isEmpty ? nil : .string(context.log.uri)
      },
      FetchEntry("capture.req.ver", .none, .string, .requestLasting) { context, _ in
        context.request.map { .string($0.version < .http11 ? "HTTP/1.0" : "HTTP/1.1") }
      },
      FetchEntry("capture.req.hdr", .required(.integer), .string, .requestLasting) { context, a in
        capture(context.log.requestCaptures, a)
      },
      FetchEntry("capture.res.hdr", .required(.integer), .string, .responseLasting) { context, a in
        capture(context.log.responseCaptures, a)
      },
      FetchEntry("capture.res.ver", .none, .string, .requestLasting) { context, _ in
        context.response.map { .string($0.version < .http11 ? "HTTP/1.0" : "HTTP/1.1") }
      },
      FetchEntry("req.ver", .none, .string, .requestLasting, version),
      FetchEntry("req_ver", .none, .string, .requestLasting, version),
    ] + parameters

  private static let wellKnown: Set<Bytes> = [
    "GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "TRACE", "CONNECT",
  ]

  static func request(_ context: RuleContext) -> MessageHead? { context.request }

  private static let version: FetchBody = { context, _ in
    guard let version = context.request?.version else { return nil }
    return .string(Bytes("\(version.major).\(version.minor)"))
  }

  private static func capture(_ captures: [Bytes?], _ arguments: Arguments) -> Sample? {
    guard let index = arguments.int(0), captures.indices.contains(Int(truncatingIfNeeded: index)) else {
      return nil
    }
    return captures[Int(index)].map(Sample.string)
  }

  private static func base(_ context: RuleContext, withQuery: Bool) -> Bytes? {
    guard let request = request(context) else { return nil }
    let target = RequestTarget(request.target)
    guard target.hasPath else { return nil }
    let path = withQuery ? target.pathAndQuery : target.path
    guard let host = request.first("host") else { return path }
    var out = host.array
    out.append(path)
    return Bytes(out)
  }

  private static func baseHash(_ context: RuleContext) -> UInt32? {
    guard let request = request(context) else { return nil }
    var octets = (request.first("host") ?? .empty).array
    octets.append(RequestTarget(request.target).path)
    return Hashes.avalanche(Hashes.sdbm(Bytes(octets)))
  }

  private static func urlHash(_ context: RuleContext) -> UInt32? {
    guard let request = request(context) else { return nil }
    var octets = (request.first("host") ?? .empty).array
    let target = RequestTarget(request.target)
    if target.hasPath { octets.append(target.pathAndQuery) }
    return Hashes.avalanche(Hashes.sdbm(Bytes(octets)))
  }

  private static func withSource(_ hash: UInt32, _ context: RuleContext) -> Sample {
    let octets =
      withUnsafeBytes(of: hash.bigEndian) { Array($0) } + (context.source.ip?.octets ?? [])
    return .binary(Bytes(octets))
  }

  private static func urlAuthority(_ context: RuleContext) -> (host: Bytes, port: Int?)? {
    guard let request = request(context) else { return nil }
    let authority = RequestTarget(request.target).authority
    guard !authority.isEmpty else { return nil }
    return HostText.split(authority)
  }

  // MARK: Query parameters

  private static let parameterArguments = ArgumentGrammar.optional(.string, .string, .string)
  private static let parameters: [FetchEntry] =
    ["url_param", "urlp"].map { name in
      FetchEntry(
        name, parameterArguments, .string, .requestData,
        each: { context, a, visit in
          guard let request = request(context) else { return false }
          return QueryText.forEach(query(request, a), named: a.string(0), foldingCase: a.string(2) == "i") {
            visit(.string($0))
          }
        }
      ) { context, a in parameter(context, a).map(Sample.string) }
    } + [
      FetchEntry("urlp_val", parameterArguments, .int, .requestData) { context, a in
        parameter(context, a).map { .int(Numbers.wrapping($0)) }
      }
    ]

  private static func query(_ request: MessageHead, _ arguments: Arguments) -> Bytes {
    let delimiter = arguments.string(1).flatMap { $0.isEmpty ? nil : $0[0] } ?? ASCII.question
    guard let start = request.target.firstIndex(of: delimiter) else { return .empty }
    return request.target.dropFirst(start + 1)
  }

  private static func parameter(_ context: RuleContext, _ arguments: Arguments) -> Bytes? {
    guard let request = request(context) else { return nil }
    var found: Bytes?
    _ = QueryText.forEach(
      query(request, arguments), named: arguments.string(0), foldingCase: arguments.string(2) == "i"
    ) {
      found = $0
      return true
    }
    return found
  }
}

/// `name=value&name=value`.
enum QueryText {
  /// The values of the parameters called `name` (all when nil or empty) until `visit` answers true.
  static func forEach(_ query: Bytes, named name: Bytes?, foldingCase: Bool, _ visit: (Bytes) -> Bool) -> Bool {
    var start = 0
    while start < query.count {
      var end = start
      while end < query.count, query[end] != 0x26, query[end] != 0x3B { end += 1 }
      let pair = query[start..<end]
      let equal = pair.firstIndex(of: 0x3D)
      let key = pair.prefix(equal ?? pair.count)
      let matches = name.map { $0.isEmpty || (foldingCase ? $0.equalsIgnoringCase(key) : $0 == key) } ?? true
      if matches, let equal, visit(pair.dropFirst(equal + 1)) { return true }
      start = end + 1
    }
    return false
  }
}

/// `host[:port]` with brackets around IPv6 addresses.
enum HostText {
  /// What stands before the last colon outside brackets, whatever follows it.
  static func beforePort(_ text: Bytes) -> Bytes {
    var i = text.count
    while i > 0 {
      i -= 1
      if text[i] == ASCII.colon { return text.prefix(i) }
      if text[i] == 0x5D { break }
    }
    return text
  }

  /// The number behind the last colon outside brackets, 0 without one. Anything but digits gives nonsense, and the
  /// same nonsense as HAProxy's.
  static func portNumber(_ text: Bytes) -> UInt32 {
    let rest = text.dropFirst(beforePort(text).count)
    var number: UInt32 = 0
    for i in 0..<rest.count where i > 0 { number = number &* 10 &+ UInt32(rest[i]) &- 48 }
    return number
  }

  static func split(_ authority: Bytes) -> (host: Bytes, port: Int?) {
    var end = authority.count
    while end > 0, ASCII.isDigit(authority[end - 1]) { end -= 1 }
    guard end > 0, authority[end - 1] == ASCII.colon else { return (authority, nil) }
    let host = authority.prefix(end - 1)
    // A colon inside an address without brackets separates no port.
    if host.firstIndex(of: ASCII.colon) != nil, host[0] != 0x5B { return (authority, nil) }
    let digits = authority.dropFirst(end)
    return (host, digits.count < 6 ? Numbers.leadingInteger(digits).map(Int.init) : nil)
  }
}
