import Base

/// What HTTP/2 asks of a request beyond what the library checks, so that it can go on as HTTP/1.
enum H2RequestRules {
  static func finish(
    _ head: MessageHead, _ pseudo: H2PseudoFields, endsHere: Bool
  ) -> Result<H1MessageInfo, HTTPFault> {
    var info = H1MessageInfo()
    let method = head.method
    guard pseudo.hasMethod, isToken(method) else { return .failure(HTTPFault(400, .badMethod, at: 0)) }
    info.isConnect = method == "CONNECT" && pseudo.connectProtocol == nil
    info.isHead = method == "HEAD"
    if let fault = target(head, pseudo, method, &info) { return .failure(fault) }
    if let fault = host(head, pseudo) { return .failure(fault) }
    if let fault = connectionFields(head) { return .failure(fault) }
    if info.isExtendedConnect, let wanted = pseudo.connectProtocol {
      head.method = get
      head.append(FieldName.upgrade, wanted)
    }
    if let value = head.first(FieldName.expect), value.equalsIgnoringCase("100-continue") {
      info.expectContinue = true
    }
    let length = head.first(FieldName.contentLength)
    if let first = head.firstIndex(of: FieldName.contentLength),
      head.firstIndex(of: FieldName.contentLength, from: first + 1) != nil
    {
      return .failure(HTTPFault(400, .differingContentLengths, at: 0))
    }
    if info.isConnect || info.isExtendedConnect {
      if length != nil { return .failure(HTTPFault(400, .bodyNotAllowed, at: 0)) }
      info.framing = info.isConnect ? .tunnel : .none
    } else if let length {
      guard
        let n = length.withUnsafeBytes({ $0.baseAddress.flatMap { ContentLength.digits($0, length.count) } })
      else { return .failure(HTTPFault(400, .badContentLength, at: 0)) }
      if endsHere, n != 0 { return .failure(HTTPFault(400, .lengthMismatch, at: 0)) }
      info.framing = n == 0 ? .none : .length(n)
    } else {
      info.framing = endsHere ? .none : .chunked
    }
    return .success(info)
  }

  private static func isToken(_ text: Bytes) -> Bool {
    text.withUnsafeBytes { bytes in
      guard let base = bytes.baseAddress, bytes.count > 0 else { return false }
      return Octets.firstNonToken(base, from: 0, to: bytes.count) == bytes.count
    }
  }

  private static func target(
    _ head: MessageHead, _ pseudo: H2PseudoFields, _ method: Bytes, _ info: inout H1MessageInfo
  ) -> HTTPFault? {
    if info.isConnect {
      guard !pseudo.hasPath, pseudo.scheme == nil, let authority = pseudo.authority,
        authority.withUnsafeBytes({ RequestTarget.read($0, isConnect: true, isOptions: false) }) != nil
      else { return HTTPFault(400, .badTarget, at: 0) }
      head.target = authority
      info.targetForm = .authority
      return nil
    }
    guard let scheme = pseudo.scheme?.lowercased, scheme == "http" || scheme == "https" else {
      return HTTPFault(400, .badPseudoField, at: 0)
    }
    let path = head.target
    let isClean = path.withUnsafeBytes { bytes in
      bytes.baseAddress.map { Octets.firstNonTarget($0, from: 0, to: bytes.count) == bytes.count } ?? false
    }
    guard pseudo.hasPath, !path.isEmpty, isClean else { return HTTPFault(400, .badTarget, at: 0) }
    if path == "*" {
      guard method == "OPTIONS" else { return HTTPFault(400, .badTarget, at: 0) }
      info.targetForm = .asterisk
    } else if path[0] != 0x2F {
      return HTTPFault(400, .badTarget, at: 0)
    }
    if let wanted = pseudo.connectProtocol {
      guard method == "CONNECT", isToken(wanted) else { return HTTPFault(400, .badPseudoField, at: 0) }
      info.isExtendedConnect = true
      info.upgrade = true
    }
    return nil
  }

  /// `:authority` becomes the one Host field; a Host that says something else is refused.
  private static func host(_ head: MessageHead, _ pseudo: H2PseudoFields) -> HTTPFault? {
    let name = FieldName.host
    let given = head.first(name)
    var next = head.firstIndex(of: name)
    while let index = next {
      if head.value(at: index) != given { return HTTPFault(400, .severalHosts, at: 0) }
      next = head.firstIndex(of: name, from: index + 1)
    }
    guard let authority = pseudo.authority ?? given, !authority.isEmpty else {
      // Neither is required (RFC 9113 section 8.3.1); HTTP/1 goes on with an empty Host.
      return given == nil && pseudo.authority == nil ? nil : HTTPFault(400, .missingHost, at: 0)
    }
    guard HostSyntax.isValid(authority) else { return HTTPFault(400, .badHost, at: 0) }
    if let given, !given.equalsIgnoringCase(authority) { return HTTPFault(400, .hostMismatch, at: 0) }
    head.remove(name)
    head.insertFirst(name, withoutDefaultPort(authority, scheme: pseudo.scheme))
    return nil
  }

  private static let get = Bytes("GET")
  private static let securePort = Bytes(":443")
  private static let clearPort = Bytes(":80")

  /// RFC 3986 section 6.2.3: the scheme's own port says nothing.
  private static func withoutDefaultPort(_ authority: Bytes, scheme: Bytes?) -> Bytes {
    guard let scheme else { return authority }
    let port = scheme.count == 5 ? securePort : clearPort
    if authority.ends(with: port) { return authority.prefix(authority.count - port.count) }
    return authority.ends(with: ":") ? authority.prefix(authority.count - 1) : authority
  }

  private static let connectionSpecific: [FieldName] = [
    "connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade",
  ]

  /// RFC 9113 section 8.2.2.
  private static func connectionFields(_ head: MessageHead) -> HTTPFault? {
    for name in connectionSpecific where head.contains(name) {
      return HTTPFault(400, .connectionField, at: 0)
    }
    if let te = head.first(FieldName.te), !te.equalsIgnoringCase("trailers") {
      return HTTPFault(400, .connectionField, at: 0)
    }
    return nil
  }
}
