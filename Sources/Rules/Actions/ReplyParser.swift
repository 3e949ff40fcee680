import Base
import Config
import HTTP

/// The common arguments of `return`, `deny`, `tarpit` and `http-error` (manual, http-request return).
struct ReplyParser {
  private var status: Int
  private var contentType: Bytes?
  private var reason: Bytes?
  private var fields: [(name: FieldName, value: LogFormat)] = []
  private var body: Reply.Body?
  private var hasStatus = false

  /// nil for the reply when the proxy's own page is meant.
  static func parse(
    _ parser: inout ActionParser, standardStatus: Int, isRefusal: Bool
  ) throws(RuleError) -> (status: Int, reply: Reply?) {
    var state = ReplyParser(status: standardStatus)
    while let word = parser.next() { try state.option(word.text, &parser, isRefusal) }
    return (state.status, try state.finish(isRefusal))
  }

  private init(status: Int) { self.status = status }

  private mutating func option(_ name: String, _ parser: inout ActionParser, _ isRefusal: Bool)
    throws(RuleError)
  {
    switch name {
    case "status", "deny_status":
      if name == "deny_status", !isRefusal {
        throw RuleError("'deny_status' is only for deny and tarpit rules; write 'status'")
      }
      let word = try parser.need("a status code")
      guard let code = Int(word.text), (200...599).contains(code) else {
        throw RuleError("Unexpected status code '\(word.text)'", expected: "a number from 200 to 599")
      }
      status = code
      hasStatus = true
    case "reason": reason = try parser.need("a reason").bytes
    case "content-type": contentType = try parser.need("a content type").bytes
    case "hdr":
      let field = try parser.need("a header name")
      fields.append((FieldName(field.bytes), try parser.format("a header value")))
    case "default-errorfiles": try set(.proxyPage)
    case "string": try set(.bytes(try parser.need("a string").bytes))
    case "lf-string": try set(.format(try parser.format()))
    case "file": try set(.bytes(try parser.scope.shared.file(try parser.need("a file").text, kind: "body")))
    case "lf-file":
      let content = try parser.scope.shared.file(try parser.need("a file").text, kind: "body")
      try set(.format(try LogFormatParser.header(content, scope: parser.scope)))
    case "errorfile":
      try set(.errorFile(try parser.scope.shared.file(try parser.need("a file").text, kind: "error")))
    case "errorfiles":
      let section = try parser.need("the name of an http-errors section").text
      try set(.errorFile(try parser.scope.errorFile(status, in: section)))
    default:
      throw parser.unexpected(
        name,
        known: [
          "status", "deny_status", "content-type", "hdr", "default-errorfiles", "string", "lf-string", "file",
          "lf-file", "errorfile", "errorfiles",
        ])
    }
  }

  private mutating func set(_ new: Reply.Body) throws(RuleError) {
    guard body == nil else { throw RuleError("the body of the reply is given twice") }
    body = new
  }

  private func finish(_ isRefusal: Bool) throws(RuleError) -> Reply? {
    if body == nil, contentType != nil { throw RuleError("content-type is given without a body") }
    if case .bytes(let bytes)? = body, bytes.count > 0, contentType == nil {
      throw RuleError(
        "a content type must be defined for a body; write for example 'content-type text/plain'")
    }
    if isRefusal, body == nil, fields.isEmpty { return nil }
    return Reply(
      status: status, reason: reason, contentType: contentType, fields: fields, body: body ?? .none)
  }
}

extension Reply {
  /// The usual words for a status (RFC 9110, 15).
  static func reason(for status: Int) -> Bytes { reasons[status] ?? "Other" }

  private static let reasons: [Int: Bytes] = [
    200: "OK", 201: "Created", 202: "Accepted", 203: "Non-Authoritative Information", 204: "No Content",
    205: "Reset Content", 206: "Partial Content", 207: "Multi-Status", 210: "Content Different",
    226: "IM Used", 300: "Multiple Choices", 301: "Moved Permanently", 302: "Found", 303: "See Other",
    304: "Not Modified", 305: "Use Proxy", 307: "Temporary Redirect", 308: "Permanent Redirect",
    400: "Bad Request",
    401: "Unauthorized", 402: "Payment Required", 403: "Forbidden", 404: "Not Found",
    405: "Method Not Allowed",
    406: "Not Acceptable", 407: "Proxy Authentication Required", 408: "Request Time-out", 409: "Conflict",
    410: "Gone", 411: "Length Required", 412: "Precondition Failed", 413: "Request Entity Too Large",
    414: "Request-URI Too Long", 415: "Unsupported Media Type", 416: "Requested range unsatisfiable",
    417: "Expectation failed", 418: "I'm a teapot", 421: "Misdirected Request", 422: "Unprocessable Content",
    423: "Locked", 424: "Method failure", 425: "Too Early", 426: "Upgrade Required",
    428: "Precondition Required",
    429: "Too Many Requests", 431: "Request Header Fields Too Large", 451: "Unavailable For Legal Reasons",
    500: "Internal Server Error", 501: "Not Implemented", 502: "Bad Gateway", 503: "Service Unavailable",
    504: "Gateway Time-out", 505: "HTTP Version not supported", 506: "Variant also negotiate",
    507: "Insufficient storage", 508: "Loop detected", 510: "Not extended",
    511: "Network authentication required",
  ]
}

extension RenderedReply {
  /// Takes status, fields and body out of a raw HTTP/1 response.
  mutating func takeErrorFile(_ raw: Bytes) {
    var index = 0
    var isStatusLine = true
    while index < raw.count {
      let end = raw.firstIndex(of: ASCII.lf, from: index) ?? raw.count
      var line = raw[index..<end]
      if line.count > 0, line[line.count - 1] == ASCII.cr { line = line.prefix(line.count - 1) }
      index = end + 1
      if line.isEmpty, !isStatusLine { break }
      if isStatusLine {
        isStatusLine = false
        let words = line.string.split(separator: " ", maxSplits: 2)
        if words.count > 1, let code = Int(words[1]) { status = code }
        reason = words.count > 2 ? Bytes(words[2]) : Reply.reason(for: status)
      } else if let colon = line.firstIndex(of: ASCII.colon) {
        let name = FieldName(line.prefix(colon))
        // The framing is ours: the length is counted, and the connection's fate is decided elsewhere.
        if name == "content-length" || name == "connection" { continue }
        fields.append((name, line.dropFirst(colon + 1).trimmed))
      }
    }
    body = raw.dropFirst(index)
    fields.append(("content-length", Bytes(String(body.count))))
  }
}
