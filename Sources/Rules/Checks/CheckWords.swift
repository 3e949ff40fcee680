public import Base
import Config

/// The words of one check line, taken from left to right.
struct CheckWords {
  private var words: ArraySlice<Word>
  let scope: CompileScope
  /// `comment <text>`.
  var comment = Bytes.empty

  init(_ words: ArraySlice<Word>, scope: CompileScope) {
    self.words = words
    self.scope = scope
  }

  mutating func next() -> Word? { words.popFirst() }
  var peek: Word? { words.first }

  /// The word behind `keyword`.
  mutating func value(of keyword: String, _ what: String = "a string") throws(RuleError) -> Bytes {
    guard let word = words.popFirst() else { throw RuleError("'\(keyword)' expects \(what) as argument") }
    return word.bytes
  }

  mutating func format(of keyword: String) throws(RuleError) -> LogFormat {
    try CheckWords.format(try value(of: keyword), scope)
  }

  static func format(_ text: Bytes, _ scope: CompileScope) throws(RuleError) -> LogFormat {
    do throws(RuleError) {
      return try LogFormatParser.plain(text, scope: scope)
    } catch {
      throw RuleError(
        "'\(text.string)' invalid log-format string (\(error.message))", suggestion: error.suggestion,
        expected: error.expected)
    }
  }

  mutating func expression(of keyword: String) throws(RuleError) -> SampleExpression {
    let text = try value(of: keyword, "an expression")
    do throws(RuleError) {
      return try ExpressionParser.parse(text, scope: scope)
    } catch {
      throw RuleError(
        "error detected while parsing \(keyword) expression : \(error.message)", suggestion: error.suggestion,
        expected: error.expected)
    }
  }

  /// Pairs of hexadecimal digits.
  static func octets(_ text: Bytes) throws(RuleError) -> Bytes {
    guard text.count % 2 == 0 else {
      throw RuleError("an even number of hex digits is expected", expected: "pairs of hexadecimal digits")
    }
    guard let octets = HexDigits.octets(text) else {
      throw RuleError("'\(text.string)' invalid binary string", expected: "pairs of hexadecimal digits")
    }
    return Bytes(octets)
  }
}

/// Octets written as pairs of hexadecimal digits.
public enum HexDigits {
  /// nil when there is anything else in `text`, or an odd digit at its end.
  public static func octets(_ text: Bytes) -> [UInt8]? {
    guard text.count % 2 == 0 else { return nil }
    var out: [UInt8] = []
    out.reserveCapacity(text.count / 2)
    for i in stride(from: 0, to: text.count, by: 2) {
      guard let high = ASCII.hexValue(text[i]), let low = ASCII.hexValue(text[i + 1]) else { return nil }
      out.append(high << 4 | low)
    }
    return out
  }

  /// Upper-case digits of the octets.
  public static func text(_ octets: borrowing Span<UInt8>) -> [UInt8] {
    let digits = Array("0123456789ABCDEF".utf8)
    var out: [UInt8] = []
    out.reserveCapacity(octets.count * 2)
    for i in octets.indices {
      out.append(digits[Int(octets[i] >> 4)])
      out.append(digits[Int(octets[i] & 15)])
    }
    return out
  }
}
