public import Base

extension Refusal {
  static func unknownKeyword(_ word: Word, section: String, among known: [String]) -> Refusal {
    unknownKeyword(
      word, section: section, suggestion: Nearest.word(to: word.text, among: known), among: known)
  }

  /// HAProxy's sentence, with its own form of "did you mean".
  static func unknownKeyword(_ word: Word, section: String, suggestion: String?, among known: [String] = [])
    -> Refusal
  {
    let hint = suggestion.map { "; did you mean '\($0)' maybe ?" } ?? ""
    return Refusal(
      "unknown keyword '\(word.text)' in '\(section)' section\(hint)", at: word.location,
      expected: known.isEmpty ? nil : known.oneOf, suggestion: suggestion)
  }

  static func unknownArgument(_ word: Word, of keyword: String, among known: [String]) -> Refusal {
    let suggestion = Nearest.word(to: word.text, among: known)
    let hint = suggestion.map { "; did you mean '\($0)' maybe ?" } ?? ""
    return Refusal(
      "'\(keyword)' : unknown keyword '\(word.text)'\(hint)", at: word.location, expected: known.oneOf,
      suggestion: suggestion)
  }

  static func duplicate(_ message: String, _ word: Word, _ earlier: SourceLocation) -> Refusal {
    var refusal = Refusal(message, at: word.location)
    refusal.diagnostic.related.append((earlier, "first declared here"))
    return refusal
  }

  static func notSupported(_ what: String, _ word: Word) -> Refusal {
    Refusal("\(what) is not supported yet.", at: word.location)
  }
}

/// Names of sections, servers and the like.
enum Name {
  /// Letters, digits, `-`, `_`, `.` and `:`.
  static func firstInvalid(_ name: Bytes) -> Int? {
    (0..<name.count).first { i in
      let c = name[i]
      return !(ASCII.isAlpha(c) || ASCII.isDigit(c) || c == 0x2D || c == 0x2E || c == 0x3A || c == 0x5F)
    }
  }

  /// What is wrong with a `guid`, if anything is; in HAProxy's words.
  static func problem(ofGUID text: String) -> String? {
    let octets = Bytes(text)
    if octets.isEmpty || octets.count > 127 { return "invalid length" }
    return firstInvalid(octets).map { "invalid character '\(octets.dropFirst($0).prefix(1).string)'" }
  }

  static func checkGUID(_ word: Word) throws(Refusal) {
    if let problem = problem(ofGUID: word.text) { throw Refusal("'guid': \(problem)", at: word.location) }
  }

  static func check(_ word: Word, of what: String) throws(Refusal) {
    guard let i = firstInvalid(word.bytes) else { return }
    var place = word.location
    if place.length == word.bytes.count {
      place.column += i
      place.length = 1
    }
    throw Refusal(
      "character '\(Character(UnicodeScalar(word.bytes[i])))' is not permitted in '\(what)' name '\(word.text)'.",
      at: place, expected: "letters, digits, '-', '_', '.' and ':'")
  }
}

extension Word {
  /// The octets between commas.
  public var commaSeparated: [Bytes] {
    var parts: [Bytes] = []
    var start = 0
    while let comma = bytes.firstIndex(of: 0x2C, from: start) {
      parts.append(bytes[start..<comma])
      start = comma + 1
    }
    parts.append(bytes[start..<bytes.count])
    return parts
  }
}
