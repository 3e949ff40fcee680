import Base
import Config

/// Turns a criterion, its flags and values into an `ACLExpression`.
struct ACLParser {
  private let scope: CompileScope
  private var words: ArraySlice<Word>
  private var isFolded = false
  private var named: MatchMethod?
  private var isMap = false
  private var files: [String] = []
  /// `-u`: the number under which the runtime API knows the patterns.
  private var id: Int?
  private var hasSeparator = false

  static func expression(_ words: [Word], scope: CompileScope) throws(RuleError) -> ACLExpression {
    guard var first = words.first else { throw RuleError("missing criterion in ACL expression") }
    var words = words
    // A comma at the end of a word: the next converter stands in the next word.
    while first.bytes.count > 0, first.bytes[first.bytes.count - 1] == 0x2C, words.count > 1 {
      first = Word(Bytes(first.bytes.array + words[1].bytes.array), at: first.location)
      words.remove(at: 0)
      words[0] = first
    }
    let keyword = ExpressionParser.keyword(first.bytes)
    let derivative = ACLKeywords.derivatives[keyword]
    let sample: SampleExpression
    if let derivative, let fetch = SampleKeywords.fetches[derivative.fetch] {
      sample = try ExpressionParser.parse(first.bytes, fetch: fetch, scope: scope)
    } else if let fetch = SampleKeywords.fetches[keyword] {
      sample = try ExpressionParser.parse(first.bytes, fetch: fetch, scope: scope)
    } else {
      if let reason = UnsupportedKeywords.reason(fetch: keyword) { throw RuleError(reason) }
      throw RuleError(
        "unknown fetch method '\(keyword)' in ACL expression '\(first.text)'",
        suggestion: Suggestions.nearest(
          keyword, Array(SampleKeywords.fetches.keys) + Array(ACLKeywords.derivatives.keys)))
    }
    var parser = ACLParser(scope: scope, words: words.dropFirst())
    // A converter behind the criterion takes the place of its own method.
    let ownMethod =
      first.bytes.firstIndex(of: 0x2C) == nil || derivative?.method != .str ? derivative?.method : nil
    return try parser.finish(sample, keyword, ownMethod ?? derivative?.method)
  }

  private mutating func finish(
    _ sample: SampleExpression, _ keyword: String, _ derived: MatchMethod?
  ) throws(RuleError) -> ACLExpression {
    try readFlags(keyword)
    let standard = MatchMethod.standard(for: sample.type)
    let method: MatchMethod
    if let named {
      method = named
    } else if let derived, derived != .str || sample.type.casts(to: .string) && standard == .str {
      method = derived
    } else if let chosen = standard ?? derived {
      method = chosen
    } else {
      throw RuleError(
        "matching method must be specified first (using '-m') when using a sample fetch of this type ('\(keyword)')",
        expected:
          "-m str, -m beg, -m end, -m sub, -m reg, -m dir, -m dom, -m len, -m ip, -m int, -m bool, -m bin or -m found"
      )
    }
    guard sample.type.casts(to: method.expects) else {
      throw RuleError("matching method '\(method.rawValue)' cannot be used with fetch keyword '\(keyword)'")
    }
    if words.isEmpty, files.isEmpty, !hasSeparator, id == nil, method != .found, method != .bool,
      sample.type != .bool
    {
      scope.diagnostics.warning(
        "parsing acl keyword '\(sample.text)' : no pattern to match against were provided, so this ACL will never match. If this is what you intended, please add '--' to get rid of this warning. If you intended to match only for existence, please use '-m found'. If you wanted to force an int to match as a bool, please use '-m bool'",
        at: scope.lineAtHand)
    }
    let patterns = try PatternSet(
      try references(keyword, method), PatternBuilder(method, isFolded, keyword), scope.shared.patterns)
    return ACLExpression(
      sample: sample, patterns: patterns, keyword: keyword,
      key: "\(sample.text) \(method.rawValue) \(isFolded)")
  }

  private mutating func readFlags(_ keyword: String) throws(RuleError) {
    while let word = words.first, word.text.hasPrefix("-"), word.text.count > 1 {
      // A negative number is a value.
      if word.bytes.count > 1, ASCII.isDigit(word.bytes[1]) { return }
      words = words.dropFirst()
      switch word.text {
      case "-i": isFolded = true
      case "-n": continue
      case "-M": isMap = true
      case "-u":
        guard let word = words.first, let number = Int32(word.text), number >= 0 else {
          throw RuleError("the argument of -u must be an integer")
        }
        id = Int(number)
        words = words.dropFirst()
      case "-f", "-F":
        guard let file = words.first else { throw RuleError("missing file name behind '\(word.text)'") }
        files.append(file.text)
        words = words.dropFirst()
      case "-m":
        guard files.isEmpty else {
          throw RuleError("'-m' must only be specified before patterns and files in parsing ACL expression")
        }
        guard let name = words.first, let method = MatchMethod(rawValue: name.text) else {
          throw RuleError(
            "unknown matching method '\(words.first?.text ?? "")' when parsing ACL expression",
            suggestion: Suggestions.nearest(words.first?.text ?? "", MatchMethod.allCases.map(\.rawValue)))
        }
        named = method
        words = words.dropFirst()
      case "--":
        hasSeparator = true
        return
      default:
        throw RuleError(
          "'\(word.text)' is not a valid ACL option. Please use '--' before any pattern beginning with a '-'",
          suggestion: Suggestions.nearest(word.text, ["-i", "-f", "-m", "-n", "-u", "-M", "--"]))
      }
    }
  }

