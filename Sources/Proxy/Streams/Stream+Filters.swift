import Base
import Config
import HTTP
import NetIO
import Rules

/// Compression of bodies, both ways.
extension Stream {
  /// Where the response's body goes: through what changes it, to the client.
  var clientSink: any BodySink { storage.filters?.response ?? client }
  /// Where the request's body goes.
  func serverSink(_ end: ServerEndpoint) -> any BodySink { storage.filters?.request ?? end.sink }

  /// The stream's filters, made when they are first wanted.
  func filters() -> StreamFilters {
    if let known = storage.filters { return known }
    let made = StreamFilters()
    storage.filters = made
    return made
  }

  /// Before the request leaves: chooses the coding of the response, and changes the request for offloading.
  func prepareCompression() {
    if forwardsAtRandom { _ = filters() }
    guard let choice = CompressionChoice(backend?.settings.compression, frontend.settings.compression),
      request.version >= .http11
    else { return }
    let filters = filters()
    filters.responseCoding = choice.coding(for: request)
    if filters.responseCoding != nil, choice.isOffloading { request.remove("accept-encoding") }
    let length: UInt64?
    switch requestInfo.framing {
    case .length(let n): length = n
    case .chunked: length = nil
    case .none, .untilClose, .tunnel: return
    }
    filters.requestCoding = choice.requestCoding(request, length: length)
    guard let coding = filters.requestCoding else { return }
    CompressionChoice.rewrite(request: request, coding)
    requestInfo.framing = .chunked
  }

  /// A connection is there: the body goes to it, through the filter that this attempt needs.
  func beginRequestFilter(_ end: ServerEndpoint) {
    guard storage.filters != nil || !context.bandwidth.isEmpty else { return }
    let filters = filters()
    filters.request = nil
    filters.limitedRequest = []
    limitRequest(to: end, behindCompression: true)
    if let coding = filters.requestCoding {
      filters.request = CompressingSink(coding, into: filters.request ?? end.sink) { _, _ in }
    }
    if forwardsAtRandom { filters.request = randomForwarding(into: filters.request ?? end.sink) }
    limitRequest(to: end, behindCompression: false)
  }

  var forwardsAtRandom: Bool {
    frontend.settings.forwardsAtRandom || backend?.settings.forwardsAtRandom ?? false
  }

  func randomForwarding(into next: any BodySink) -> RandomForwarding {
    let worker = worker
    return RandomForwarding(into: next) { worker.environment.random() }
  }

  /// Decides whether the response is encoded; gives the body that the client is told of.
  func beginCompression(_ body: ResponseBody) -> ResponseBody {
    guard let filters = storage.filters, let coding = filters.responseCoding, !requestInfo.isHead else {
      return body
    }
    let length: UInt64?
    switch body {
    case .length(let n): length = n
    case .unknown: length = nil
    // HAProxy compresses only what announces its length or comes in chunks.
    case .none, .swallowed, .tunnel, .untilClose: return body
    }
    guard let choice = CompressionChoice(backend?.settings.compression, frontend.settings.compression),
      choice.allows(response, length: length), hasCompressionRate
    else { return body }
    CompressionChoice.rewrite(response, coding)
    context.compression = Bytes(coding.rawValue)
    let worker = worker
    let counters = [frontend.counters, backend?.counters].compactMap { $0 }
    for counter in counters { counter.add(.compressedResponses, worker: worker.index) }
    filters.response = CompressingSink(coding, into: filters.response ?? client) { octetsIn, octetsOut in
      for counter in counters {
        counter.add(.compressionIn, octetsIn, worker: worker.index)
        counter.add(.compressionOut, octetsOut, worker: worker.index)
      }
      let time = worker.loop.now.wall.microseconds
      worker.runtime.compressionRate.count(octetsIn, at: time)
      worker.runtime.activity.compressed.count(octetsOut, at: time)
    }
    return .unknown
  }

  /// `maxcomprate`.
  private var hasCompressionRate: Bool {
    let limit = worker.runtime.limits.compressionRate
    return limit == 0
      || worker.runtime.compressionRate.perSecond(at: worker.loop.now.wall.microseconds) < limit
  }
}
