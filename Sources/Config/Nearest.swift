/// Finds the known word that a mistyped one most likely meant.
enum Nearest {
  /// The candidate with the smallest edit distance, if that is small for the word's length.
  static func word(to wrong: String, among candidates: some Sequence<String>) -> String? {
    let wanted = Array(wrong.utf8)
    guard !wanted.isEmpty, wanted.count <= 64 else { return nil }
    let limit = wanted.count <= 3 ? 1 : wanted.count <= 8 ? 2 : 3
    var best: (word: String, distance: Int)?
    for candidate in candidates {
      let octets = Array(candidate.utf8)
      guard abs(octets.count - wanted.count) <= limit, candidate != wrong else { continue }
      let distance = editDistance(wanted, octets)
      if distance <= limit, distance < (best?.distance ?? Int.max) { best = (candidate, distance) }
    }
    return best?.word
  }

  /// Insertions, deletions, replacements and swaps of neighbours count one each.
  static func editDistance(_ a: [UInt8], _ b: [UInt8]) -> Int {
    var before: [Int] = []
    var previous = Array(0...b.count)
    for i in 0..<a.count {
      var row = [i + 1]
      row.reserveCapacity(b.count + 1)
      for j in 0..<b.count {
        var cost = min(previous[j + 1] + 1, row[j] + 1, previous[j] + (a[i] == b[j] ? 0 : 1))
        if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] { cost = min(cost, before[j - 1] + 1) }
        row.append(cost)
      }
      before = previous
      previous = row
    }
    return previous[b.count]
  }
}
