public import Base

/// Why a keyword refused its line; becomes one diagnostic.
public struct Refusal: Error {
  public var diagnostic: Diagnostic

  public init(
    _ message: String, at location: SourceLocation, expected: String? = nil, suggestion: String? = nil,
    replacement: String? = nil
  ) {
    diagnostic = Diagnostic(
      .alert, at: location, message, expected: expected, suggestion: suggestion, replacement: replacement)
  }

  public init(_ diagnostic: Diagnostic) { self.diagnostic = diagnostic }
}

/// A cursor over the words of one line, behind its keyword.
public struct Arguments {
  public let line: Directive
  /// Words that make up the keyword, such as `timeout client`.
  public private(set) var keyword: String
  public private(set) var position: Int

  public init(_ line: Directive, keywordWords: Int = 1) {
    self.line = line
    position = min(keywordWords, line.words.count)
    keyword =
      keywordWords == 1
      ? line.keyword : line.words.prefix(keywordWords).map(\.text).joined(separator: " ")
  }

  /// The same line with `count` more words counted as its keyword.
  public func entering(_ count: Int = 1) -> Arguments {
    Arguments(line, keywordWords: position + count)
  }

  public var isAtEnd: Bool { position >= line.words.count }
  public var peek: Word? { isAtEnd ? nil : line.words[position] }

  @discardableResult
  public mutating func next() -> Word? {
    guard !isAtEnd else { return nil }
    defer { position += 1 }
    return line.words[position]
  }

  /// Takes the next word when it is `text`.
  public mutating func take(_ text: String) -> Bool {
    guard let word = peek, word.text == text else { return false }
    position += 1
    return true
  }

  /// All words that are left.
  public mutating func rest() -> [Word] {
    defer { position = line.words.count }
    return Array(line.words[position...])
  }

  /// Just behind the last word, for "something is missing here".
  public var endLocation: SourceLocation {
    guard let last = line.words.last else { return line.location }
    var place = last.location
    place.column += place.length
    place.length = 1
    return place
  }

  /// The next word, or a refusal that names what is missing.
  public mutating func required(_ what: String) throws(Refusal) -> Word {
    guard let word = next() else {
      throw Refusal("'\(keyword)' expects \(what) as argument.", at: endLocation, expected: what)
    }
    return word
  }

  /// Refuses a line that ends here.
  func requireMore(_ what: String) throws(Refusal) {
    if isAtEnd { throw Refusal("'\(keyword)' expects \(what) as argument.", at: endLocation, expected: what) }
  }

  /// Refuses words that are left over.
  public func end() throws(Refusal) {
    guard let extra = peek else { return }
    throw Refusal(
      "'\(keyword)' cannot handle unexpected argument '\(extra.text)'.", at: extra.location,
      expected: "the end of the line")
  }

  public mutating func integer(_ what: String = "an integer", in range: ClosedRange<Int> = 0...Int(Int32.max))
    throws(Refusal) -> Int
  {
    let word = try required(what)
    return try Arguments.integer(word, keyword: keyword, in: range)
  }

  static func integer(_ word: Word, keyword: String, in range: ClosedRange<Int>) throws(Refusal) -> Int {
    guard let value = Int(word.text) else {
      throw Refusal(
        "cannot parse '\(keyword)' value '\(word.text)', an integer is expected.", at: word.location,
        expected: "an integer")
    }
    guard range.contains(value) else {
      throw Refusal(
        "'\(keyword)' value \(word.text) is out of range.", at: word.location,
        expected: "an integer from \(range.lowerBound) to \(range.upperBound)")
    }
    return value
  }

  /// A time with its unit (manual chapter 2.6); without one in `unit`.
  public mutating func time(unit: Timespan = .milliseconds(1)) throws(Refusal) -> Timespan {
    let word = try required("a time value")
    return try Arguments.time(word, keyword: keyword, unit: unit)
  }

  static func time(_ word: Word, keyword: String, unit: Timespan = .milliseconds(1)) throws(Refusal)
    -> Timespan
  {
    switch Quantity.time(word.bytes.span, defaultUnit: unit) {
    case .value(let span): return span
    case .overflow:
      throw Refusal(
        "timer overflow in argument '\(word.text)' to '\(keyword)' (maximum value is 2147483647 ms or ~24.8 days).",
        at: word.location, expected: "a shorter time")
    case .underflow:
      throw Refusal(
        "timer underflow in argument '\(word.text)' to '\(keyword)' (minimum non-null value is 1 ms).",
        at: word.location, expected: "0 or at least 1 ms")
    case .unexpected(let octet):
      throw Refusal(
        "unexpected character '\(Character(UnicodeScalar(octet)))' in argument '\(word.text)' to '\(keyword)'.",
        at: word.location, expected: "a number followed by us, ms, s, m, h or d")
    }
  }

  /// A size with an optional k, m or g (manual chapter 2.7), in octets.
  public mutating func size(_ what: String = "a size") throws(Refusal) -> Int {
    let word = try required(what)
    guard let value = Quantity.size(word.bytes.span) else {
      throw Refusal(
        "'\(keyword)' expects a size, not '\(word.text)'.", at: word.location,
        expected: "a number followed by nothing, k, m or g")
    }
    return value
  }

  /// The next word as one of `choices`.
  public mutating func choice<T: RawRepresentable & CaseIterable>(_ what: String, _ type: T.Type)
    throws(Refusal) -> T where T.RawValue == String
  {
    let word = try required(what)
    if let value = T(rawValue: word.text) { return value }
    let names = T.allCases.map(\.rawValue)
    throw Refusal(
      "'\(keyword)' does not know '\(word.text)'.", at: word.location, expected: names.oneOf,
      suggestion: Nearest.word(to: word.text, among: names))
  }

  /// `on` or `off`.
  public mutating func onOff() throws(Refusal) -> Bool {
    let word = try required("'on' or 'off'")
    switch word.text {
    case "on": return true
    case "off": return false
    default:
      throw Refusal("'\(keyword)' expects 'on' or 'off'.", at: word.location, expected: "'on' or 'off'")
    }
  }
}

extension [String] {
  /// "'a', 'b' or 'c'".
  var oneOf: String {
    guard let last else { return "" }
    if count == 1 { return "'\(last)'" }
    return dropLast().map { "'\($0)'" }.joined(separator: ", ") + " or '\(last)'"
  }
}
