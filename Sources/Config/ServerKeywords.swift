import Base

/// The options of `server` and `default-server` lines (manual chapter 5.2).
public enum ServerKeywords {
  public static let table = KeywordTable<ServerSettings>(
    general, checks, checkDetails, logs, agents, connections, proxyProtocol, tls, versions, names)

  static func flag(
    _ name: String, _ help: String, _ set: @escaping @Sendable (inout ServerSettings) -> Void
  ) -> Keyword<ServerSettings> {
    Keyword(name, in: .back, "", help) { settings, _, _ throws(Refusal) in set(&settings) }
  }

  /// Taken so that the configuration loads, not silently.
  static func noEffect(_ name: String, _ grammar: String, _ why: String) -> Keyword<ServerSettings> {
    Keyword(name, in: .back, grammar, "Taken, and of no effect: \(why).") { _, arguments, context throws(Refusal) in
      let place = arguments.lastLocation
      if !grammar.isEmpty { _ = try arguments.requiredOption(name, grammar) }
      context.diagnostics.advice("'\(name)' has no effect here: \(why)", at: place)
    }
  }

  static func word(
    _ name: String, _ grammar: String, _ help: String,
    _ set: @escaping @Sendable (inout ServerSettings, Word) throws(Refusal) -> Void
  ) -> Keyword<ServerSettings> {
    Keyword(name, in: .back, grammar, help) { settings, arguments, _ throws(Refusal) in
      try set(&settings, try arguments.requiredOption(name, grammar))
    }
  }

  static func number(
    _ name: String, _ help: String, in range: ClosedRange<Int> = 0...Int(Int32.max),
    _ set: @escaping @Sendable (inout ServerSettings, Int) -> Void
  ) -> Keyword<ServerSettings> {
    Keyword(name, in: .back, "<number>", help) { settings, arguments, _ throws(Refusal) in
      set(
        &settings,
        try Arguments.integer(try arguments.requiredOption(name, "<number>"), keyword: name, in: range))
    }
  }

  static func time(
    _ name: String, _ help: String, unit: Timespan = .milliseconds(1),
    _ set: @escaping @Sendable (inout ServerSettings, Timespan) -> Void
  ) -> Keyword<ServerSettings> {
    Keyword(name, in: .back, "<time>", help) { settings, arguments, _ throws(Refusal) in
      set(
        &settings,
        try Arguments.time(try arguments.requiredOption(name, "<time>"), keyword: name, unit: unit))
    }
  }

