import Base

/// The keywords of `defaults`, `frontend`, `backend` and `listen` (manual chapter 4.2).
public enum ProxyKeywords {
  public static let table = KeywordTable<ProxySettings>(
    general, front, back, balancing, logs, errors, families, rules, old, oldRules)

  static func flag(
    _ name: String, in sections: SectionSet, _ help: String,
    _ set: @escaping @Sendable (inout ProxySettings) -> Void
  ) -> Keyword<ProxySettings> {
    Keyword(name, in: sections, "", help) { settings, arguments, _ throws(Refusal) in
      try arguments.end()
      set(&settings)
    }
  }

  static func word(
    _ name: String, in sections: SectionSet, _ grammar: String, _ help: String,
    _ set: @escaping @Sendable (inout ProxySettings, Word) throws(Refusal) -> Void
  ) -> Keyword<ProxySettings> {
    Keyword(name, in: sections, grammar, help) { settings, arguments, _ throws(Refusal) in
      let word = try arguments.required(grammar)
      try arguments.end()
      try set(&settings, word)
    }
  }

  static func number(
    _ name: String, in sections: SectionSet, _ help: String, range: ClosedRange<Int> = 0...Int(Int32.max),
    _ set: @escaping @Sendable (inout ProxySettings, Int) -> Void
  ) -> Keyword<ProxySettings> {
    Keyword(name, in: sections, "<number>", help) { settings, arguments, _ throws(Refusal) in
      let value = try arguments.integer(in: range)
      try arguments.end()
      set(&settings, value)
    }
  }

  static let general: [Keyword<ProxySettings>] = [
    Keyword("mode", in: .proxy, "{ tcp | http | log }", "The protocol.") { settings, arguments, _ throws(Refusal) in
      let word = try arguments.required("'tcp', 'http' or 'log'")
      if ["spop", "haterm"].contains(word.text) {
        throw Refusal.notSupported("'mode \(word.text)'", word)
      }
      guard let mode = Mode(rawValue: word.text) else {
        throw Refusal(
          "unknown proxy mode '\(word.text)'.", at: word.location, expected: "'tcp', 'http' or 'log'",
          suggestion: Nearest.word(to: word.text, among: ["tcp", "http", "log"]))
      }
      if mode == .log, settings.kind == .frontend || settings.kind == .listen {
        throw Refusal(
          "mode \(mode.label) is only applicable on proxies with backend capability.", at: word.location,
          expected: "'tcp' or 'http'; a 'log-forward' section takes messages in")
      }
      try arguments.end()
      settings.mode = mode
      settings.saysMode = true
    },
    Keyword("id", in: .notDefaults, "<number>", "The proxy's id.") {
      settings, arguments, context throws(Refusal) in
      let word = arguments.peek
      let id = try arguments.integer(in: 1...Int(Int32.max))
      try arguments.end()
      guard context.proxyIDs.insert(id).inserted else {
        throw Refusal("id \(id) is already used by another proxy.", at: word?.location ?? context.here)
      }
      settings.id = id
    },
    word("guid", in: .notDefaults, "<id>", "A unique id.") { settings, word throws(Refusal) in
      try Name.checkGUID(word)
      settings.guid = word.text
    },
    Keyword("description", in: .notDefaults, "<text>", "A text for the statistics page.") {
      settings, arguments, _ throws(Refusal) in
      _ = try arguments.required("a text")
      settings.description = arguments.line.arguments.map(\.text).joined(separator: " ")
    },
    flag("disabled", in: .proxy, "Does not run.") { $0.isDisabled = true },
    flag("enabled", in: .proxy, "Runs, whatever defaults say.") { $0.isDisabled = false },
    number("maxconn", in: .front, "The most connections at once.") { $0.maxConnections = $1 },
    number("backlog", in: .front, "The kernel's queue of new connections.") { $0.backlog = $1 },
    Keyword("bind-process", in: .proxy, "...", "Gone since 2.5.", deprecatedSince: "2.5") {
      _, arguments, context throws(Refusal) in
      context.diagnostics.warning(
        "'bind-process' is gone since 2.5 and has no effect.", at: arguments.keywordLocation)
    },
    Keyword("grace", in: .proxy, "<time>", "Gone since 2.5; see 'grace' in global.", deprecatedSince: "2.5") {
      _, arguments, context throws(Refusal) in
      context.diagnostics.warning(
        "'grace' of proxies is gone since 2.5 and has no effect; it is a keyword of 'global'.",
        at: arguments.keywordLocation)
    },
    Keyword(
      "compression", in: .proxy, "{ algo | type | offload | ... } ...", "Compression of bodies.",
      parse: CompressionLine.parse),
    .unsupported("use-fcgi-app", in: .proxy),
    Keyword("filter", in: .notDefaults, "<name> ...", "Filters of the data.", parse: FilterKeywords.parse),
    Keyword(
      "filter-sequence", in: .notDefaults, "{ request | response } <filter>[,...]",
      "Which filters run, and in which order.", parse: FilterKeywords.parseSequence),
    .unsupported("email-alert", in: .proxy),
    Keyword("persist", in: .back, "rdp-cookie[(<name>)]", "Persistence by the cookie of RDP.") {
      settings, arguments, _ throws(Refusal) in
      let word = try arguments.required("'rdp-cookie'")
      try arguments.end()
      guard word.text == "rdp-cookie" || word.text.hasPrefix("rdp-cookie(") && word.text.hasSuffix(")") else {
        throw Refusal.unknownArgument(word, of: "persist", among: ["rdp-cookie"])
      }
      let name = word.text.dropFirst("rdp-cookie(".count).dropLast()
      settings.persistentRDPCookie = name.isEmpty ? "msts" : Bytes(name)
    },
    .unsupported("transparent", in: .back),
    Keyword(
      "appsession", in: [.backend, .listen], AppSessionLine.grammar, "Gone since 1.6.",
      deprecatedSince: "1.6",
      parse: AppSessionLine.parse),
  ]

