import Base

/// Strings that a text may begin or end with: one look-up per distinct length, however many strings there are.
struct AffixTable: Sendable {
  private var table: StringTable
  /// Distinct lengths, longest first.
  private var lengths: [Int] = []
  let isSuffix: Bool

  init(_ strings: [Bytes], isSuffix: Bool, folds: Bool) {
    self.isSuffix = isSuffix
    table = StringTable(folds: folds)
    for string in strings { _ = table.insert(string) }
    lengths = Array(Set(strings.map(\.count))).sorted(by: >)
  }

  /// The strings, folded if case does not count.
  var keys: [Bytes] { table.keys }

  /// The number of the longest string that `text` begins (or ends) with.
  func longest(_ text: Bytes) -> Int? {
    for length in lengths where length <= text.count {
      let part = isSuffix ? text.suffix(length) : text.prefix(length)
      if let number = table.find(part) { return number }
    }
    return nil
  }

  /// The number of the string added first among those that `text` begins (or ends) with.
  func first(_ text: Bytes) -> Int? {
    var best: Int?
    for length in lengths where length <= text.count {
      let part = isSuffix ? text.suffix(length) : text.prefix(length)
      if let number = table.find(part) { best = min(best ?? number, number) }
    }
    return best
  }
}
