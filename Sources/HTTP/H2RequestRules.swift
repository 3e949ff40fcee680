import Base

/// What HTTP/2 asks of a request beyond what the library checks, so that it can go on as HTTP/1.
enum H2RequestRules {
  static func finish(
    _ head: MessageHead, _ pseudo: H2PseudoFields, endsHere: Bool
  ) -> Result<H1MessageInfo, HTTPFault> {
    var info = H1MessageInfo()
    guard pseudo.hasMethod else { return .failure(HTTPFault(400, .badPseudoField, at: 0)) }
    guard isToken(head.method) else { return .failure(HTTPFault(400, .badMethod, at: 0)) }
    info.isConnect = pseudo.connectProtocol == nil && head.isMethod("CONNECT")
    info.isHead = head.isMethod("HEAD")
    if head.isMethod("PRI") { return .failure(HTTPFault(400, .prefaceMethod, at: 0)) }
    if let fault = target(head, pseudo, &info) { return .failure(fault) }
    if let fault = host(head, pseudo) { return .failure(fault) }
    if H2FieldRules.hasConnectionField(head, isRequest: true) {
      return .failure(HTTPFault(400, .connectionField, at: 0))
    }
    if info.isExtendedConnect, let wanted = pseudo.connectProtocol {
      head.method = get
      head.append(FieldName.upgrade, Bytes(head.kept(wanted).array))
    }
    if let index = head.firstIndex(of: FieldName.expect) {
      info.expectContinue = head.value(at: index).equalsIgnoringCase(continues)
    }
    if let fault = framing(head, endsHere: endsHere, &info) { return .failure(fault) }
    return .success(info)
  }

  private static let get = Bytes("GET")
  private static let clear = Bytes("h2c")
  private static let continues = Bytes("100-continue")

  private static func framing(
    _ head: MessageHead, endsHere: Bool, _ info: inout H1MessageInfo
  ) -> HTTPFault? {
    guard let index = head.firstIndex(of: FieldName.contentLength) else {
      info.framing = info.isConnect ? .tunnel : info.isExtendedConnect || endsHere ? .none : .chunked
      return nil
    }
    if head.firstIndex(of: FieldName.contentLength, from: index + 1) != nil {
      return HTTPFault(400, .differingContentLengths, at: 0)
    }
    if info.isConnect || info.isExtendedConnect { return HTTPFault(400, .bodyNotAllowed, at: 0) }
    let n: UInt64
    switch ContentLength.list(head.value(at: index)) {
    case .success(let length): n = length
    case .failure(let reason): return HTTPFault(400, reason, at: 0)
    }
    if head.value(at: index).firstIndex(of: 0x2C) != nil { head.replaceValue(at: index, with: Bytes(String(n))) }
    if endsHere, n != 0 { return HTTPFault(400, .lengthMismatch, at: 0) }
    info.framing = n == 0 ? .none : .length(n)
    return nil
  }

  private static func isToken(_ text: Bytes) -> Bool {
    text.withUnsafeBytes { bytes in
      guard let base = bytes.baseAddress, bytes.count > 0 else { return false }
      return Octets.firstNonToken(base, from: 0, to: bytes.count) == bytes.count
    }
  }

  private static func target(
    _ head: MessageHead, _ pseudo: H2PseudoFields, _ info: inout H1MessageInfo
  ) -> HTTPFault? {
    if info.isConnect {
      guard !pseudo.hasPath, pseudo.scheme == nil, let authority = pseudo.authority,
        head.kept(authority).withUnsafeBytes({ RequestTarget.read($0, isConnect: true, isOptions: false) }) != nil
      else { return HTTPFault(400, .badTarget, at: 0) }
      head.targetRange = authority
      info.targetForm = .authority
      return nil
    }
    guard let scheme = pseudo.scheme else { return HTTPFault(400, .badPseudoField, at: 0) }
    guard isScheme(head.kept(scheme)) else { return HTTPFault(400, .badScheme, at: 0) }
    let path = head.target
    let isClean = path.withUnsafeBytes { bytes in
      bytes.baseAddress.map { Octets.firstNonTarget($0, from: 0, to: bytes.count) == bytes.count } ?? false
    }
    guard pseudo.hasPath, !path.isEmpty, isClean else { return HTTPFault(400, .badTarget, at: 0) }
    if path == "*" {
      guard head.isMethod("OPTIONS") else { return HTTPFault(400, .badTarget, at: 0) }
      info.targetForm = .asterisk
    } else if path[0] != 0x2F {
      return HTTPFault(400, .badTarget, at: 0)
    }
    if let wanted = pseudo.connectProtocol {
      // HTTP/2 cannot be upgraded to itself.
      guard head.isMethod("CONNECT"), isToken(head.kept(wanted)), !head.kept(wanted).equalsIgnoringCase(clear) else {
        return HTTPFault(400, .badPseudoField, at: 0)
      }
      info.isExtendedConnect = true
      info.upgrade = true
    }
    return nil
  }

  private static func isScheme(_ scheme: Bytes) -> Bool {
    scheme.withUnsafeBytes { bytes in
      guard let base = bytes.baseAddress else { return false }
      return Octets.equalsFolded(base, bytes.count, "https") || Octets.equalsFolded(base, bytes.count, "http")
    }
  }

  /// `:authority` becomes the one Host field, whatever Host said beside it.
  private static func host(_ head: MessageHead, _ pseudo: H2PseudoFields) -> HTTPFault? {
    let name = FieldName.host
    var given: Bytes?
    var next = head.firstIndex(of: name)
    while let index = next {
      let value = head.value(at: index)
      if let given, given != value { return HTTPFault(400, .severalHosts, at: 0) }
      given = value
      next = head.firstIndex(of: name, from: index + 1)
    }
    guard let range = pseudo.authority ?? head.firstIndex(of: name).map(head.valueRange) else {
      // Neither is required (RFC 9113 section 8.3.1); HTTP/1 goes on with an empty Host.
      return nil
    }
    let authority = head.kept(range)
    if authority.isEmpty { return HTTPFault(400, .missingHost, at: 0) }
    guard HostSyntax.isValid(authority) else { return HTTPFault(400, .badHost, at: 0) }
    if given != nil { head.remove(name) }
    let length = lengthWithoutDefaultPort(authority, scheme: pseudo.scheme)
    let host = range.lowerBound..<(range.lowerBound + length)
    head.insertFirst(FieldName.host, valueAt: host)
    if pseudo.authority != nil {
      head.authorityRange = host
      head.schemeRange = pseudo.scheme ?? 0..<0
    }
    return nil
  }

  private static let securePort = Bytes(":443")
  private static let clearPort = Bytes(":80")

  /// RFC 3986 section 6.2.3: the scheme's own port says nothing.
  private static func lengthWithoutDefaultPort(_ authority: Bytes, scheme: Range<Int>?) -> Int {
    guard let scheme else { return authority.count }
    let port = scheme.count == 5 ? securePort : clearPort
    if authority.ends(with: port) { return authority.count - port.count }
    return authority[authority.count - 1] == 0x3A ? authority.count - 1 : authority.count
  }
}
