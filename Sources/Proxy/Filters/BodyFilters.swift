import Base
import Config
import HTTP

/// A sink that changes or looks at a body before another takes it.
protocol BodyFilter: BodySink {
  /// Everything was handed on, with the end.
  var isDone: Bool { get }
}

/// What compression and caching keep of one stream.
final class StreamFilters {
  var responseCoding: ContentCoding?
  var requestCoding: ContentCoding?
  var response: (any BodyFilter)?
  var request: (any BodyFilter)?
  /// Limits of the bandwidth that stand in either direction.
  var limitedRequest: [BandwidthSink] = []
  var limitedResponse: [BandwidthSink] = []

  /// Octets that a limit holds back are nobody's delay.
  var isHoldingRequest: Bool { limitedRequest.contains(where: \.isHolding) }
  var isHoldingResponse: Bool { limitedResponse.contains(where: \.isHolding) }
  var cacheKey: Bytes?
  var mayStoreInCache = false
  /// The response that is to be recorded, until its body begins.
  var cacheStore: (cache: ResponseCache, draft: CacheDraft)?

  /// The stream is over: nobody is to be woken any more.
  func end() {
    for sink in limitedRequest { sink.cancel() }
    for sink in limitedResponse { sink.cancel() }
  }

  deinit {
    if let (cache, draft) = cacheStore { cache.abandon(draft.key) }
  }
}

/// Encodes a body on its way. What the next sink does not take yet is held: one piece of input at most.
final class CompressingSink: BodyFilter {
  /// Octets of input that are encoded at once.
  private static let batch = 32768

  private let next: any BodySink
  private var encoder: ContentEncoder
  private var held: [UInt8] = []
  private var offset = 0
  private var hasEnded = false
  private var toldEnd = false
  private var trailers: MessageHead?
  private let count: (_ octetsIn: Int, _ octetsOut: Int) -> Void

  /// `count` is told what went in and came out.
  init(_ coding: ContentCoding, into next: any BodySink, count: @escaping (Int, Int) -> Void) {
    self.next = next
    self.count = count
    encoder = ContentEncoder(coding)
  }

  var isDone: Bool { toldEnd }

  func writeBody(_ bytes: UnsafeRawBufferPointer) -> Int {
    guard drain() else { return 0 }
    let part = UnsafeRawBufferPointer(rebasing: bytes.prefix(CompressingSink.batch))
    encoder.encode(part, into: &held)
    count(part.count, held.count)
    _ = drain()
    return part.count
  }

  /// True when nothing is held.
  private func drain() -> Bool {
    while offset < held.count {
      let taken = held.withUnsafeBytes { next.writeBody(UnsafeRawBufferPointer(rebasing: $0[offset...])) }
      if taken == 0 { return false }
      offset += taken
    }
    if !held.isEmpty { held.removeAll(keepingCapacity: true) }
    offset = 0
    return true
  }

  func endBody(trailers: MessageHead?) {
    if let trailers { self.trailers = trailers }
    if !hasEnded, drain() {
      hasEnded = true
      encoder.finish(into: &held)
      count(0, held.count)
    }
    guard hasEnded, !toldEnd, drain() else { return }
    toldEnd = true
    next.endBody(trailers: self.trailers)
  }

  /// The source waits: what it has given so far shall be readable.
  func flushBody() {
    if !hasEnded, drain() {
      encoder.sync(into: &held)
      if !held.isEmpty { count(0, held.count) }
    }
    _ = drain()
    if hasEnded, !toldEnd { endBody(trailers: nil) }
    next.flushBody()
  }
}

/// `filter trace random-forwarding`: hands on a part of what it is given, of any length.
final class RandomForwarding: BodyFilter {
  private let next: any BodySink
  private let random: () -> UInt64

  init(into next: any BodySink, random: @escaping () -> UInt64) {
    self.next = next
    self.random = random
  }

  var isDone: Bool { (next as? any BodyFilter)?.isDone ?? true }

  func writeBody(_ bytes: UnsafeRawBufferPointer) -> Int {
    guard bytes.count > 1 else { return next.writeBody(bytes) }
    return next.writeBody(UnsafeRawBufferPointer(rebasing: bytes.prefix(1 + Int(random() % UInt64(bytes.count)))))
  }

  func endBody(trailers: MessageHead?) { next.endBody(trailers: trailers) }
  func flushBody() { next.flushBody() }
}

/// Copies a body for the cache while it passes; too large a one is let go.
final class CacheRecorder: BodyFilter {
  private let next: any BodySink
  private let draft: CacheDraft
  private let cache: ResponseCache
  private var room: Int
  private var body: [UInt8] = []
  private var isRecording = true
  private let now: () -> Int64

  init(_ draft: CacheDraft, for cache: ResponseCache, into next: any BodySink, now: @escaping () -> Int64) {
    self.draft = draft
    self.cache = cache
    self.next = next
    self.now = now
    var fields = 0
    for field in draft.fields { fields += field.name.bytes.count + field.value.count }
    room = cache.settings.largestObject - fields
    if room < 0 { giveUp() }
  }

  deinit { if isRecording { cache.abandon(draft.key) } }

  var isDone: Bool { (next as? any BodyFilter)?.isDone ?? true }

  private func giveUp() {
    isRecording = false
    body = []
    cache.abandon(draft.key)
  }

  func writeBody(_ bytes: UnsafeRawBufferPointer) -> Int {
    let taken = next.writeBody(bytes)
    guard isRecording else { return taken }
    if taken > room {
      giveUp()
    } else {
      room -= taken
      body.append(contentsOf: bytes.prefix(taken))
    }
    return taken
  }

  func endBody(trailers: MessageHead?) {
    if isRecording {
      isRecording = false
      cache.store(draft, body: body, now: now())
      body = []
    }
    next.endBody(trailers: trailers)
  }

  func flushBody() { next.flushBody() }
}
