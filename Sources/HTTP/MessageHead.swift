public import Base

/// HTTP/1.0, 1.1 or 2 as major and minor digits.
public struct HTTPVersion: Hashable, Comparable, Sendable {
  public var major: UInt8
  public var minor: UInt8
  @inlinable public init(_ major: UInt8, _ minor: UInt8) {
    self.major = major
    self.minor = minor
  }
  public static let http10 = HTTPVersion(1, 0)
  public static let http11 = HTTPVersion(1, 1)
  public static let http20 = HTTPVersion(2, 0)
  public static func < (a: HTTPVersion, b: HTTPVersion) -> Bool { (a.major, a.minor) < (b.major, b.minor) }
}

/// A field name in lower case with its precomputed tag, for look-ups.
public struct FieldName: Hashable, Sendable {
  public let bytes: Bytes
  @usableFromInline let tag: UInt32

  public init(_ name: Bytes) {
    let folded = name.lowercased
    bytes = folded
    tag = FieldName.tag(of: folded.span)
  }

  public init(_ name: String) { self.init(Bytes(name)) }

  /// A cheap fingerprint of a lower-case name: unequal tags mean unequal names.
  @inlinable
  static func tag(of name: borrowing Span<UInt8>) -> UInt32 {
    var tag = UInt32(truncatingIfNeeded: name.count) &* 0x9E37_79B1
    for i in 0..<name.count { tag = (tag ^ UInt32(name[i])) &* 0x0100_0193 }
    return tag
  }
}

extension FieldName: ExpressibleByStringLiteral {
  public init(stringLiteral value: String) { self.init(value) }
}

/// The head of a request or response: start line and fields, mutable by rules.
///
/// All octets live in one arena, `text`; fields are ranges into it, names in lower case, in the order
/// of arrival. Edits append to the arena, so that values handed out as `Bytes` stay valid. One head is
/// reused for all the requests of a connection: `reset()` keeps the arena's memory.
public final class MessageHead {
  @usableFromInline
  struct Field {
    @usableFromInline var tag: UInt32
    @usableFromInline var name: Int32
    @usableFromInline var value: Int32
    @usableFromInline var valueLength: Int32
    @usableFromInline var nameLength: UInt16

    @inlinable
    init(tag: UInt32, name: Int, nameLength: Int, value: Int, valueLength: Int) {
      self.tag = tag
      self.name = Int32(truncatingIfNeeded: name)
      self.value = Int32(truncatingIfNeeded: value)
      self.valueLength = Int32(truncatingIfNeeded: valueLength)
      self.nameLength = UInt16(truncatingIfNeeded: nameLength)
    }
  }

  @usableFromInline var text: [UInt8] = []
  @usableFromInline var fields: [Field] = []
  private var methodRange = 0..<0
  private var targetRange = 0..<0
  private var reasonRange = 0..<0

  /// As received; what goes out on HTTP/1 is always 1.1.
  public var version = HTTPVersion.http11
  /// 100...599 for a response, 0 for a request.
  public var status = 0

  public init() {
    text.reserveCapacity(1024)
    fields.reserveCapacity(16)
  }

  /// Empties the head for the next message; memory is kept up to a small bound.
  public func reset() {
    if text.capacity > 16384 { text = [] } else { text.removeAll(keepingCapacity: true) }
    fields.removeAll(keepingCapacity: true)
    methodRange = 0..<0
    targetRange = 0..<0
    reasonRange = 0..<0
    version = .http11
    status = 0
  }

  // MARK: Start line

  public var method: Bytes {
    get { Bytes(text, in: methodRange) }
    set { methodRange = store(newValue) }
  }

  /// The request target as received or rewritten: origin form, absolute form, authority form or `*`.
  public var target: Bytes {
    get { Bytes(text, in: targetRange) }
    set { targetRange = store(newValue) }
  }

