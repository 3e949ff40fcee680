public import Glibc

/// A fixed-capacity run of octets that is filled at its end and drained at its start.
///
/// The owner decides when storage exists: `release()` gives it back to the allocator while a
/// connection idles, and the next `reserve` brings it back. It never grows by itself beyond
/// what `reserve(capacity:)` asked for; what does not fit is refused, not lost.
public final class ByteBuffer {
  // A buffer belongs to one thread and its methods do not call out, so accesses cannot overlap.
  @exclusivity(unchecked) @usableFromInline var storage: UnsafeMutableRawPointer?
  /// Octets of storage held now; zero after `release()`.
  @exclusivity(unchecked) public internal(set) var capacity = 0
  @exclusivity(unchecked) @usableFromInline var start = 0
  @exclusivity(unchecked) @usableFromInline var end = 0
  /// Links buffers in a list of their owner's.
  @exclusivity(unchecked) public var next: ByteBuffer?

  /// Its references are not counted (`Permanent`): whoever made it hands it out again and again.
  public let isPermanent: Bool

  public init(capacity: Int = 0, isPermanent: Bool = false) {
    self.isPermanent = isPermanent
    if capacity > 0 { reserve(capacity: capacity) }
    if isPermanent { Permanent.mark(self) }
  }

  deinit { free(storage) }

  /// Octets waiting to be drained.
  @inlinable public var count: Int { end &- start }
  @inlinable public var isEmpty: Bool { end == start }
  /// Octets that can be appended without compaction.
  @inlinable public var room: Int { capacity &- end }

  /// Makes room for at least `capacity` octets in total, keeping what is waiting.
  public func reserve(capacity wanted: Int) {
    if capacity < wanted {
      guard let grown = malloc(wanted) else { fatalOutOfMemory() }
      let waiting = count
      if let storage, waiting > 0 { memcpy(grown, storage + start, waiting) }
      free(storage)
      storage = grown
      capacity = wanted
      start = 0
      end = waiting
    }
  }

  /// Gives the storage back. Waiting octets are dropped.
  public func release() {
    free(storage)
    storage = nil
    capacity = 0
    start = 0
    end = 0
  }

  /// Moves waiting octets to the front so that all room is at the end.
  public func compact() {
    guard start > 0, let storage else { return }
    let waiting = count
    if waiting > 0 { memmove(storage, storage + start, waiting) }
    start = 0
    end = waiting
  }

  /// The waiting octets; valid until the buffer is changed.
  public var readable: Span<UInt8> {
    @_lifetime(borrow self)
    borrowing get {
      let pointer = UnsafeRawPointer(storage ?? UnsafeMutableRawPointer(bitPattern: 1).unsafelyUnwrapped)
      let view = UnsafeBufferPointer(start: (pointer + start).assumingMemoryBound(to: UInt8.self), count: count)
      return _overrideLifetime(Span(_unsafeElements: view), borrowing: self)
    }
  }

  /// The waiting octets for a system call; valid until the buffer is changed.
  @inlinable
  public var readableBytes: UnsafeRawBufferPointer {
    guard let storage else { return UnsafeRawBufferPointer(start: nil, count: 0) }
    return UnsafeRawBufferPointer(start: storage + start, count: end &- start)
  }

  /// The free end for a system call; follow with `produced(_:)`.
  @inlinable
  public var writableBytes: UnsafeMutableRawBufferPointer {
    guard let storage else { return UnsafeMutableRawBufferPointer(start: nil, count: 0) }
    return UnsafeMutableRawBufferPointer(start: storage + end, count: capacity &- end)
  }

  /// Records that `n` octets were written into `writableBytes`.
  @inlinable
  public func produced(_ n: Int) {
    precondition(n >= 0 && n <= capacity &- end)
    end &+= n
  }

  /// Drops `n` waiting octets from the front.
  @inlinable
  public func consume(_ n: Int) {
    precondition(n >= 0 && n <= count)
    start &+= n
    if start == end {
      start = 0
      end = 0
    }
  }

  public func removeAll() {
    start = 0
    end = 0
  }

  /// Appends what fits and says how much that was.
  @inlinable
  public func append(_ source: UnsafeRawBufferPointer) -> Int {
    if room < source.count { compact() }
    let n = Swift.min(room, source.count)
    guard n > 0, let storage, let from = source.baseAddress else { return 0 }
    memcpy(storage + end, from, n)
    end &+= n
    return n
  }

  /// Appends all of `source`, growing the storage if it has to: for output that is bounded elsewhere.
  @inlinable
  public func appendGrowing(_ source: UnsafeRawBufferPointer) {
    ensureRoom(source.count)
    _ = append(source)
  }

  /// Makes `n` octets of room at the end, growing the storage if it has to.
  @inlinable
  public func ensureRoom(_ n: Int) {
    if room >= n { return }
    compact()
    if room < n { reserve(capacity: Swift.max(count + n, Swift.min(capacity * 2, 1 << 20))) }
  }

  @inlinable
  public func appendGrowing(_ byte: UInt8) {
    ensureRoom(1)
    storage?.storeBytes(of: byte, toByteOffset: end, as: UInt8.self)
    end &+= 1
  }

  @inlinable
  public func appendGrowing(_ bytes: [UInt8]) { bytes.withUnsafeBytes { appendGrowing($0) } }

  @inlinable
  public func appendGrowing(_ bytes: Bytes) { bytes.withUnsafeBytes { appendGrowing($0) } }

  @inlinable
  public func appendGrowing(literal text: StaticString) {
    appendGrowing(UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
  }

  @inlinable
  public func appendGrowing(copying span: borrowing Span<UInt8>) {
    span.withUnsafeBytes { appendGrowing($0) }
  }
}

/// Memory is gone: nothing sensible can be answered any more.
@usableFromInline
func fatalOutOfMemory() -> Never {
  let text: StaticString = "gatehouse: out of memory\n"
  _ = write(2, text.utf8Start, text.utf8CodeUnitCount)
  abort()
}
