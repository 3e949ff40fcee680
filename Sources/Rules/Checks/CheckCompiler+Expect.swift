import Base
import Config

extension CheckCompiler {
  /// `expect [min-recv n] [comment c] [ok-status s] ... [!] <match> <pattern>`.
  func expectation(_ words: inout CheckWords, isHTTP: Bool) throws(RuleError) -> CheckExpectation {
    guard words.peek != nil else { throw RuleError("expects at least a matching pattern as arguments") }
    var result = CheckExpectation(.string(.empty))
    var isPattern = false
    while let word = words.next() {
      var name = word.text
      var negated = false
      while name.hasPrefix("!") {
        negated.toggle()
        name.removeFirst()
      }
      let hasMark = word.text.hasPrefix("!")
      if name.isEmpty, hasMark, let following = words.next() { name = following.text }
      if CheckCompiler.isMatch(name, isHTTP: isHTTP) {
        if isPattern { throw RuleError("only one pattern expected") }
        isPattern = true
        result.isNegated = negated
        result.pattern = try pattern(name, &words, isHTTP: isHTTP)
        continue
      }
      if hasMark, CheckCompiler.expectOptions.contains(name) {
        throw RuleError("[!] not supported with '\(name)'")
      }
      guard try option(name, &words, &result) else {
        throw RuleError(
          CheckCompiler.complaint(name, isHTTP: isHTTP), suggestion: CheckCompiler.suggest(name, isHTTP))
      }
    }
    guard isPattern else { throw RuleError("pattern not found") }
    return result
  }

  private static let expectOptions = [
    "min-recv", "comment", "on-success", "on-error", "ok-status", "error-status", "tout-status",
    "status-code",
  ]
  private static let httpMatches = ["string", "rstring", "string-lf", "status", "rstatus", "hdr", "fhdr"]
  private static let tcpMatches = ["string", "rstring", "string-lf", "binary", "rbinary", "binary-lf"]

  private static func isMatch(_ name: String, isHTTP: Bool) -> Bool {
    (isHTTP ? httpMatches : tcpMatches).contains(name)
  }

  private static func suggest(_ name: String, _ isHTTP: Bool) -> String? {
    Suggestions.nearest(name, (isHTTP ? httpMatches : tcpMatches) + expectOptions)
  }

  private static func complaint(_ name: String, isHTTP: Bool) -> String {
    let matches =
      isHTTP
      ? "'only supports min-recv, [!]string', '[!]rstring', '[!]string-lf', '[!]status', '[!]rstatus', [!]hdr, [!]fhdr"
      : "'only supports min-recv, '[!]binary', '[!]string', '[!]rstring', '[!]string-lf''[!]rbinary', '[!]binary-lf'"
    return matches + " or comment but got '\(name)' as argument"
  }

  private func option(
    _ name: String, _ words: inout CheckWords, _ result: inout CheckExpectation
  ) throws(RuleError) -> Bool {
    switch name {
    case "min-recv":
      let text = try words.value(of: name, "a integer").string
      guard let number = Int(text), number >= -1, number <= Int(Int32.max) else {
        throw RuleError("'min-recv' expects -1 or an integer from 0 to INT_MAX")
      }
      result.minimumOctets = number
    case "comment": words.comment = try words.value(of: name)
    case "on-success": result.onSuccess = try words.format(of: name)
    case "on-error": result.onError = try words.format(of: name)
    case "ok-status": result.passedStatus = try status(name, &words, ["L4OK", "L6OK", "L7OK", "L7OKC"])
    case "error-status":
      result.failedStatus = try status(name, &words, ["L4CON", "L6RSP", "L7RSP", "L7STS", "L7OKC"])
    case "tout-status": result.timeoutStatus = try status(name, &words, ["L4TOUT", "L6TOUT", "L7TOUT"])
    case "status-code": result.statusCode = try words.expression(of: name)
    default: return false
    }
    return true
  }

