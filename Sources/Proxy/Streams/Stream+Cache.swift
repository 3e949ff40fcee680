import Base
import Config
import HTTP
import NetIO
import Rules

/// `cache-use` and `cache-store`.
extension Stream {
  private var seconds: Int64 { Int64(worker.loop.now.wall.seconds) }

  /// Looks for an answer in a cache. `.proceed` with another phase when there was one; the rules go on otherwise.
  func serveFromCache(_ index: Int, allowsHints: Bool) -> Step {
    guard worker.runtime.caches.indices.contains(index) else { return .proceed }
    let cache = worker.runtime.caches[index]
    let judged = Cacheability.judge(request)
    let filters = filters()
    filters.cacheKey = request.version < .http11 ? nil : ResponseCache.key(request)
    filters.mayStoreInCache = judged.mayStore
    guard judged.mayUse, let key = filters.cacheKey else { return .proceed }
    count(.cacheLookups)
    switch cache.find(key, request, now: seconds) {
    case .nothing: break
    case .hints(let links):
      if allowsHints {
        count(.cacheHintHits)
        for link in links { context.earlyHints.append(("link", link)) }
      }
    case .full(let entry):
      count(.cacheHits)
      frontend.counters.add(.interceptedRequests, worker: worker.index)
      serve(entry, of: cache)
    }
    return .proceed
  }

  private func count(_ counter: Counter) {
    if let backend, backend !== frontend.ownBackend {
      backend.counters.add(counter, worker: worker.index)
    } else {
      frontend.counters.add(counter, worker: worker.index)
    }
  }

  /// Answers out of the cache; response rules run as on any other response.
  private func serve(_ entry: CacheEntry, of cache: ResponseCache) {
    let isNotModified = Cacheability.isNotModified(request, entry)
    response.reset()
    let reason = isNotModified ? Bytes("Not Modified") : entry.reason
    response.setStatusLine(status: isNotModified ? 304 : 200, reason: reason.span, version: .http11)
    for field in entry.fields { response.append(field.name, field.value) }
    let age = Swift.max(0, seconds - entry.stored) &+ entry.age
    response.append("age", Bytes(String(Swift.min(age, 0x7FFF_FFFF))))
    context.response = response
    context.cacheName = Bytes(cache.settings.name)
    context.log.serverName = "<CACHE>"
    context.log.status = response.status
    prepareCompression()
    switch evaluateResponseRules() {
    case .next: break
    case let verdict:
      _ = refuseResponse(verdict)
      return
    }
    countResponse(response.status)
    responseStarted = true
    let isBodiless = requestInfo.isHead || isNotModified
    let octets = entry.body
    if !isNotModified, !response.contains("content-length") {
      response.append("content-length", Bytes(String(octets.count)))
    }
    let body = beginCompression(isBodiless ? .none : .length(UInt64(octets.count)))
    client.beginResponse(response, body: body)
    replyBody = MemoryBody(isBodiless ? [] : octets)
    phase = .reply
    phaseDeadline = .distantFuture
    serverDeadline = .distantFuture
  }

  // MARK: Storing

  /// `cache-store`: takes the response's fields as they are now; its body follows.
  func storeInCache(_ index: Int) {
    guard worker.runtime.caches.indices.contains(index), context.cacheName == nil,
      let filters = storage.filters,
      let key = filters.cacheKey, request.version >= .http11
    else { return }
    let cache = worker.runtime.caches[index]
    guard request.method == "GET" else {
      let isSafe = request.method == "HEAD" || request.method == "OPTIONS" || request.method == "TRACE"
      if !isSafe, (200..<400).contains(response.status) { cache.invalidate(key) }
      return
    }
    guard filters.mayStoreInCache, Cacheability.mayStore(response) else { return }
    guard let draft = draft(key, cache) else { return }
    if cache.settings.hints == .only {
      if !draft.hints.isEmpty { cache.storeHints(draft, now: seconds) }
      return
    }
    guard cache.reserve(key, draft.vary, now: seconds) else { return }
    filters.cacheStore = (cache, draft)
  }

