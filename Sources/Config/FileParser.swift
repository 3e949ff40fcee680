import Base

/// Reads one file line by line: words, conditional blocks, sections.
final class FileParser {
  /// More errors than this in one file are not worth reading.
  static let errorLimit = 1000

  private let text: [UInt8]
  private let name: String
  private let context: LoadContext
  private var section: (any Section)?
  private var conditions = ConditionalBlocks()

  init(text: [UInt8], name: String, context: LoadContext) {
    self.text = text
    self.name = name
    self.context = context
  }

  func parse() {
    context.file = name
    context.line = 0
    context.sources[name] = text
    var start = 0
    var errors = 0
    while start < text.count {
      var end = start
      while end < text.count, text[end] != ASCII.lf { end += 1 }
      context.line += 1
      if let nul = text[start..<end].firstIndex(of: 0) {
        report(
          Refusal("Stray NUL character at position \(nul - start + 1).", at: place(nul, lineStart: start)))
        break
      }
      do throws(Refusal) {
        try parseLine(start..<end)
      } catch {
        report(error)
        errors += 1
        if errors >= FileParser.errorLimit { break }
      }
      if end == text.count {
        report(
          Refusal(
            "Missing LF on last line, file might have been truncated at position \(end - start + 1).",
            at: place(end, lineStart: start), expected: "a line feed at the end of the last line"))
      }
      start = end + 1
    }
    section?.finish(context)
    section = nil
    if conditions.isOpen { report(Refusal("non-terminated '.if' block.", at: context.here)) }
    context.sectionName = ""
  }

  private func report(_ refusal: Refusal) { context.diagnostics.add(refusal.diagnostic) }

  private func place(_ offset: Int, lineStart: Int) -> SourceLocation {
    SourceLocation(file: name, line: context.line, column: offset - lineStart + 1, length: 1)
  }

  private func parseLine(_ range: Range<Int>) throws(Refusal) {
    var lexer = Lexer(text: text, line: range)
    var words: [Word]
    do throws(LexicalError) {
      words = try lexer.words(in: context.scope)
    } catch {
      // A block that is not taken may hold anything.
      if conditions.isSkipping { return }
      throw Refusal(error, at: place(error.offset, lineStart: range.lowerBound))
    }
    guard let first = words.first, !first.bytes.isEmpty || !conditions.isSkipping else { return }
    if first.bytes.count > 0, first.bytes[0] == UInt8(ascii: ".") {
      return try Macro(words: words, context: context).run(&conditions)
    }
    if conditions.isSkipping { return }
    if first.bytes.isEmpty {
      context.diagnostics.advice("a line that starts with an empty word is ignored.", at: first.location)
      return
    }
    if let empty = words.first(where: \.bytes.isEmpty) {
      throw Refusal(
        "argument at position \(empty.location.column) is empty and marks the end of the argument list.",
        at: empty.location, expected: "a value; an unset variable gives none, see ${NAME-default}")
    }
    context.prefix = .none
    if words.count > 1, first.text == "no" || first.text == "default" {
      context.prefix = first.text == "no" ? .no : .byDefault
      words.removeFirst()
      try FileParser.checkPrefix(words[0], prefix: first)
    }
    try dispatch(Directive(words: words, location: words[0].location.wholeLine))
  }

  private static let prefixable: Set<String> = [
    "option", "log", "busy-polling", "set-dumpable", "strict-limits", "insecure-fork-wanted",
    "numa-cpu-mapping",
  ]

  private static func checkPrefix(_ word: Word, prefix: Word) throws(Refusal) {
    guard !prefixable.contains(word.text) else { return }
    throw Refusal(
      "negation/default currently supported only for options, log, busy-polling, set-dumpable, strict-limits, "
        + "insecure-fork-wanted and numa-cpu-mapping.", at: prefix.location,
      expected: "a keyword that may be negated behind '\(prefix.text)'")
  }

  private func dispatch(_ line: Directive) throws(Refusal) {
    if let kind = SectionKind.table[line.keyword] {
      section?.finish(context)
      section = nil
      context.sectionName = line.words.count > 1 ? line.words[1].text : line.keyword
      section = IgnoredSection()
      section = try kind.open(Arguments(line), context)
      return
    }
    guard section != nil else {
      let suggestion = Nearest.word(to: line.keyword, among: SectionKind.table.keys)
      throw Refusal(
        "unknown keyword '\(line.keyword)' out of section.", at: line.words[0].location,
        expected: "a section such as global, defaults, frontend, backend or listen", suggestion: suggestion)
    }
    try section?.parse(line, context)
  }
}

extension SourceLocation {
  /// The same line without a column.
  var wholeLine: SourceLocation { SourceLocation(file: file, line: line) }
}

extension Refusal {
  init(_ error: LexicalError, at place: SourceLocation) {
    let what: String
    let expected: String
    switch error.reason {
    case .unmatchedQuote:
      what = "unmatched quote"
      expected = "a closing quote on the same line"
    case .unmatchedBrace:
      what = "unmatched brace in environment variable name"
      expected = "'}' behind the variable's name"
    case .variableName:
      what = "forbidden first char in environment variable name"
      expected = "a letter, '_' or '.'"
    case .hexadecimal:
      what = "truncated or invalid hexadecimal sequence"
      expected = "two hexadecimal digits behind '\\x'"
    case .wordExpansion:
      what = "truncated or invalid word expansion sequence"
      expected = "'[*]' behind the variable's name"
    }
    self.init("\(what) at position \(place.column):", at: place, expected: expected)
  }
}
