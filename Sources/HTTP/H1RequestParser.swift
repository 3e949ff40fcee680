/// Parses the head of an HTTP/1 request (RFC 9112 sections 2 to 6), strictly.
///
/// Call `parse` with all unread octets of the connection, again with more of them after `incomplete`;
/// what was seen is not scanned again. A first octet that no request can have (a TLS hello on a plain
/// port) is refused at once. After `complete` or `invalid`, `reset()` before the next message.
public struct H1RequestParser {
  private enum State { case start, requestLine(Int), fields }

  private var state = State.start
  private var scanner = FieldScanner()
  private var form = TargetForm.origin

  public init() {}

  public mutating func reset() { self = H1RequestParser() }

  /// Whether anything but empty lines was seen of the message.
  public var hasStarted: Bool { if case .start = state { false } else { true } }

  /// Reads the head at the start of `input` into `head`, which is emptied first.
  public mutating func parse(
    _ input: borrowing Span<UInt8>, into head: MessageHead, limits: H1Limits
  ) -> H1ParseResult {
    input.withUnsafeBytes { bytes in
      guard let base = bytes.baseAddress, bytes.count > 0 else { return .incomplete }
      return parse(base, bytes.count, into: head, limits: limits)
    }
  }

  private mutating func parse(
    _ base: UnsafeRawPointer, _ count: Int, into head: MessageHead, limits: borrowing H1Limits
  ) -> H1ParseResult {
    let inLine: Bool
    switch state {
    case .start: inLine = true
    case .requestLine: inLine = true
    case .fields: inLine = false
    }
    if inLine {
      switch requestLine(base, count, into: head, limits: limits) {
      case nil: break
      case .incomplete?:
        if count < limits.maxHeadBytes { return .incomplete }
        return refuse(HTTPFault(414, .targetTooLong, at: count), head)
      case let result?:
        head.reset()
        return result
      }
    } else if !scanner.hasNewLine(base, count) {
      if count < limits.maxHeadBytes { return .incomplete }
      return refuse(HTTPFault(431, .headTooLarge, at: count), head)
    }
    switch scanner.scan(base, count, into: head, limits: limits) {
    case .incomplete:
      if count < limits.maxHeadBytes { return .incomplete }
      return refuse(HTTPFault(431, .headTooLarge, at: count), head)
    case .invalid(let fault): return refuse(fault, head)
    case .done(let end):
      guard end <= limits.maxHeadBytes else { return refuse(HTTPFault(431, .headTooLarge, at: end), head) }
      head.adopt(UnsafeRawBufferPointer(start: base, count: end))
      return finish(base, end, head, limits: limits)
    }
  }

  private func refuse(_ fault: HTTPFault, _ head: MessageHead) -> H1ParseResult {
    head.reset()
    return .invalid(fault)
  }

  // MARK: Request line

