import Base
import HTTP

/// What a body's source has to offer next.
enum BodyPiece {
  /// Octets in place, valid until the source is touched again; acknowledge with `consume`.
  case data(UnsafeRawBufferPointer)
  /// Nothing now; the source's owner is told when more comes.
  case wait
  case end
  /// The framing is broken.
  case fault(HTTPFault)
  /// The sender went away before the end.
  case truncated
}

/// Where the octets of a message body come from.
protocol BodySource: AnyObject {
  func nextPiece() -> BodyPiece
  func consume(_ n: Int)
  /// The trailer section, once `nextPiece` has said `.end`; nil when there is none.
  var trailers: MessageHead? { get }
}

extension BodySource {
  var trailers: MessageHead? { nil }
}

/// Where the octets of a message body go to.
protocol BodySink: AnyObject {
  /// Takes as many octets as fit now and says how many; 0 means blocked.
  func writeBody(_ bytes: UnsafeRawBufferPointer) -> Int
  /// The body is whole. May be called again while a filter still holds some of it.
  func endBody(trailers: MessageHead?)
  /// Sends what was gathered.
  func flushBody()
}

/// Reads a body off a transport by its HTTP/1 framing.
struct H1BodyReader {
  private enum Mode {
    case none
    case length(UInt64)
    case chunked
    case untilClose
  }

  private var mode = Mode.none
  private var decoder = ChunkedDecoder()
  /// Octets at the front of the transport's input that belong to the current chunk.
  private var chunkRest = 0
  private(set) var isFinished = true
  /// The body is whatever comes until the connection ends (a tunnel, an old response).
  private(set) var endsWithConnection = false

  mutating func begin(_ framing: BodyFraming) {
    chunkRest = 0
    isFinished = false
    endsWithConnection = false
    switch framing {
    case .none:
      mode = .none
      isFinished = true
    case .length(let n):
      mode = .length(n)
      isFinished = n == 0
    case .chunked:
      mode = .chunked
      decoder = ChunkedDecoder()
    case .untilClose, .tunnel:
      mode = .untilClose
      endsWithConnection = true
    }
  }

  var trailers: MessageHead? { if case .chunked = mode { decoder.trailers } else { nil } }

  mutating func next(_ transport: Transport) -> BodyPiece {
    while !isFinished {
      if case .chunked = mode, chunkRest == 0 {
        if let piece = decode(transport) { return piece }
        continue
      }
      let waiting = transport.waiting
      if waiting.isEmpty {
        switch transport.receive() {
        case .some: continue
        case .nothing: return .wait
        case .end, .failed:
          guard endsWithConnection, !transport.hasFailed else { return .truncated }
          isFinished = true
          return .end
        }
      }
      return .data(UnsafeRawBufferPointer(rebasing: waiting.prefix(bound(waiting.count))))
    }
    return .end
  }

  private func bound(_ available: Int) -> Int {
    switch mode {
    case .none: 0
    case .length(let rest): rest > UInt64(available) ? available : Int(rest)
    case .chunked: Swift.min(available, chunkRest)
    case .untilClose: available
    }
  }

  /// Steps over chunk framing; nil when the loop should look again.
  private mutating func decode(_ transport: Transport) -> BodyPiece? {
    let waiting = transport.waiting
    if !waiting.isEmpty {
      let step = decoder.next(Span(_unsafeBytes: waiting))
      switch step {
      case .data(let range):
        transport.consume(range.lowerBound)
        chunkRest = range.count
        return nil
      case .needMore(let consumed):
        transport.consume(consumed)
      case .end(let consumed):
        transport.consume(consumed)
        isFinished = true
        return .end
      case .invalid(let fault):
        return .fault(fault)
      }
    }
    switch transport.receive() {
    case .some: return nil
    case .nothing: return .wait
    case .end, .failed: return .truncated
    }
  }

  mutating func consume(_ n: Int, _ transport: Transport) {
    transport.consume(n)
    switch mode {
    case .none, .untilClose: break
    case .length(let rest):
      let left = rest - Swift.min(rest, UInt64(n))
      mode = .length(left)
      if left == 0 { isFinished = true }
    case .chunked: chunkRest -= Swift.min(n, chunkRest)
    }
  }
}

/// Writes a body to a transport in HTTP/1 framing.
struct H1BodyWriter {
  private var isChunked = false
  private var chunkRest = 0

  mutating func begin(chunked: Bool) {
    isChunked = chunked
    chunkRest = 0
  }

  mutating func write(_ bytes: UnsafeRawBufferPointer, _ transport: Transport) -> Int {
    guard isChunked else { return transport.write(bytes) }
    if bytes.isEmpty || transport.isBlocked { return 0 }
    if chunkRest == 0 {
      H1Encoder.writeChunkHeader(size: bytes.count, into: transport.assembly())
      chunkRest = bytes.count
    }
    let n = transport.write(UnsafeRawBufferPointer(rebasing: bytes.prefix(chunkRest)))
    chunkRest -= n
    if chunkRest == 0 { transport.assembly().appendGrowing(literal: "\r\n") }
    return n
  }

  mutating func end(_ transport: Transport, trailers: MessageHead?) {
    guard isChunked else { return }
    if let trailers { return H1Encoder.writeLastChunk(trailers: trailers, into: transport.assembly()) }
    transport.assembly().appendGrowing(literal: "0\r\n\r\n")
  }
}

/// Swallows a body that its receiver must not see.
final class DiscardSink: BodySink {
  func writeBody(_ bytes: UnsafeRawBufferPointer) -> Int { bytes.count }
  func endBody(trailers: MessageHead?) {}
  func flushBody() {}
}

/// A body that is in memory: replies that the gateway gives itself.
final class MemoryBody: BodySource {
  private var bytes: [UInt8]
  private var offset = 0
  /// Makes what follows `bytes`; nil is the end.
  private var more: (() -> [UInt8]?)?

  init(_ bytes: [UInt8], more: (() -> [UInt8]?)? = nil) {
    self.bytes = bytes
    self.more = more
  }

  var count: Int { bytes.count }

  func nextPiece() -> BodyPiece {
    while offset >= bytes.count {
      guard let next = more?() else {
        more = nil
        return .end
      }
      bytes = next
      offset = 0
    }
    return bytes.withUnsafeBytes { .data(UnsafeRawBufferPointer(rebasing: $0[offset...])) }
  }

  func consume(_ n: Int) { offset += n }
}
