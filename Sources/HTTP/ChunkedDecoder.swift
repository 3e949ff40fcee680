/// Decodes the chunked transfer coding (RFC 9112 section 7.1) piece by piece, strictly.
///
/// Bytes that a step reports as consumed are never looked at again, except that an incomplete line
/// at the end of the input is left unconsumed.
public struct ChunkedDecoder {
  public enum Step: Equatable {
    /// Body octets at `range` of the input. The caller takes all of them and consumes up to the end of
    /// `range` before the next call.
    case data(Range<Int>)
    /// `consumed` octets are used up; the rest waits for more input.
    case needMore(consumed: Int)
    /// The body and its trailers ended after `consumed` octets of the input.
    case end(consumed: Int)
    case invalid(HTTPFault)
  }

  private enum State {
    case size
    case data(UInt64)
    case dataEnd
    case trailers
    case done
  }

  private var state = State.size
  private var scanner = FieldScanner()
  private var trailerHead: MessageHead?
  private let limits: H1Limits

  /// Octets of body seen so far.
  public private(set) var total: UInt64 = 0
  /// The trailer fields, once `end` was reported; nil when there were none.
  public var trailers: MessageHead? { (trailerHead?.count ?? 0) > 0 ? trailerHead : nil }

  public init(limits: H1Limits = H1Limits()) { self.limits = limits }

  public mutating func next(_ input: borrowing Span<UInt8>) -> Step {
    input.withUnsafeBytes { bytes in
      guard let base = bytes.baseAddress else { return isDone ? .end(consumed: 0) : .needMore(consumed: 0) }
      return next(base, bytes.count)
    }
  }

  /// Octets of the chunk at hand that are still to come.
  public var rest: UInt64 { if case .data(let left) = state { left } else { 0 } }

  /// `n` of them went another way.
  public mutating func skip(_ n: UInt64) {
    guard case .data(let left) = state else { return }
    let n = Swift.min(n, left)
    total &+= n
    state = left == n ? .dataEnd : .data(left - n)
  }

  private var isDone: Bool { if case .done = state { true } else { false } }

  private mutating func next(_ base: UnsafeRawPointer, _ count: Int) -> Step {
    var at = 0
    while true {
      switch state {
      case .size:
        switch ChunkLine.read(base, from: at, to: count, isLenient: limits.isLenient) {
        case .incomplete: return .needMore(consumed: at)
        case .invalid(let fault): return .invalid(fault)
        case .size(let size, let end):
          at = end
          state = size == 0 ? .trailers : .data(size)
        }
      case .data(let left):
        guard at < count else { return .needMore(consumed: at) }
        let n = Int(clamping: Swift.min(left, UInt64(count - at)))
        total &+= UInt64(n)
        state = left == UInt64(n) ? .dataEnd : .data(left - UInt64(n))
        return .data(at..<(at + n))
      case .dataEnd:
        if at < count, base.load(fromByteOffset: at, as: UInt8.self) != 0x0D {
          return .invalid(HTTPFault(400, .badChunkEnd, at: at))
        }
        guard at + 1 < count else { return .needMore(consumed: at) }
        guard base.load(fromByteOffset: at + 1, as: UInt8.self) == 0x0A else {
          return .invalid(HTTPFault(400, .badChunkEnd, at: at + 1))
        }
        at += 2
        state = .size
      case .trailers: return readTrailers(base, count, from: at)
      case .done: return .end(consumed: at)
      }
    }
  }

  private mutating func readTrailers(_ base: UnsafeRawPointer, _ count: Int, from at: Int) -> Step {
    if trailerHead == nil {
      guard at + 1 < count else {
        if at < count, base.load(fromByteOffset: at, as: UInt8.self) != 0x0D { return beginTrailers(at) }
        return .needMore(consumed: at)
      }
      if base.loadUnaligned(fromByteOffset: at, as: UInt16.self).littleEndian == 0x0A0D {
        state = .done
        return .end(consumed: at + 2)
      }
      trailerHead = MessageHead()
      scanner = FieldScanner()
    }
    guard let head = trailerHead else { return .needMore(consumed: at) }
    let start = base + at
    let length = count - at
    switch scanner.scan(start, length, into: head, limits: limits) {
    case .incomplete:
      if length < limits.maxTrailerBytes { return .needMore(consumed: at) }
      return .invalid(HTTPFault(431, .trailersTooLarge, at: count))
    case .invalid(let fault): return .invalid(HTTPFault(fault.status, .badTrailer, at: at + fault.offset))
    case .done(let end):
      guard end <= limits.maxTrailerBytes else {
        return .invalid(HTTPFault(431, .trailersTooLarge, at: at + end))
      }
      head.adopt(UnsafeRawBufferPointer(start: start, count: end))
      TrailerRules.removeForbidden(head)
      state = .done
      return .end(consumed: at + end)
    }
  }

