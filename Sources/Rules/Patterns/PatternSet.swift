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

/// Patterns of one ACL line, ready for comparison; immutable, shared by all workers.
final class PatternSet: Sendable {
  enum Matcher: Sendable {
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

  let method: MatchMethod
  let isFolded: Bool
  let matcher: Matcher

  init(method: MatchMethod, isFolded: Bool, matcher: Matcher) {
    self.method = method
    self.isFolded = isFolded
    self.matcher = matcher
  }

  /// The strings when matching means equality with one of them.
  var exactStrings: [Bytes]? {
    if case .strings(let table) = matcher { return table.keys }
    return nil
  }

  func matches(_ sample: Sample, _ context: RuleContext) -> Bool {
    switch matcher {
    case .found: return true
    case .bool: return sample.truth ?? false
    case .integers(let ranges):
      guard let value = sample.integer else { return false }
      return ranges.contains(value)
    case .addresses(let table):
      guard let address = sample.address else { return false }
      return table.find(address) != nil
    case .octets(let table): return table.find(sample.octets) != nil
    case .lengths(let ranges): return ranges.contains(Int64(PatternSet.text(sample).count))
    case .strings(let table): return table.find(PatternSet.text(sample)) != nil
    case .prefixes(let table), .suffixes(let table): return table.first(PatternSet.text(sample)) != nil
    case .substrings(let needles):
      let text = PatternSet.text(sample)
      return needles.contains { TextSearch.contains(text, $0, folding: isFolded) }
    case .words(let words, let delimiters):
      let text = PatternSet.text(sample)
      return words.contains { TextSearch.containsWord(text, $0, delimiters, folding: isFolded) }
    case .regexes(let expressions):
      let text = PatternSet.text(sample)
      return expressions.contains { $0.matches(text.span, &context.regexScratch) }
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