  private func draft(_ key: Bytes, _ cache: ResponseCache) -> CacheDraft? {
    var draft = CacheDraft(key: key)
    if cache.settings.processesVary {
      switch VaryKey.of(response, request) {
      case .none: break
      case .key(let vary): draft.vary = vary
      case .unusable: return nil
      }
    } else if response.contains("vary") {
      return nil
    }
    guard let lifetime = Cacheability.lifetime(response, limit: cache.settings.maxAge, now: seconds) else {
      return nil
    }
    if let text = response.first("age") {
      guard let age = ASCII.decimal(text.span), age > 0, age <= UInt64(lifetime.announced) else { return nil }
      draft.age = Int64(clamping: age)
      if cache.settings.hints != .only { response.remove("age") }
    }
    draft.lifetime = lifetime.effective
    draft.reason = Bytes(copying: response.reason.span)
    draft.entityTag = response.first("etag").map { Bytes(copying: $0.span) }
    draft.lastModified = (response.first("last-modified") ?? response.first("date")).flatMap(HTTPDate.parse)
    if cache.settings.hints != .off { draft.hints = LinkHints.of(response) }
    for index in 0..<response.count {
      let name = response.name(at: index)
      // The connection's own fields are not the resource's.
      if name == "connection" || name == "transfer-encoding" { continue }
      draft.fields.append(
        (FieldName(Bytes(copying: name.span)), Bytes(copying: response.value(at: index).span)))
    }
    return draft
  }

  /// The body begins: it is copied on its way, before anything changes it.
  func beginRecording(length: UInt64?) {
    guard let filters = storage.filters, let (cache, draft) = filters.cacheStore else { return }
    filters.cacheStore = nil
    if let length, length > UInt64(cache.settings.largestObject) { return cache.abandon(draft.key) }
    let loop = worker.loop
    filters.response = CacheRecorder(draft, for: cache, into: clientSink) { Int64(loop.now.wall.seconds) }
  }
}

/// The values of Link that a 103 may announce (RFC 8297): resources to fetch or to connect to.
enum LinkHints {
  private static let relations: Set<String> = [
    "preload", "preconnect", "dns-prefetch", "modulepreload", "prefetch",
  ]

  /// One value for each field line, with the links that are hints.
  static func of(_ response: MessageHead) -> [Bytes] {
    var hints: [Bytes] = []
    var next = response.firstIndex(of: "link")
    while let index = next {
      let links = split(response.value(at: index)).filter(isHint)
      if !links.isEmpty {
        var joined: [UInt8] = []
        for link in links {
          if !joined.isEmpty { joined.append(contentsOf: ", ".utf8) }
          joined.append(link)
        }
        hints.append(Bytes(joined))
      }
      next = response.firstIndex(of: "link", from: index + 1)
    }
    return hints
  }

  /// At commas outside of quotes and angle brackets.
  private static func split(_ line: Bytes) -> [Bytes] {
    pieces(line, at: 0x2C).filter { !$0.isEmpty }
  }

  /// The trimmed pieces of `line` between separators, which do not count inside of quotes.
  private static func pieces(_ line: Bytes, at separator: UInt8) -> [Bytes] {
    var parts: [Bytes] = []
    var start = 0
    var i = 0
    var isQuoted = false
    while i < line.count {
      if isQuoted, line[i] == 0x5C {
        i += 1
      } else if line[i] == 0x22 {
        isQuoted.toggle()
      } else if line[i] == separator, !isQuoted {
        parts.append(line[start..<i].trimmed)
        start = i + 1
      }
      i += 1
    }
    parts.append(line[Swift.min(start, line.count)..<line.count].trimmed)
    return parts
  }

  /// RFC 8288 section 3: `<uri>; rel=...`, of which the first relation counts.
  private static func isHint(_ link: Bytes) -> Bool {
    guard link.count > 0, link[0] == 0x3C, let close = link.firstIndex(of: 0x3E) else { return false }
    for parameter in pieces(link.dropFirst(close + 1), at: 0x3B) {
      guard let equals = parameter.firstIndex(of: 0x3D),
        parameter.prefix(equals).trimmed.equalsIgnoringCase("rel")
      else { continue }
      var value = parameter.dropFirst(equals + 1).trimmed
      if value.count >= 2, value[0] == 0x22, value[value.count - 1] == 0x22 {
        value = value[1..<(value.count - 1)]
      } else if value.firstIndex(of: ASCII.space) != nil {
        return false
      }
      guard value.count > 0, !ASCII.isBlank(value[0]), !ASCII.isBlank(value[value.count - 1]) else {
        return false
      }
      return value.string.lowercased().split { $0 == " " || $0 == "\t" }.contains {
        relations.contains(String($0))
      }
    }
    return false
  }
}