  private mutating func beginTrailers(_ at: Int) -> Step {
    trailerHead = MessageHead()
    scanner = FieldScanner()
    return .needMore(consumed: at)
  }
}

/// One chunk-size line with its extensions, which are checked and dropped.
enum ChunkLine {
  enum Outcome {
    case incomplete
    case size(UInt64, end: Int)
    case invalid(HTTPFault)
  }

  /// Octets of a chunk-size line, extensions included.
  static let maxLength = 4096

  @inline(__always)
  static func read(_ base: UnsafeRawPointer, from start: Int, to count: Int, isLenient: Bool) -> Outcome {
    var size: UInt64 = 0
    var i = start
    while i < count, let digit = hexValue(base.load(fromByteOffset: i, as: UInt8.self)) {
      // One more digit must still leave a number below 2^63.
      if size >> 59 != 0 { return .invalid(HTTPFault(400, .badChunkSize, at: i)) }
      size = size << 4 | UInt64(digit)
      i &+= 1
    }
    if i &- start > 64 { return .invalid(HTTPFault(400, .chunkLineTooLong, at: i)) }
    if i < count, i == start { return .invalid(HTTPFault(400, .badChunkSize, at: i)) }
    if i &+ 1 < count, base.loadUnaligned(fromByteOffset: i, as: UInt16.self).littleEndian == 0x0A0D {
      return .size(size, end: i &+ 2)
    }
    guard i < count else { return .incomplete }
    return extensions(base, size: size, start: start, from: i, to: count)
  }

  @inline(__always)
  private static func hexValue(_ c: UInt8) -> UInt8? {
    if c &- 0x30 < 10 { return c &- 0x30 }
    let l = c | 0x20
    return l &- 0x61 < 6 ? l &- 0x61 &+ 10 : nil
  }

  private static func extensions(
    _ base: UnsafeRawPointer, size: UInt64, start: Int, from: Int, to count: Int
  ) -> Outcome {
    var i = from
    var quoted = false
    var seenSemicolon = false
    while i < count {
      let c = base.load(fromByteOffset: i, as: UInt8.self)
      if i &- start > maxLength { return .invalid(HTTPFault(400, .chunkLineTooLong, at: i)) }
      if c == 0x0D {
        guard i &+ 1 < count else { return .incomplete }
        guard base.load(fromByteOffset: i &+ 1, as: UInt8.self) == 0x0A, !quoted else {
          return .invalid(HTTPFault(400, .badChunkExtension, at: i))
        }
        return .size(size, end: i &+ 2)
      }
      if c == 0x5C, quoted {
        guard i &+ 1 < count else { return .incomplete }
        i &+= 1
        if isControl(base.load(fromByteOffset: i, as: UInt8.self)) {
          return .invalid(HTTPFault(400, .badChunkExtension, at: i))
        }
      } else if c == 0x22 {
        quoted.toggle()
      } else if c == 0x3B {
        seenSemicolon = true
      } else if isControl(c) || (!seenSemicolon && c != 0x20 && c != 0x09) {
        return .invalid(HTTPFault(400, seenSemicolon ? .badChunkExtension : .badChunkSize, at: i))
      }
      i &+= 1
    }
    return .incomplete
  }

  private static func isControl(_ c: UInt8) -> Bool { c < 0x20 && c != 0x09 || c == 0x7F }
}

/// Trailer fields that could change how a message is framed, routed or authenticated
/// (RFC 9110 section 6.5.1) are dropped.
enum TrailerRules {
  private static let forbidden: [FieldName] = [
    "transfer-encoding", "content-length", "host", "connection", "keep-alive", "proxy-connection", "te",
    "trailer", "upgrade", "expect", "authorization", "proxy-authorization", "proxy-authenticate",
    "www-authenticate", "cookie", "set-cookie", "content-encoding", "content-type", "content-range",
    "cache-control", "max-forwards", "range", "if-match", "if-none-match", "if-modified-since",
    "if-unmodified-since", "if-range",
  ]

  static func removeForbidden(_ head: MessageHead) {
    if head.count == 0 { return }
    for name in forbidden { head.remove(name) }
  }
}
