import Base

/// Why a line could not be cut into words (manual chapter 2.2 and 2.3).
struct LexicalError: Error {
  enum Reason {
    case unmatchedQuote, unmatchedBrace, variableName, hexadecimal, wordExpansion
  }
  var reason: Reason
  /// Offset of the offending octet in the text.
  var offset: Int
}

/// Where the lexer finds the values of variables.
struct VariableScope {
  var environment: [String: String]
  var file: String
  var line: Int
  var section: String

  /// Values of `.FILE`, `.LINE` and `.SECTION`; nil for any other name with a dot.
  func pseudoVariable(_ name: String) -> String? {
    switch name {
    case ".FILE": file
    case ".LINE": String(line)
    case ".SECTION": section
    default: nil
    }
  }
}

/// Cuts one line into words: quotes, escapes and variables as in chapter 2.2 and 2.3 of the manual.
///
/// The decoded octets of all words of a line share one array. A word keeps the column and length
/// that it had in the line as written.
struct Lexer {
  private let text: [UInt8]
  private let lineStart: Int
  private let end: Int
  private var at: Int
  private var out: [UInt8] = []
  private var pieces: [(decoded: Range<Int>, source: Range<Int>)] = []
  private var wordStart = 0
  private var sourceStart = 0
  private var inWord = false
  private var strong = false
  private var weak = false
  private var quoteAt = 0
  /// Quotes with nothing between them make an empty word, unless an array variable was in them.
  private var quotesMakeWord = false

  init(text: [UInt8], line: Range<Int>) {
    self.text = text
    let bounds = line.clamped(to: 0..<text.count)
    lineStart = bounds.lowerBound
    end = bounds.upperBound
    at = bounds.lowerBound
  }

  /// The words of the line; none when it is blank or a comment.
  mutating func words(in scope: borrowing VariableScope) throws(LexicalError) -> [Word] {
    skipBlanks()
    guard at < end, text[at] != UInt8(ascii: "#") else { return [] }
    out.reserveCapacity(end - at)
    while at < end { if try !step(scope) { break } }
    if inWord { closeWord(sourceEnd: at) }
    if strong || weak { throw LexicalError(reason: .unmatchedQuote, offset: quoteAt) }
    return pieces.map { piece in
      Word(
        Bytes(out, in: piece.decoded),
        at: SourceLocation(
          file: scope.file, line: scope.line, column: piece.source.lowerBound - lineStart + 1,
          length: piece.source.count))
    }
  }

  /// Handles what stands at `at`; false at the end of what matters.
  private mutating func step(_ scope: borrowing VariableScope) throws(LexicalError) -> Bool {
    let c = text[at]
    if Lexer.isPlain(c) {
      if !inWord { openWord() }
      let start = at
      repeat { at += 1 } while at < end && Lexer.isPlain(text[at])
      out.append(contentsOf: text[start..<at])
      return true
    }
    switch c {
    case ASCII.lf, ASCII.cr: return false
    case UInt8(ascii: "#") where !strong && !weak: return false
    case UInt8(ascii: "\"") where !strong: toggleQuote(isStrong: false)
    case UInt8(ascii: "'") where !weak: toggleQuote(isStrong: true)
    case UInt8(ascii: "\\") where !strong: try escape()
    case UInt8(ascii: "$") where weak: try variable(scope)
    case ASCII.space, ASCII.tab, 0x0B, 0x0C:
      if strong || weak {
        emit(c)
        at += 1
      } else {
        if inWord { closeWord(sourceEnd: at) }
        skipBlanks()
      }
    default:
      emit(c)
      at += 1
    }
    return true
  }

  /// Octets that mean themselves wherever they stand.
  private static func isPlain(_ c: UInt8) -> Bool { c > UInt8(ascii: "-") && c != UInt8(ascii: "\\") }

  private mutating func skipBlanks() {
    while at < end, Lexer.isSpace(text[at]) { at += 1 }
  }

  private static func isSpace(_ c: UInt8) -> Bool { c == ASCII.space || (c >= 0x09 && c <= 0x0D) }

  private mutating func emit(_ c: UInt8) {
    if !inWord { openWord() }
    out.append(c)
  }

  private mutating func openWord() {
    inWord = true
    wordStart = out.count
    if !strong, !weak { sourceStart = at } else { sourceStart = quoteAt }
  }

  private mutating func closeWord(sourceEnd: Int) {
    inWord = false
    pieces.append((wordStart..<out.count, sourceStart..<max(sourceStart, sourceEnd)))
  }

