import Base
import Config
import HTTP
import Testing

@testable import Proxy

@Suite("Cache")
struct CacheTests {
  static func request(_ fields: [String], method: String = "GET", isOld: Bool = false) -> MessageHead {
    let head = MessageHead()
    let target: Bytes = "/a"
    head.setRequestLine(
      method: Bytes(method).span, target: target.span, version: isOld ? .http10 : .http11)
    add(fields, to: head)
    return head
  }

  static func response(_ fields: [String], status: Int = 200) -> MessageHead {
    let head = MessageHead()
    let reason: Bytes = "OK"
    head.setStatusLine(status: status, reason: reason.span, version: .http11)
    add(fields, to: head)
    return head
  }

  private static func add(_ fields: [String], to head: MessageHead) {
    for field in fields {
      guard let colon = field.firstIndex(of: ":") else { continue }
      let value = Bytes(field[field.index(after: colon)...]).trimmed
      head.append(name: Bytes(field[..<colon]).span, value: value.span)
    }
  }

  private func cache(_ octets: Int, _ edit: (inout CacheSettings) -> Void = { _ in }) -> ResponseCache {
    var settings = CacheSettings(name: "c", location: .none)
    settings.totalSize = octets
    edit(&settings)
    return ResponseCache(settings)
  }

  private func draft(_ key: Bytes, lifetime: Int64 = 60, vary: VaryKey? = nil, hints: [Bytes] = []) -> CacheDraft {
    var draft = CacheDraft(key: key)
    draft.lifetime = lifetime
    draft.vary = vary
    draft.hints = hints
    return draft
  }

  private func body(_ found: ResponseCache.Found) -> [UInt8]? {
    if case .full(let entry) = found { return entry.body }
    return nil
  }

  // MARK: What may be kept

  @Test(
    "requests that may be answered, and those whose response may be stored",
    arguments: [
      ("GET", [], true, true), ("HEAD", [], true, true), ("POST", [], false, true),
      ("GET", ["Authorization: Basic x"], false, false), ("GET", ["Cache-Control: no-cache"], false, true),
      ("GET", ["Cache-Control: foo, max-age=0"], false, true), ("GET", ["Cache-Control: no-store"], true, false),
      ("GET", ["Pragma: no-cache"], false, true), ("GET", ["Cache-Control: x", "Pragma: no-cache"], true, true),
    ] as [(String, [String], Bool, Bool)])
  func requests(method: String, fields: [String], mayUse: Bool, mayStore: Bool) {
    let judged = Cacheability.judge(CacheTests.request(fields, method: method))
    #expect(judged.mayUse == mayUse && judged.mayStore == mayStore)
    #expect(!Cacheability.judge(CacheTests.request(fields, method: method, isOld: true)).mayUse)
  }

  @Test(
    "responses that may be stored",
    arguments: [
      ([], false), (["ETag: \"a\""], true), (["Last-Modified: x"], true), (["Expires: 0"], true),
      (["Cache-Control: max-age=5"], true), (["Cache-Control: max-age=0", "ETag: \"a\""], false),
      (["Cache-Control: max-age=0, s-maxage=5"], true), (["Cache-Control: s-maxage=0, max-age=5"], false),
      (["Cache-Control: no-store, max-age=5"], false), (["Cache-Control: private=\"x\", max-age=5"], false),
      (["Cache-Control: privately, max-age=5"], true), (["Pragma: no-cache", "ETag: \"a\""], false),
      (["Cache-Control: no-cache=\"set-cookie\", max-age=5", "Set-Cookie: a=b"], false),
      (["Cache-Control: no-cache=\"set-cookie\", max-age=5"], true),
    ] as [([String], Bool)])
  func responses(fields: [String], mayStore: Bool) {
    #expect(Cacheability.mayStore(CacheTests.response(fields)) == mayStore)
    #expect(!Cacheability.mayStore(CacheTests.response(fields, status: 404)))
  }

