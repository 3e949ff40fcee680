public import Base
import Glibc

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
  /// A request that came as HTTP/1.0 goes out as 1.0 unless it is chunked.
  public static func writeRequest(
    _ head: MessageHead, framing: BodyFraming, connection: Connection, caseMap: H1CaseMap? = nil,
    into output: ByteBuffer
  ) {
    let isOld = head.version < .http11 && framing != .chunked && connection != .upgrade
    let bytes = head.text.count + head.fields.count * 4 + 128
    output.ensureRoom(bytes)
    head.withText { text in
      write(text, head.methodRange, to: output)
      output.appendGrowing(0x20)
      write(text, head.targetRange, to: output)
      output.put(isOld ? " HTTP/1.0\r\n" : " HTTP/1.1\r\n")
      var rest = FramingFields(framing: framing, isRequest: true, keepsDeclared: false)
      rest.needsHost = !isOld && head.version < .http11
      writeFields(head, text, &rest, connection, caseMap, output)
    }
  }

  /// Writes a status line and fields with the empty line.
  ///
  /// - Parameter toHead: the response answers HEAD: length fields describe what GET would get and stay.
  public static func writeResponse(
    _ head: MessageHead, framing: BodyFraming, connection: Connection, toHead: Bool = false,
    caseMap: H1CaseMap? = nil, into output: ByteBuffer
  ) {
    let bytes = head.text.count + head.fields.count * 4 + 128
    output.ensureRoom(bytes)
    output.put("HTTP/1.1 ")
    let status = Swift.min(Swift.max(head.status, 100), 999)
    output.appendGrowing(UInt8(truncatingIfNeeded: 0x30 + status / 100))
    output.appendGrowing(UInt8(truncatingIfNeeded: 0x30 + status / 10 % 10))
    output.appendGrowing(UInt8(truncatingIfNeeded: 0x30 + status % 10))
    output.appendGrowing(0x20)
    head.withText { text in
      write(text, head.reasonRange, to: output)
      output.put("\r\n")
      var rest = FramingFields(
        framing: framing, isRequest: false, keepsDeclared: toHead || status == 304)
      rest.isBodiless = status < 200 || status == 204
      writeFields(head, text, &rest, connection, caseMap, output)
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
    if let trailers {
      trailers.withText { text in
        for f in trailers.fields { writeField(f, trailers, text, caseMap, output) }
      }
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
    _ connection: Connection, _ caseMap: H1CaseMap?, _ output: ByteBuffer
  ) {
    guard let base = text.baseAddress else { return }
    for f in head.fields {
      let name = base + Int(f.name)
      guard Int(f.name) + Int(f.nameLength) <= text.count, Int(f.value) + Int(f.valueLength) <= text.count
      else { continue }
      switch HopField.kind(name, Int(f.nameLength)) {
      case .endToEnd: writeField(f, head, text, caseMap, output)
      case .framing:
        if framing.keepsDeclared, framing.framing == .none {
          writeField(f, head, text, caseMap, output)
        } else {
          writeFraming(&framing, declared: true, caseMap, output)
        }
      case .te:
        if HopField.wantsTrailers(
          UnsafeRawBufferPointer(start: base + Int(f.value), count: Int(f.valueLength)))
        {
          writeLine("te", "trailers", caseMap, output)
        }
      case .upgrade: if connection == .upgrade { writeField(f, head, text, caseMap, output) }
      case .host:
        framing.needsHost = false
        writeField(f, head, text, caseMap, output)
      case .dropped: break
      }
    }
    if framing.needsHost { writeLine("host", "", caseMap, output) }
    writeFraming(&framing, declared: false, caseMap, output)
    switch connection {
    case .none: break
    case .close: writeLine("connection", "close", caseMap, output)
    case .keepAlive: writeLine("connection", "keep-alive", caseMap, output)
    case .upgrade: writeLine("connection", "upgrade", caseMap, output)
    }
    output.put("\r\n")
  }

  private static func writeFraming(
    _ framing: inout FramingFields, declared: Bool, _ caseMap: H1CaseMap?, _ output: ByteBuffer
  ) {
    if framing.isWritten { return }
    framing.isWritten = true
    switch framing.framing {
    case .none:
      let saysZero = framing.isRequest ? declared : !framing.isBodiless && !framing.keepsDeclared
      if saysZero { writeLine("content-length", "0", caseMap, output) }
    case .length(let n):
      writeName("content-length", caseMap, output)
      writeDecimal(n, output)
      output.put("\r\n")
    case .chunked: writeLine("transfer-encoding", "chunked", caseMap, output)
    case .untilClose, .tunnel: break
    }
  }

  @inline(__always)
  private static func writeField(
    _ f: MessageHead.Field, _ head: MessageHead, _ text: UnsafeRawBufferPointer, _ caseMap: H1CaseMap?,
    _ output: ByteBuffer
  ) {
    guard let base = text.baseAddress, Int(f.name) + Int(f.nameLength) <= text.count,
      Int(f.value) + Int(f.valueLength) <= text.count
    else { return }
    let nameLength = Int(f.nameLength)
    let valueLength = Int(f.valueLength)
    output.ensureRoom(nameLength &+ valueLength &+ 4)
    guard let to = output.writableBytes.baseAddress else { return }
    if let caseMap,
      let spelled = caseMap.spelling(of: Bytes(head.text, in: Int(f.name)..<(Int(f.name) + nameLength)))
    {
      spelled.withUnsafeBytes { if let from = $0.baseAddress { memcpy(to, from, nameLength) } }
    } else {
      memcpy(to, base + Int(f.name), nameLength)
    }
    (to + nameLength).storeBytes(of: UInt16(0x203A).littleEndian, as: UInt16.self)
    memcpy(to + (nameLength &+ 2), base + Int(f.value), valueLength)
    (to + (nameLength &+ 2 &+ valueLength)).storeBytes(of: UInt16(0x0A0D).littleEndian, as: UInt16.self)
    output.produced(nameLength &+ valueLength &+ 4)
  }

  private static func writeLine(
    _ name: StaticString, _ value: StaticString, _ caseMap: H1CaseMap?, _ output: ByteBuffer
  ) {
    writeName(name, caseMap, output)
    output.put(value)
    output.put("\r\n")
  }

  private static func writeName(_ name: StaticString, _ caseMap: H1CaseMap?, _ output: ByteBuffer) {
    if let caseMap, let spelled = caseMap.spelling(of: Bytes(name.description)) {
      output.appendGrowing(spelled)
    } else {
      output.put(name)
    }
    output.put(": ")
  }

  private static func writeDecimal(_ value: UInt64, _ output: ByteBuffer) {
    var scale: UInt64 = 1
    while value / scale >= 10 { scale *= 10 }
    while scale > 0 {
      output.appendGrowing(UInt8(truncatingIfNeeded: 0x30 + value / scale % 10))
      scale /= 10
    }
  }

  private static func write(_ text: UnsafeRawBufferPointer, _ range: Range<Int>, to output: ByteBuffer) {
    let range = range.clamped(to: 0..<text.count)
    if !range.isEmpty { output.appendGrowing(UnsafeRawBufferPointer(rebasing: text[range])) }
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
