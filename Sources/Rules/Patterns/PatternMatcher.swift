import Base

/// How a sample is compared with patterns (`-m`).
enum MatchMethod: String, CaseIterable, Sendable {
  case found, bool, int, ip, bin, len, str, beg, sub, dir, dom, end, reg

  /// What a sample must become before it is compared.
  var expects: SampleType {
    switch self {
    case .found: .any
    case .bool, .int: .int
    case .ip: .address
    case .bin: .binary
    case .len, .str, .beg, .sub, .dir, .dom, .end, .reg: .string
    }
  }

  /// The method used when none is named, by the type of the sample.
  static func standard(for type: SampleType) -> MatchMethod? {
    switch type {
    case .bool: .bool
    case .int: .int
    case .address, .ipv4, .ipv6: .ip
    case .method, .string: .str
    default: nil
    }
  }
}

/// How the patterns of one ACL line are compared with a sample; immutable, shared by all workers.
final class PatternMatcher: Sendable {
  enum Kind: Sendable {
    case found
    case bool
    case integers(IntegerRanges)
    case lengths(IntegerRanges)
    case addresses(AddressTable)
    case strings(StringTable)
    case octets(StringTable)
    case prefixes(AffixTable)
    case suffixes(AffixTable)
    case substrings([Bytes])
    case words([Bytes], DelimiterSet)
    case regexes([RegularExpression])
  }

  let kind: Kind
  private let test: @Sendable (Sample, RuleContext) -> Bool

  init(_ kind: Kind, isFolded: Bool) {
    self.kind = kind
    test = PatternMatcher.test(kind, isFolded: isFolded)
  }

  @inline(__always)
  func matches(_ sample: Sample, _ context: RuleContext) -> Bool { test(sample, context) }

  /// The comparison with its patterns bound: a call costs less than copying them out of an enumeration.
  private static func test(_ kind: Kind, isFolded: Bool) -> @Sendable (Sample, RuleContext) -> Bool {
    switch kind {
    case .found: { _, _ in true }
    case .bool: { sample, _ in sample.truth ?? false }
    case .integers(let ranges): { sample, _ in sample.integer.map(ranges.contains) ?? false }
    case .addresses(let table): { sample, _ in sample.address.map { table.find($0) != nil } ?? false }
    case .octets(let table): { sample, _ in table.find(sample.octets) != nil }
    case .lengths(let ranges): { sample, _ in ranges.contains(Int64(text(sample).count)) }
    case .strings(let table): { sample, _ in table.find(text(sample)) != nil }
    case .prefixes(let table), .suffixes(let table): { sample, _ in table.first(text(sample)) != nil }
    case .substrings(let needles):
      { sample, _ in
        let text = text(sample)
        return needles.contains { TextSearch.contains(text, $0, folding: isFolded) }
      }
    case .words(let words, let delimiters):
      { sample, _ in
        let text = text(sample)
        return words.contains { TextSearch.containsWord(text, $0, delimiters, folding: isFolded) }
      }
    case .regexes(let expressions):
      { sample, context in
        let text = text(sample)
        return expressions.contains { $0.matches(text.span, &context.regexScratch) }
      }
    }
  }

  @inline(__always)
  private static func text(_ sample: Sample) -> Bytes {
    if case .string(let bytes) = sample { return bytes }
    return sample.text
  }
}

/// What separates the words of `-m dir` and `-m dom`.
struct DelimiterSet: Sendable {
  let octets: [UInt8]
  static let directory = DelimiterSet(octets: Array("/?".utf8))
  static let domain = DelimiterSet(octets: Array("/?.:".utf8))
  func contains(_ octet: UInt8) -> Bool { octets.contains(octet) }
}

enum TextSearch {
  static func contains(_ text: Bytes, _ needle: Bytes, folding: Bool) -> Bool {
    index(of: needle, in: text, from: 0, folding: folding) != nil
  }

  static func index(of needle: Bytes, in text: Bytes, from start: Int, folding: Bool) -> Int? {
    guard needle.count > 0 else { return start <= text.count ? start : nil }
    guard needle.count <= text.count else { return nil }
    let haystack = text.span
    let pattern = needle.span
    var i = start
    let last = text.count - needle.count
    while i <= last {
      var j = 0
      if folding {
        while j < pattern.count, ASCII.lower(haystack[i + j]) == ASCII.lower(pattern[j]) { j += 1 }
      } else {
        while j < pattern.count, haystack[i + j] == pattern[j] { j += 1 }
      }
      if j == pattern.count { return i }
      i += 1
    }
    return nil
  }

  /// Whether `word`, without delimiters at its ends, stands in `text` between delimiters or the ends.
  static func containsWord(_ text: Bytes, _ word: Bytes, _ delimiters: DelimiterSet, folding: Bool) -> Bool {
    var low = 0
    var high = word.count
    while low < high, delimiters.contains(word[low]) { low += 1 }
    while high > low, delimiters.contains(word[high - 1]) { high -= 1 }
    let needle = word[low..<high]
    guard !needle.isEmpty else { return false }
    var start = 0
    while let at = index(of: needle, in: text, from: start, folding: folding) {
      let end = at + needle.count
      let opens = at == 0 || delimiters.contains(text[at - 1])
      if opens, end == text.count || delimiters.contains(text[end]) { return true }
      start = at + 1
    }
    return false
  }
}
