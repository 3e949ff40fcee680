import Base

/// The pairs of a Cookie field value (RFC 6265 section 4.2).
struct CookieList {
  private let line: Bytes

  init(_ line: Bytes) { self.line = line }

  /// Ranges of each `name=value` with the separators around it left out.
  private var pairs: [(range: Range<Int>, equals: Int)] {
    var result: [(Range<Int>, Int)] = []
    var start = 0
    while start < line.count {
      var end = start
      while end < line.count, line[end] != 0x3B { end += 1 }
      var low = start
      var high = end
      while low < high, ASCII.isBlank(line[low]) { low += 1 }
      while high > low, ASCII.isBlank(line[high - 1]) { high -= 1 }
      if let equals = line[low..<high].firstIndex(of: 0x3D) { result.append((low..<high, low + equals)) }
      start = end + 1
    }
    return result
  }

  func value(of name: Bytes) -> Bytes? {
    for pair in pairs where line[pair.range.lowerBound..<pair.equals].trimmed == name {
      return line[(pair.equals + 1)..<pair.range.upperBound].trimmed
    }
    return nil
  }

  /// The line without the cookie called `name`.
  func removing(_ name: Bytes) -> Bytes {
    var out: [UInt8] = []
    for pair in pairs where line[pair.range.lowerBound..<pair.equals].trimmed != name {
      if !out.isEmpty { out.append(contentsOf: [0x3B, 0x20]) }
      out.append(line[pair.range])
    }
    return Bytes(out)
  }

  func replacing(_ name: Bytes, with value: Bytes) -> Bytes {
    var out: [UInt8] = []
    for pair in pairs {
      if !out.isEmpty { out.append(contentsOf: [0x3B, 0x20]) }
      if line[pair.range.lowerBound..<pair.equals].trimmed == name {
        out.append(name)
        out.append(0x3D)
        out.append(value)
      } else {
        out.append(line[pair.range])
      }
    }
    return Bytes(out)
  }

  static func name(ofSetCookie line: Bytes) -> Bytes? {
    guard let equals = line.firstIndex(of: 0x3D) else { return nil }
    return line.prefix(equals).trimmed
  }

  static func replacingValue(inSetCookie line: Bytes, _ change: (Bytes) -> Bytes) -> Bytes {
    guard let equals = line.firstIndex(of: 0x3D) else { return line }
    let end = line.firstIndex(of: 0x3B, from: equals) ?? line.count
    var out = line.prefix(equals + 1).array
    out.append(change(line[(equals + 1)..<end].trimmed))
    out.append(line.dropFirst(end))
    return Bytes(out)
  }
}
