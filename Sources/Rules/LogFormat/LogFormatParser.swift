import Base

/// Turns log-format text into items (manual 8.2.6).
struct LogFormatParser {
  private let text: Bytes
  private let scope: CompileScope
  private let mergesSpaces: Bool
  private var index = 0
  private var items: [LogFormatItem] = []
  private var literal: [UInt8] = []
  private var globalFlags: LogFormatFlags

  private init(_ text: Bytes, _ scope: CompileScope, mergesSpaces: Bool, flags: LogFormatFlags) {
    self.text = text
    self.scope = scope
    self.mergesSpaces = mergesSpaces
    globalFlags = flags
  }

  /// For log lines: blanks are merged and empty values show as `-`.
  static func log(_ text: Bytes, scope: CompileScope) throws(RuleError) -> LogFormat {
    try parse(text, scope: scope, mergesSpaces: true, flags: .mandatory, escaping: .log)
  }

  /// For header fields and other parts of messages.
  static func header(_ text: Bytes, scope: CompileScope) throws(RuleError) -> LogFormat {
    try parse(text, scope: scope, mergesSpaces: false, flags: [], escaping: .header)
  }

  /// For values that never become part of a header: variables, paths of files.
  static func plain(_ text: Bytes, scope: CompileScope) throws(RuleError) -> LogFormat {
    try parse(text, scope: scope, mergesSpaces: false, flags: [], escaping: .none)
  }

  private static func parse(
    _ text: Bytes, scope: CompileScope, mergesSpaces: Bool, flags: LogFormatFlags, escaping: LogEscaping
  ) throws(RuleError) -> LogFormat {
    var parser = LogFormatParser(text, scope, mergesSpaces: mergesSpaces, flags: flags)
    try parser.run()
    return LogFormat(items: parser.items, globalFlags: parser.globalFlags, escaping: escaping)
  }

  private mutating func run() throws(RuleError) {
    while index < text.count {
      let c = text[index]
      if c == 0x25 {
        index += 1
        try item()
      } else if mergesSpaces, c == ASCII.space {
        flush()
        if case .separator? = items.last?.content {} else { items.append(LogFormatItem(content: .separator)) }
        index += 1
      } else {
        literal.append(c)
        index += 1
      }
    }
    flush()
  }

  private mutating func flush() {
    guard !literal.isEmpty else { return }
    items.append(LogFormatItem(content: .text(Bytes(literal))))
    literal = []
  }

  private mutating func item() throws(RuleError) {
    guard index < text.count else { throw RuleError("no variable name after '%'") }
    if text[index] == 0x25 {
      literal.append(0x25)
      index += 1
      return
    }
    var item = LogFormatItem(content: .separator, flags: globalFlags)
    if text[index] == 0x28 { try readName(&item) }
    var flags: Bytes?
    if index < text.count, text[index] == 0x7B {
      guard let close = text.firstIndex(of: 0x7D, from: index) else {
        throw RuleError("missing '}' in log-format arguments")
      }
      flags = text[(index + 1)..<close]
      index = close + 1
    }
    guard index < text.count else { throw RuleError("truncated line after '%'") }
    if text[index] == 0x5B {
      try readExpression(&item, flags)
      return
    }
    guard ASCII.isAlpha(text[index]) else {
      throw RuleError(
        "unexpected variable name near '\(text.dropFirst(index - 1).prefix(16).string)'; write '%%' for a verbatim '%'"
      )
    }
    try readAlias(&item, flags)
  }

  private mutating func readName(_ item: inout LogFormatItem) throws(RuleError) {
    guard let close = text.firstIndex(of: 0x29, from: index) else {
      throw RuleError("missing ')' in log-format item name")
    }
    var name = text[(index + 1)..<close]
    if let colon = name.firstIndex(of: 0x3A) {
      let type = name.dropFirst(colon + 1).string
      guard let forced = SampleType(rawValue: type), [.string, .int, .bool].contains(forced) else {
        throw RuleError("unexpected output type '\(type)'", expected: "str, sint or bool")
      }
      item.forcedType = forced
      name = name.prefix(colon)
    }
    item.name = name
    index = close + 1
  }