  @Test(
    "how long a response may be served",
    arguments: [
      (["Cache-Control: max-age=30"], 30, 30), (["Cache-Control: max-age=300"], 300, 60),
      (["Cache-Control: max-age=30, s-maxage=40"], 40, 40), (["Cache-Control: max-age=\"20\""], 20, 20),
      (["Expires: Thu, 01 Jan 1970 00:17:00 GMT"], 20, 20), (["Expires: 0"], 0, 0), ([], 60, 60),
    ] as [([String], Int64, Int64)])
  func lifetimes(fields: [String], announced: Int64, effective: Int64) throws {
    let life = try #require(Cacheability.lifetime(CacheTests.response(fields), limit: 60, now: 1000))
    #expect(life.announced == announced && life.effective == effective)
  }

  @Test("a lifetime that is no number is refused, and one without end is bounded")
  func brokenLifetime() {
    #expect(Cacheability.lifetime(CacheTests.response(["Cache-Control: max-age=x"]), limit: 60, now: 0) == nil)
    let endless = CacheTests.response(["Cache-Control: max-age=" + String(repeating: "9", count: 40)])
    #expect(Cacheability.lifetime(endless, limit: 60, now: 0)?.effective == 60)
  }

  @Test("conditional requests")
  func conditions() {
    var kept = draft("k")
    kept.entityTag = "W/\"a\""
    kept.lastModified = 784_111_777
    let entry = CacheEntry(kept, body: [], now: 0)
    let cases: [(String, Bool)] = [
      ("If-None-Match: \"a\"", true), ("If-None-Match: \"b\", W/\"a\"", true), ("If-None-Match: \"b\"", false),
      ("If-None-Match: *", true), ("If-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT", true),
      ("If-Modified-Since: Sun, 06 Nov 1994 08:49:36 GMT", false), ("If-Modified-Since: yesterday", false),
    ]
    for (field, expected) in cases {
      #expect(Cacheability.isNotModified(CacheTests.request([field]), entry) == expected, "\(field)")
    }
    let both = CacheTests.request(["If-None-Match: \"b\"", "If-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT"])
    #expect(!Cacheability.isNotModified(both, entry))
  }

  @Test("the key of a request: HTTP/1 and HTTP/2 share it, no Host has none")
  func keys() {
    #expect(ResponseCache.key(CacheTests.request(["Host: h"])) == "https://h/a")
    #expect(ResponseCache.key(CacheTests.request([])) == nil)
  }

  // MARK: Entries

  @Test("an entry is found while it is fresh, and replaced by the next")
  func freshness() {
    let cache = cache(1 << 20)
    let request = CacheTests.request(["Host: h"])
    #expect(cache.reserve("k", nil, now: 0) && !cache.reserve("k", nil, now: 1))
    cache.store(draft("k"), body: [1], now: 0)
    #expect(body(cache.find("k", request, now: 59)) == [1] && body(cache.find("k", request, now: 60)) == nil)
    #expect(body(cache.find("other", request, now: 0)) == nil)
    #expect(cache.reserve("k", nil, now: 60))
    cache.store(draft("k"), body: [2], now: 60)
    #expect(body(cache.find("k", request, now: 61)) == [2])
    cache.invalidate("k")
    #expect(body(cache.find("k", request, now: 61)) == nil)
    #expect(cache.report(now: 61).contains("available blocks:1024"))
  }

  @Test("a reservation is given up by hand or after two seconds")
  func reservations() {
    let cache = cache(1 << 20)
    #expect(cache.reserve("k", nil, now: 0) && cache.reserve("k", nil, now: 2))
    cache.abandon("k")
    #expect(cache.reserve("k", nil, now: 2))
  }

