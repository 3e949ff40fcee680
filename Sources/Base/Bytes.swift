public import Glibc

/// An immutable run of octets: a shared array and a range in it.
///
/// Slicing and copying share the array, so a header value handed to a rule costs a retain and no
/// copy. Indices start at zero whatever the slice. Equality and hashing look at the octets.
public struct Bytes: Sendable {
  @usableFromInline let base: [UInt8]
  @usableFromInline let lower: Int
  /// The number of octets.
  public let count: Int

  @inlinable
  public init(_ base: [UInt8]) {
    self.base = base
    lower = 0
    count = base.count
  }

  /// The part of `base` in `range`, which is clamped to it.
  @inlinable
  public init(_ base: [UInt8], in range: Range<Int>) {
    self.base = base
    let clamped = range.clamped(to: 0..<base.count)
    lower = clamped.lowerBound
    count = clamped.count
  }

  public init(_ string: some StringProtocol) { self.init(Array(string.utf8)) }

  public init(copying span: borrowing Span<UInt8>) { self.init([UInt8](copying: span)) }

  @inlinable public static var empty: Bytes { Bytes([UInt8]()) }

  @inlinable public var isEmpty: Bool { count == 0 }

  @inlinable
  public subscript(index: Int) -> UInt8 { base[lower + index] }

  @inlinable public var first: UInt8? { count > 0 ? self[0] : nil }
  @inlinable public var last: UInt8? { count > 0 ? self[count - 1] : nil }

  /// The octets in `range`, clamped to what there is.
  @inlinable
  public subscript(range: Range<Int>) -> Bytes {
    let clamped = range.clamped(to: 0..<count)
    return Bytes(base, in: (lower + clamped.lowerBound)..<(lower + clamped.upperBound))
  }

  @inlinable public func dropFirst(_ n: Int) -> Bytes { self[Swift.min(n, count)..<count] }
  @inlinable public func prefix(_ n: Int) -> Bytes { self[0..<Swift.min(n, count)] }
  @inlinable public func suffix(_ n: Int) -> Bytes { self[Swift.max(0, count - n)..<count] }

  /// The octets in place; valid while this value lives.
  @inlinable
  public var span: Span<UInt8> {
    @_lifetime(borrow self)
    borrowing get { base.span.extracting(lower..<(lower + count)) }
  }

  @inlinable
  public func withUnsafeBytes<R>(_ body: (UnsafeRawBufferPointer) throws -> R) rethrows -> R {
    try base.withUnsafeBytes { try body(UnsafeRawBufferPointer(rebasing: $0[lower..<(lower + count)])) }
  }

  public var array: [UInt8] { lower == 0 && count == base.count ? base : Array(base[lower..<(lower + count)]) }

  /// The octets as text; what is not UTF-8 becomes the replacement character.
  public var string: String { String(decoding: base[lower..<(lower + count)], as: UTF8.self) }

  /// The index of the first `byte` at or after `start`.
  @inlinable
  public func firstIndex(of byte: UInt8, from start: Int = 0) -> Int? {
    guard start >= 0, start < count else { return nil }
    return withUnsafeBytes { octets in
      guard let first = octets.baseAddress, let found = memchr(first + start, Int32(byte), octets.count - start) else {
        return nil
      }
      return UnsafeRawPointer(found) - first
    }
  }

  /// ASCII letters in lower case; the same storage when there is nothing to fold.
  public var lowercased: Bytes {
    for i in 0..<count where ASCII.isUpper(base[lower + i]) {
      return Bytes(base[lower..<(lower + count)].map(ASCII.lower))
    }
    return self
  }

  /// Without spaces and tabs at either end.
  public var trimmed: Bytes {
    guard let first, let last, ASCII.isBlank(first) || ASCII.isBlank(last) else { return self }
    var low = 0
    var high = count
    while low < high, ASCII.isBlank(self[low]) { low += 1 }
    while high > low, ASCII.isBlank(self[high - 1]) { high -= 1 }
    return self[low..<high]
  }

  @inlinable
  public func starts(with other: Bytes) -> Bool {
    count >= other.count && Bytes.equal(self, 0, other)
  }

  @inlinable
  public func ends(with other: Bytes) -> Bool {
    count >= other.count && Bytes.equal(self, count - other.count, other)
  }

  public func equalsIgnoringCase(_ other: Bytes) -> Bool {
    guard count == other.count else { return false }
    for i in 0..<count where ASCII.lower(self[i]) != ASCII.lower(other[i]) { return false }
    return true
  }

  @inlinable
  static func equal(_ a: Bytes, _ offset: Int, _ b: Bytes) -> Bool {
    precondition(offset >= 0 && offset + b.count <= a.count)
    return a.withUnsafeBytes { octets in
      b.withUnsafeBytes { wanted in
        guard let left = octets.baseAddress, let right = wanted.baseAddress, !wanted.isEmpty else { return true }
        return memcmp(left + offset, right, wanted.count) == 0
      }
    }
  }
}

extension Bytes: Hashable {
  // Disfavoured so that a comparison with a literal makes no array of it.
  @_disfavoredOverload
  @inlinable
  public static func == (a: Bytes, b: Bytes) -> Bool { a.count == b.count && equal(a, 0, b) }

  /// Whether the octets are those of `text`.
  @inlinable
  public static func == (a: Bytes, text: StaticString) -> Bool {
    guard a.count == text.utf8CodeUnitCount else { return false }
    return a.withUnsafeBytes { octets in
      guard let first = octets.baseAddress, !octets.isEmpty else { return true }
      return memcmp(first, text.utf8Start, octets.count) == 0
    }
  }

  @inlinable
  public static func != (a: Bytes, text: StaticString) -> Bool { !(a == text) }

  @inlinable
  public func hash(into hasher: inout Hasher) {
    withUnsafeBytes { hasher.combine(bytes: $0) }
  }
}

extension Bytes: ExpressibleByStringLiteral, CustomStringConvertible {
  public init(stringLiteral value: String) { self.init(value) }
  public var description: String { string }
}

extension Bytes: Comparable {
  public static func < (a: Bytes, b: Bytes) -> Bool {
    for i in 0..<Swift.min(a.count, b.count) where a[i] != b[i] { return a[i] < b[i] }
    return a.count < b.count
  }
}

extension [UInt8] {
  public init(copying span: borrowing Span<UInt8>) {
    self = span.withUnsafeBufferPointer { Array($0) }
  }

  @inlinable
  public mutating func append(copying span: borrowing Span<UInt8>) {
    span.withUnsafeBufferPointer { append(contentsOf: $0) }
  }

  @inlinable
  public mutating func append(_ bytes: Bytes) {
    bytes.withUnsafeBytes { append(contentsOf: $0) }
  }

  /// A decimal without a detour through `String`.
  public mutating func append(decimal value: Int) {
    if value < 0 { append(0x2D) }
    var rest = value.magnitude
    if rest < 10 {
      append(0x30 &+ UInt8(truncatingIfNeeded: rest))
      return
    }
    withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 20) { digits in
      var first = digits.count
      while rest > 0 {
        first -= 1
        digits[first] = 0x30 &+ UInt8(truncatingIfNeeded: rest % 10)
        rest /= 10
      }
      append(contentsOf: UnsafeBufferPointer(rebasing: digits[first...]))
    }
  }
}
