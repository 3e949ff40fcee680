import Base

/// How a message's body ends and whether its connection lives on (RFC 9112 sections 6 and 9).
enum RequestFraming {
  /// Fills in `info`, or says why the framing cannot be trusted.
  @inline(__always)
  static func decide(
    _ base: UnsafeRawPointer, _ head: MessageHead, _ facts: FieldFacts, _ info: inout H1MessageInfo
  ) -> HTTPFault? {
    info.keepAlive = head.version >= .http11
    if facts.connection.count > 0 {
      var options = ConnectionOptions()
      guard readConnection(base, head, facts.connection, &options) else {
        return HTTPFault(400, .badFieldValue, at: Int(head.fields[facts.connection.first].value))
      }
      info.keepAlive = options.close ? false : options.keepAlive || info.keepAlive
      info.namesFields = options.others
      info.upgrade = options.upgrade && facts.upgrade.count > 0 && head.version >= .http11
    }
    if facts.expect.count > 0, head.version >= .http11 {
      let f = head.fields[facts.expect.first]
      info.expectContinue = Octets.equalsFolded(base + Int(f.value), Int(f.valueLength), "100-continue")
    }
    if facts.transferEncoding.count > 0 { return transferEncoding(base, head, facts, &info) }
    // Reading a length may move fields: nothing may use `facts` after it.
    if facts.contentLength.count > 0 {
      switch ContentLength.read(base, head, facts.contentLength, status: 400) {
      case .failure(let fault): return fault
      case .success(let length): info.framing = length == 0 ? .none : .length(length)
      }
    }
    if info.isConnect {
      if info.framing != .none { return HTTPFault(400, .bodyNotAllowed, at: 0) }
      info.framing = .tunnel
    }
    return nil
  }

  static func readConnection(
    _ base: UnsafeRawPointer, _ head: MessageHead, _ seen: FieldFacts.Seen,
    _ options: inout ConnectionOptions
  ) -> Bool {
    let name = FieldName.connection
    var index = seen.first
    for n in 0..<seen.count {
      if n > 0 {
        guard let next = head.firstIndex(of: name, from: index + 1) else { return true }
        index = next
      }
      let f = head.fields[index]
      let value = UnsafeRawBufferPointer(start: base + Int(f.value), count: Int(f.valueLength))
      if !options.add(value) { return false }
    }
    return true
  }

  private static func transferEncoding(
    _ base: UnsafeRawPointer, _ head: MessageHead, _ facts: FieldFacts, _ info: inout H1MessageInfo
  ) -> HTTPFault? {
    let offset = Int(head.fields[facts.transferEncoding.first].value)
    switch TransferEncoding.read(head) {
    case .chunked: info.framing = .chunked
    case .otherThenChunked: return HTTPFault(422, .unsupportedTransferCoding, at: offset)
    case .other, .invalid: return HTTPFault(400, .badTransferEncoding, at: offset)
    }
    if info.isConnect { return HTTPFault(400, .bodyNotAllowed, at: offset) }
    if facts.contentLength.count > 0 {
      // The length is worthless next to chunked, yet a broken one shows a broken or hostile sender.
      if case .failure(let fault) = ContentLength.read(base, head, facts.contentLength, status: 400) {
        return fault
      }
      if head.version < .http11 { return HTTPFault(400, .badTransferEncoding, at: offset) }
      head.remove(FieldName.contentLength)
      info.keepAlive = false
    }
    if head.version < .http11 { info.keepAlive = false }
    return nil
  }
}

/// The value of Transfer-Encoding over all its lines.
enum TransferEncoding {
  case chunked
  /// Codings that this gateway does not undo, with chunked last.
  case otherThenChunked
  /// Valid codings without chunked.
  case other
  /// chunked twice, not last, with parameters, or octets that are no coding.
  case invalid