  static let front: [Keyword<ProxySettings>] = [
    Keyword("bind", in: [.frontend, .listen], "[<address>]:<port>[,...] [<option>...]", "A listener.") {
      settings, arguments, context throws(Refusal) in
      settings.sawBind = true
      settings.binds.append(try BindLine.parse(&arguments, context))
    },
    FrontendCertificate.keyword,
    Keyword("default_backend", in: .front, "<backend>", "The backend when no rule chose one.") {
      settings, arguments, _ throws(Refusal) in
      let name = try arguments.required("a backend's name")
      try arguments.end()
      settings.defaultBackend = name
    },
    Keyword("rate-limit", in: .front, "sessions <rate>", "New sessions a second.") {
      settings, arguments, _ throws(Refusal) in
      let what = try arguments.required("'sessions'")
      guard what.text == "sessions" else {
        throw Refusal.unknownArgument(what, of: "rate-limit", among: ["sessions"])
      }
      settings.rateLimitSessions = try arguments.integer()
      try arguments.end()
    },
    word("monitor-uri", in: .front, "<uri>", "Requests for this are answered at once.") {
      $0.monitorURI = $1.bytes
    },
    Keyword("monitor-net", in: .front, "<network>", "Gone since 2.1.", deprecatedSince: "2.1") {
      settings, arguments, context throws(Refusal) in
      let network = try arguments.required("a network")
      settings.monitorNets.append(network.text)
      context.diagnostics.warning(
        "'monitor-net' is gone since 2.1.", at: arguments.keywordLocation,
        replacement: "http-request return status 200 if { src \(network.text) }")
    },
    word("unique-id-header", in: .front, "<name>", "The header that carries the unique id.") {
      $0.uniqueIDHeader = $1.bytes
    },
    Keyword("unique-id-format", in: .proxy, "<fmt>", "How unique ids are made.") {
      settings, arguments, _ throws(Refusal) in
      _ = try arguments.required("a format")
      try arguments.end()
      settings.uniqueIDFormat = arguments.line
    },
    number("clitcpka-cnt", in: .front, "Keep-alive probes to clients.") {
      $0.clientKeepAliveProbes.count = $1
    },
    keepAliveTime("clitcpka-idle", in: .front) { $0.clientKeepAliveProbes.idle = $1 },
    keepAliveTime("clitcpka-intvl", in: .front) { $0.clientKeepAliveProbes.interval = $1 },
    .unsupported("ssl-f-use", in: [.frontend, .listen]),
  ]

