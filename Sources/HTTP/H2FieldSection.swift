import Base

/// A field section as it arrives: of a head, or of trailers.
///
/// The frames of one are contiguous (RFC 9113 section 4.3), so a connection needs one at a time, and none in between:
/// they come from its thread's `H2Workspace`.
final class H2FieldSection {
  let head = MessageHead()
  /// Why the message is refused; the first reason counts.
  private(set) var fault: HTTPFault?
  private var isOfRequest = true
  private var isTrailers = false
  private var pseudo = H2PseudoFields()
  private var sawRegularField = false
  private var octets = 0
  private var lines = 0
  /// The first Cookie line, and all of them joined when there are more.
  private var cookieIndex: Int?
  private var cookies: [UInt8] = []

  func begin(ofRequest isOfRequest: Bool, isTrailers: Bool) {
    self.isOfRequest = isOfRequest
    self.isTrailers = isTrailers
    head.reset()
    fault = nil
    pseudo = H2PseudoFields()
    sawRegularField = false
    octets = 0
    lines = 0
    cookieIndex = nil
    cookies.removeAll(keepingCapacity: true)
  }

  func refuse(_ reason: HTTPFault.Reason, status: Int? = nil) {
    if fault == nil { fault = HTTPFault(status ?? (isOfRequest ? 400 : 502), reason, at: octets) }
  }

  /// Takes one field line, or notes why the message is refused.
  func add(_ name: UnsafeRawBufferPointer, _ octetsOfValue: UnsafeRawBufferPointer, _ settings: H2Settings) {
    if fault != nil { return }
    let isPseudo = name.first == 0x3A
    // A pseudo field's blanks are left for the checks of what it means.
    let value = isPseudo ? octetsOfValue : H2FieldRules.trimmed(octetsOfValue)
    lines &+= 1
    octets &+= name.count &+ value.count &+ 32
    if lines > settings.maxFields || octets > settings.maxHeadBytes &+ 32 &* settings.maxFields {
      return refuse(lines > settings.maxFields ? .tooManyFields : .headTooLarge, status: isOfRequest ? 431 : 502)
    }
    guard H2FieldRules.isValue(value) else { return refuse(.badFieldValue) }
    if isPseudo { return addPseudo(name, value) }
    guard H2FieldRules.isName(name) else { return refuse(.badFieldName) }
    sawRegularField = true
    if isOfRequest, !isTrailers, name.count == 6, let base = name.baseAddress,
      Octets.equalsFolded(base, 6, "cookie")
    {
      addCookie(name, value)
    } else {
      head.appendRaw(name: name, value: value)
    }
  }

  private func addPseudo(_ name: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) {
    if isTrailers { return refuse(.badTrailer) }
    if sawRegularField || name.contains(where: ASCII.isUpper) { return refuse(.badPseudoField) }
    if isOfRequest {
      if !pseudo.add(name, value, to: head) { refuse(.badPseudoField) }
    } else {
      guard head.status == 0, let status = H2ResponseRules.status(name, value) else { return refuse(.badPseudoField) }
      head.status = status
    }
  }

  /// RFC 9113 section 8.2.3: the crumbs become one field again.
  private func addCookie(_ name: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) {
    guard let index = cookieIndex else {
      cookieIndex = head.count
      return head.appendRaw(name: name, value: value)
    }
    if cookies.isEmpty { cookies.append(head.value(at: index)) }
    cookies.append(0x3B)
    cookies.append(0x20)
    cookies.append(contentsOf: value)
  }

  /// Completes the head of a request: what it means, or its fault.
  func finishRequest(endsHere: Bool) -> Result<H1MessageInfo, HTTPFault> {
    if let fault { return .failure(fault) }
    head.version = .http20
    if let cookieIndex {
      if !cookies.isEmpty { head.replaceValue(at: cookieIndex, with: Bytes(cookies)) }
      head.moveLast(from: cookieIndex)
    }
    let result = H2RequestRules.finish(head, pseudo, endsHere: endsHere)
    if case .success = result { head.isChecked() }
    return result
  }

  /// Completes the head of a response: what it means, or its fault.
  func finishResponse(answering method: AnsweredMethod, endsHere: Bool) -> Result<H1MessageInfo, HTTPFault> {
    if let fault { return .failure(fault) }
    guard head.status > 0 else { return .failure(HTTPFault(502, .badPseudoField, at: 0)) }
    head.version = .http20
    let result = H2ResponseRules.finish(head, answering: method, endsHere: endsHere)
    if case .success = result { head.isChecked() }
    return result
  }
}

/// What the sessions of one thread share: the field sections that arrive just now, so that an idle connection has none.
public final class H2Workspace {
  private var spare: [H2FieldSection] = []
  /// Sections that are kept; more are in use only where clients stop in the middle of one.
  private static let spareLimit = 16

  public init() {}

  func take() -> H2FieldSection { spare.popLast() ?? H2FieldSection() }

  func give(_ section: H2FieldSection) {
    if spare.count < Self.spareLimit { spare.append(section) }
  }
}