  private mutating func toggleQuote(isStrong: Bool) {
    if isStrong ? strong : weak {
      if quotesMakeWord, !inWord { openWord() }
    } else {
      quoteAt = at
      quotesMakeWord = true
    }
    if isStrong { strong.toggle() } else { weak.toggle() }
    at += 1
  }

  private mutating func escape() throws(LexicalError) {
    let next = at + 1 < end ? text[at + 1] : 0
    switch next {
    case UInt8(ascii: "t"): emitEscape(ASCII.tab)
    case UInt8(ascii: "n"): emitEscape(ASCII.lf)
    case UInt8(ascii: "r"): emitEscape(ASCII.cr)
    case ASCII.space, UInt8(ascii: "\\"), UInt8(ascii: "#"), UInt8(ascii: "'"), UInt8(ascii: "\""):
      emitEscape(next)
    case UInt8(ascii: "$") where weak: emitEscape(next)
    case UInt8(ascii: "x"):
      guard at + 3 < end, let high = ASCII.hexValue(text[at + 2]), let low = ASCII.hexValue(text[at + 3])
      else { throw LexicalError(reason: .hexadecimal, offset: at) }
      emit(high << 4 | low)
      at += 4
    default:
      emit(UInt8(ascii: "\\"))
      at += 1
    }
  }

  private mutating func emitEscape(_ c: UInt8) {
    emit(c)
    at += 2
  }

  /// `$NAME`, `${NAME}`, `${NAME-default}`, `${NAME[*]}` inside double quotes.
  private mutating func variable(_ scope: borrowing VariableScope) throws(LexicalError) {
    let dollar = at
    at += 1
    let braced = at < end && text[at] == UInt8(ascii: "{")
    let brace = at
    if braced { at += 1 }
    let nameStart = at
    guard at < end, ASCII.isAlpha(text[at]) || text[at] == UInt8(ascii: "_") || text[at] == UInt8(ascii: ".")
    else { throw LexicalError(reason: .variableName, offset: min(at, end)) }
    at += 1
    while at < end, Lexer.isNameOctet(text[at]) { at += 1 }
    let name = String(decoding: text[nameStart..<at], as: UTF8.self)
    var value: [UInt8]?
    if name.hasPrefix(".") {
      guard let pseudo = scope.pseudoVariable(name) else {
        throw LexicalError(reason: .variableName, offset: nameStart)
      }
      value = Array(pseudo.utf8)
    } else if let known = scope.environment[name] {
      value = Array(known.utf8)
    }
    var isArray = false
    if braced {
      isArray = try arrayMark()
      try defaultValue(&value, brace: brace)
    }
    if isArray { quotesMakeWord = false }
    expand(value, asArray: isArray, from: dollar)
  }

  private static func isNameOctet(_ c: UInt8) -> Bool {
    ASCII.isAlpha(c) || ASCII.isDigit(c) || c == UInt8(ascii: "_")
  }

  private mutating func arrayMark() throws(LexicalError) -> Bool {
    guard at < end, text[at] == UInt8(ascii: "[") else { return false }
    guard at + 2 < end, text[at + 1] == UInt8(ascii: "*"), text[at + 2] == UInt8(ascii: "]") else {
      throw LexicalError(reason: .wordExpansion, offset: at)
    }
    at += 3
    return true
  }

  private mutating func defaultValue(_ value: inout [UInt8]?, brace: Int) throws(LexicalError) {
    if at < end, text[at] == UInt8(ascii: "-") {
      let start = at + 1
      while at < end, text[at] != UInt8(ascii: "}") { at += 1 }
      guard at < end else { throw LexicalError(reason: .unmatchedBrace, offset: brace) }
      if value == nil { value = Array(text[start..<at]) }
    }
    guard at < end, text[at] == UInt8(ascii: "}") else {
      throw LexicalError(reason: .unmatchedBrace, offset: brace)
    }
    at += 1
  }

  private mutating func expand(_ value: [UInt8]?, asArray: Bool, from dollar: Int) {
    guard let value else {
      if !asArray, !inWord { openWord() }
      return
    }
    for c in value {
      if asArray, Lexer.isSpace(c) {
        if inWord { closeWord(sourceEnd: at) }
      } else {
        if !inWord {
          openWord()
          if asArray { sourceStart = dollar }
        }
        out.append(c)
      }
    }
    if value.isEmpty, !asArray, !inWord { openWord() }
  }
}
