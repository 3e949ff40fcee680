import Base

/// Host and the request target must name one authority (RFC 9110 section 7.2, RFC 9112 section 3.2).
enum HostRules {
  /// The fault of a request's Host fields, if any; a
  /// missing one is filled in from an absolute target.
  static func check(
    _ base: UnsafeRawPointer, _ head: MessageHead, _ facts: FieldFacts,
    target: RequestTarget.Authority?, targetStart: Int, limits: borrowing H1Limits
  ) -> HTTPFault? {
    guard facts.host.count > 0 else {
      if head.version >= .http11, limits.requiresHost { return HTTPFault(400, .missingHost, at: 0) }
      guard let target, !target.host.isEmpty else { return nil }
      addHost(from: target, to: head)
      let text = UnsafeRawBufferPointer(start: base + targetStart, count: head.targetRange.count)
      normalize(text, target, head, field: head.count - 1, hostLength: target.host.count)
      return nil
    }
    let field = head.fields[facts.host.first]
    let start = Int(field.value)
    let length = Int(field.valueLength)
    if facts.host.count > 1, !agree(head, facts) { return HTTPFault(400, .severalHosts, at: start) }
    let value = UnsafeRawBufferPointer(start: base + start, count: length)
    guard let (host, port) = HostSyntax.split(value, in: 0..<length) else {
      return HTTPFault(400, .badHost, at: start)
    }
    guard let target else { return nil }
    let wanted = UnsafeRawBufferPointer(start: base + targetStart, count: head.targetRange.count)
    guard sameHost(wanted, target.host, value, host), samePort(wanted, target, value, port) else {
      return HTTPFault(400, .hostMismatch, at: start)
    }
    normalize(wanted, target, head, field: facts.host.first, hostLength: host.count)
    return nil
  }

  /// Whether all Host lines say the same.
  private static func agree(_ head: MessageHead, _ facts: FieldFacts) -> Bool {
    let first = head.value(at: facts.host.first)
    var next = head.firstIndex(of: .host, from: facts.host.first + 1)
    while let index = next {
      if head.value(at: index) != first { return false }
      next = head.firstIndex(of: .host, from: index + 1)
    }
    return true
  }

  /// Drops further Host lines; last of all checks, since it moves the fields that `facts` points to.
  static func removeRepeated(_ head: MessageHead, _ facts: FieldFacts) {
    while let index = head.firstIndex(of: .host, from: facts.host.first + 1) { head.remove(at: index) }
  }

  private static func sameHost(
    _ a: UnsafeRawBufferPointer, _ inA: Range<Int>, _ b: UnsafeRawBufferPointer, _ inB: Range<Int>
  ) -> Bool {
    guard inA.count == inB.count else { return false }
    for i in 0..<inA.count {
      let x = a[inA.lowerBound + i]
      let y = b[inB.lowerBound + i]
      if x != y, x | 0x20 != y | 0x20 || (x | 0x20) &- 0x61 >= 26 { return false }
    }
    return true
  }

  private static func samePort(
    _ a: UnsafeRawBufferPointer, _ target: RequestTarget.Authority, _ b: UnsafeRawBufferPointer,
    _ port: Range<Int>?
  ) -> Bool {
    let wanted = number(a, target.port)
    let given = number(b, port)
    if wanted == given { return true }
    if target.defaultPorts.0 == 0 { return false }
    let isDefault = { (n: UInt16) in n == target.defaultPorts.0 || n == target.defaultPorts.1 }
    switch (wanted, given) {
    case (let w?, nil): return isDefault(w)
    case (nil, let g?): return isDefault(g)
    default: return false
    }
  }

  /// The port as a number, nil when it is absent or empty; the syntax was checked before.
  private static func number(_ text: UnsafeRawBufferPointer, _ range: Range<Int>?) -> UInt16? {
    guard let range, !range.isEmpty else { return nil }
    var n = 0
    for i in range { n = n &* 10 &+ Int(text[i] &- 0x30) }
    return UInt16(truncatingIfNeeded: n)
  }

  /// A target whose port is the scheme's own loses it, and so does Host (RFC 3986 section 6.2.3).
  private static func normalize(
    _ text: UnsafeRawBufferPointer, _ target: RequestTarget.Authority, _ head: MessageHead, field: Int,
    hostLength: Int
  ) {
    guard let port = target.port, target.defaultPorts.0 != 0 else { return }
    let value = number(text, port)
    guard value == nil || value == target.defaultPorts.0 || value == target.defaultPorts.1 else { return }
    let host = head.value(at: field)
    if target.isConnect {
      if host.count > hostLength + 1 { head.replaceValue(at: field, with: host.prefix(hostLength)) }
      return
    }
    if host.count > hostLength { head.replaceValue(at: field, with: host.prefix(hostLength)) }
    let range = head.targetRange
    let colon = range.lowerBound + port.lowerBound - 1
    let rest = range.lowerBound + port.upperBound
    head.target = head.textJoined(range.lowerBound..<colon, rest..<range.upperBound)
  }

  private static func addHost(from target: RequestTarget.Authority, to head: MessageHead) {
    let text = head.target
    let end =
      target.port.map { $0.isEmpty ? target.host.upperBound : $0.upperBound } ?? target.host.upperBound
    head.append(FieldName.host, text[target.host.lowerBound..<end])
  }
}