  static func read(_ head: MessageHead) -> TransferEncoding {
    let name = FieldName.transferEncoding
    var chunked = 0
    var others = 0
    var lastIsChunked = false
    var next = head.firstIndex(of: name)
    while let index = next {
      let value = head.value(at: index)
      let valid = value.withUnsafeBytes { text in
        readLine(text) { isChunked in
          if isChunked { chunked += 1 } else { others += 1 }
          lastIsChunked = isChunked
        }
      }
      if !valid { return .invalid }
      next = head.firstIndex(of: name, from: index + 1)
    }
    if chunked > 1 || (chunked == 1 && !lastIsChunked) { return .invalid }
    if chunked == 1 { return others == 0 ? .chunked : .otherThenChunked }
    return others > 0 ? .other : .invalid
  }

  /// Codings are bare tokens here: none that takes parameters is in use, and they hide things well.
  private static func readLine(_ text: UnsafeRawBufferPointer, _ coding: (Bool) -> Void) -> Bool {
    guard let base = text.baseAddress, text.count > 0 else { return false }
    var i = 0
    while true {
      while i < text.count, text[i] == 0x20 || text[i] == 0x09 { i += 1 }
      let end = Octets.firstNonToken(base, from: i, to: text.count)
      if end == i { return false }
      let length = end - i
      if Octets.equalsFolded(base + i, length, "identity") { return false }
      coding(Octets.equalsFolded(base + i, length, "chunked"))
      i = end
      while i < text.count, text[i] == 0x20 || text[i] == 0x09 { i += 1 }
      if i == text.count { return true }
      if text[i] != 0x2C { return false }
      i += 1
    }
  }
}

/// The value of Content-Length over all its lines (RFC 9110 section 8.6).
enum ContentLength {
  /// Equal repeated values are reduced to one; anything else that repeats is refused.
  static func read(
    _ base: UnsafeRawPointer, _ head: MessageHead, _ seen: FieldFacts.Seen, status: Int
  ) -> Result<UInt64, HTTPFault> {
    let f = head.fields[seen.first]
    let offset = Int(f.value)
    if seen.count == 1, let length = digits(base + offset, Int(f.valueLength)) { return .success(length) }
    let name = FieldName.contentLength
    var result: UInt64?
    var next = head.firstIndex(of: name)
    while let index = next {
      switch list(head.value(at: index)) {
      case .failure(let reason): return .failure(HTTPFault(status, reason, at: offset))
      case .success(let number):
        if let result, result != number {
          return .failure(HTTPFault(status, .differingContentLengths, at: offset))
        }
        result = number
      }
      next = head.firstIndex(of: name, from: index + 1)
    }
    guard let result else { return .failure(HTTPFault(status, .badContentLength, at: offset)) }
    head.set(name, Bytes(String(result)))
    return .success(result)
  }

  /// One line's value, which may name the same number several times.
  static func list(_ value: Bytes) -> ListResult {
    var result: UInt64?
    var start = 0
    while start <= value.count {
      let comma = value.firstIndex(of: 0x2C, from: start) ?? value.count
      let part = value[start..<comma].trimmed
      guard let number = part.withUnsafeBytes({ $0.baseAddress.flatMap { digits($0, part.count) } }) else {
        return .failure(.badContentLength)
      }
      if let result, result != number { return .failure(.differingContentLengths) }
      result = number
      start = comma + 1
    }
    return result.map { .success($0) } ?? .failure(.badContentLength)
  }

  enum ListResult {
    case success(UInt64)
    case failure(HTTPFault.Reason)
  }

  /// Digits only, below 2^63 so that every other implementation can hold it.
  static func digits(_ p: UnsafeRawPointer, _ count: Int) -> UInt64? {
    guard count > 0, count <= 32 else { return nil }
    var value: UInt64 = 0
    for i in 0..<count {
      let digit = p.load(fromByteOffset: i, as: UInt8.self) &- 0x30
      guard digit < 10 else { return nil }
      let (scaled, over) = value.multipliedReportingOverflow(by: 10)
      if over { return nil }
      let (sum, over2) = scaled.addingReportingOverflow(UInt64(digit))
      if over2 { return nil }
      value = sum
    }
    return value <= UInt64(Int64.max) ? value : nil
  }
}
