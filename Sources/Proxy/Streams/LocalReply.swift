import Base
import HTTP
import Rules

/// An answer that the gateway gives by itself, with its values filled in.
struct LocalReply {
  var status: Int
  var reason: Bytes
  var fields: [(name: FieldName, value: Bytes)] = []
  var body: [UInt8] = []
  /// Nothing at all is sent: the connection just ends.
  var isSilent = false
  /// The body in pieces, made while the client reads; nil is the end. `body` is empty then.
  var more: (() -> [UInt8]?)?

  /// The built-in page for `status`.
  init(page status: Int) {
    self.status = status
    let (phrase, text) = LocalReply.texts[status] ?? ("Error", "")
    reason = Bytes(phrase)
    guard status != 204, status != 304 else { return }
    let page =
      status == 200
      ? "<html><body><h1>200 OK</h1>\nService ready.\n</body></html>\n"
      : "<html><body><h1>\(status) \(phrase)</h1>\n\(text)\n</body></html>\n"
    body = Array(page.utf8)
    fields = [
      ("content-length", Bytes(String(body.count))), ("cache-control", "no-cache"), ("content-type", "text/html"),
    ]
    if status == 401 { fields.append(("www-authenticate", "Basic realm=\"HAProxy Basic Auth\"")) }
    if status == 407 { fields.append(("proxy-authenticate", "Basic realm=\"HAProxy Basic Auth\"")) }
  }

  init(status: Int, reason: Bytes, fields: [(name: FieldName, value: Bytes)], body: [UInt8]) {
    self.status = status
    self.reason = reason
    self.fields = fields
    self.body = body
  }

  /// What a rule rendered; the proxy's page stands in where the rule asks for it.
  init(_ rendered: RenderedReply, page: (Int) -> LocalReply) {
    if rendered.usesProxyPage {
      self = page(rendered.status)
      for field in rendered.fields where field.name != "content-length" {
        fields.removeAll { $0.name == field.name }
        fields.append(field)
      }
      return
    }
    status = rendered.status
    reason = rendered.reason
    fields = rendered.fields
    body = rendered.body.array
    isSilent = rendered.isSilent
  }

  func write(to head: MessageHead) {
    head.reset()
    head.setStatusLine(status: status, reason: reason.span, version: .http11)
    for field in fields { head.append(field.name, field.value) }
  }

  private static let texts: [Int: (String, String)] = [
    200: ("OK", ""), 201: ("Created", ""), 202: ("Accepted", ""), 204: ("No Content", ""),
    400: ("Bad request", "Your browser sent an invalid request."),
    401: ("Unauthorized", "You need a valid user and password to access this content."),
    403: ("Forbidden", "Request forbidden by administrative rules."),
    404: ("Not Found", "The resource could not be found."),
    405: ("Method Not Allowed", "The requested method is not allowed."),
    407: ("Unauthorized", "You need a valid user and password to access this content."),
    408: ("Request Time-out", "Your browser didn't send a complete request in time."),
    410: ("Gone", "The resource is no longer available and will not be available again."),
    413: ("Payload Too Large", "The request entity exceeds the maximum allowed."),
    414: ("URI Too Long", "The request target is longer than the server accepts."),
    421: ("Misdirected Request", "Request sent to a non-authoritative server."),
    422: ("Unprocessable Content", "The server cannot process the contained instructions."),
    425: ("Too Early", "Your browser sent early data."),
    429: ("Too Many Requests", "You have sent too many requests in a given amount of time."),
    431: ("Request Header Fields Too Large", "The request header is too large."),
    500: ("Internal Server Error", "An internal server error occurred."),
    501: ("Not Implemented", "The server does not support the functionality required to fulfill the request."),
    502: ("Bad Gateway", "The server returned an invalid or incomplete response."),
    503: ("Service Unavailable", "No server is available to handle this request."),
    504: ("Gateway Time-out", "The server didn't respond in time."),
    505: ("HTTP Version Not Supported", "The HTTP version of the request is not supported."),
  ]
}
