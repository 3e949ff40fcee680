public import Base

/// Writes HTTP/1 messages (RFC 9112) from heads.
///
/// Field names go out in lower case as HAProxy sends them, unless a case map says otherwise. Framing
/// and connection fields of the head are replaced by what the caller decided, so that a message has
/// one length; connection-specific fields (RFC 9110 section 7.6.1) stay behind.
public enum H1Encoder {
  /// The Connection field to send.
  public enum Connection: Equatable, Sendable {
    /// None: the default of the version.
    case none
    case close
    case keepAlive
    /// `connection: upgrade`, and the Upgrade field stays.
    case upgrade
  }

  /// Writes a request line and fields with the empty line.
  ///
  /// A request that came as HTTP/1.0 goes out as 1.0 unless it is chunked. One that names no authority gets an
  /// empty Host.
  public static func writeRequest(
    _ head: MessageHead, framing: BodyFraming, connection: Connection, caseMap: H1CaseMap? = nil,
    into output: ByteBuffer
  ) {
    let isOld = head.version < .http11 && framing != .chunked && connection != .upgrade
    guard var to = HeadWriter(output, expected: head.text.count + head.fields.count * 4 + 160) else { return }
    head.withText { text in
      write(head, text, head.methodRange, isTarget: true, &to)
      to.put(0x20)
      write(head, text, head.targetRange, isTarget: true, &to)
      to.put(isOld ? " HTTP/1.0\r\n" : " HTTP/1.1\r\n")
      var rest = FramingFields(framing: framing, isRequest: true, keepsDeclared: false)
      rest.needsHost = !isOld
      writeFields(head, text, &rest, connection, caseMap, &to)
    }
    to.finish()
  }

  /// Writes a status line and fields with the empty line.
  ///
  /// - Parameter toHead: the response answers HEAD: length fields describe what GET would get and stay.
  public static func writeResponse(
    _ head: MessageHead, framing: BodyFraming, connection: Connection, toHead: Bool = false,
    caseMap: H1CaseMap? = nil, into output: ByteBuffer
  ) {
    guard var to = HeadWriter(output, expected: head.text.count + head.fields.count * 4 + 160) else { return }
    // An old server's version is told as it is, as HAProxy does; what HTTP/1.0 does not know goes out as HTTP/1.1.
    to.put(tellsOldVersion(head, framing) ? "HTTP/1.0 " : "HTTP/1.1 ")
    let status = Swift.min(Swift.max(head.status, 100), 999)
    to.putDecimal(UInt64(status))
    to.put(0x20)
    head.withText { text in
      write(head, text, head.reasonRange, isTarget: false, &to)
      to.put("\r\n")
      var rest = FramingFields(framing: framing, isRequest: false, keepsDeclared: toHead || status == 304)
      rest.isBodiless = status < 200 || status == 204
      writeFields(head, text, &rest, connection, caseMap, &to)
    }
    to.finish()
  }

  /// Whether a response goes out as HTTP/1.0, where connections close unless they are said to stay.
  public static func tellsOldVersion(_ head: MessageHead, _ framing: BodyFraming) -> Bool {
    guard head.version < .http11, head.status >= 200 else { return false }
    switch framing {
    case .none, .length: return true
    case .chunked, .untilClose, .tunnel: return false
    }
  }

  /// The size line of a chunk of `size` octets; the octets and `writeChunkEnd` follow.
  public static func writeChunkHeader(size: Int, into output: ByteBuffer) {
    output.ensureRoom(18)
    var digits = 1
    while digits < 16, size >> (digits * 4) != 0 { digits += 1 }
    var i = digits
    while i > 0 {
      i -= 1
      let nibble = UInt8(truncatingIfNeeded: size >> (i * 4)) & 15
      output.appendGrowing(nibble < 10 ? 0x30 + nibble : 0x57 + nibble)
    }
    output.put("\r\n")
  }

  public static func writeChunkEnd(into output: ByteBuffer) { output.put("\r\n") }

  /// The last chunk, trailers if any, and the empty line.
  public static func writeLastChunk(
    trailers: MessageHead? = nil, caseMap: H1CaseMap? = nil, into output: ByteBuffer
  ) {
    output.put("0\r\n")
    if let trailers, var to = HeadWriter(output, expected: trailers.text.count + trailers.fields.count * 4) {
      trailers.withText { text in
        for f in trailers.fields { writeField(f, trailers, text, caseMap, &to) }
      }
      to.finish()
    }
    output.put("\r\n")
  }

  // MARK: Fields

  /// What is still to be said about the body's length.
  private struct FramingFields {
    var framing: BodyFraming
    var isRequest: Bool
    var keepsDeclared: Bool
    var isBodiless = false
    var needsHost = false
    var isWritten = false

    init(framing: BodyFraming, isRequest: Bool, keepsDeclared: Bool) {
      self.framing = framing
      self.isRequest = isRequest
      self.keepsDeclared = keepsDeclared
    }
  }

  private static func writeFields(
    _ head: MessageHead, _ text: UnsafeRawBufferPointer, _ framing: inout FramingFields,
    _ connection: Connection, _ caseMap: H1CaseMap?, _ to: inout HeadWriter
  ) {
    if let base = text.baseAddress {
      for f in head.fields where head.isInside(f) {
        switch HopField.kind(base + Int(f.name), Int(f.nameLength)) {
        case .endToEnd: writeField(f, head, text, caseMap, &to)
        case .framing:
          if framing.keepsDeclared, framing.framing == .none {
            writeField(f, head, text, caseMap, &to)
          } else {
            writeFraming(&framing, declared: true, caseMap, &to)
          }
        case .te:
          let value = UnsafeRawBufferPointer(start: base + Int(f.value), count: Int(f.valueLength))
          if HopField.wantsTrailers(value) { writeLine("te", "trailers", caseMap, &to) }
        case .upgrade: if connection == .upgrade { writeField(f, head, text, caseMap, &to) }
        case .host:
          framing.needsHost = false
          writeField(f, head, text, caseMap, &to)
        case .dropped: break
        }
      }
    }
    if framing.needsHost { writeLine("host", "", caseMap, &to) }
    writeFraming(&framing, declared: false, caseMap, &to)
    switch connection {
    case .none: break
    case .close: writeLine("connection", "close", caseMap, &to)
    case .keepAlive: writeLine("connection", "keep-alive", caseMap, &to)
    case .upgrade: writeLine("connection", "upgrade", caseMap, &to)
    }
    to.put("\r\n")
  }

