import Base
import Config
import HTTP

/// Whether messages may pass a shared cache, and for how long (RFC 9111 section 3, 4 and 5).
enum Cacheability {
  /// What a request lets the cache do.
  struct Request {
    /// It may be answered from the cache.
    var mayUse: Bool
    /// Its response may be stored.
    var mayStore: Bool
  }

  static func judge(_ request: MessageHead) -> Request {
    var judged = Request(mayUse: request.method == "GET" || request.method == "HEAD", mayStore: true)
    if request.version < .http11 { return Request(mayUse: false, mayStore: false) }
    if request.contains("authorization") { return Request(mayUse: false, mayStore: false) }
    var hasCacheControl = false
    FieldValues.forEach(request, "cache-control") { value in
      hasCacheControl = true
      let text = value.lowercased
      for word in ["max-age", "no-cache", "max-stale", "min-fresh"] as [Bytes] where text.starts(with: word) {
        judged.mayUse = false
      }
      if text.starts(with: "no-store") { judged.mayStore = false }
    }
    if !hasCacheControl, request.first("pragma")?.lowercased == "no-cache" { judged.mayUse = false }
    return judged
  }

  /// Whether a response to GET may be stored, by its own fields.
  static func mayStore(_ response: MessageHead) -> Bool {
    guard response.status == 200 else { return false }
    if response.first("pragma")?.lowercased == "no-cache" { return false }
    var mayStore = true
    var allowsCookies = true
    var isFresh = false
    var isZero = false
    FieldValues.forEach(response, "cache-control") { value in
      let text = value.lowercased
      if text == "public" {
        mayStore = true
        allowsCookies = true
      } else if text == "max-age=0" {
        isZero = true
      } else if text == "no-cache=\"set-cookie\"" {
        allowsCookies = false
      } else if forbids(text) || text == "s-maxage=0" {
        mayStore = false
      } else if text.starts(with: "s-maxage") {
        isFresh = true
        isZero = false
      } else if text.starts(with: "max-age") {
        isFresh = true
      }
    }
    if !mayStore || isZero { return false }
    if response.contains("set-cookie"), !allowsCookies { return false }
    if isFresh || response.contains("expires") { return true }
    return response.contains("etag") || response.contains("last-modified")
  }

  private static func forbids(_ directive: Bytes) -> Bool {
    for word in ["private", "no-cache", "no-store"] as [Bytes]
    where directive == word || directive.starts(with: word) && directive[word.count] == 0x3D {
      return true
    }
    return false
  }

  /// Seconds that a response says it may be served, and what is left of them under `limit`; nil for a value that
  /// is none.
  static func lifetime(_ response: MessageHead, limit: Int, now: Int64) -> (
    announced: Int64, effective: Int64
  )? {
    var shared: Int64?
    var own: Int64?
    var isBroken = false
    FieldValues.forEach(response, "cache-control") { value in
      let text = value.lowercased
      for (name, isShared) in [("s-maxage=" as Bytes, true), ("max-age=", false)]
      where text.starts(with: name) {
        guard let seconds = number(text.dropFirst(name.count)) else {
          isBroken = true
          continue
        }
        if isShared { shared = seconds } else { own = seconds }
      }
    }
    if isBroken { return nil }
    let limit = Int64(limit)
    if let seconds = shared, seconds > 0 { return (seconds, Swift.min(seconds, limit)) }
    if let seconds = own, seconds > 0 { return (seconds, Swift.min(seconds, limit)) }
    if shared == nil, own == nil, let text = response.first("expires") {
      let left = Swift.max(0, (HTTPDate.parse(text) ?? 0) - now)
      return (left, Swift.min(left, limit))
    }
    return (limit, limit)
  }

  private static func number(_ text: Bytes) -> Int64? {
    let digits = text.count > 0 && text[0] == 0x22 ? text.dropFirst(1) : text
    var value: Int64 = 0
    var i = 0
    while i < digits.count, ASCII.isDigit(digits[i]), i < 18 {
      value = value * 10 + Int64(digits[i] &- 0x30)
      i += 1
    }
    return i > 0 ? value : nil
  }

  // MARK: Conditional requests

  /// Whether `request` is answered with 304 by an entry (RFC 9110 section 13).
  static func isNotModified(_ request: MessageHead, _ entry: CacheEntry) -> Bool {
    if request.contains("if-none-match") {
      var matches = false
      FieldValues.forEach(request, "if-none-match") { value in
        if value == "*" || entry.entityTag.map({ weak($0) == weak(value) }) ?? false { matches = true }
      }
      return matches
    }
    guard let since = request.first("if-modified-since").flatMap(HTTPDate.parse) else { return false }
    return entry.lastModified <= since
  }

  private static func weak(_ tag: Bytes) -> Bytes { tag.starts(with: "W/") ? tag.dropFirst(2) : tag }
}