  /// Nil when the line is complete and stored.
  private mutating func requestLine(
    _ base: UnsafeRawPointer, _ count: Int, into head: MessageHead, limits: borrowing H1Limits
  ) -> H1ParseResult? {
    var start = 0
    switch state {
    case .requestLine(let known):
      start = known
      if !scanner.hasNewLine(base, count) { return .incomplete }
    default:
      while start < count {
        let c = base.load(fromByteOffset: start, as: UInt8.self)
        if c == 0x0D {
          guard start &+ 1 < count else { return .incomplete }
          guard base.load(fromByteOffset: start &+ 1, as: UInt8.self) == 0x0A else {
            return .invalid(HTTPFault(400, .bareCR, at: start))
          }
          start &+= 2
        } else {
          break
        }
      }
      guard start < count else { return .incomplete }
      state = .requestLine(start)
      scanner.position = start
      scanner.searched = start
      head.reset()
    }
    let methodEnd = Octets.firstNonToken(base, from: start, to: count)
    guard methodEnd < count else { return wait(count) }
    guard methodEnd > start, base.load(fromByteOffset: methodEnd, as: UInt8.self) == 0x20 else {
      return .invalid(HTTPFault(400, methodEnd == start ? .notHTTP : .badMethod, at: methodEnd))
    }
    let targetStart = methodEnd &+ 1
    var targetEnd = Octets.firstNonTarget(base, from: targetStart, to: count)
    while limits.isLenient, targetEnd < count {
      let c = base.load(fromByteOffset: targetEnd, as: UInt8.self)
      guard c == 0x23 || c >= 0x80 else { break }
      targetEnd = Octets.firstNonTarget(base, from: targetEnd &+ 1, to: count)
    }
    guard targetEnd < count else { return wait(count) }
    guard targetEnd > targetStart, base.load(fromByteOffset: targetEnd, as: UInt8.self) == 0x20 else {
      return .invalid(HTTPFault(400, .badTarget, at: targetEnd))
    }
    // RFC 9112 section 3 lets several blanks stand before the version.
    var versionStart = targetEnd &+ 1
    while versionStart < count, base.load(fromByteOffset: versionStart, as: UInt8.self) == 0x20 { versionStart &+= 1 }
    guard versionStart &+ 10 <= count else {
      if let fault = VersionReader.partialFault(base, from: versionStart, to: count) {
        return .invalid(fault)
      }
      return wait(count)
    }
    switch VersionReader.read(base, at: versionStart) {
    case .failure(let fault): return .invalid(fault)
    case .success(let version): head.version = version
    }
    let lineEnd = versionStart &+ 8
    guard base.loadUnaligned(fromByteOffset: lineEnd, as: UInt16.self).littleEndian == 0x0A0D else {
      return .invalid(HTTPFault(400, .badVersion, at: lineEnd))
    }
    head.methodRange = start..<methodEnd
    head.targetRange = targetStart..<targetEnd
    scanner.position = lineEnd &+ 2
    scanner.searched = lineEnd &+ 2
    state = .fields
    return nil
  }

  private mutating func wait(_ count: Int) -> H1ParseResult {
    scanner.searched = count
    return .incomplete
  }

  // MARK: Meaning

  private mutating func finish(
    _ base: UnsafeRawPointer, _ end: Int, _ head: MessageHead, limits: borrowing H1Limits
  ) -> H1ParseResult {
    var info = H1MessageInfo()
    info.consumed = end
    let method = UnsafeRawBufferPointer(
      start: base + head.methodRange.lowerBound, count: head.methodRange.count)
    switch method.count {
    case 4: info.isHead = head.equal("HEAD", in: head.methodRange)
    case 7: info.isConnect = head.equal("CONNECT", in: head.methodRange)
    default: break
    }
    let target = UnsafeRawBufferPointer(
      start: base + head.targetRange.lowerBound, count: head.targetRange.count)
    let offset = head.targetRange.lowerBound
    let authority: RequestTarget.Authority?
    if target[0] == 0x2F, !info.isConnect {
      authority = nil
    } else {
      guard
        let read = RequestTarget.read(
          target, isConnect: info.isConnect, isOptions: head.equal("OPTIONS", in: head.methodRange))
      else { return refuse(HTTPFault(400, .badTarget, at: offset), head) }
      info.targetForm = read.form
      authority = read.authority
    }
    if let fault = HostRules.check(
      base, head, scanner.facts, target: authority, targetStart: offset, limits: limits)
    {
      return refuse(fault, head)
    }
    if let authority, authority.lacksPath, !head.equal("OPTIONS", in: head.methodRange) {
      head.target = head.textJoined(head.targetRange, 0..<0, suffix: "/")
    }
    if let fault = RequestFraming.decide(base, head, scanner.facts, &info) { return refuse(fault, head) }
    if scanner.facts.host.count > 1 { HostRules.removeRepeated(head, scanner.facts) }
    if info.namesFields { ConnectionFields.removeNamed(in: head) }
    return .complete(info)
  }
}
