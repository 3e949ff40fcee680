import Base
import Config
import HTTP

/// `reqadd`, `reqirep`, `rspidel` and their kin of HAProxy 1.x: they run with their old meaning, and a warning
/// shows the line that takes their place today.
enum LegacyRules {
  private static let verbs: Set<String> = ["add", "rep", "del", "deny", "allow", "pass", "tarpit"]

  static func isKeyword(_ keyword: String) -> Bool { Parsed(keyword) != nil }

  struct Parsed {
    let isResponse: Bool
    let ignoresCase: Bool
    let verb: String
    var keyword: String { (isResponse ? "rsp" : "req") + (ignoresCase ? "i" : "") + verb }

    init?(_ keyword: String) {
      guard keyword.hasPrefix("req") || keyword.hasPrefix("rsp") else { return nil }
      isResponse = keyword.hasPrefix("rsp")
      let rest = String(keyword.dropFirst(3))
      if LegacyRules.verbs.contains(rest) {
        verb = rest
        ignoresCase = false
      } else if rest.hasPrefix("i"), LegacyRules.verbs.contains(String(rest.dropFirst())), rest != "iadd" {
        verb = String(rest.dropFirst())
        ignoresCase = true
      } else {
        return nil
      }
      if isResponse, ["allow", "pass", "tarpit"].contains(verb) { return nil }
    }
  }

  /// Words as they would stand in a file again.
  static func text(_ words: ArraySlice<Word>) -> String {
    words.map { quoted($0.text) }.joined(separator: " ")
  }

  static func quoted(_ text: String) -> String {
    let plain = !text.isEmpty && !text.contains { " \t\"'\\#$".contains($0) }
    if plain { return text }
    return "\"" + text.map { "\\\"$".contains($0) ? "\\\($0)" : String($0) }.joined() + "\""
  }

  /// A header line of the message with the name as clients usually write it, since old patterns name it so.
  static func line(_ head: MessageHead, _ index: Int) -> Bytes {
    var out: [UInt8] = []
    var startsWord = true
    let name = head.name(at: index)
    for i in 0..<name.count {
      out.append(startsWord ? ASCII.upper(name[i]) : name[i])
      startsWord = name[i] == 0x2D
    }
    out.append(contentsOf: ": ".utf8)
    out.append(head.value(at: index))
    return Bytes(out)
  }

  static func startLine(_ head: MessageHead, isResponse: Bool) -> Bytes {
    var out: [UInt8] = []
    let version = Array("HTTP/\(head.version.major).\(head.version.minor)".utf8)
    if isResponse {
      out = version
      out.append(ASCII.space)
      out.append(decimal: head.status)
      out.append(ASCII.space)
      out.append(head.reason)
    } else {
      out.append(head.method)
      out.append(ASCII.space)
      out.append(head.target)
      out.append(ASCII.space)
      out.append(contentsOf: version)
    }
    return Bytes(out)
  }

  static func matchesAnyLine(_ regex: RegularExpression, _ context: RuleContext, isResponse: Bool) -> Bool {
    guard let head = isResponse ? context.response : context.request else { return false }
    let start = startLine(head, isResponse: isResponse)
    if regex.matches(start.span, &context.regexScratch) { return true }
    for index in 0..<head.count {
      let line = line(head, index)
      if regex.matches(line.span, &context.regexScratch) { return true }
    }
    return false
  }

  static func delete(_ regex: RegularExpression, _ context: RuleContext, isResponse: Bool) {
    guard let head = isResponse ? context.response : context.request else { return }
    for index in stride(from: head.count - 1, through: 0, by: -1) {
      let line = line(head, index)
      if regex.matches(line.span, &context.regexScratch) { head.remove(at: index) }
    }
  }

  static func replace(_ regex: RegularExpression, _ template: Bytes, _ context: RuleContext, isResponse: Bool) {
    guard let head = isResponse ? context.response : context.request else { return }
    let start = startLine(head, isResponse: isResponse)
    if let captures = regex.captures(start, &context.regexScratch) {
      setStartLine(head, RegexTemplate.expand(template, start, captures), isResponse: isResponse)
    }
    var index = 0
    let count = head.count
    var replacements: [(at: Int, line: Bytes)] = []
    while index < count {
      let line = line(head, index)
      if let captures = regex.captures(line, &context.regexScratch) {
        replacements.append((index, RegexTemplate.expand(template, line, captures)))
      }
      index += 1
    }
    for replacement in replacements.reversed() {
      guard let colon = replacement.line.firstIndex(of: ASCII.colon) else { continue }
      let name = FieldName(replacement.line.prefix(colon))
      let value = replacement.line.dropFirst(colon + 1).trimmed
      if head.isField(at: replacement.at, named: name) {
        head.replaceValue(at: replacement.at, with: value)
      } else {
        head.remove(at: replacement.at)
        head.append(name, value)
      }
    }
  }