  static let general: [Keyword<ServerSettings>] = [
    number("id", "The server's id.", in: 1...Int(Int32.max)) { $0.id = $1 },
    word("guid", "<id>", "A unique id.") { settings, word throws(Refusal) in
      try Name.checkGUID(word)
      settings.guid = word.text
    },
    number("shard", "The part of stick tables that a peer is told.", in: 1...Int(Int32.max)) { $0.shard = $1 },
    number("weight", "Its share of the load.", in: 0...256) { $0.weight = $1 },
    flag("backup", "Used when all others are down.") { $0.isBackup = true },
    flag("no-backup", "Not a backup.") { $0.isBackup = false },
    flag("disabled", "Starts in maintenance.") { $0.isDisabled = true },
    flag("enabled", "Starts in service.") { $0.isDisabled = false },
    number("maxconn", "The most connections at once.") { $0.maxConnections = $1 },
    number("minconn", "Connections at once under low load.") { $0.minConnections = $1 },
    number("maxqueue", "The most requests waiting for it.") { $0.maxQueue = $1 },
    word("cookie", "<value>", "Its value of the persistence cookie.") { $0.cookie = $1.bytes },
    word("redir", "<prefix>", "Redirect clients to it.") { $0.redirect = $1.bytes },
    word("ws", "{ auto | h1 | h2 }", "The protocol of websockets.") { settings, word throws(Refusal) in
      guard ["auto", "h1", "h2"].contains(word.text) else {
        throw Refusal.unknownArgument(word, of: "ws", among: ["auto", "h1", "h2"])
      }
      settings.webSocketProtocol = word.text
    },
    noEffect("strict-maxconn", "", "idle connections are closed before maxconn is passed"),
    flag("stick", "Stored in stick tables.") { $0.nonStick = false },
    word("proto", "{ h1 | h2 | none }", "The protocol, whatever ALPN says.") { settings, word throws(Refusal) in
      settings.proto = try MuxProtocol.parse(word, of: "proto")
    },
    flag("non-stick", "Never stored in stick tables.") { $0.nonStick = true },
    time("slowstart", "How long its weight rises after a start.", unit: .milliseconds(1)) {
      $0.slowStart = $1
    },
    word("track", "[<backend>/]<server>", "Follow another server's state.") { $0.track = $1 },
    word("hash-key", "<key>", "What consistent hashing hashes: id, addr, addr-port.") {
      settings, word throws(Refusal) in
      guard ["id", "addr", "addr-port", "guid"].contains(word.text) else {
        throw Refusal.unknownArgument(word, of: "hash-key", among: ["id", "addr", "addr-port", "guid"])
      }
      settings.hashKey = word.text
    },
    word("init-state", "<state>", "up, down, fully-up or fully-down.") { settings, word throws(Refusal) in
      guard ["up", "down", "fully-up", "fully-down"].contains(word.text) else {
        throw Refusal.unknownArgument(
          word, of: "init-state", among: ["up", "down", "fully-up", "fully-down"])
      }
      settings.initState = word.text
    },
    word("on-marked-down", "shutdown-sessions", "What happens to sessions when it goes down.") {
      settings, word throws(Refusal) in
      guard word.text == "shutdown-sessions" else {
        throw Refusal.unknownArgument(word, of: "on-marked-down", among: ["shutdown-sessions"])
      }
      settings.shutdownSessionsWhenDown = true
    },
    word("on-marked-up", "shutdown-backup-sessions", "What happens to backups' sessions when it is back.") {
      settings, word throws(Refusal) in
      guard word.text == "shutdown-backup-sessions" else {
        throw Refusal.unknownArgument(word, of: "on-marked-up", among: ["shutdown-backup-sessions"])
      }
      settings.shutdownBackupSessionsWhenUp = true
    },
    word("on-error", "<mode>", "What happens after too many errors.") { settings, word throws(Refusal) in
      guard let mode = ServerSettings.OnError(rawValue: word.text) else {
        throw Refusal.unknownArgument(
          word, of: "on-error", among: ["fastinter", "fail-check", "sudden-death", "mark-down"])
      }
      settings.onError = mode
    },
    word("observe", "<mode>", "Watch the traffic: layer4 or layer7.") { settings, word throws(Refusal) in
      guard let mode = ServerSettings.Observe(rawValue: word.text) else {
        throw Refusal.unknownArgument(word, of: "observe", among: ["none", "layer4", "layer7"])
      }
      settings.observe = mode
    },
    number("error-limit", "Errors until on-error acts.", in: 1...Int(Int32.max)) { $0.errorLimit = $1 },
    Keyword(
      "source", in: .back, "<addr>[:<port>] [usesrc ...] [interface <name>]", "Where connections come from."
    ) {
      settings, arguments, context throws(Refusal) in
      settings.source = try SourceLine.parse(&arguments, context)
    },
    Keyword("usesrc", in: .back, "<address>", "Belongs behind 'source'.") { _, arguments, _ throws(Refusal) in
      throw Refusal("'usesrc' only allowed after a 'source' statement.", at: arguments.lastLocation)
    },
    Keyword("interface", in: .back, "<name>", "Belongs behind 'source'.") { _, arguments, _ throws(Refusal) in
      throw Refusal("'interface' only allowed after a 'source' statement.", at: arguments.lastLocation)
    },
  ]
}
