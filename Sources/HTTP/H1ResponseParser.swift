import Base

/// Parses the head of an HTTP/1 response (RFC 9112 sections 4 to 6), strictly: a fault means 502.
///
/// Used like `H1RequestParser`. A 1xx head is reported with `isInterim`; after it, `reset()` and parse on.
public struct H1ResponseParser {
  private var inFields = false
  private var scanner = FieldScanner()

  public init() {}

  public mutating func reset() { self = H1ResponseParser() }

  /// Reads the head at the start of `input` into `head`, which is emptied first.
  ///
  /// - Parameters:
  ///   - answering: the method that this response answers; HEAD and CONNECT change the framing.
  ///   - upgradeOffered: whether the request offered an upgrade; a 101 is refused without it.
  public mutating func parse(
    _ input: borrowing Span<UInt8>, into head: MessageHead, limits: H1Limits, answering method: AnsweredMethod,
    upgradeOffered: Bool = false
  ) -> H1ParseResult {
    let result = input.withUnsafeBytes { bytes -> H1ParseResult in
      guard let base = bytes.baseAddress, bytes.count > 0 else { return .incomplete }
      return parse(
        base, bytes.count, into: head, limits: limits, method: method, upgrade: upgradeOffered)
    }
    if case .invalid = result { head.reset() }
    return result
  }

  private mutating func parse(
    _ base: UnsafeRawPointer, _ count: Int, into head: MessageHead, limits: borrowing H1Limits,
    method: AnsweredMethod, upgrade: Bool
  ) -> H1ParseResult {
    let tooLarge = H1ParseResult.invalid(HTTPFault(502, .headTooLarge, at: count))
    if !inFields {
      switch statusLine(base, count, into: head, limits: limits) {
      case nil: break
      case .incomplete?: return count < limits.maxHeadBytes ? .incomplete : tooLarge
      case let result?: return result
      }
    } else if !scanner.hasNewLine(base, count) {
      return count < limits.maxHeadBytes ? .incomplete : tooLarge
    }
    switch scanner.scan(base, count, into: head, limits: limits) {
    case .incomplete: return count < limits.maxHeadBytes ? .incomplete : tooLarge
    case .invalid(var fault):
      fault.status = 502
      return .invalid(fault)
    case .done(let end):
      guard end <= limits.maxHeadBytes else { return tooLarge }
      head.adopt(UnsafeRawBufferPointer(start: base, count: end))
      var info = H1MessageInfo()
      info.consumed = end
      if let fault = ResponseFraming.decide(
        base, head, scanner.facts, method: method, upgradeOffered: upgrade, &info)
      {
        return .invalid(fault)
      }
      if info.namesFields { ConnectionFields.removeNamed(in: head) }
      return .complete(info)
    }
  }

  /// Nil when the line is complete and stored.
  private mutating func statusLine(
    _ base: UnsafeRawPointer, _ count: Int, into head: MessageHead, limits: borrowing H1Limits
  ) -> H1ParseResult? {
    if scanner.searched == 0 { head.reset() }
    let known = Swift.min(count, 13)
    if let bad = Self.badPrefix(base, known) {
      return .invalid(HTTPFault(502, bad < 8 ? .badVersion : .badStatusLine, at: bad))
    }
    guard count > 13, scanner.searched <= 13 || scanner.hasNewLine(base, count) else {
      scanner.searched = count
      return .incomplete
    }
    guard base.load(fromByteOffset: 5, as: UInt8.self) == 0x31 else {
      return .invalid(HTTPFault(502, .unsupportedVersion, at: 5))
    }
    var status = 0
    for i in 9..<12 { status = status &* 10 &+ Int(base.load(fromByteOffset: i, as: UInt8.self) &- 0x30) }
    let highest = limits.isLenient ? 999 : 599
    guard status >= 100, status <= highest else {
      return .invalid(HTTPFault(502, .badStatusLine, at: 9))
    }
    var end = 12
    let reasonStart: Int
    if base.load(fromByteOffset: 12, as: UInt8.self) == 0x20 {
      reasonStart = 13
      end = Octets.firstControl(base, from: 13, to: count)
      while end < count, base.load(fromByteOffset: end, as: UInt8.self) == 0x09 {
        end = Octets.firstControl(base, from: end &+ 1, to: count)
      }
    } else {
      reasonStart = 12
    }
    if end == count || (end &+ 1 == count && base.load(fromByteOffset: end, as: UInt8.self) == 0x0D) {
      scanner.searched = count
      return .incomplete
    }
    guard end &+ 1 < count,
      base.loadUnaligned(fromByteOffset: end, as: UInt16.self).littleEndian == 0x0A0D
    else { return .invalid(HTTPFault(502, .badStatusLine, at: end)) }
    head.status = status
    head.version = base.load(fromByteOffset: 7, as: UInt8.self) == 0x30 ? .http10 : .http11
    head.reasonRange = reasonStart..<end
    scanner.position = end &+ 2
    scanner.searched = end &+ 2
    inFields = true
    return nil
  }

