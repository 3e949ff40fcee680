import Base
import Config
import HTTP
import Rules

extension Stream {
  /// `option http-restrict-req-hdr-names`: what happens to names with anything but letters, digits and dashes. False
  /// when the request was refused.
  func restrictHeaderNames(_ settings: ProxySettings) -> Bool {
    guard let policy = settings.restrictHeaderNames, policy != "preserve" else { return true }
    for index in stride(from: request.count - 1, through: 0, by: -1)
    where !Stream.isPlain(request.name(at: index)) {
      if policy == "delete" {
        request.remove(at: index)
        continue
      }
      termination = Termination(cause: .proxy, state: .request)
      countRefused(.requestErrors)
      answer(page(403))
      return false
    }
    return true
  }

  private static func isPlain(_ name: Bytes) -> Bool {
    for i in 0..<name.count {
      guard ASCII.isAlpha(name[i]) || ASCII.isDigit(name[i]) || name[i] == 0x2D else { return false }
    }
    return true
  }

  /// `option checkcache`: a response that caches may keep for all must not set a cookie.
  var letsCachesKeepCookie: Bool {
    guard backend?.settings.checkCache ?? false, response.contains("set-cookie") else { return false }
    switch response.status {
    case 200, 203, 206, 300, 301, 410: break
    default: return false
    }
    if response.first("pragma")?.lowercased.starts(with: "no-cache") ?? false { return false }
    var isStorable =
      response.contains("etag") || response.contains("last-modified") || response.contains("expires")
    var index = 0
    while let at = response.firstIndex(of: "cache-control", from: index) {
      let value = response.value(at: at).lowercased.string
      if value.contains("max-age") || value.contains("s-maxage") || value.contains("public") { isStorable = true }
      for directive in value.split(separator: ",").map({ $0.filter { $0 != " " } }) {
        if ["private", "no-store", "no-cache", "max-age=0", "s-maxage=0"].contains(directive) { return false }
        if directive.hasPrefix("no-cache=\"set-cookie") || directive.hasPrefix("private=\"set-cookie") { return false }
      }
      index = at + 1
    }
    return isStorable
  }
}
