import Base

/// The expression of `.if`, `.elif` and `-cc`: predicates, integers, `!`, `&&`, `||` and parentheses
/// (manual chapter 2.4).
public struct Condition {
  /// What is wrong with an expression and where in it.
  public struct Failure: Error {
    public var message: String
    /// Offset in octets from the start of the expression.
    public var position: Int
    public var expected: String?
    public var suggestion: String?
  }

  /// Nested parentheses and negations are bounded so that hostile text cannot exhaust the stack.
  static let depthLimit = 200

  private let text: [UInt8]
  private let environment: [String: String]

  public init(_ text: String, environment: [String: String]) {
    self.text = Array(text.utf8)
    self.environment = environment
  }

  /// Variables in double quotes are replaced first, as on a line of a configuration file.
  public init(expanding text: String, environment: [String: String]) {
    let octets = Array(text.utf8)
    var out: [UInt8] = []
    var isStrong = false
    var isWeak = false
    var at = 0
    while at < octets.count {
      let c = octets[at]
      if c == 0x27, !isWeak { isStrong.toggle() }
      if c == 0x22, !isStrong { isWeak.toggle() }
      guard c == 0x24, isWeak else {
        out.append(c)
        at += 1
        continue
      }
      var start = at + 1
      let isBraced = start < octets.count && octets[start] == 0x7B
      if isBraced { start += 1 }
      let end =
        octets[start...].firstIndex { !(ASCII.isAlpha($0) || ASCII.isDigit($0) || $0 == 0x5F) }
        ?? octets.count
      out += Array((environment[String(decoding: octets[start..<end], as: UTF8.self)] ?? "").utf8)
      at = isBraced && end < octets.count && octets[end] == 0x7D ? end + 1 : end
    }
    self.init(String(decoding: out, as: UTF8.self), environment: environment)
  }

  /// Whether the expression holds; an empty one does not.
  public func evaluate() throws(Failure) -> Bool {
    var at = 0
    skipBlanks(&at)
    if at == text.count { return false }
    let value = try anyOf(&at, depth: 0)
    skipBlanks(&at)
    if at < text.count {
      throw Failure(
        message: "unexpected character at the end of expression", position: at,
        expected: "'&&', '||' or the end of the line")
    }
    return value
  }

  private func skipBlanks(_ at: inout Int) {
    while at < text.count, text[at] == 0x20 || text[at] == 0x09 { at += 1 }
  }

  private func take(_ operator: StaticString, _ at: inout Int) -> Bool {
    skipBlanks(&at)
    let length = `operator`.utf8CodeUnitCount
    guard at + length <= text.count else { return false }
    let matches = `operator`.withUTF8Buffer { $0.elementsEqual(text[at..<(at + length)]) }
    if matches { at += length }
    return matches
  }

  private func anyOf(_ at: inout Int, depth: Int) throws(Failure) -> Bool {
    var value = try allOf(&at, depth: depth)
    while take("||", &at) {
      let right = try allOf(&at, depth: depth)
      value = value || right
    }
    return value
  }

  private func allOf(_ at: inout Int, depth: Int) throws(Failure) -> Bool {
    var value = try term(&at, depth: depth)
    while take("&&", &at) {
      let right = try term(&at, depth: depth)
      value = value && right
    }
    return value
  }

  private func term(_ at: inout Int, depth: Int) throws(Failure) -> Bool {
    if depth > Condition.depthLimit { throw Failure(message: "expression nested too deeply", position: at) }
    if take("!", &at) { return try !term(&at, depth: depth + 1) }
    if take("(", &at) {
      let start = at - 1
      let value = try anyOf(&at, depth: depth + 1)
      guard take(")", &at) else {
        throw Failure(message: "missing closing parenthesis", position: start, expected: "')'")
      }
      return value
    }
    skipBlanks(&at)
    let start = at
    while at < text.count, isWord(text[at]) { at += 1 }
    let word = String(decoding: text[start..<at], as: UTF8.self)
    if let number = Int(word) { return number != 0 }
    guard !word.isEmpty, at < text.count, text[at] == UInt8(ascii: "(") else {
      throw unknown(word, start)
    }
    let arguments = try arguments(&at)
    guard let predicate = Predicate.table[word] else { throw unknown(word, start) }
    guard arguments.count == predicate.arity else {
      throw Failure(
        message: "'\(word)' takes \(predicate.arity) argument(s), not \(arguments.count)", position: start)
    }
    return try predicate.holds(arguments.map(\.text), environment, arguments.first?.position ?? start)
  }

  private func isWord(_ c: UInt8) -> Bool {
    (c | 0x20) &- 0x61 < 26 || c &- 0x30 < 10 || c == UInt8(ascii: "_") || c == UInt8(ascii: "-")
  }

  private func unknown(_ word: String, _ position: Int) -> Failure {
    let names = Predicate.table.keys.sorted()
    return Failure(
      message: word.isEmpty
        ? "missing conditional expression" : "unparsable conditional expression '\(word)'",
      position: position, expected: "an integer or one of \(names.oneOf), with its arguments in parentheses",
      suggestion: Nearest.word(to: word, among: names))
  }

  /// Comma-separated arguments in parentheses; quotes inside them are taken off.
  private func arguments(_ at: inout Int) throws(Failure) -> [(text: String, position: Int)] {
    let open = at
    at += 1
    var result: [(text: String, position: Int)] = []
    var current: [UInt8] = []
    var start = at
    var quote: UInt8 = 0
    while at < text.count {
      let c = text[at]
      at += 1
      if quote != 0 {
        if c == quote { quote = 0 } else { current.append(c) }
        continue
      }
      switch c {
      case UInt8(ascii: "\""), UInt8(ascii: "'"): quote = c
      case UInt8(ascii: ","), UInt8(ascii: ")"):
        result.append((String(decoding: current, as: UTF8.self), start))
        if c == UInt8(ascii: ")") {
          return result.count == 1 && current.isEmpty && start == at - 1 ? [] : result
        }
        current = []
        start = at
      default: current.append(c)
      }
    }
    throw Failure(message: "missing closing parenthesis", position: open, expected: "')'")
  }
}

extension Condition {
  /// What `-cc` prints about a wrong condition.
  public func explain(_ failure: Failure) -> String {
    let line = String(decoding: text, as: UTF8.self)
    let mark = String(repeating: " ", count: max(0, min(failure.position, line.utf8.count))) + "^"
    var result = "\(failure.message) at position \(failure.position + 1):\n  \(line)\n  \(mark)\n"
    if let expected = failure.expected { result += "  expected: \(expected)\n" }
    if let suggestion = failure.suggestion { result += "  did you mean: \(suggestion)\n" }
    return result
  }
}
