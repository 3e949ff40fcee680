import Base

/// One request of an HTTP/2 session, from its HEADERS to its close.
final class H2Stream {
  let id: Int32
  /// Who is told what happens to the request once its head was handed over.
  var owner: (any H2StreamOwner)?
  /// Neighbours in the session's list of open streams.
  var next: H2Stream?
  unowned(unsafe) var previous: H2Stream?

  var trailers: MessageHead?
  /// Whether the fields that arrive belong to `trailers`.
  var readsTrailers = false
  private var pseudo = H2PseudoFields()
  private var sawRegularField = false
  /// Body octets that the request announced, and those that came.
  private var announced: UInt64?
  private var received: UInt64 = 0
  /// The first Cookie line, and all of them joined when there are more.
  private var cookieIndex: Int?
  private var cookies: [UInt8] = []
  private var octets = 0
  private var lines = 0
  private(set) var fault: HTTPFault?
  /// The head was handed to the delegate.
  var isDelivered = false
  /// A head that waits for its end before it is handed over.
  var held: (head: MessageHead, info: H1MessageInfo)?
  /// Body octets delivered and not yet said to be consumed.
  var unconsumed = 0
  var requestEnded = false
  var responseEnded = false

  init(id: Int32) { self.id = id }

  func refuse(_ fault: HTTPFault) { if self.fault == nil { self.fault = fault } }

  /// Takes one field line of the head, or of the trailers, or notes why the request is refused.
  func add(
    _ name: UnsafeRawBufferPointer, _ octetsOfValue: UnsafeRawBufferPointer, to head: MessageHead,
    settings: H2Settings
  ) {
    // A pseudo field's blanks are left for the checks of what it means.
    let value = name.first == 0x3A ? octetsOfValue : H2FieldRules.trimmed(octetsOfValue)
    lines &+= 1
    octets &+= name.count &+ value.count &+ 32
    if lines > settings.maxFields || octets > settings.maxHeadBytes &+ 32 &* settings.maxFields {
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
    } else if name.count == 6, let index = cookieIndex, Octets.equalsFolded(base, 6, "cookie") {
      // RFC 9113 section 8.2.3: the crumbs become one field again.
      if cookies.isEmpty { cookies.append(head.value(at: index)) }
      cookies.append(0x3B)
      cookies.append(0x20)
      cookies.append(contentsOf: value)
    } else {
      if name.count == 6, Octets.equalsFolded(base, 6, "cookie") { cookieIndex = head.count }
      head.appendRaw(name: name, value: value)
    }
  }

  /// Completes the head when its block has ended: what the request means, or its fault.
  func finishHead(_ head: MessageHead, endsHere: Bool) -> Result<H1MessageInfo, HTTPFault> {
    if let fault { return .failure(fault) }
    head.version = .http20
    if let cookieIndex {
      if !cookies.isEmpty { head.replaceValue(at: cookieIndex, with: Bytes(cookies)) }
      head.moveLast(from: cookieIndex)
    }
    let result = H2RequestRules.finish(head, pseudo, endsHere: endsHere)
    if case .success(let info) = result {
      head.isChecked()
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
