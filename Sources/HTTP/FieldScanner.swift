/// Scans field lines (RFC 9112 section 5) up to the empty line; shared by requests, responses, trailers.
///
/// Offsets count from the start of the message. The input of a later call starts with the octets of
/// the earlier ones; what was accepted is not looked at again.
struct FieldScanner {
  enum Step {
    case incomplete
    /// The offset after the empty line.
    case done(Int)
    case invalid(HTTPFault)
  }

  /// The start of the line that is not complete yet.
  var position = 0
  /// All octets before this offset were searched for the end of that line.
  var searched = 0
  var facts = FieldFacts()

  @inline(__always)
  mutating func scan(
    _ base: UnsafeRawPointer, _ count: Int, into head: MessageHead, limits: borrowing H1Limits
  ) -> Step {
    let isLenient = limits.isLenient
    while true {
      let start = position
      guard start < count else { return wait(count) }
      var i = Octets.firstNonToken(base, from: start, to: count)
      guard i < count else { return wait(count) }
      let stop = base.load(fromByteOffset: i, as: UInt8.self)
      guard stop == 0x3A, i > start else {
        return endOrFault(base, count, at: i, stop: stop, lineStart: start)
      }
      let nameLength = i &- start
      i &+= 1
      while i < count, isBlank(base.load(fromByteOffset: i, as: UInt8.self)) { i &+= 1 }
      let valueStart = i
      i = Octets.firstControl(base, from: i, to: count)
      while i < count, base.load(fromByteOffset: i, as: UInt8.self) == 0x09 || isLenient {
        let c = base.load(fromByteOffset: i, as: UInt8.self)
        if c == 0x0D || c == 0x0A || c == 0 { break }
        i = Octets.firstControl(base, from: i &+ 1, to: count)
      }
      guard i &+ 1 < count else {
        if i < count, base.load(fromByteOffset: i, as: UInt8.self) != 0x0D {
          return .invalid(valueFault(base, at: i))
        }
        return wait(count)
      }
      guard base.loadUnaligned(fromByteOffset: i, as: UInt16.self).littleEndian == 0x0A0D else {
        return .invalid(valueFault(base, at: i))
      }
      var valueEnd = i
      while valueEnd > valueStart, isBlank(base.load(fromByteOffset: valueEnd &- 1, as: UInt8.self)) {
        valueEnd &-= 1
      }
      let index = head.fields.count
      guard index < limits.maxFields else { return .invalid(HTTPFault(431, .tooManyFields, at: start)) }
      guard nameLength < 65536 else { return .invalid(HTTPFault(431, .headTooLarge, at: start)) }
      let name = UnsafeRawBufferPointer(start: base + start, count: nameLength)
      head.fields.append(
        MessageHead.Field(
          tag: FieldName.tag(of: name), name: start, nameLength: nameLength, value: valueStart,
          valueLength: valueEnd &- valueStart))
      facts.note(base + start, nameLength, index: index)
      position = i &+ 2
    }
  }

  /// Whether the line that was incomplete may be complete, or wrong, now.
  mutating func hasNewLine(_ base: UnsafeRawPointer, _ count: Int) -> Bool {
    var i = Swift.max(searched, position)
    if i > position, i < count, base.load(fromByteOffset: i &- 1, as: UInt8.self) == 0x0D { return true }
    i = Octets.firstControl(base, from: i, to: count)
    while i < count, base.load(fromByteOffset: i, as: UInt8.self) == 0x09 {
      i = Octets.firstControl(base, from: i &+ 1, to: count)
    }
    searched = count
    return i < count
  }

  private mutating func wait(_ count: Int) -> Step {
    searched = count
    return .incomplete
  }

  @inline(__always)
  private func isBlank(_ c: UInt8) -> Bool { c == 0x20 || c == 0x09 }

  private mutating func endOrFault(
    _ base: UnsafeRawPointer, _ count: Int, at i: Int, stop: UInt8, lineStart: Int
  ) -> Step {
    if i == lineStart, stop == 0x0D {
      guard i &+ 1 < count else { return wait(count) }
      if base.load(fromByteOffset: i &+ 1, as: UInt8.self) == 0x0A { return .done(i &+ 2) }
      return .invalid(HTTPFault(400, .bareCR, at: i))
    }
    let reason: HTTPFault.Reason
    switch stop {
    case 0x0A: reason = .bareLF
    case 0x20, 0x09: reason = i == lineStart ? .foldedField : .badFieldName
    case 0x0D: reason = .fieldLineWithoutColon
    default: reason = .badFieldName
    }
    return .invalid(HTTPFault(400, reason, at: i))
  }

  private func valueFault(_ base: UnsafeRawPointer, at i: Int) -> HTTPFault {
    switch base.load(fromByteOffset: i, as: UInt8.self) {
    case 0x0D: HTTPFault(400, .bareCR, at: i)
    case 0x0A: HTTPFault(400, .bareLF, at: i)
    default: HTTPFault(400, .badFieldValue, at: i)
    }
  }
}