  @Test("the oldest leave when room is needed, and the cache never exceeds its size")
  func room() {
    let cache = cache(10 * 1024)
    let request = CacheTests.request(["Host: h"])
    for number in 0..<1000 {
      let key = Bytes("k\(number)")
      cache.store(draft(key), body: [UInt8](repeating: 7, count: 500), now: 0)
      #expect(body(cache.find(key, request, now: 1)) != nil)
      if number >= 10 { #expect(body(cache.find(Bytes("k\(number - 10)"), request, now: 1)) == nil) }
    }
    #expect(cache.report(now: 1).split(separator: "\n").count == 11)
    cache.store(draft("large"), body: [UInt8](repeating: 7, count: 10 * 1024), now: 0)
    #expect(body(cache.find("large", request, now: 1)) == nil)
    #expect(body(cache.find("k999", request, now: 1)) != nil)
  }

  @Test("links of a response that had to leave stay, in their share")
  func hints() {
    let cache = cache(16 * 1024) {
      $0.hints = .on
      $0.hintsRatio = 25
    }
    for number in 0..<100 {
      cache.store(
        draft(Bytes("k\(number)"), hints: ["</s.css>"]), body: [UInt8](repeating: 1, count: 3000), now: 0)
    }
    var full = 0
    var linked = 0
    for number in 0..<100 {
      switch cache.find(Bytes("k\(number)"), CacheTests.request(["Host: h"]), now: 1) {
      case .full: full += 1
      case .hints(let links):
        linked += 1
        #expect(links == ["</s.css>"])
      case .nothing: break
      }
    }
    #expect(full == 3 && (1...4).contains(linked))
  }

  // MARK: Variants

  private func vary(_ response: [String], _ request: [String]) -> VaryKey? {
    if case .key(let key) = VaryKey.of(CacheTests.response(response), CacheTests.request(request)) { return key }
    return nil
  }

  @Test("Vary that is not understood is not kept")
  func unusable() {
    func isUnusable(_ response: [String], _ request: [String] = []) -> Bool {
      if case .unusable = VaryKey.of(CacheTests.response(response), CacheTests.request(request)) { return true }
      return false
    }
    #expect(isUnusable(["Vary: *"]) && isUnusable(["Vary: origin, cookie"]))
    #expect(isUnusable(["Vary: accept-encoding", "Content-Encoding: secret"]))
    let many = Array(repeating: "Accept-Encoding: gzip", count: 20)
    #expect(isUnusable(["Vary: accept-encoding"], many) && !isUnusable(["Vary: Origin"], many))
    guard case .none = VaryKey.of(CacheTests.response([]), CacheTests.request([])) else {
      Issue.record("a key without Vary")
      return
    }
  }

  @Test(
    "codings: what a client takes and what a response has",
    arguments: [
      ("gzip", "gzip", true), ("gzip", "GZIP, br", true), ("gzip", "x-gzip", true), ("gzip", "br", false),
      ("gzip", "gzip;q=0, br", false), ("gzip", "*", true), ("gzip", "*, gzip;q=0", false), ("gzip", nil, true),
      (nil, "gzip", true), (nil, "identity;q=0, gzip", false), ("gzip, br", "gzip", false),
      ("gzip", "gzip;q=0.001", true), ("gzip", "gzip ; Q=0.0", false), ("gzip", "unknown", false),
    ] as [(String?, String?, Bool)])
  func codings(coding: String?, accepted: String?, matches: Bool) throws {
    let key = try #require(
      vary(["Vary: Accept-Encoding"] + (coding.map { ["Content-Encoding: " + $0] } ?? []), []))
    #expect(key.matches(CacheTests.request(accepted.map { ["Accept-Encoding: " + $0] } ?? [])) == matches)
  }

  @Test("variants live side by side, each for its clients, as many as allowed")
  func variants() throws {
    let cache = cache(1 << 20) { $0.secondaryEntries = 2 }
    func origin(_ name: String) throws -> VaryKey { try #require(vary(["Vary: origin"], ["Origin: " + name])) }
    for (number, name) in ["a", "b"].enumerated() {
      #expect(cache.reserve("k", try origin(name), now: 0))
      cache.store(draft("k", vary: try origin(name)), body: [UInt8(number)], now: 0)
    }
    #expect(body(cache.find("k", CacheTests.request(["Origin: a"]), now: 1)) == [0])
    #expect(body(cache.find("k", CacheTests.request(["Origin: b"]), now: 1)) == [1])
    #expect(body(cache.find("k", CacheTests.request([]), now: 1)) == nil)
    #expect(!cache.reserve("k", try origin("c"), now: 1))
    // One of them may be renewed, and all leave together.
    #expect(cache.reserve("k", try origin("b"), now: 1))
    cache.store(draft("k", vary: try origin("b")), body: [9], now: 1)
    #expect(body(cache.find("k", CacheTests.request(["Origin: b"]), now: 2)) == [9])
    cache.invalidate("k")
    #expect(body(cache.find("k", CacheTests.request(["Origin: a"]), now: 2)) == nil)
  }
}
