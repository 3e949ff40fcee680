import Base

/// The part of a request that a hashing algorithm looks at.
enum BalanceKey {
  /// `balance uri`: the path, with the query when `whole`, cut to `length` octets or `depth` directories.
  static func uri(_ target: Bytes, length: Int?, depth: Int?, whole: Bool, pathOnly: Bool) -> Bytes {
    var key = pathOnly ? path(target) : target
    if !whole, let query = key.firstIndex(of: ASCII.question) { key = key.prefix(query) }
    if let depth, depth > 0 {
      var slashes = 0
      for i in 0..<key.count where key[i] == ASCII.slash {
        slashes += 1
        if slashes == depth + 1 {
          key = key.prefix(i)
          break
        }
      }
    }
    if let length, length > 0 { key = key.prefix(length) }
    return key
  }

  /// The target without scheme and authority.
  static func path(_ target: Bytes) -> Bytes {
    guard target.count > 0, target[0] != ASCII.slash, let colon = target.firstIndex(of: ASCII.colon),
      target[colon..<(colon + 3)] == "://"
    else { return target }
    guard let slash = target.firstIndex(of: ASCII.slash, from: colon + 3) else { return "/" }
    return target.dropFirst(slash)
  }

  /// `balance url_param`: the value of a query parameter.
  static func parameter(_ name: Bytes, in target: Bytes) -> Bytes? {
    guard let query = target.firstIndex(of: ASCII.question) else { return nil }
    var start = query + 1
    while start < target.count {
      var end = start
      while end < target.count, target[end] != 0x26, target[end] != 0x3B { end += 1 }
      let pair = target[start..<end]
      if pair.starts(with: name), pair.count > name.count, pair[name.count] == 0x3D {
        return pair.dropFirst(name.count + 1)
      }
      start = end + 1
    }
    return nil
  }

  /// `balance hdr(host) use_domain_only`: the name before the top-level domain.
  static func domain(_ host: Bytes) -> Bytes {
    let name = host.firstIndex(of: ASCII.colon).map { host.prefix($0) } ?? host
    var dots: [Int] = []
    for i in 0..<name.count where name[i] == 0x2E { dots.append(i) }
    guard let last = dots.last else { return name }
    let start = dots.count > 1 ? dots[dots.count - 2] + 1 : 0
    return name[start..<last]
  }
}