  public var reason: Bytes {
    get { Bytes(text, in: reasonRange) }
    set { reasonRange = store(newValue) }
  }

  public func setRequestLine(
    method: borrowing Span<UInt8>, target: borrowing Span<UInt8>, version: HTTPVersion
  ) {
    methodRange = store(copying: method)
    targetRange = store(copying: target)
    self.version = version
  }

  public func setStatusLine(status: Int, reason: borrowing Span<UInt8>, version: HTTPVersion) {
    self.status = status
    reasonRange = store(copying: reason)
    self.version = version
  }

  // MARK: Fields

  /// The number of field lines.
  @inlinable public var count: Int { fields.count }

  public func name(at index: Int) -> Bytes {
    let f = fields[index]
    return Bytes(text, in: Int(f.name)..<(Int(f.name) + Int(f.nameLength)))
  }

  public func value(at index: Int) -> Bytes {
    let f = fields[index]
    return Bytes(text, in: Int(f.value)..<(Int(f.value) + Int(f.valueLength)))
  }

  /// Whether the field at `index` is called `name`.
  @inlinable
  public func isField(at index: Int, named name: FieldName) -> Bool {
    let f = fields[index]
    guard f.tag == name.tag, Int(f.nameLength) == name.bytes.count else { return false }
    let start = Int(f.name)
    for i in 0..<name.bytes.count where text[start + i] != name.bytes[i] { return false }
    return true
  }

  /// The index of the first field line called `name` at or after `start`.
  @inlinable
  public func firstIndex(of name: FieldName, from start: Int = 0) -> Int? {
    var i = start
    while i < fields.count {
      if isField(at: i, named: name) { return i }
      i += 1
    }
    return nil
  }

  public func first(_ name: FieldName) -> Bytes? { firstIndex(of: name).map(value(at:)) }
  public func contains(_ name: FieldName) -> Bool { firstIndex(of: name) != nil }

  /// Appends a field line; the name is folded to lower case.
  public func append(name: borrowing Span<UInt8>, value: borrowing Span<UInt8>) {
    let nameStart = text.count
    var tag = UInt32(truncatingIfNeeded: name.count) &* 0x9E37_79B1
    for i in 0..<name.count {
      let c = ASCII.lower(name[i])
      text.append(c)
      tag = (tag ^ UInt32(c)) &* 0x0100_0193
    }
    let valueStart = text.count
    text.append(copying: value)
    fields.append(
      Field(tag: tag, name: nameStart, nameLength: name.count, value: valueStart, valueLength: value.count))
  }

  public func append(_ name: FieldName, _ value: Bytes) {
    append(name: name.bytes.span, value: value.span)
  }

  /// Puts one field line called `name` in place of all there are.
  public func set(_ name: FieldName, _ value: Bytes) {
    remove(name)
    append(name, value)
  }

  public func replaceValue(at index: Int, with value: Bytes) {
    let range = store(value)
    fields[index].value = Int32(truncatingIfNeeded: range.lowerBound)
    fields[index].valueLength = Int32(truncatingIfNeeded: range.count)
  }

  public func remove(_ name: FieldName) {
    guard var i = firstIndex(of: name) else { return }
    while i < fields.count {
      if isField(at: i, named: name) { fields.remove(at: i) } else { i += 1 }
    }
  }

  public func remove(at index: Int) { fields.remove(at: index) }

  // MARK: Storage

  private func store(_ bytes: Bytes) -> Range<Int> {
    let start = text.count
    text.append(bytes)
    return start..<text.count
  }

  private func store(copying span: borrowing Span<UInt8>) -> Range<Int> {
    let start = text.count
    text.append(copying: span)
    return start..<text.count
  }

  /// Copies another head's content into this one.
  public func copy(from other: MessageHead) {
    text = other.text
    fields = other.fields
    methodRange = other.methodRange
    targetRange = other.targetRange
    reasonRange = other.reasonRange
    version = other.version
    status = other.status
  }
}
