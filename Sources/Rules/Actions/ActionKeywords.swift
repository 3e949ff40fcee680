import Base
import Config

/// The rule sets that an action may stand in.
struct RulePlaces: OptionSet, Sendable {
  let rawValue: UInt8
  static let tcpConnection = RulePlaces(rawValue: 1)
  static let tcpSession = RulePlaces(rawValue: 2)
  static let tcpContent = RulePlaces(rawValue: 4)
  static let tcpResponse = RulePlaces(rawValue: 8)
  static let httpRequest = RulePlaces(rawValue: 16)
  static let httpResponse = RulePlaces(rawValue: 32)
  static let httpAfterResponse = RulePlaces(rawValue: 64)
  static let http: RulePlaces = [.httpRequest, .httpResponse, .httpAfterResponse]
  static let tcp: RulePlaces = [.tcpConnection, .tcpSession, .tcpContent, .tcpResponse]

  var keyword: String {
    switch self {
    case .tcpConnection: "tcp-request connection"
    case .tcpSession: "tcp-request session"
    case .tcpContent: "tcp-request content"
    case .tcpResponse: "tcp-response content"
    case .httpRequest: "http-request"
    case .httpResponse: "http-response"
    default: "http-after-response"
    }
  }

  var isResponse: Bool { self == .tcpResponse || self == .httpResponse || self == .httpAfterResponse }
}

/// One action: its name, the rule sets that take it, and how its arguments become a body.
struct ActionEntry: Sendable {
  let name: String
  let places: RulePlaces
  /// How the words behind the name read, for messages and the reference.
  let usage: String
  let make: @Sendable (inout ActionParser) throws(RuleError) -> ActionBody

  init(
    _ name: String, _ places: RulePlaces, _ usage: String = "",
    _ make: @escaping @Sendable (inout ActionParser) throws(RuleError) -> ActionBody
  ) {
    self.name = name
    self.places = places
    self.usage = usage
    self.make = make
  }
}

enum ActionKeywords {
  static let table: [ActionEntry] =
    FinalActions.table + HeaderActions.table + RequestLineActions.table + VariableActions.table
    + ConnectionActions.table + SocketActions.table + NormalizeActions.table + StreamActions.table
    + ReplyActions.table + CaptureActions.table + StickActions.table + ResolveAction.table
    + PatternActions.table + LogActions.table
    + CacheActions.table + BandwidthActions.table + BinaryHeaderActions.table

  /// The entry for the first word of an action, which may carry an argument in parentheses.
  static func find(_ word: String, in place: RulePlaces) throws(RuleError) -> ActionEntry {
    // The number of a counter is part of the word.
    let name = word.hasPrefix("track-sc") ? "track-sc" : String(word.prefix { $0 != "(" })
    if let entry = table.first(where: { $0.name == name && $0.places.contains(place) }) { return entry }
    if let reason = unsupported(name) { throw RuleError("'\(place.keyword) \(name)' \(reason)") }
    let known = table.filter { $0.places.contains(place) }.map(\.name)
    throw RuleError(
      "unknown action '\(name)' in '\(place.keyword)' rule", suggestion: Suggestions.nearest(name, known),
      expected: "one of " + Set(known).sorted().joined(separator: ", "))
  }

  private static func unsupported(_ name: String) -> String? {
    if name.hasPrefix("lua.") { return "needs Lua, which is not supported" }
    switch name {
    case "attach-srv": return "needs reverse HTTP ('rhttp@' servers), which is not supported"
    case "use-service": return "needs a service for TCP, and there is none without Lua"
    case "send-spoe-group": return "needs SPOE, which is not supported"
    default: return nil
    }
  }
}

/// A cursor over the words of an action.
struct ActionParser {
  let scope: CompileScope
  let place: RulePlaces
  let line: Directive
  /// The action's own word.
  let name: Word
  private var words: ArraySlice<Word>

  init(scope: CompileScope, place: RulePlaces, line: Directive, name: Word, words: ArraySlice<Word>) {
    self.scope = scope
    self.place = place
    self.line = line
    self.name = name
    self.words = words
  }

  var isAtEnd: Bool { words.isEmpty }
  var peek: String? { words.first?.text }

  mutating func next() -> Word? { words.popFirst() }

  mutating func need(_ what: String) throws(RuleError) -> Word {
    guard let word = words.popFirst() else { throw RuleError("expects \(what)", expected: what) }
    return word
  }

  mutating func accept(_ text: String) -> Bool {
    guard words.first?.text == text else { return false }
    words.removeFirst()
    return true
  }

  func finish() throws(RuleError) {
    if let extra = words.first { throw unexpected(extra.text, known: []) }
  }

  /// For a word that is neither an option of the action nor the start of a condition.
  func unexpected(_ word: String, known: [String]) -> RuleError {
    var error = RuleError(
      "'\(place.keyword) \(name.text)' expects either 'if' or 'unless' followed by a condition but found '\(word)'",
      suggestion: Suggestions.nearest(word, known + ["if", "unless"]))
    error.preamble = ""
    return error
  }

  mutating func format(_ what: String = "a log-format string") throws(RuleError) -> LogFormat {
    try LogFormatParser.header(try need(what).bytes, scope: scope)
  }

  mutating func expression(_ what: String = "a sample expression") throws(RuleError) -> SampleExpression {
    var word = try need(what)
    while word.text.hasSuffix(","), let more = next() {
      word = Word(Bytes(word.bytes.array + more.bytes.array), at: word.location)
    }
    let expression = try ExpressionParser.parse(word.bytes, scope: scope)
    guard !expression.fetch.places.isDisjoint(with: scope.place) else {
      throw RuleError(
        "fetch method '\(word.text)' extracts information from '\(PlaceRequirement.text(expression.fetch))', none of which is available here"
      )
    }
    return expression
  }

  /// The text in parentheses behind the action's name.
  func argument() throws(RuleError) -> Bytes {
    let text = name.bytes
    guard let open = text.firstIndex(of: 0x28), text.count > open + 1, text[text.count - 1] == 0x29 else {
      throw RuleError("missing argument in parentheses behind '\(name.text)'")
    }
    return text[(open + 1)..<(text.count - 1)]
  }

  mutating func duration() throws(RuleError) -> Timespan {
    let word = try need("a duration")
    guard let value = Numbers.duration(word.text) else { throw RuleError("invalid duration '\(word.text)'") }
    return value
  }
}