  /// The files, then the words of the line.
  private func references(_ keyword: String, _ method: MatchMethod) throws(RuleError) -> [PatternReference] {
    var list: [PatternReference] = []
    for file in files { list.append(try scope.patterns(file, isMap: isMap)) }
    if isMap { for reference in list { reference.use(isMap: false) } }
    let place = scope.lineAtHand
    let inline = PatternReference(
      name: "", description: "acl '\(keyword)' file '\(place.file)' line \(place.line)",
      source: .words(words.map(\.bytes)), id: id, place: place)
    inline.use(isMap: false)
    scope.shared.patterns.add(inline)
    list.append(inline)
    return list
  }
}

/// Turns pattern words into a matcher.
struct PatternBuilder: Sendable {
  let method: MatchMethod
  let isFolded: Bool
  private let keyword: String

  init(_ method: MatchMethod, _ isFolded: Bool, _ keyword: String) {
    self.method = method
    self.isFolded = isFolded
    self.keyword = keyword
  }

  func matcher(_ all: [Bytes]) throws(RuleError) -> PatternMatcher {
    PatternMatcher(try kind(all), isFolded: isFolded)
  }

  private func kind(_ all: [Bytes]) throws(RuleError) -> PatternMatcher.Kind {
    switch method {
    case .found: return .found
    case .bool: return .bool
    case .int:
      if all.isEmpty { return .integers(IntegerRanges()) }
      return .integers(try ranges(all))
    case .len: return .lengths(try ranges(all))
    case .ip: return .addresses(try addresses(all))
    case .str: return .strings(strings(all))
    case .bin:
      var octets: [Bytes] = []
      for text in all {
        guard let decoded = HexText.decode(text) else {
          throw RuleError("'\(text.string)' is not a hexadecimal string")
        }
        octets.append(Bytes(decoded))
      }
      return .octets(strings(octets))
    case .beg: return .prefixes(AffixTable(all, isSuffix: false, folds: isFolded))
    case .end: return .suffixes(AffixTable(all, isSuffix: true, folds: isFolded))
    case .sub: return .substrings(all)
    case .dir: return .words(all, .directory)
    case .dom: return .words(all, .domain)
    case .reg:
      var expressions: [RegularExpression] = []
      for text in all { expressions.append(try RegularExpression.compile(text, ignoresCase: isFolded)) }
      return .regexes(expressions)
    }
  }

  private func strings(_ all: [Bytes]) -> StringTable {
    var table = StringTable(folds: isFolded)
    for text in all { _ = table.insert(text) }
    return table
  }

  private func addresses(_ all: [Bytes]) throws(RuleError) -> AddressTable {
    var networks: [IPNetwork] = []
    for text in all {
      guard let network = IPNetwork(text.string) else {
        throw RuleError("'\(text.string)' is not a valid IPv4 or IPv6 address")
      }
      networks.append(network)
    }
    return AddressTable(networks)
  }

  private func ranges(_ all: [Bytes]) throws(RuleError) -> IntegerRanges {
    var set = IntegerRanges()
    var comparison: String?
    for text in all.map(\.string) {
      if ["eq", "gt", "ge", "lt", "le"].contains(text) {
        comparison = text
        continue
      }
      // Ranges stand for themselves whatever the operator.
      if let comparison, !text.contains(where: IntegerRanges.isSeparator) {
        guard let value = dotted(text) else {
          throw RuleError("'\(text)' is neither a number nor a supported operator")
        }
        // "greater than the greatest" is no range at all.
        if let range = IntegerRanges.range(operator: comparison, value) { set.insert(range) }
        continue
      }
      if let range = dottedRange(text) ?? (keyword.contains("ssl_ver") ? nil : IntegerRanges.range(text)) {
        set.insert(range)
      } else {
        throw RuleError("'\(text)' is neither a number nor a supported operator")
      }
    }
    return set
  }

  /// `3.1` is a TLS version where the criterion asks for one.
  private func dotted(_ text: String) -> Int64? {
    if let value = Numbers.integer(text) { return keyword.contains("ssl_ver") ? value << 16 : value }
    let parts = text.split(separator: ".", omittingEmptySubsequences: false)
    guard keyword.contains("ssl_ver"), parts.count == 2, let major = Int64(parts[0]),
      let minor = Int64(parts[1]),
      (0..<65536).contains(major), (0..<65536).contains(minor)
    else { return nil }
    return major << 16 | minor
  }

  private func dottedRange(_ text: String) -> ClosedRange<Int64>? {
    guard keyword.contains("ssl_ver") else { return nil }
    if let value = dotted(text) { return value...value }
    let parts = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
    if parts.count == 2, parts[1].isEmpty, let low = dotted(parts[0]) { return low...Int64.max }
    if parts.count == 2, parts[0].isEmpty, let high = dotted(parts[1]) { return Int64.min...high }
    guard parts.count == 2, let low = dotted(parts[0]), let high = dotted(parts[1]), low <= high else {
      return nil
    }
    return low...high
  }
}