  private static func writeFraming(
    _ framing: inout FramingFields, declared: Bool, _ caseMap: H1CaseMap?, _ to: inout HeadWriter
  ) {
    if framing.isWritten { return }
    framing.isWritten = true
    switch framing.framing {
    case .none:
      let saysZero = framing.isRequest ? declared : !framing.isBodiless && !framing.keepsDeclared
      if saysZero { writeLine("content-length", "0", caseMap, &to) }
    case .length(let n):
      writeName("content-length", caseMap, &to)
      to.putDecimal(n)
      to.put("\r\n")
    case .chunked: writeLine("transfer-encoding", "chunked", caseMap, &to)
    case .untilClose, .tunnel: break
    }
  }

  @inline(__always)
  private static func writeField(
    _ f: MessageHead.Field, _ head: MessageHead, _ text: UnsafeRawBufferPointer, _ caseMap: H1CaseMap?,
    _ to: inout HeadWriter
  ) {
    guard let base = text.baseAddress, head.isInside(f) else { return }
    if caseMap == nil, Int(f.value) < head.adopted {
      to.putLine(base + Int(f.name), Int(f.nameLength), base + Int(f.value), Int(f.valueLength))
      return
    }
    let name = Int(f.name)..<(Int(f.name) + Int(f.nameLength))
    if let spelled = caseMap?.spelling(of: Bytes(head.text, in: name)) {
      to.put(copying: spelled)
    } else {
      to.putGuarded(UnsafeRawBufferPointer(rebasing: text[name]), isTarget: false)
    }
    to.put(": ")
    let value = Int(f.value)..<(Int(f.value) + Int(f.valueLength))
    to.putGuarded(UnsafeRawBufferPointer(rebasing: text[value]), isTarget: false)
    to.put("\r\n")
  }

  private static func writeLine(
    _ name: StaticString, _ value: StaticString, _ caseMap: H1CaseMap?, _ to: inout HeadWriter
  ) {
    writeName(name, caseMap, &to)
    to.put(value)
    to.put("\r\n")
  }

  private static func writeName(_ name: StaticString, _ caseMap: H1CaseMap?, _ to: inout HeadWriter) {
    if let caseMap, let spelled = caseMap.spelling(of: Bytes(name.description)) {
      to.put(copying: spelled)
    } else {
      to.put(name)
    }
    to.put(": ")
  }

  /// A part of the start line; what rules put there may hold anything.
  @inline(__always)
  private static func write(
    _ head: MessageHead, _ text: UnsafeRawBufferPointer, _ range: Range<Int>, isTarget: Bool,
    _ to: inout HeadWriter
  ) {
    let range = range.clamped(to: 0..<text.count)
    guard !range.isEmpty, let base = text.baseAddress else { return }
    if range.upperBound <= head.adopted {
      to.put(base + range.lowerBound, range.count)
    } else {
      to.putGuarded(UnsafeRawBufferPointer(rebasing: text[range]), isTarget: isTarget)
    }
  }
}

/// Which fields are about one connection and not about the message.
enum HopField {
  enum Kind { case endToEnd, framing, te, upgrade, host, dropped }

  /// `name` is in lower case.
  @inline(__always)
  static func kind(_ name: UnsafeRawPointer, _ length: Int) -> Kind {
    if length == 0 { return .dropped }
    switch (length, name.load(as: UInt8.self)) {
    case (2, 0x74): return Octets.equalsFolded(name, length, "te") ? .te : .endToEnd
    case (4, 0x68): return Octets.equalsFolded(name, length, "host") ? .host : .endToEnd
    case (7, 0x75): return Octets.equalsFolded(name, length, "upgrade") ? .upgrade : .endToEnd
    case (10, 0x63): return Octets.equalsFolded(name, length, "connection") ? .dropped : .endToEnd
    case (10, 0x6B): return Octets.equalsFolded(name, length, "keep-alive") ? .dropped : .endToEnd
    case (14, 0x63): return Octets.equalsFolded(name, length, "content-length") ? .framing : .endToEnd
    case (16, 0x70): return Octets.equalsFolded(name, length, "proxy-connection") ? .dropped : .endToEnd
    case (17, 0x74): return Octets.equalsFolded(name, length, "transfer-encoding") ? .framing : .endToEnd
    default: return .endToEnd
    }
  }

  /// Whether a TE value lists `trailers`, without a weight.
  static func wantsTrailers(_ value: UnsafeRawBufferPointer) -> Bool {
    guard let base = value.baseAddress else { return false }
    var i = 0
    while i < value.count {
      var end = i
      while end < value.count, value[end] != 0x2C { end += 1 }
      var low = i
      var high = end
      while low < high, value[low] == 0x20 || value[low] == 0x09 { low += 1 }
      while high > low, value[high - 1] == 0x20 || value[high - 1] == 0x09 { high -= 1 }
      if Octets.equalsFolded(base + low, high - low, "trailers") { return true }
      i = end + 1
    }
    return false
  }
}
