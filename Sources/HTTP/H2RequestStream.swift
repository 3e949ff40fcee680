import Base

/// One request of ours on an HTTP/2 connection, from its submission to its close: what its response may still bring.
final class H2RequestStream {
  enum State {
    /// 1xx heads may come, then the final one.
    case awaitingHead
    case body
    case ended
    /// The response broke the rules; the stream was reset and nothing more of it is passed on.
    case refused
  }

  private let answered: AnsweredMethod
  var id: Int32 = 0
  /// Who is told; nil once the stream is closed.
  var owner: (any H2ResponseOwner)?
  /// Neighbours in the session's list of open streams.
  var next: H2RequestStream?
  unowned(unsafe) var previous: H2RequestStream?

  var state = State.awaitingHead
  private(set) var trailers: MessageHead?
  private(set) var fault: HTTPFault?
  private var status: Int?
  private var sawRegularField = false
  private var octets = 0
  private var lines = 0
  /// Interim heads so far.
  private var interims = 0
  /// Body octets that the response announced, and those that came.
  private var announced: UInt64?
  private var received: UInt64 = 0

  /// 1xx heads of one response.
  static let interimBound = 16

  init(owner: any H2ResponseOwner, answered: AnsweredMethod) {
    self.owner = owner
    self.answered = answered
  }

  func refuse(_ fault: HTTPFault) { if self.fault == nil { self.fault = fault } }

  /// A field section begins: of a head, or of the trailers.
  func beginHead() {
    status = nil
    sawRegularField = false
    octets = 0
    lines = 0
    if state == .body { trailers = MessageHead() }
  }

  /// Takes one field line of the head, or of the trailers, or notes why the response is refused.
  func add(
    _ name: UnsafeRawBufferPointer, _ octetsOfValue: UnsafeRawBufferPointer, to head: MessageHead,
    settings: H2Settings
  ) {
    if fault != nil || state == .refused { return }
    let isPseudo = name.first == 0x3A
    let value = isPseudo ? octetsOfValue : H2FieldRules.trimmed(octetsOfValue)
    lines &+= 1
    octets &+= name.count &+ value.count &+ 32
    if lines > settings.maxFields || octets > settings.maxHeadBytes &+ 32 &* settings.maxFields {
      return refuse(HTTPFault(502, lines > settings.maxFields ? .tooManyFields : .headTooLarge, at: octets))
    }
    guard H2FieldRules.isValue(value) else { return refuse(HTTPFault(502, .badFieldValue, at: 0)) }
    if isPseudo {
      guard !sawRegularField, state == .awaitingHead, status == nil, let number = H2ResponseRules.status(name, value)
      else { return refuse(HTTPFault(502, .badPseudoField, at: 0)) }
      status = number
      return
    }
    guard H2FieldRules.isName(name) else { return refuse(HTTPFault(502, .badFieldName, at: 0)) }
    sawRegularField = true
    (state == .body ? trailers : head)?.appendRaw(name: name, value: value)
  }

  /// Completes a head when its block has ended: what the response means, or its fault.
  func finishHead(_ head: MessageHead, endsHere: Bool) -> Result<H1MessageInfo, HTTPFault> {
    if let fault { return .failure(fault) }
    guard state == .awaitingHead, let status else { return .failure(HTTPFault(502, .badPseudoField, at: 0)) }
    head.status = status
    head.version = .http20
    let result = H2ResponseRules.finish(head, answering: answered, endsHere: endsHere)
    guard case .success(let info) = result else { return result }
    head.isChecked()
    if info.isInterim {
      interims += 1
      return interims > Self.interimBound ? .failure(HTTPFault(502, .badPseudoField, at: 0)) : result
    }
    state = endsHere ? .ended : .body
    switch info.framing {
    case .none: announced = 0
    case .length(let n): announced = n
    case .chunked, .untilClose, .tunnel: announced = nil
    }
    return result
  }

  /// Counts body octets; false when there are more than were announced.
  func bodyArrived(_ n: Int) -> Bool {
    received &+= UInt64(n)
    return announced.map { received <= $0 } ?? true
  }

  /// Whether as many octets came as were announced.
  var bodyIsWhole: Bool { announced.map { received == $0 } ?? true }
}
