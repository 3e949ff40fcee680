public import Base
import Glibc

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

  // A head belongs to one connection and its methods do not call out, so accesses cannot overlap.
  @exclusivity(unchecked) @usableFromInline var text: [UInt8] = []
  @exclusivity(unchecked) @usableFromInline var fields: [Field] = []
  /// Octets of `text` that a parser checked; what lies behind them was added by rules.
  @exclusivity(unchecked) var adopted = 0
  @exclusivity(unchecked) var methodRange = 0..<0
  @exclusivity(unchecked) var targetRange = 0..<0
  @exclusivity(unchecked) var reasonRange = 0..<0
  /// `:scheme` and `:authority` of HTTP/2, without the scheme's own port; empty when there are none.
  @exclusivity(unchecked) var schemeRange = 0..<0
  @exclusivity(unchecked) var authorityRange = 0..<0

  /// As received.
  @exclusivity(unchecked) public var version = HTTPVersion.http11
  /// 100...599 for a response, 0 for a request.
  @exclusivity(unchecked) public var status = 0

  public init() {
    text.reserveCapacity(1024)
    fields.reserveCapacity(16)
  }

  /// Empties the head for the next message; memory is kept up to a small bound.
  public func reset() {
    if text.capacity > 16384 { text = [] } else { text.removeAll(keepingCapacity: true) }
    fields.removeAll(keepingCapacity: true)
    adopted = 0
    methodRange = 0..<0
    targetRange = 0..<0
    reasonRange = 0..<0
    schemeRange = 0..<0
    authorityRange = 0..<0
    version = .http11
    status = 0
  }

  /// Octets that start line, fields and everything they were rewritten from take: an upper bound of their size.
  public var storedOctets: Int { text.count }

  /// Octets of the head on the wire of HTTP/1.
  public var encodedSize: Int {
    var size = methodRange.count + targetRange.count + reasonRange.count + 16
    for f in fields { size += Int(f.nameLength) + Int(f.valueLength) + 4 }
    return size
  }

  /// The same for the fields called `name`.
  public func encodedSize(of name: FieldName) -> Int {
    var size = 0
    for i in fields.indices where isField(at: i, named: name) {
      size += Int(fields[i].nameLength) + Int(fields[i].valueLength) + 4
    }
    return size
  }

  /// Octets of the head before rules change it: those that a parser took, or would have taken.
  public var receivedSize: Int { adopted > 0 ? adopted : encodedSize }

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

  /// The path of a target in origin form, without the query; nil in the other forms.
  public var originPath: Bytes? {
    let range = targetRange
    guard !range.isEmpty, range.upperBound <= text.count, text[range.lowerBound] == 0x2F else { return nil }
    let length = text.withUnsafeBytes { octets -> Int in
      guard let start = octets.baseAddress.map({ $0 + range.lowerBound }),
        let question = memchr(start, 0x3F, range.count)
      else { return range.count }
      return UnsafeRawPointer(question) - start
    }
    return Bytes(text, in: range.lowerBound..<(range.lowerBound + length))
  }

  /// The target, and before a path what HTTP/2 said of scheme and authority: the URI that was asked for.
  public var uri: Bytes {
    guard !authorityRange.isEmpty, !schemeRange.isEmpty, targetRange.lowerBound < text.count,
      text[targetRange.lowerBound] == 0x2F
    else { return target }
    var whole: [UInt8] = []
    whole.reserveCapacity(schemeRange.count + 3 + authorityRange.count + targetRange.count)
    whole.append(Bytes(text, in: schemeRange))
    whole.append(contentsOf: [0x3A, 0x2F, 0x2F])
    whole.append(Bytes(text, in: authorityRange))
    whole.append(target)
    return Bytes(whole)
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

  /// Whether the method is exactly `text`, without a copy.
  @inlinable
  public func isMethod(_ text: StaticString) -> Bool { equal(text, in: methodRangeForInlining) }

  @usableFromInline var methodRangeForInlining: Range<Int> { methodRange }

  @usableFromInline
  func equal(_ literal: StaticString, in range: Range<Int>) -> Bool {
    guard range.count == literal.utf8CodeUnitCount else { return false }
    return text.withUnsafeBytes { bytes in
      guard range.upperBound <= bytes.count, let base = bytes.baseAddress else { return range.isEmpty }
      return memcmp(base + range.lowerBound, literal.utf8Start, range.count) == 0
    }
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

  /// Where the value at `index` stands among what the head keeps.
  func valueRange(at index: Int) -> Range<Int> {
    let f = fields[index]
    return Int(f.value)..<(Int(f.value) + Int(f.valueLength))
  }

  /// Whether the field at `index` is called `name`.
  @inlinable
  public func isField(at index: Int, named name: FieldName) -> Bool {
    fields[index].tag == name.tag && sameName(at: index, as: name.bytes)
  }

  @usableFromInline
  func sameName(at index: Int, as name: Bytes) -> Bool {
    let f = fields[index]
    guard Int(f.nameLength) == name.count else { return false }
    return text.withUnsafeBytes { mine in
      name.withUnsafeBytes { wanted in
        guard let a = mine.baseAddress, let b = wanted.baseAddress else { return wanted.isEmpty }
        guard Int(f.name) + wanted.count <= mine.count else { return false }
        return memcmp(a + Int(f.name), b, wanted.count) == 0
      }
    }
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
    text.append(copying: name)
    let valueStart = text.count
    text.append(copying: value)
    let tag = text.withUnsafeMutableBytes { bytes in
      let stored = UnsafeMutableRawBufferPointer(rebasing: bytes[nameStart..<valueStart])
      for i in 0..<stored.count { stored[i] = ASCII.lower(stored[i]) }
      return FieldName.tag(of: UnsafeRawBufferPointer(stored))
    }
    fields.append(
      Field(
        tag: tag, name: nameStart, nameLength: valueStart - nameStart, value: valueStart,
        valueLength: text.count - valueStart))
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

  /// Appends a field line whose name is in lower case already.
  func appendRaw(name: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer) {
    let start = text.count
    text.append(contentsOf: name)
    text.append(contentsOf: value)
    fields.append(
      Field(
        tag: FieldName.tag(of: name), name: start, nameLength: name.count, value: start + name.count,
        valueLength: value.count))
  }

  /// Puts the field line at `index` behind all others.
  func moveLast(from index: Int) {
    if index < fields.count - 1 { fields.append(fields.remove(at: index)) }
  }

  /// All that the head holds so far was checked octet by octet.
  func isChecked() { adopted = text.count }

  /// Puts a field line before all others; its value is text that the head has already.
  func insertFirst(_ name: FieldName, valueAt range: Range<Int>) {
    let start = text.count
    text.append(name.bytes)
    fields.insert(
      Field(
        tag: name.tag, name: start, nameLength: name.bytes.count, value: range.lowerBound,
        valueLength: range.count), at: 0)
  }

  /// Keeps octets in the head without making them a part of the message; valid until the next `reset`.
  func keep(_ octets: UnsafeRawBufferPointer) -> Range<Int> {
    let start = text.count
    text.append(contentsOf: octets)
    return start..<text.count
  }

  /// The octets of a range that `keep` gave. Let go of them before the head is changed: a shared text is copied.
  func kept(_ range: Range<Int>) -> Bytes { Bytes(text, in: range) }

  /// Exchanges contents with another head.
  public func swapContents(with other: MessageHead) {
    swap(&text, &other.text)
    swap(&fields, &other.fields)
    swap(&adopted, &other.adopted)
    swap(&methodRange, &other.methodRange)
    swap(&targetRange, &other.targetRange)
    swap(&reasonRange, &other.reasonRange)
    swap(&schemeRange, &other.schemeRange)
    swap(&authorityRange, &other.authorityRange)
    swap(&version, &other.version)
    swap(&status, &other.status)
  }

  /// Takes the octets of a head whose fields and ranges were recorded as offsets into `octets`.
  func adopt(_ octets: UnsafeRawBufferPointer) {
    text.append(contentsOf: octets)
    adopted = text.count
    let fields = self.fields
    text.withUnsafeMutableBytes { bytes in
      guard let base = bytes.baseAddress else { return }
      for f in fields { Octets.lowercase(base + Int(f.name), count: Int(f.nameLength)) }
    }
  }

  /// Whether a field's ranges lie in the arena.
  @inline(__always)
  func isInside(_ f: Field) -> Bool {
    Int(f.name) &+ Int(f.nameLength) <= text.count && Int(f.value) &+ Int(f.valueLength) <= text.count
      && f.name >= 0 && f.value >= 0
  }

  @inline(__always)
  func withText<R>(_ body: (UnsafeRawBufferPointer) -> R) -> R { text.withUnsafeBytes(body) }

  /// Two runs of the arena as one value.
  func textJoined(_ a: Range<Int>, _ b: Range<Int>, suffix: StaticString = "") -> Bytes {
    var joined = [UInt8]()
    joined.reserveCapacity(a.count + b.count + 1)
    joined.append(Bytes(text, in: a))
    joined.append(Bytes(text, in: b))
    suffix.withUTF8Buffer { joined.append(contentsOf: $0) }
    return Bytes(joined)
  }

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
    adopted = other.adopted
    methodRange = other.methodRange
    targetRange = other.targetRange
    reasonRange = other.reasonRange
    schemeRange = other.schemeRange
    authorityRange = other.authorityRange
    version = other.version
    status = other.status
  }
}
