import Base

/// What HTTP/2 asks of a response (RFC 9113 sections 8.1 and 8.3.2), so that it can go on as HTTP/1.
enum H2ResponseRules {
  /// The number of a `:status`: three digits, 100 to 599; nil for any other pseudo-header field or value.
  static func status(_ name: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) -> Int? {
    guard let base = name.baseAddress, Octets.equalsFolded(base, name.count, ":status"), value.count == 3 else {
      return nil
    }
    var number = 0
    for digit in value {
      guard ASCII.isDigit(digit) else { return nil }
      number = number &* 10 &+ Int(digit &- 0x30)
    }
    return number >= 100 && number <= 599 ? number : nil
  }

  /// Judges a complete head with its status. The framing says what DATA may follow.
  static func finish(
    _ head: MessageHead, answering method: AnsweredMethod, endsHere: Bool
  ) -> Result<H1MessageInfo, HTTPFault> {
    if H2FieldRules.hasConnectionField(head, isRequest: false) {
      return .failure(HTTPFault(502, .connectionField, at: 0))
    }
    var info = H1MessageInfo()
    let status = head.status
    if status < 200 {
      // HTTP/2 has no 101 (section 8.6), and an interim response does not end the stream.
      if status == 101 || endsHere { return .failure(HTTPFault(502, .unexpectedSwitch, at: 0)) }
      head.remove(FieldName.contentLength)
      info.isInterim = true
      return .success(info)
    }
    if method == .connect, status < 300 {
      head.remove(FieldName.contentLength)
      info.framing = .tunnel
      return .success(info)
    }
    let length: UInt64?
    switch contentLength(head) {
    case .success(let n): length = n
    case .failure(let fault): return .failure(fault)
    }
    info.declaredLength = length
    info.isHead = method == .head
    if method == .head || status == 204 || status == 304 {
      if status == 204 { head.remove(FieldName.contentLength) }
    } else if endsHere {
      if let length, length > 0 { return .failure(HTTPFault(502, .lengthMismatch, at: 0)) }
    } else if let length {
      info.framing = length == 0 ? .none : .length(length)
    } else {
      info.framing = .chunked
    }
    return .success(info)
  }

  private static func contentLength(_ head: MessageHead) -> Result<UInt64?, HTTPFault> {
    var result: UInt64?
    var next = head.firstIndex(of: FieldName.contentLength)
    let isRepeated = next.map { head.firstIndex(of: FieldName.contentLength, from: $0 + 1) != nil } ?? false
    while let index = next {
      switch ContentLength.list(head.value(at: index)) {
      case .failure(let reason): return .failure(HTTPFault(502, reason, at: 0))
      case .success(let n):
        if let result, result != n { return .failure(HTTPFault(502, .differingContentLengths, at: 0)) }
        result = n
        if head.value(at: index).firstIndex(of: 0x2C) != nil { head.replaceValue(at: index, with: Bytes(String(n))) }
      }
      next = head.firstIndex(of: FieldName.contentLength, from: index + 1)
    }
    if isRepeated, let result { head.set(FieldName.contentLength, Bytes(String(result))) }
    return .success(result)
  }
}
