import Base

extension ProxyKeywords {
  /// Keywords whose second word has a table of its own.
  static let families: [Keyword<ProxySettings>] = [
    Keyword(
      "option", in: .proxy, "<name> [<arguments>]", "A behaviour that is on or off.", takesPrefix: true,
      parse: option),
    Keyword("timeout", in: .proxy, "<name> <time>", "A time limit.", parse: timeout),
    Keyword("stats", in: .proxy, "<name> [<arguments>]", "The statistics page.") {
      settings, arguments, context throws(Refusal) in
      try second(StatsKeywords.table, "stats", &settings, &arguments, context)
    },
  ]

  /// Parses by the second word of the line.
  static func second(
    _ table: KeywordTable<ProxySettings>, _ family: String, _ settings: inout ProxySettings,
    _ arguments: inout Arguments, _ context: LoadContext
  ) throws(Refusal) {
    let name = try arguments.required("a name")
    guard let keyword = table[name.text] else {
      let suggestion = table.suggestion(for: name.text, in: settings.kind.sections)
      let hint = suggestion.map { "; did you mean '\(family) \($0)' maybe ?" } ?? ""
      throw Refusal(
        "unknown \(family) '\(name.text)'\(hint)", at: name.location,
        expected: table.keywords.count <= 20 ? table.keywords.map(\.name).oneOf : "a name behind '\(family)'",
        suggestion: suggestion)
    }
    var inner = Arguments(arguments.line, keywordWords: 2)
    let allowed = try settings.kind.allows(
      keyword.sections, "\(family) \(name.text)", settings.name, name.location, context)
    guard allowed else { return }
    try keyword.parse(&settings, &inner, context)
  }

  private static func option(
    _ settings: inout ProxySettings, _ arguments: inout Arguments, _ context: LoadContext
  ) throws(Refusal) {
    guard let name = arguments.peek else { _ = try arguments.required("an option's name"); return }
    if context.prefix != .none, let keyword = OptionKeywords.table[name.text], !keyword.takesPrefix {
      throw Refusal("'option \(name.text)' cannot be negated.", at: name.location)
    }
    try second(OptionKeywords.table, "option", &settings, &arguments, context)
  }

  private static func timeout(
    _ settings: inout ProxySettings, _ arguments: inout Arguments, _ context: LoadContext
  ) throws(Refusal) {
    try second(TimeoutKeywords.table, "timeout", &settings, &arguments, context)
  }
}

/// `timeout <name> <time>`.
enum TimeoutKeywords {
  static let table = KeywordTable<ProxySettings>(
    [
      time("client", in: .front, \.client), time("server", in: .back, \.server),
      time("connect", in: .back, \.connect), time("queue", in: .back, \.queue),
      time("check", in: .back, \.check), time("http-request", in: .proxy, \.httpRequest),
      time("http-keep-alive", in: .proxy, \.httpKeepAlive), time("tunnel", in: .back, \.tunnel),
      time("tarpit", in: .proxy, \.tarpit), time("client-fin", in: .front, \.clientFin),
      time("server-fin", in: .back, \.serverFin), time("client-hs", in: .front, \.clientHandshake),
    ],
    [
      old("clitimeout", "client", in: .front, \.client), old("srvtimeout", "server", in: .back, \.server),
      old("contimeout", "connect", in: .back, \.connect),
    ])

  typealias Field = any WritableKeyPath<Timeouts, Timespan?> & Sendable

  private static func time(_ name: String, in sections: SectionSet, _ field: Field) -> Keyword<ProxySettings> {
    Keyword(name, in: sections, "<time>", "A time limit.") { settings, arguments, _ throws(Refusal) in
      let value = try arguments.time()
      try arguments.end()
      settings.timeouts[keyPath: field] = value
    }
  }

  private static func old(_ name: String, _ modern: String, in sections: SectionSet, _ field: Field)
    -> Keyword<ProxySettings>
  {
    Keyword(name, in: sections, "<time>", "See 'timeout \(modern)'.", deprecatedSince: "1.3") {
      settings, arguments, context throws(Refusal) in
      try setOld(&settings, &arguments, context, modern, field)
    }
  }

  static func setOld(
    _ settings: inout ProxySettings, _ arguments: inout Arguments, _ context: LoadContext, _ modern: String,
    _ field: Field
  ) throws(Refusal) {
    let word = arguments.peek
    let value = try arguments.time()
    try arguments.end()
    settings.timeouts[keyPath: field] = value
    context.diagnostics.warning(
      "the '\(arguments.keyword)' directive is gone since 2.1 in favor of 'timeout \(modern)'.",
      at: arguments.line.words[0].location, replacement: "timeout \(modern) \(word?.text ?? "")")
  }
}

extension ProxyKeywords {
  static let logs: [Keyword<ProxySettings>] = [
    Keyword(
      "log", in: .proxy, "{ global | <target> [<options>] <facility> [<level> [<min>]] }", "Where logs go.",
      takesPrefix: true
    ) { settings, arguments, context throws(Refusal) in
      if context.prefix == .no {
        settings.logs = []
        settings.usesGlobalLogs = false
        return try arguments.end()
      }
      if arguments.peek?.text == "global", arguments.line.words.count == 2 {
        settings.usesGlobalLogs = true
        return
      }
      settings.sawLog = true
      settings.logs.append(try LogLine.parse(&arguments, context))
    },
    Keyword(
      "log-steps", in: .front, "{ all | <step>[,...] }", "When log lines are written: accept, request, ..."
    ) { settings, arguments, _ throws(Refusal) in
      let word = try arguments.required("log steps")
      try arguments.end()
      var steps: LogSteps = []
      for name in word.commaSeparated.map(\.string) {
        guard let step = LogSteps.names.first(where: { $0.0 == name })?.1 else {
          throw Refusal.unknownArgument(word, of: "log-steps", among: LogSteps.names.map(\.0))
        }
        steps.formUnion(step)
      }
      settings.logSteps = steps
    },
    word("log-tag", in: .proxy, "<text>", "The tag of log lines.") { $0.logTag = $1.text },
    Keyword("log-format", in: .proxy, "<fmt>", "The log line.") { settings, arguments, _ throws(Refusal) in
      _ = try arguments.required("a format")
      try arguments.end()
      settings.logStyle = .format(arguments.line)
    },
    Keyword("log-format-sd", in: .proxy, "<fmt>", "Structured data of rfc5424.") {
      settings, arguments, _ throws(Refusal) in
      _ = try arguments.required("a format")
      try arguments.end()
      settings.logFormatSD = arguments.line
    },
    Keyword("error-log-format", in: .front, "<fmt>", "The log line of failed connections.") {
      settings, arguments, _ throws(Refusal) in
      _ = try arguments.required("a format")
      try arguments.end()
      settings.errorLogFormat = arguments.line
    },
  ]
}
