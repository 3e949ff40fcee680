/// "Did you mean": the known word nearest to a wrong one.
enum Suggestions {
  static func nearest(_ word: String, _ known: some Sequence<String>) -> String? {
    let wanted = Array(word.lowercased().utf8)
    guard !wanted.isEmpty, wanted.count < 64 else { return nil }
    let bound = wanted.count <= 4 ? 1 : wanted.count <= 8 ? 2 : 3
    var best: (distance: Int, word: String)?
    for candidate in known.sorted() {
      let octets = Array(candidate.lowercased().utf8)
      guard abs(octets.count - wanted.count) <= bound else { continue }
      let distance = distance(wanted, octets)
      if distance <= bound, distance < best?.distance ?? .max { best = (distance, candidate) }
    }
    return best?.word
  }

  /// Edits, with a swap of neighbours counted as one.
  private static func distance(_ a: [UInt8], _ b: [UInt8]) -> Int {
    var before: [Int] = []
    var previous = Array(0...b.count)
    for i in 0..<a.count {
      var current = [i + 1]
      for j in 0..<b.count {
        var cost = min(previous[j + 1] + 1, current[j] + 1, previous[j] + (a[i] == b[j] ? 0 : 1))
        if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] { cost = min(cost, before[j - 1] + 1) }
        current.append(cost)
      }
      before = previous
      previous = current
    }
    return previous[b.count]
  }
}
