import Base
import HTTP

/// Turns `fetch(args),converter(args)...` into a `SampleExpression`.
struct ExpressionParser {
  private let text: [UInt8]
  private var index = 0
  private let scope: CompileScope

  init(_ text: Bytes, scope: CompileScope) {
    self.text = text.array
    self.scope = scope
  }

  /// The whole text must be one expression.
  static func parse(_ text: Bytes, scope: CompileScope) throws(RuleError) -> SampleExpression {
    var parser = ExpressionParser(text, scope: scope)
    let name = parser.word()
    guard let entry = SampleKeywords.fetches[name] else { throw unknownFetch(name) }
    return try parser.finish(entry, source: text)
  }

  /// An expression whose fetch is known already under another name (`hdr_beg` is `req.hdr`).
  static func parse(_ text: Bytes, fetch entry: FetchEntry, scope: CompileScope) throws(RuleError)
    -> SampleExpression
  {
    var parser = ExpressionParser(text, scope: scope)
    _ = parser.word()
    return try parser.finish(entry, source: text)
  }

  static func unknownFetch(_ name: String) -> RuleError {
    if let reason = UnsupportedKeywords.reason(fetch: name) { return RuleError(reason) }
    return RuleError(
      "unknown fetch method '\(name)'", suggestion: Suggestions.nearest(name, SampleKeywords.fetches.keys))
  }

  /// The keyword at the start of an expression.
  static func keyword(_ text: Bytes) -> String {
    var end = 0
    while end < text.count, isNameOctet(text[end]) { end += 1 }
    return text.prefix(end).string
  }

  private static func isNameOctet(_ c: UInt8) -> Bool {
    ASCII.isAlpha(c) || ASCII.isDigit(c) || c == 0x2E || c == 0x2D || c == 0x5F || c == 0x2B
  }

  private mutating func word() -> String {
    let start = index
    while index < text.count, ExpressionParser.isNameOctet(text[index]) { index += 1 }
    return String(decoding: text[start..<index], as: UTF8.self)
  }

  private mutating func finish(_ entry: FetchEntry, source: Bytes) throws(RuleError) -> SampleExpression {
    let arguments = try arguments(entry.arguments, check: entry.check, of: "fetch method '\(entry.name)'")
    var type = entry.type
    var steps: [SampleExpression.Step] = []
    while index < text.count {
      guard text[index] == 0x2C else {
        throw RuleError(
          "missing comma after \(steps.isEmpty ? "fetch keyword" : "converter") '\(String(decoding: text[..<index], as: UTF8.self))'"
        )
      }
      index += 1
      if index < text.count, text[index] == 0x2C { continue }
      if index == text.count { break }
      let name = word()
      guard let converter = SampleKeywords.converters[name] else { throw unknownConverter(name) }
      guard type.casts(to: converter.input) else {
        throw RuleError("converter '\(name)' cannot be applied")
      }
      let arguments = try self.arguments(
        converter.arguments, check: converter.check, of: "converter '\(name)'")
      steps.append(.init(input: converter.input, body: converter.body, arguments: arguments))
      if converter.output != .same { type = converter.output }
    }
    return SampleExpression(
      fetch: entry, body: entry.body, each: entry.each, arguments: arguments, steps: steps, type: type,
      text: source.string)
  }

  private func unknownConverter(_ name: String) -> RuleError {
    if let reason = UnsupportedKeywords.reason(converter: name) { return RuleError(reason) }
    return RuleError(
      "unknown converter '\(name)'", suggestion: Suggestions.nearest(name, SampleKeywords.converters.keys))
  }

  // MARK: Arguments

  private mutating func arguments(
    _ grammar: ArgumentGrammar, check: (@Sendable (inout Arguments, CompileScope) throws(RuleError) -> Void)?,
    of keyword: String
  ) throws(RuleError) -> Arguments {
    var words: [Bytes] = []
    if index < text.count, text[index] == 0x28 {
      index += 1
      words = try argumentWords(of: keyword)
      if words.count == 1, words[0].isEmpty, grammar.required == 0 { words = [] }
    }
    // One text that must be there may be empty, parentheses and all.
    if words.isEmpty, grammar.required == 1, grammar.types[0] == .string || grammar.types[0] == .headerName {
      words = [.empty]
    }
    guard words.count <= grammar.types.count else {
      throw RuleError(
        grammar.types.isEmpty
          ? "\(keyword) does not support any args"
          : "\(keyword) supports at most \(grammar.types.count) arguments, got \(words.count)",
        expected: "\(grammar.listing)")
    }
    // A proxy that is not named is the one that the expression stands in.
    let isImplied =
      words.count < grammar.types.count
      && [.backend, .frontend, .table].contains(grammar.types[words.count])
    guard words.count >= grammar.required || isImplied else {
      throw RuleError(
        "missing args for \(keyword) (got \(words.count)/\(grammar.types.count) args), at least \(grammar.required) required",
        expected: grammar.listing)
    }
    var arguments = Arguments()
    for (place, word) in words.enumerated() {
      arguments.list.append(
        try ArgumentCheck.convert(
          word, grammar.types[place], isRequired: place < grammar.required, keyword: keyword, place: place,
          scope))
    }
    for place in words.count..<max(words.count, grammar.types.count) {
      arguments.list.append(
        try ArgumentCheck.standIn(grammar.types[place], isRequired: place < grammar.required, scope))
    }
    while case .none? = arguments.list.last { arguments.list.removeLast() }
    try check?(&arguments, scope)
    return arguments
  }

  private mutating func argumentWords(of keyword: String) throws(RuleError) -> [Bytes] {
    var words: [Bytes] = []
    var current: [UInt8] = []
    var quote: UInt8 = 0
    while index < text.count {
      let c = text[index]
      index += 1
      switch c {
      case 0x22 where quote != 0x27, 0x27 where quote != 0x22: quote = quote == 0 ? c : 0
      case 0x5C where quote != 0x27 && index < text.count:
        let next = text[index]
        switch next {
        case 0x5C, 0x20, 0x22, 0x27: current.append(next)
        case 0x72: current.append(ASCII.cr)
        case 0x6E: current.append(ASCII.lf)
        case 0x74: current.append(ASCII.tab)
        default:
          // A lone backslash: what follows keeps its meaning.
          current.append(c)
          continue
        }
        index += 1
      case 0x2C where quote == 0:
        words.append(Bytes(current))
        current = []
      case 0x29 where quote == 0:
        words.append(Bytes(current))
        return words
      default: current.append(c)
      }
    }
    throw RuleError("expected ')' before end of the arguments of \(keyword)")
  }
}