  static let back: [Keyword<ProxySettings>] = [
    Keyword("server", in: [.backend, .listen], "<name> <address>[:<port>] [<option>...]", "A server.") {
      settings, arguments, context throws(Refusal) in
      settings.servers.append(
        Boxed(try ServerLine.server(settings.serverOwner(arguments, context), &arguments, context)))
    },
    Keyword(
      "server-template", in: [.backend, .listen], "<prefix> <count> <address>[:<port>] [<option>...]",
      "Servers that differ by their number."
    ) { settings, arguments, context throws(Refusal) in
      settings.servers += try ServerLine.template(
        settings.serverOwner(arguments, context), &arguments, context)
    },
    Keyword(
      "default-server", in: .back, "[name <name>] [from <origin>] <option>...",
      "Options of the servers that follow."
    ) { settings, arguments, context throws(Refusal) in
      var owner = settings.serverOwner(arguments, context)
      // "from none" and nothing else: as if there had never been such a line.
      if arguments.line.words.map(\.text) == ["default-server", "from", "none"] {
        settings.defaultServer = nil
        return
      }
      guard arguments.take("name") else {
        settings.defaultServer = try ServerLine.defaults(owner, &arguments, context)
        return
      }
      let name = try arguments.required("a name")
      owner.defaults = settings.namedDefaultServers[name.text]
      settings.namedDefaultServers[name.text] = try ServerLine.defaults(owner, &arguments, context)
    },
    number("retries", in: .back, "Attempts to connect after the first.") { $0.retries = $1 },
    Keyword("retry-on", in: .back, "<reason>...", "What is retried.", parse: retryOn),
    number("fullconn", in: .back, "The load at which servers reach their maxconn.") {
      $0.fullConnections = $1
    },
    Keyword("cookie", in: .back, "<name> <option>...", "Persistence by cookie.", parse: CookieLine.parse),
    word("dynamic-cookie-key", in: .back, "<key>", "The key of dynamic cookies.") {
      $0.dynamicCookieKey = $1.bytes
    },
    Keyword(
      "source", in: .back, "<addr>[:<port>] [usesrc ...] [interface <name>]", "Where connections come from."
    ) {
      settings, arguments, context throws(Refusal) in
      settings.source = try SourceLine.parse(&arguments, context)
      try arguments.end()
    },
    Keyword(
      "dispatch", in: [.backend, .listen], "<address>:<port>", "The server of a proxy without servers."
    ) {
      settings, arguments, context throws(Refusal) in
      let word = try arguments.required("an address")
      try arguments.end()
      let syntax = try AddressSyntax(
        word.text, at: word.location, keyword: "dispatch", rules: [.portRequired])
      guard let ip = syntax.address(context.io), let port = syntax.ports?.lowerBound else {
        throw Refusal("'dispatch' : invalid address: '\(word.text)'", at: word.location)
      }
      settings.dispatch = .ip(ip, port: port)
    },
    Keyword("external-check", in: .back, "{ command <file> | path <path> }", "Checks by a program.") {
      settings, arguments, _ throws(Refusal) in
      let what = try arguments.required("'command' or 'path'")
      let value = try arguments.required("a value")
      switch what.text {
      case "command": settings.externalCheckCommand = value.text
      case "path": settings.externalCheckPath = value.text
      default: throw Refusal.unknownArgument(what, of: "external-check", among: ["command", "path"])
      }
    },
    word(
      "load-server-state-from-file", in: .back, "{ global | local | none }",
      "Where servers' states come from."
    ) {
      settings, word throws(Refusal) in
      guard ["global", "local", "none"].contains(word.text) else {
        throw Refusal.unknownArgument(
          word, of: "load-server-state-from-file", among: ["global", "local", "none"])
      }
      settings.loadServerStateFromFile = word.text
    },
    Keyword("server-state-file-name", in: .back, "[use-backend-name | <file>]", "The local state file.") {
      settings, arguments, _ throws(Refusal) in
      let name = arguments.next()?.text
      settings.serverStateFileName = name == "use-backend-name" ? nil : name
    },
    Keyword("http-send-name-header", in: .back, "[<header>]", "Tell the server its name.") {
      settings, arguments, _ throws(Refusal) in
      settings.sendNameHeader = try arguments.required("a header's name").bytes
    },
    Keyword(
      "max-keep-alive-queue", in: .back, "<number>",
      "Queue length up to which a kept connection is waited for."
    ) {
      _, arguments, context throws(Refusal) in
      _ = try arguments.integer(in: -1...Int(Int32.max))
      context.diagnostics.advice(
        "'max-keep-alive-queue' has no effect here: a kept connection is used whenever its server has room",
        at: arguments.keywordLocation)
    },
    number("srvtcpka-cnt", in: .back, "Keep-alive probes to servers.") {
      $0.serverKeepAliveProbes.count = $1
    },
    keepAliveTime("srvtcpka-idle", in: .back) { $0.serverKeepAliveProbes.idle = $1 },
    keepAliveTime("srvtcpka-intvl", in: .back) { $0.serverKeepAliveProbes.interval = $1 },
    flag("be-unpublished", in: [.backend, .listen], "Not chosen by other proxies until 'publish backend'.") {
      $0.isUnpublished = true
    },
  ]

  private static func keepAliveTime(
    _ name: String, in sections: SectionSet,
    _ set: @escaping @Sendable (inout ProxySettings, Timespan) -> Void
  ) -> Keyword<ProxySettings> {
    Keyword(name, in: sections, "<time>", "TCP keep-alive.") { settings, arguments, _ throws(Refusal) in
      let value = try arguments.time(unit: .seconds(1))
      try arguments.end()
      set(&settings, value)
    }
  }

  private static func retryOn(
    _ settings: inout ProxySettings, _ arguments: inout Arguments, _ context: LoadContext
  ) throws(Refusal) {
    let known = [
      "none", "conn-failure", "empty-response", "junk-response", "response-timeout", "0rtt-rejected",
      "all-retryable-errors", "401", "403", "404", "408", "421", "425", "429", "500", "501", "502", "503",
      "504",
    ]
    var reasons = Set<String>()
    try arguments.requireMore("a reason")
    for word in arguments.rest() {
      guard known.contains(word.text) else {
        throw Refusal.unknownArgument(word, of: "retry-on", among: known)
      }
      reasons.insert(word.text)
    }
    settings.retryOn = reasons
  }
}
