import Base

/// The parts of a request target (RFC 9112, 3.2): origin form, absolute form, authority form or `*`.
struct RequestTarget {
  private let target: Bytes
  private let pathRange: Range<Int>
  private let authorityRange: Range<Int>

  init(_ target: Bytes) {
    self.target = target
    if target.isEmpty || target[0] == ASCII.slash {
      pathRange = 0..<target.count
      authorityRange = 0..<0
      return
    }
    if target.count == 1, target[0] == 0x2A {
      pathRange = 0..<0
      authorityRange = 0..<0
      return
    }
    // scheme "://" authority path
    var i = 0
    while i < target.count,
      ASCII.isAlpha(target[i]) || ASCII.isDigit(target[i]) || target[i] == 0x2B
        || target[i] == 0x2D || target[i] == 0x2E
    { i += 1 }
    guard i + 2 < target.count, target[i] == ASCII.colon, target[i + 1] == ASCII.slash,
      target[i + 2] == ASCII.slash
    else {
      pathRange = 0..<0
      authorityRange = 0..<target.count
      return
    }
    let start = i + 3
    var end = start
    while end < target.count, target[end] != ASCII.slash, target[end] != ASCII.question { end += 1 }
    authorityRange = start..<end
    pathRange = end..<target.count
  }

  /// With the query.
  var pathAndQuery: Bytes { target[pathRange] }

  var path: Bytes {
    let whole = target[pathRange]
    return whole.prefix(whole.firstIndex(of: ASCII.question) ?? whole.count)
  }

  /// nil in the forms that have none.
  var existingPath: Bytes? { hasPath ? path : nil }

  /// Behind the question mark; nil without one.
  var query: Bytes? {
    guard let question = target.firstIndex(of: ASCII.question) else { return nil }
    return target.dropFirst(question + 1)
  }

  var authority: Bytes { target[authorityRange] }

  /// The whole target with another authority; nil when it has none.
  func replacingAuthority(by authority: Bytes) -> Bytes? {
    guard !authorityRange.isEmpty else { return nil }
    var out = target.prefix(authorityRange.lowerBound).array
    out.append(TargetText.safe(authority))
    out.append(target.dropFirst(authorityRange.upperBound))
    return Bytes(out)
  }

  /// Everything before the path, as in `http://host`.
  var prefix: Bytes { target.prefix(pathRange.lowerBound) }
  var isOriginForm: Bool { authorityRange.isEmpty && !pathRange.isEmpty }
  var hasPath: Bool { !pathRange.isEmpty }
}
