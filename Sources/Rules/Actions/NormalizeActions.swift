import Base
import Config
import HTTP

/// `http-request normalize-uri` (RFC 3986, 6.2.2).
enum NormalizeActions {
  static let table: [ActionEntry] = [
    ActionEntry("normalize-uri", .httpRequest, "<normalizer>") { parser throws(RuleError) in
      let name = try parser.need("a normalizer").text
      let isStrict = parser.accept("strict")
      let isFull = parser.accept("full")
      let normalizer = try find(name, isStrict: isStrict, isFull: isFull)
      return { context in
        guard let request = context.request else { return nil }
        let target = RequestTarget(request.target)
        guard target.hasPath else { return nil }
        guard let changed = normalizer(target.pathAndQuery) else { return .deny(status: 400, nil) }
        if changed != target.pathAndQuery { request.target = Bytes(target.prefix.array + changed.array) }
        return nil
      }
    }
  ]

  /// From path and query to path and query; nil for what a strict normalizer refuses.
  typealias Normalizer = @Sendable (Bytes) -> Bytes?

  private static func find(_ name: String, isStrict: Bool, isFull: Bool) throws(RuleError) -> Normalizer {
    switch name {
    case "fragment-encode":
      return { Bytes($0.array.flatMap { $0 == 0x23 ? Array("%23".utf8) : [$0] }) }
    case "fragment-strip": return { $0.prefix($0.firstIndex(of: 0x23) ?? $0.count) }
    case "path-merge-slashes": return { onPath($0, mergeSlashes) }
    case "path-strip-dot": return { onPath($0, stripDots) }
    case "path-strip-dotdot": return { onPath($0) { stripParents($0, isFull: isFull) } }
    case "percent-decode-unreserved": return { percent($0, isStrict: isStrict, decodes: true) }
    case "percent-to-uppercase": return { percent($0, isStrict: isStrict, decodes: false) }
    case "query-sort-by-name": return { sortQuery($0) }
    default:
      let known = [
        "fragment-encode", "fragment-strip", "path-merge-slashes", "path-strip-dot", "path-strip-dotdot",
        "percent-decode-unreserved", "percent-to-uppercase", "query-sort-by-name",
      ]
      throw RuleError(
        "unknown normalizer '\(name)'", suggestion: Suggestions.nearest(name, known),
        expected: known.joined(separator: ", "))
    }
  }

  private static func onPath(_ target: Bytes, _ body: (Bytes) -> [UInt8]) -> Bytes {
    let end = target.firstIndex(of: ASCII.question) ?? target.count
    return Bytes(body(target.prefix(end)) + target.dropFirst(end).array)
  }

  private static func mergeSlashes(_ path: Bytes) -> [UInt8] {
    var out: [UInt8] = []
    for i in 0..<path.count where path[i] != ASCII.slash || out.last != ASCII.slash { out.append(path[i]) }
    return out
  }

  private static func segments(_ path: Bytes) -> [Bytes] {
    var parts: [Bytes] = []
    var start = 0
    for i in 0...path.count where i == path.count || path[i] == ASCII.slash {
      parts.append(path[start..<i])
      start = i + 1
    }
    return parts
  }

  private static func join(_ parts: [Bytes]) -> [UInt8] {
    var out: [UInt8] = []
    for (i, part) in parts.enumerated() {
      if i > 0 { out.append(ASCII.slash) }
      out.append(part)
    }
    return out
  }

  private static func stripDots(_ path: Bytes) -> [UInt8] {
    var kept: [Bytes] = []
    let parts = segments(path)
    for (i, part) in parts.enumerated() {
      if part != "." { kept.append(part) } else if i == parts.count - 1 { kept.append(.empty) }
    }
    return join(kept)
  }

  private static func stripParents(_ path: Bytes, isFull: Bool) -> [UInt8] {
    var kept: [Bytes] = []
    let parts = segments(path)
    for (i, part) in parts.enumerated() {
      guard part == ".." else {
        kept.append(part)
        continue
      }
      if kept.count > 1, kept.last != ".." {
        kept.removeLast()
      } else if !isFull {
        kept.append(part)
      }
      if i == parts.count - 1 { kept.append(.empty) }
    }
    return join(kept)
  }

  private static func percent(_ target: Bytes, isStrict: Bool, decodes: Bool) -> Bytes? {
    var out: [UInt8] = []
    var i = 0
    while i < target.count {
      let c = target[i]
      guard c == 0x25 else {
        out.append(c)
        i += 1
        continue
      }
      guard i + 2 < target.count, let high = ASCII.hexValue(target[i + 1]),
        let low = ASCII.hexValue(target[i + 2])
      else {
        if isStrict { return nil }
        out.append(c)
        i += 1
        continue
      }
      let octet = high << 4 | low
      let isUnreserved =
        ASCII.isAlpha(octet) || ASCII.isDigit(octet) || [0x2D, 0x2E, 0x5F, 0x7E].contains(octet)
      if decodes, isUnreserved {
        out.append(octet)
      } else if decodes {
        out += [c, target[i + 1], target[i + 2]]
      } else {
        out += [c, ASCII.upper(target[i + 1]), ASCII.upper(target[i + 2])]
      }
      i += 3
    }
    return Bytes(out)
  }

  /// Stable, by the octets of the names.
  private static func sortQuery(_ target: Bytes) -> Bytes {
    guard let question = target.firstIndex(of: ASCII.question) else { return target }
    var pairs: [(name: Bytes, text: Bytes, place: Int)] = []
    var start = question + 1
    for i in start...target.count where i == target.count || target[i] == 0x26 {
      let pair = target[start..<i]
      pairs.append((pair.prefix(pair.firstIndex(of: 0x3D) ?? pair.count), pair, pairs.count))
      start = i + 1
    }
    // An empty pair at the very end is none.
    if let last = pairs.last, last.text.isEmpty { pairs.removeLast() }
    pairs.sort { $0.name == $1.name ? $0.place < $1.place : $0.name < $1.name }
    var out = target.prefix(question + 1).array
    for (i, pair) in pairs.enumerated() {
      if i > 0 { out.append(0x26) }
      out.append(pair.text)
    }
    return Bytes(out)
  }
}