  private mutating func readExpression(_ item: inout LogFormatItem, _ flags: Bytes?) throws(RuleError) {
    let start = index + 1
    guard let close = LogFormatParser.closingBracket(text, from: start) else {
      throw RuleError("missing ']' after the sample expression in '\(text.dropFirst(index).string)'")
    }
    if let flags { try apply(flags, to: &item.flags, isGlobal: false) }
    let expression = try ExpressionParser.parse(text[start..<close], scope: scope)
    guard !expression.fetch.places.isDisjoint(with: scope.place) else {
      throw RuleError(
        "sample fetch <\(expression.fetch.name)> may not be reliably used here because it needs '\(PlaceRequirement.text(expression.fetch))' which is not available here"
      )
    }
    index = close + 1
    flush()
    item.content = .expression(expression)
    items.append(item)
  }

  /// The bracket that ends an expression: brackets inside quotes or parentheses belong to its arguments.
  private static func closingBracket(_ text: Bytes, from start: Int) -> Int? {
    var depth = 0
    var quote: UInt8 = 0
    var i = start
    while i < text.count {
      let c = text[i]
      if quote != 0 {
        if c == 0x5C, quote == 0x22 { i += 1 } else if c == quote { quote = 0 }
      } else if c == 0x22 || c == 0x27 {
        quote = c
      } else if c == 0x5C {
        i += 1
      } else if c == 0x28 {
        depth += 1
      } else if c == 0x29 {
        depth -= 1
      } else if c == 0x5D, depth <= 0 {
        return i
      }
      i += 1
    }
    return nil
  }

  private mutating func readAlias(_ item: inout LogFormatItem, _ flags: Bytes?) throws(RuleError) {
    let start = index
    while index < text.count, ASCII.isAlpha(text[index]) || ASCII.isDigit(text[index]) { index += 1 }
    var name = text[start..<index].string
    // As in `%cifoo`: the longest known alias at the start counts, the rest is text.
    while !name.isEmpty, name != "o", LogAlias(rawValue: name) == nil {
      name.removeLast()
      index -= 1
    }
    guard !name.isEmpty else {
      var end = start
      while end < text.count, ASCII.isAlpha(text[end]) || ASCII.isDigit(text[end]) { end += 1 }
      let wrong = text[start..<end].string
      throw RuleError(
        "no such format alias '\(wrong)'. If you wanted to emit the '%' character verbatim, you need to use '%%'",
        suggestion: Suggestions.nearest(wrong, LogAlias.allCases.map(\.rawValue)))
    }
    if name == "o" {
      if let flags { try apply(flags, to: &globalFlags, isGlobal: true) }
      return
    }
    if let flags { try apply(flags, to: &item.flags, isGlobal: false) }
    guard let alias = LogAlias(rawValue: name) else { return }
    flush()
    item.content = .alias(alias)
    items.append(item)
  }

  private func apply(_ text: Bytes, to flags: inout LogFormatFlags, isGlobal: Bool) throws(RuleError) {
    for part in text.string.split(separator: ",") {
      let isOn = !part.hasPrefix("-")
      let name = part.drop { $0 == "+" || $0 == "-" }
      let flag: LogFormatFlags
      switch name {
      case "Q": flag = .quote
      case "X": flag = .hex
      case "E": flag = .escape
      case "M": flag = .mandatory
      case "bin": flag = .binary
      case "json": flag = .json
      case "cbor": flag = .cbor
      default:
        throw RuleError("unknown log-format flag '\(name)'", expected: "Q, X, E, bin, json or cbor")
      }
      if isOn { flags.insert(flag) } else { flags.remove(flag) }
    }
  }
}

/// HAProxy's words for what a fetch needs.
enum PlaceRequirement {
  private static func isPayload(_ fetch: FetchEntry) -> Bool {
    PayloadFetches.table.contains { $0.name == fetch.name }
  }

  static func text(_ fetch: FetchEntry) -> String {
    switch fetch.places {
    case .requestData: isPayload(fetch) ? "request buffer contents" : "HTTP request headers"
    case .responseData: isPayload(fetch) ? "response buffer contents" : "HTTP response headers"
    case .responseLasting: "status of the HTTP response"
    case .backendSide: "the backend"
    case .serverSide: "the server"
    case .layer4Server: "the server's connection"
    case .layer5Client: "the client's established session"
    case .requestLasting, .bothData, .cookieLasting: "an established stream"
    default: "a later point of the stream"
    }
  }
}