  private func status(_ name: String, _ words: inout CheckWords, _ known: [String]) throws(RuleError)
    -> String
  {
    let text = try words.value(of: name).string
    if let found = known.first(where: { $0 == text.uppercased() }) { return found }
    throw RuleError(
      "'\(name)' only supports \(known.map { "'\($0)'" }.joined(separator: ", ")) status (got '\(text)')",
      suggestion: Suggestions.nearest(text, known))
  }

  private func pattern(
    _ name: String, _ words: inout CheckWords, isHTTP: Bool
  ) throws(RuleError) -> CheckExpectation.Pattern {
    if name == "hdr" || name == "fhdr" { return .header(try header(name, &words)) }
    let text = try words.value(of: name, "a <pattern>")
    switch name {
    case "string": return .string(text)
    case "rstring": return .regex(try CheckRegex(text))
    case "string-lf": return .format(try CheckWords.format(text, scope))
    case "binary": return .binary(try CheckWords.octets(text))
    case "rbinary": return .binaryRegex(try CheckRegex(text))
    case "binary-lf": return .binaryFormat(try CheckWords.format(text, scope))
    case "status": return .status(try CheckCompiler.statuses(text))
    default: return .statusRegex(try CheckRegex(text))
    }
  }

  /// `200`, `200-399`, `200,204,300-302`.
  static func statuses(_ text: Bytes) throws(RuleError) -> [ClosedRange<Int>] {
    var ranges: [ClosedRange<Int>] = []
    for part in text.string.split(separator: ",", omittingEmptySubsequences: false) {
      let ends = part.split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
      guard let first = Int(ends[0]), first >= 0, let last = ends.count > 1 ? Int(ends[1]) : first else {
        let wrong = part.first { !$0.isNumber && $0 != "-" }.map(String.init) ?? String(part)
        throw RuleError(
          "invalid character '\(wrong)' in the list of status codes", expected: "such as 200,300-399")
      }
      guard first <= last else { throw RuleError("invalid range of status codes '\(text.string)'") }
      ranges.append(first...last)
    }
    return ranges
  }

  /// `name[-lf] [-m <how>] <pattern> [value[-lf] [-m <how>] <pattern>]`.
  private func header(_ name: String, _ words: inout CheckWords) throws(RuleError) -> CheckHeaderPattern {
    guard let kind = words.next(), kind.text == "name" || kind.text == "name-lf", words.peek != nil else {
      throw RuleError("'\(name)' expects at the name keyword as first argument followed by a pattern")
    }
    let first = try part(name, isFormat: kind.text == "name-lf", ignoresCase: true, &words)
    var second: CheckHeaderPattern.Part?
    if let next = words.peek, next.text == "value" || next.text == "value-lf" {
      _ = words.next()
      guard words.peek != nil else { throw RuleError("'\(name)' expect a pattern with the value keyword") }
      second = try part(name, isFormat: next.text == "value-lf", ignoresCase: false, &words)
    }
    return CheckHeaderPattern(name: first, value: second, isWhole: name == "fhdr" || second == nil)
  }

  private func part(
    _ name: String, isFormat: Bool, ignoresCase: Bool, _ words: inout CheckWords
  ) throws(RuleError) -> CheckHeaderPattern.Part {
    var method = CheckHeaderPattern.Method.whole
    if words.peek?.text == "-m" {
      _ = words.next()
      let how = words.next()?.text ?? ""
      switch how {
      case "str": method = .whole
      case "beg": method = .prefix
      case "end": method = .suffix
      case "sub": method = .part
      case "reg": method = .regex
      case "":
        throw RuleError(
          "'\(name)' : '-m' expects at a matching pattern ('str', 'beg', 'end', 'sub' or 'reg')")
      default:
        throw RuleError("'\(name)' : '-m' only supports 'str', 'beg', 'end', 'sub' or 'reg' (got '\(how)')")
      }
    }
    if method == .regex, isFormat {
      throw RuleError("'\(name)': log-format string is not supported with a regex matching method")
    }
    let text = try words.value(of: name, "a <pattern>")
    return CheckHeaderPattern.Part(
      method: method, text: text, format: isFormat ? try CheckWords.format(text, scope) : nil,
      regex: method == .regex ? try CheckRegex(text, ignoresCase: ignoresCase) : nil)
  }
}
