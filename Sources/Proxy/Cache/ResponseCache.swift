import Base
import Config
import HTTP
import Synchronization

/// A `cache` section at work, shared by all workers: entries by URI, the oldest leaving when room is needed.
final class ResponseCache: Sendable {
  let settings: CacheSettings

  private struct State {
    var variants: [Bytes: [CacheEntry]] = [:]
    /// In the order in which they may leave; some were replaced meanwhile.
    var queue: [(key: Bytes, entry: CacheEntry)] = []
    var head = 0
    var size = 0
    var hintsSize = 0
    /// URIs whose response is being received, and until when that keeps others from storing it too.
    var pending: [Bytes: Int64] = [:]
  }
  private let state = Mutex(State())

  init(_ settings: CacheSettings) { self.settings = settings }

  /// `https://` stands for every scheme, so that HTTP/1 and HTTP/2 share entries.
  static func key(_ request: MessageHead) -> Bytes? {
    let target = request.target
    if target.isEmpty { return nil }
    if target[0] != ASCII.slash, target != "*" { return Bytes(copying: target.span) }
    guard let host = request.first("host") else { return nil }
    return Bytes(Array("https://".utf8) + host.array + target.array)
  }

  enum Found {
    case full(CacheEntry)
    case hints([Bytes])
    case nothing
  }

  func find(_ key: Bytes, _ request: MessageHead, now: Int64) -> Found {
    state.withLock { state in
      guard let variants = state.variants[key] else { return .nothing }
      for entry in variants where !entry.isStripped && entry.expires > now {
        if entry.vary?.matches(request) ?? true { return .full(entry) }
      }
      guard settings.hints != .off, let entry = variants.first(where: { !$0.hints.isEmpty }) else {
        return .nothing
      }
      // Of a fresh response that does not fit this client nothing is announced.
      if !entry.isStripped, entry.expires > now { return .nothing }
      return .hints(entry.hints)
    }
  }

  /// Whether the response may be received for storing; `store` or `abandon` must follow.
  func reserve(_ key: Bytes, _ vary: VaryKey?, now: Int64) -> Bool {
    state.withLock { state in
      if let until = state.pending[key], until > now { return false }
      let others = (state.variants[key] ?? []).filter { entry in
        entry.expires > now && !entry.isStripped
          && !(vary.flatMap { new in entry.vary.map(new.replaces) } ?? true)
      }
      if vary != nil, others.count >= settings.secondaryEntries { return false }
      state.pending[key] = now + 2
      return true
    }
  }

  func abandon(_ key: Bytes) { _ = state.withLock { $0.pending.removeValue(forKey: key) } }

  func store(_ draft: CacheDraft, body: [UInt8], now: Int64) {
    let entry = CacheEntry(draft, body: body, now: now)
    insert(entry, draft.key, now: now)
  }

  /// Keeps only the links of a response (`early-hints only`).
  func storeHints(_ draft: CacheDraft, now: Int64) {
    insert(CacheEntry(draft, body: [], now: now, isStripped: true), draft.key, now: now)
  }

  /// An unsafe method has succeeded (RFC 9111 section 4.4).
  func invalidate(_ key: Bytes) {
    state.withLock { state in
      for entry in state.variants.removeValue(forKey: key) ?? [] { ResponseCache.forget(entry, &state) }
    }
  }

  // MARK: Room

  private func insert(_ entry: CacheEntry, _ key: Bytes, now: Int64) {
    state.withLock { state in
      state.pending.removeValue(forKey: key)
      guard entry.size <= settings.totalSize else { return }
      var variants = state.variants[key] ?? []
      variants.removeAll { old in
        let isReplaced =
          old.isStripped || old.expires <= now
          || (entry.vary.flatMap { new in old.vary.map(new.replaces) } ?? true)
        if isReplaced { ResponseCache.forget(old, &state) }
        return isReplaced
      }
      state.variants[key] = variants
      makeRoom(for: entry.size, &state)
      state.variants[key, default: []].append(entry)
      state.queue.append((key, entry))
      state.size += entry.size
      if entry.isStripped { state.hintsSize += entry.size }
    }
  }

  private static func forget(_ entry: CacheEntry, _ state: inout State) {
    state.size -= entry.size
    if entry.isStripped { state.hintsSize -= entry.size }
  }

  private func makeRoom(for size: Int, _ state: inout State) {
    // Links alone take little: they leave only when nothing else is left.
    var spared: [(key: Bytes, entry: CacheEntry)] = []
    defer { state.queue += spared }
    while state.size + size > settings.totalSize {
      guard state.head < state.queue.count || !spared.isEmpty else { break }
      let isLast = state.head >= state.queue.count
      let (key, entry) = isLast ? spared.removeFirst() : state.queue[state.head]
      if !isLast {
        state.head += 1
        if entry.isStripped, settings.hints == .on {
          spared.append((key, entry))
          continue
        }
      }
      guard var variants = state.variants[key], let index = variants.firstIndex(where: { $0 === entry })
      else {
        continue
      }
      variants.remove(at: index)
      ResponseCache.forget(entry, &state)
      state.variants[key] = variants.isEmpty ? nil : variants
      keepHints(of: entry, key, &state)
    }
    // Places at the front that are no longer used are given back now and then.
    if state.head > 256, state.head * 2 > state.queue.count {
      state.queue.removeFirst(state.head)
      state.head = 0
    }
  }

  /// `early-hints on`: the links of a response that had to leave stay as long as their share allows.
  private func keepHints(of entry: CacheEntry, _ key: Bytes, _ state: inout State) {
    guard settings.hints == .on, !entry.isStripped, !entry.hints.isEmpty, state.variants[key] == nil else {
      return
    }
    let hints = CacheEntry(strippingBodyOf: entry)
    guard state.hintsSize + hints.size <= settings.totalSize / 100 * settings.hintsRatio else { return }
    state.variants[key] = [hints]
    state.queue.append((key, hints))
    state.size += hints.size
    state.hintsSize += hints.size
  }

  // MARK: Looking

  /// Lines of `show cache`.
  func report(now: Int64) -> String {
    state.withLock { state in
      let blocks = (settings.totalSize - state.size) / 1024
      var text = "0x\(String(UInt(bitPattern: ObjectIdentifier(self)), radix: 16)): \(settings.name) "
      text +=
        "(shctx:0x\(String(UInt(bitPattern: ObjectIdentifier(self)), radix: 16)), available blocks:\(blocks))\n"
      for key in state.variants.keys.sorted() {
        for entry in state.variants[key] ?? [] where entry.expires > now {
          let hash = UInt32(truncatingIfNeeded: key.hashValue)
          text += "0x\(String(UInt(bitPattern: ObjectIdentifier(entry)), radix: 16)) hash:\(hash) "
          text += "vary:0x\(entry.vary == nil ? "00" : "01") type:\(entry.isStripped ? "hints" : "full") "
          text +=
            "size:\(entry.size) (\(entry.size / 1024) blocks), refcount:0, expire:\(entry.expires - now)\n"
        }
      }
      return text
    }
  }
}