  /// The first of the `count` octets that cannot begin a status line.
  private static func badPrefix(_ base: UnsafeRawPointer, _ count: Int) -> Int? {
    let pattern: StaticString = "HTTP/0.0 000 "
    for i in 0..<count {
      let c = base.load(fromByteOffset: i, as: UInt8.self)
      let wanted = pattern.utf8Start[i]
      let matches = wanted == 0x30 ? c &- 0x30 < 10 : c == wanted || (i == 12 && c == 0x0D)
      if !matches { return i }
    }
    return nil
  }
}

/// How a response's body ends (RFC 9112 section 6.3).
enum ResponseFraming {
  static func decide(
    _ base: UnsafeRawPointer, _ head: MessageHead, _ facts: FieldFacts, method: AnsweredMethod,
    upgradeOffered: Bool, _ info: inout H1MessageInfo
  ) -> HTTPFault? {
    var options = ConnectionOptions()
    if facts.connection.count > 0,
      !RequestFraming.readConnection(base, head, facts.connection, &options)
    {
      return HTTPFault(502, .badFieldValue, at: Int(head.fields[facts.connection.first].value))
    }
    info.namesFields = options.others
    info.keepAlive = !options.close && (options.keepAlive || head.version >= .http11)
    info.upgrade = options.upgrade && facts.upgrade.count > 0
    let status = head.status
    if status < 200 {
      guard status == 101 else {
        info.isInterim = true
        removeFraming(head, facts)
        return nil
      }
      guard upgradeOffered, info.upgrade, head.version >= .http11 else {
        return HTTPFault(502, .unexpectedSwitch, at: 9)
      }
      removeFraming(head, facts)
      info.framing = .tunnel
      return nil
    }
    info.upgrade = false
    if method == .connect, status < 300 {
      removeFraming(head, facts)
      info.framing = .tunnel
      return nil
    }
    if let fault = bodyFraming(base, head, facts, &info) { return fault }
    info.isHead = method == .head
    if info.isHead || status == 204 || status == 304 {
      if case .length(let n) = info.framing { info.declaredLength = n }
      if status == 204 { removeFraming(head, facts) }
      info.framing = .none
    } else if info.framing == .untilClose {
      info.keepAlive = false
    }
    return nil
  }

  private static func bodyFraming(
    _ base: UnsafeRawPointer, _ head: MessageHead, _ facts: FieldFacts, _ info: inout H1MessageInfo
  ) -> HTTPFault? {
    info.framing = .untilClose
    // Reading a length may move fields: the offset is taken before.
    let offset = facts.transferEncoding.count > 0 ? Int(head.fields[facts.transferEncoding.first].value) : 0
    var length: UInt64?
    if facts.contentLength.count > 0 {
      switch ContentLength.read(base, head, facts.contentLength, status: 502) {
      case .failure(let fault): return fault
      case .success(let n): length = n
      }
    }
    if facts.transferEncoding.count > 0 {
      guard case .chunked = TransferEncoding.read(head) else {
        return HTTPFault(502, .badTransferEncoding, at: offset)
      }
      info.framing = .chunked
      if length != nil {
        head.remove(FieldName.contentLength)
        info.keepAlive = false
      }
      if head.version < .http11 {
        info.keepAlive = false
        info.isDoubtful = true
      }
    } else if let length {
      info.framing = length == 0 ? .none : .length(length)
      info.declaredLength = length
    }
    return nil
  }

  /// Framing fields mean nothing in 1xx, 204 and 2xx to CONNECT and must not be passed on.
  private static func removeFraming(_ head: MessageHead, _ facts: FieldFacts) {
    if facts.contentLength.count > 0 { head.remove(FieldName.contentLength) }
    if facts.transferEncoding.count > 0 { head.remove(FieldName.transferEncoding) }
  }
}
