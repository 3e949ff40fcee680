import Base

/// The raw octets of a connection in TCP mode (manual 7.3.5).
enum PayloadFetches {
  static let table: [FetchEntry] =
    hello("req.ssl_hello_type", .int, .requestData) { .int(Int64($0.type)) }
    + hello("req.ssl_sni", .string, .requestData) { $0.serverName.map(Sample.string) }
    + hello("req.ssl_ver", .int, .requestData) {
      .int(Int64($0.version.major) << 16 | Int64($0.version.minor))
    }
    + hello("req.ssl_alpn", .string, .requestData) { $0.alpn.map(Sample.string) }
    + hello("req.ssl_ec_ext", .bool, .requestData) { .bool($0.hasCurves) }
    + hello("req.ssl_st_ext", .int, .requestData) { .int(Int64($0.sessionTicket)) }
    + hello("req.ssl_cipherlist", .binary, .layer4Client) { $0.ciphers.map(Sample.binary) }
    + hello("req.ssl_sigalgs", .binary, .layer4Client) { $0.signatureAlgorithms.map(Sample.binary) }
    + hello("req.ssl_keyshare_groups", .binary, .layer4Client) { $0.keyShares.map(Sample.binary) }
    + hello("req.ssl_supported_groups", .binary, .layer4Client) { $0.groups.map(Sample.binary) }
    + [
      FetchEntry("req.len", .none, .int, .requestData, volatile: true, length),
      FetchEntry("req_len", .none, .int, .requestData, volatile: true, length),
      FetchEntry("res.len", .none, .int, .responseData, volatile: true, length),
      FetchEntry("req.payload", .required(.integer, .integer), .binary, .requestData, payload),
      FetchEntry("res.payload", .required(.integer, .integer), .binary, .responseData, payload),
      FetchEntry("payload", .required(.integer, .integer), .binary, .bothData, payload),
      FetchEntry(
        "req.payload_lv", .atLeast(2, .integer, .integer, .string), .binary, .requestData, payloadLV),
      FetchEntry(
        "res.payload_lv", .atLeast(2, .integer, .integer, .string), .binary, .responseData, payloadLV),
      FetchEntry("payload_lv", .atLeast(2, .integer, .integer, .string), .binary, .bothData, payloadLV),
      FetchEntry("req.proto_http", .none, .bool, .requestLasting, protoHTTP),
      FetchEntry("req_proto_http", .none, .bool, .requestLasting, protoHTTP),
      FetchEntry("req.rdp_cookie", .optional(.string), .string, .requestData, rdpCookie),
      FetchEntry("rdp_cookie", .optional(.string), .string, .requestData, rdpCookie),
      FetchEntry("req.rdp_cookie_cnt", .optional(.string), .int, .requestData) { context, a in
        rdpCookie(context, a) == nil ? nil : .int(1)
      },
      FetchEntry("rdp_cookie_cnt", .optional(.string), .int, .requestData) { context, a in
        rdpCookie(context, a) == nil ? nil : .int(1)
      },
      FetchEntry("res.ssl_hello_type", .none, .int, .responseData, serverHello),
      FetchEntry("rep_ssl_hello_type", .none, .int, .responseData, serverHello),
    ]

  private static func hello(
    _ name: String, _ type: SampleType, _ places: SamplePlaces,
    _ pick: @escaping @Sendable (ClientHello) -> Sample?
  ) -> [FetchEntry] {
    let body: FetchBody = { context, _ in
      switch ClientHello.parse(context.payload) {
      case .incomplete:
        wait(context)
        return nil
      case .invalid: return nil
      case .hello(let hello): return pick(hello)
      }
    }
    var entries = [FetchEntry(name, .none, type, places, body)]
    if ["req.ssl_hello_type", "req.ssl_sni", "req.ssl_ver"].contains(name) {
      entries.append(FetchEntry("req_" + name.dropFirst(4), .none, type, places, body))
    }
    return entries
  }

  private static func wait(_ context: RuleContext) {
    if !context.evaluationIsFinal { context.mayChange = true }
  }

  private static func buffer(_ context: RuleContext) -> Bytes {
    context.isResponseSide ? context.responsePayload : context.payload
  }

  private static let length: FetchBody = { context, _ in
    wait(context)
    return .int(Int64(buffer(context).count))
  }

  private static let payload: FetchBody = { context, a in
    let octets = buffer(context)
    guard let offset = a.int(0), let length = a.int(1), offset >= 0, length >= 0, offset <= 1 << 24,
      length <= 1 << 24
    else { return nil }
    let start = Int(offset)
    let end = length == 0 ? max(start, octets.count) : start + Int(length)
    guard octets.count >= end, end > start else {
      wait(context)
      return nil
    }
    if length == 0 { wait(context) }
    return .binary(octets[start..<end])
  }

  private static let payloadLV: FetchBody = { context, a in
    let octets = buffer(context)
    guard let lengthOffset = a.int(0), let lengthSize = a.int(1), (0...(1 << 24)).contains(lengthOffset),
      (1...8).contains(lengthSize)
    else { return nil }
    let sizeStart = Int(lengthOffset)
    let sizeEnd = sizeStart + Int(lengthSize)
    guard octets.count >= sizeEnd else {
      wait(context)
      return nil
    }
    var length = 0
    for i in sizeStart..<sizeEnd { length = (length << 8 | Int(octets[i])) & 0xFFFF_FFFF }
    var start = sizeEnd
    if let text = a.string(2)?.string, let offset = Int(text), abs(offset) <= 1 << 24 {
      start = text.hasPrefix("+") || text.hasPrefix("-") ? sizeEnd + offset : offset
    }
    guard start >= 0, length > 0, length <= 1 << 24 else { return nil }
    guard octets.count >= start + length else {
      wait(context)
      return nil
    }
    return .binary(octets[start..<(start + length)])
  }

  /// Whether what has come so far begins like an HTTP request.
  private static let protoHTTP: FetchBody = { context, _ in
    if context.request != nil { return .bool(true) }
    let octets = context.payload
    guard let end = octets.firstIndex(of: ASCII.lf) else {
      for i in 0..<octets.count where octets[i] < 32 || octets[i] > 126 { return .bool(false) }
      wait(context)
      return context.evaluationIsFinal ? .bool(false) : nil
    }
    let line = octets.prefix(end).string.split(separator: "\r").first.map(String.init) ?? ""
    let words = line.split(separator: " ")
    return .bool(words.count == 3 && words[2].hasPrefix("HTTP/"))
  }

  /// `Cookie: msts=...` of an RDP connection request.
  private static let rdpCookie: FetchBody = { context, a in
    let octets = context.payload
    guard octets.count >= 11 else {
      wait(context)
      return nil
    }
    guard octets[0] == 3, octets[5] == 0xE0 else { return nil }
    let rest = octets.dropFirst(11)
    guard let end = rest.firstIndex(of: ASCII.cr) else {
      wait(context)
      return nil
    }
    let line = rest.prefix(end)
    guard line.count > 8, line.prefix(8).equalsIgnoringCase("Cookie: "),
      let equal = line.firstIndex(of: 0x3D, from: 8)
    else { return nil }
    let name = line[8..<equal]
    if let wanted = a.string(0), !wanted.isEmpty, !wanted.equalsIgnoringCase(name) { return nil }
    return .string(line.dropFirst(equal + 1))
  }

  private static let serverHello: FetchBody = { context, _ in
    let octets = context.responsePayload
    guard octets.count >= 6 else {
      wait(context)
      return nil
    }
    guard octets[0] == 0x16, octets[1] == 3 else { return nil }
    return .int(Int64(octets[5]))
  }
}
