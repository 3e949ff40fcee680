import Base

/// The entries of a map, ready for look-ups; immutable, shared by all workers.
final class MapTable: Sendable {
  enum Keys: Sendable {
    case strings(StringTable)
    case prefixes(AffixTable)
    case suffixes(AffixTable)
    case addresses(AddressTable)
    case integers([ClosedRange<Int64>])
    case substrings([Bytes])
    case words([Bytes], DelimiterSet)
    case regexes([RegularExpression])
  }

  private let keys: Keys
  private let values: [Sample]
  private let names: [Bytes]

  /// A key that comes twice keeps its first value, so that the numbers of tables are those of values.
  init(_ pairs: [(key: Bytes, value: Bytes?)], method: MatchMethod, output: SampleType, path: String)
    throws(RuleError)
  {
    var names: [Bytes] = []
    var values: [Sample] = []
    var seen: Set<Bytes> = []
    names.reserveCapacity(pairs.count)
    values.reserveCapacity(pairs.count)
    seen.reserveCapacity(pairs.count)
    for (key, text) in pairs {
      guard let value = MapTable.value(text ?? .empty, output) else {
        throw RuleError("unable to parse '\((text ?? .empty).string)'" + MapTable.suffix(path))
      }
      guard seen.insert(key).inserted else { continue }
      names.append(key)
      values.append(value)
    }
    self.names = names
    self.values = values
    keys = try MapTable.keys(names, method, path)
  }

  var count: Int { names.count }

  private static func suffix(_ path: String) -> String { path.isEmpty ? "" : " in file '\(path)'" }

  /// A value as the map gives it; nil when it is none of this type.
  static func value(_ text: Bytes, _ type: SampleType) -> Sample? {
    switch type {
    case .int: Numbers.integer(text).map(Sample.int)
    case .address, .ipv4, .ipv6: Numbers.address(text).map(Sample.ip)
    default: .string(text)
    }
  }

  private static func keys(_ names: [Bytes], _ method: MatchMethod, _ path: String) throws(RuleError) -> Keys {
    switch method {
    case .ip:
      var table = AddressTable()
      for name in names {
        guard let network = IPNetwork(name.string) else {
          throw RuleError("'\(name.string)' is not a valid IPv4 or IPv6 address" + suffix(path))
        }
        table.insert(network)
      }
      table.finish()
      return .addresses(table)
    case .int, .len, .bool:
      var ranges: [ClosedRange<Int64>] = []
      for name in names {
        guard let range = IntegerRanges.range(name.string) else {
          throw RuleError("'\(name.string)' is neither a number nor a range" + suffix(path))
        }
        ranges.append(range)
      }
      return .integers(ranges)
    case .beg: return .prefixes(AffixTable(names, isSuffix: false, folds: false))
    case .end: return .suffixes(AffixTable(names, isSuffix: true, folds: false))
    case .sub: return .substrings(names)
    case .dir: return .words(names, .directory)
    case .dom: return .words(names, .domain)
    case .reg:
      var expressions: [RegularExpression] = []
      for name in names { expressions.append(try RegularExpression.compile(name, ignoresCase: false)) }
      return .regexes(expressions)
    case .str, .bin, .found:
      var table = StringTable(folds: false)
      for name in names { _ = table.insert(name) }
      return .strings(table)
    }
  }

  /// What the sample must be for look-ups.
  static func input(_ method: MatchMethod) -> SampleType { method == .len ? .string : method.expects }

  func find(_ sample: Sample, _ context: RuleContext) -> (value: Sample, key: Bytes)? {
    guard let number = number(sample, context) else { return nil }
    return (values[number], names[number])
  }

  /// The index of the line that matches: the longest prefix and network, the first of all other kinds.
  private func number(_ sample: Sample, _ context: RuleContext) -> Int? {
    switch keys {
    case .strings(let table): return table.find(sample.text)
    case .prefixes(let table): return table.longest(sample.text)
    case .suffixes(let table): return table.first(sample.text)
    case .addresses(let table): return sample.address.flatMap(table.find)
    case .integers(let ranges):
      return sample.integer.flatMap { value in ranges.firstIndex { $0.contains(value) } }
    case .substrings(let needles):
      let text = sample.text
      return needles.firstIndex { TextSearch.contains(text, $0, folding: false) }
    case .words(let words, let delimiters):
      let text = sample.text
      return words.firstIndex { TextSearch.containsWord(text, $0, delimiters, folding: false) }
    case .regexes(let expressions):
      let text = sample.text
      return expressions.firstIndex { $0.matches(text.span, &context.regexScratch) }
    }
  }

  /// `map_regm`: the value with its back-references filled in.
  func expand(_ sample: Sample, _ context: RuleContext) -> Sample? {
    guard case .regexes(let expressions) = keys else { return nil }
    let text = sample.text
    for (number, expression) in expressions.enumerated() {
      if let captures = expression.captures(text, &context.regexScratch),
        case .string(let template) = values[number]
      {
        return .string(RegexTemplate.expand(template, text, captures))
      }
    }
    return nil
  }
}

/// Files of patterns and maps: one entry a line, blanks at its ends and comments left out.
enum PatternFile {
  /// Keys with their values; a pattern file's keys are whole lines.
  static func pairs(_ content: Bytes, isMap: Bool) -> [(key: Bytes, value: Bytes?)] {
    lines(content).map { _, line in
      guard isMap else { return (line, nil) }
      var end = 0
      while end < line.count, !ASCII.isBlank(line[end]) { end += 1 }
      return (line.prefix(end), line.dropFirst(end).trimmed)
    }
  }

  static func lines(_ content: Bytes) -> [(number: Int, text: Bytes)] {
    var lines: [(number: Int, text: Bytes)] = []
    var number = 0
    var start = 0
    while start < content.count {
      let end = content.firstIndex(of: ASCII.lf, from: start) ?? content.count
      number += 1
      var line = content[start..<end]
      if line.count > 0, line[line.count - 1] == ASCII.cr { line = line.prefix(line.count - 1) }
      line = line.trimmed
      if !line.isEmpty, line[0] != 0x23 { lines.append((number, line)) }
      start = end + 1
    }
    return lines
  }
}
