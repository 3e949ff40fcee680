import Base

/// One request of an HTTP/2 session, from its HEADERS to its close.
final class H2Stream {
  let id: Int32
  let head = MessageHead()
  var trailers: MessageHead?
  /// Whether the fields that arrive belong to `trailers`.
  var readsTrailers = false
  var pseudo = H2PseudoFields()
  private var sawRegularField = false
  /// Body octets that the request announced, and those that came.
  private var announced: UInt64?
  private var received: UInt64 = 0
  private var cookies: [UInt8] = []
  private var octets = 0
  private var lines = 0
  private(set) var fault: HTTPFault?
  /// The head was handed to the delegate.
  var isDelivered = false
  /// A head that waits for its end before it is handed over.
  var held: H1MessageInfo?
  /// Body octets delivered and not yet said to be consumed.
  var unconsumed = 0
  var requestEnded = false
  var responseEnded = false

  init(id: Int32) { self.id = id }

  func refuse(_ fault: HTTPFault) { if self.fault == nil { self.fault = fault } }

  /// Takes one field line, or notes why the request is refused.
  func add(_ name: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer, settings: H2Settings) {
    lines += 1
    octets += name.count + value.count + 32
    if lines > settings.maxFields || octets > settings.maxHeadBytes + 32 * settings.maxFields {
      return refuse(HTTPFault(431, lines > settings.maxFields ? .tooManyFields : .headTooLarge, at: octets))
    }
    guard let base = name.baseAddress else { return refuse(HTTPFault(400, .badFieldName, at: 0)) }
    guard H2FieldRules.isValue(value) else { return refuse(HTTPFault(400, .badFieldValue, at: 0)) }
    if name.first != 0x3A {
      guard H2FieldRules.isName(name) else { return refuse(HTTPFault(400, .badFieldName, at: 0)) }
      sawRegularField = true
    } else if sawRegularField {
      return refuse(HTTPFault(400, .badPseudoField, at: 0))
    }
    if readsTrailers {
      if name.first == 0x3A { return refuse(HTTPFault(400, .badTrailer, at: 0)) }
      trailers?.appendRaw(name: name, value: value)
    } else if name.first == 0x3A {
      if !pseudo.add(name, value, to: head) { refuse(HTTPFault(400, .badPseudoField, at: 0)) }
    } else if name.count == 6, Octets.equalsFolded(base, 6, "cookie") {
      if !cookies.isEmpty { cookies.append(contentsOf: [0x3B, 0x20]) }
      cookies.append(contentsOf: value)
    } else {
      head.appendRaw(name: name, value: value)
    }
  }

  /// Completes the head when its block has ended: what the request means, or its fault.
  func finishHead(endsHere: Bool) -> Result<H1MessageInfo, HTTPFault> {
    if let fault { return .failure(fault) }
    if !cookies.isEmpty { head.append(FieldName.cookie, Bytes(cookies)) }
    head.version = .http20
    let result = H2RequestRules.finish(head, pseudo, endsHere: endsHere)
    if case .success(let info) = result {
      if case .length(let n) = info.framing { announced = n }
      if info.framing == .none, !info.isExtendedConnect { announced = 0 }
    }
    return result
  }

  /// Counts body octets; false when there are more than were announced.
  func bodyArrived(_ n: Int) -> Bool {
    received += UInt64(n)
    return announced.map { received <= $0 } ?? true
  }

  /// Whether as many octets came as were announced.
  var bodyIsWhole: Bool { announced.map { received == $0 } ?? true }
}

/// The pseudo-header fields of a request (RFC 9113 section 8.3.1) as they arrive.
struct H2PseudoFields {
  var hasMethod = false
  var hasPath = false
  var scheme: Bytes?
  var authority: Bytes?
  /// Of an extended CONNECT (RFC 8441).
  var connectProtocol: Bytes?

  mutating func add(
    _ name: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer, to head: MessageHead
  ) -> Bool {
    guard let base = name.baseAddress else { return false }
    let text = Bytes(Array(value))
    if Octets.equalsFolded(base, name.count, ":method") {
      if hasMethod { return false }
      head.method = text
      hasMethod = true
    } else if Octets.equalsFolded(base, name.count, ":path") {
      if hasPath { return false }
      head.target = text
      hasPath = true
    } else if Octets.equalsFolded(base, name.count, ":scheme") {
      if scheme != nil { return false }
      scheme = text
    } else if Octets.equalsFolded(base, name.count, ":authority") {
      if authority != nil { return false }
      authority = text
    } else if Octets.equalsFolded(base, name.count, ":protocol") {
      if connectProtocol != nil { return false }
      connectProtocol = text
    } else {
      return false
    }
    return true
  }
}