  private static func setStartLine(_ head: MessageHead, _ line: Bytes, isResponse: Bool) {
    let first = line.firstIndex(of: ASCII.space) ?? line.count
    let second = line.firstIndex(of: ASCII.space, from: first + 1) ?? line.count
    guard first < second else { return }
    if isResponse {
      if let status = ASCII.decimal(line[(first + 1)..<second].span), (100...999).contains(status) {
        head.status = Int(status)
        head.reason = line.dropFirst(second + 1)
      }
    } else {
      let method = line.prefix(first)
      if HeaderText.isName(method) { head.method = method }
      head.target = TargetText.safe(line[(first + 1)..<second])
    }
  }
}

extension ProxyCompiler {
  mutating func compileLegacy(_ line: Directive) throws(RuleError) {
    guard let parsed = LegacyRules.Parsed(line.keyword) else { return }
    let isResponse = parsed.isResponse
    scope.place =
      isResponse ? places(.frontendResponse, .backendResponse) : places(.frontendRequest, .backendRequest)
    let (words, condition) = ConditionParser.split(line.words.dropFirst())
    guard let pattern = words.first else { throw RuleError("'\(line.keyword)' expects an argument") }
    let compiled = try ConditionParser.parse(condition, scope: scope, line: line)
    let body: ActionBody
    if parsed.verb == "add" {
      body = try addition(pattern.bytes, isResponse)
    } else {
      let regex = try RegularExpression.compile(pattern.bytes, ignoresCase: parsed.ignoresCase)
      body = try legacyBody(parsed, regex, words.dropFirst().first?.bytes)
    }
    let modern = LegacyModern.line(parsed, words, condition)
    scope.diagnostics.warning(
      "the '\(line.keyword)' directive is not part of the language since HAProxy 2.1; it runs with its old meaning",
      at: line.location, replacement: modern)
    let rule = Rule(condition: compiled, origin: origin(line, line.keyword), body: body)
    if isResponse {
      legacyResponse.append(rule)
    } else if parsed.verb == "add" {
      legacyAdditions.append(rule)
    } else {
      legacyRequest.append(rule)
    }
  }

  private func addition(_ text: Bytes, _ isResponse: Bool) throws(RuleError) -> ActionBody {
    guard let colon = text.firstIndex(of: ASCII.colon), HeaderText.isName(text.prefix(colon)) else {
      throw RuleError("expects a header line such as 'Name: value', got '\(text.string)'")
    }
    let name = FieldName(text.prefix(colon))
    let value = text.dropFirst(colon + 1).trimmed
    return { context in
      (isResponse ? context.response : context.request)?.append(name, value)
      return nil
    }
  }

  private func legacyBody(
    _ parsed: LegacyRules.Parsed, _ regex: RegularExpression, _ template: Bytes?
  ) throws(RuleError) -> ActionBody {
    let isResponse = parsed.isResponse
    switch parsed.verb {
    case "del":
      return { context in
        LegacyRules.delete(regex, context, isResponse: isResponse)
        return nil
      }
    case "rep":
      guard let template else { throw RuleError("expects a search pattern and a replacement") }
      return { context in
        LegacyRules.replace(regex, template, context, isResponse: isResponse)
        return nil
      }
    case "deny":
      return { context in
        guard isResponse || !context.isAllowedByOldRule,
          LegacyRules.matchesAnyLine(regex, context, isResponse: isResponse)
        else { return nil }
        return .deny(status: isResponse ? 502 : 403, nil)
      }
    case "tarpit":
      return { context in
        guard !context.isAllowedByOldRule, LegacyRules.matchesAnyLine(regex, context, isResponse: isResponse)
        else { return nil }
        return .tarpit(status: 500, nil)
      }
    case "allow":
      // What rewrites the request goes on behind it; only the verdicts that follow are passed over.
      return { context in
        if LegacyRules.matchesAnyLine(regex, context, isResponse: isResponse) { context.isAllowedByOldRule = true }
        return nil
      }
    default:
      throw RuleError(
        "'\(parsed.keyword)' is not supported; put the exception into the condition of the deny rule",
        expected: "http-request allow if <condition>")
    }
  }
}
