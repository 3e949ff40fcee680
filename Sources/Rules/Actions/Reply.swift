public import Base
public import HTTP

/// An answer that the gateway gives by itself; immutable, shared by all workers.
public final class Reply: Sendable {
  public enum Body: Sendable {
    case none
    case bytes(Bytes)
    case format(LogFormat)
    /// A raw HTTP/1 response: head, empty line, body.
    case errorFile(Bytes)
    /// The proxy's own page for the status, if it has one (`default-errorfiles`).
    case proxyPage
  }
  public enum Kind: Sendable { case answer, redirect, authentication }

  public let kind: Kind
  public let status: Int
  public let reason: Bytes?
  public let contentType: Bytes?
  public let fields: [(name: FieldName, value: LogFormat)]
  public let body: Body
  let redirect: Redirect?

  init(
    kind: Kind = .answer, status: Int, reason: Bytes? = nil, contentType: Bytes? = nil,
    fields: [(name: FieldName, value: LogFormat)] = [], body: Body = .none, redirect: Redirect? = nil
  ) {
    self.kind = kind
    self.status = status
    self.reason = reason
    self.contentType = contentType
    self.fields = fields
    self.body = body
    self.redirect = redirect
  }

  /// The answer for the stream of `context`. `usesProxyPage` in the result asks the owner for its own page.
  public func render(_ context: RuleContext) -> RenderedReply {
    var rendered = RenderedReply(status: status, reason: reason ?? Reply.reason(for: status))
    if let redirect {
      redirect.render(context, into: &rendered)
      return rendered
    }
    for field in fields {
      let value = Bytes(field.value.rendered(context))
      if !value.isEmpty { rendered.fields.append((field.name, value)) }
    }
    switch body {
    case .none: rendered.fields.append(("content-length", "0"))
    case .bytes(let bytes): rendered.setBody(bytes, type: contentType)
    case .format(let format): rendered.setBody(Bytes(format.rendered(context)), type: contentType)
    case .errorFile(let raw):
      rendered.isSilent = raw.isEmpty
      rendered.takeErrorFile(raw)
    case .proxyPage: rendered.usesProxyPage = true
    }
    return rendered
  }
}

/// A reply with its values filled in.
public struct RenderedReply {
  public var status: Int
  public var reason: Bytes
  public var fields: [(name: FieldName, value: Bytes)] = []
  public var body = Bytes.empty
  /// The owner's page for `status` stands in for the body.
  public var usesProxyPage = false
  /// An empty errorfile: the connection is closed without an answer.
  public var isSilent = false

  init(status: Int, reason: Bytes) {
    self.status = status
    self.reason = reason
  }

  mutating func setBody(_ bytes: Bytes, type: Bytes?) {
    body = bytes
    fields.append(("content-length", Bytes(String(bytes.count))))
    if let type, !bytes.isEmpty { fields.append(("content-type", type)) }
  }
}
