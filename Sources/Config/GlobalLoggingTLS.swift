import Base

extension GlobalKeywords {
  static let logging: [Keyword<GlobalSettings>] = [
    Keyword(
      "log", in: .global,
      "<target> [len <n>] [format <f>] [sample <ranges>:<size>] <facility> [<level> [<min>]]",
      "Send logs to this target.", takesPrefix: true
    ) { settings, arguments, context throws(Refusal) in
      if context.prefix == .no {
        settings.logs = []
        return try arguments.end()
      }
      settings.logs.append(try LogLine.parse(&arguments, context))
    },
    .word("log-tag", "<text>", "The tag of log lines.") { $0.logTag = $1.text },
    Keyword("log-send-hostname", in: .global, "[<text>]", "Put the host name into log lines.") {
      settings, arguments, _ throws(Refusal) in
      settings.logSendHostname = arguments.next()?.text ?? ""
      try arguments.end()
    },
  ]

  static let statistics: [Keyword<GlobalSettings>] = [
    Keyword(
      "stats", in: .global, "{ socket <address> [<options>] | timeout <time> | maxconn <n> }",
      "The statistics socket.", parse: stats),
    .word("stats-file", "<path>", "Counters to start with, as 'dump stats-file' wrote them.") { $0.statsFile = $1 },
  ]

  private static func stats(
    _ settings: inout GlobalSettings, _ arguments: inout Arguments, _ context: LoadContext
  ) throws(Refusal) {
    let what = try arguments.required("'socket', 'timeout' or 'maxconn'")
    var inner = Arguments(arguments.line, keywordWords: 2)
    switch what.text {
    case "socket":
      settings.statsSockets.append(try BindLine.parse(&inner, context, isStatsSocket: true))
    case "timeout":
      settings.statsTimeout = try inner.time()
      try inner.end()
    case "maxconn":
      settings.statsMaxConnections = try inner.integer(in: 1...Int(Int32.max))
      try inner.end()
    case "bind-process": context.diagnostics.warning("'stats bind-process' has no effect.", at: what.location)
    case "calculate-max-counters":
      _ = try inner.required("on|off")
      try inner.end()
      context.diagnostics.advice(
        "'stats calculate-max-counters' has no effect here: the highest numbers cost nothing to know",
        at: what.location)
    default:
      throw Refusal.unknownArgument(what, of: "stats", among: ["socket", "timeout", "maxconn"])
    }
  }

  static let tls: [Keyword<GlobalSettings>] = [
    .word("ca-base", "<directory>", "Where relative ca-file and crl-file are.") { $0.caBase = $1.text },
    .word("crt-base", "<directory>", "Where relative crt files are.") { $0.certificateBase = $1.text },
    .word("key-base", "<directory>", "Where relative key files are.") { $0.keyBase = $1.text },
    .word("issuers-chain-path", "<directory>", "Issuers' certificates that complete chains.") {
      $0.issuersChainPath = $1.text
    },
    captureSize("tune.ssl.capture-buffer-size"), captureSize("tune.ssl.capture-cipherlist-size"),
    Keyword<GlobalSettings>("tune.ssl.keylog", in: .global, "{ on | off }", "Keep the secrets of sessions for samples.")
    {
      settings, arguments, _ throws(Refusal) in
      settings.logsKeys = try arguments.onOff()
      try arguments.end()
    },
    tokenList(
      "jwt.decrypt_alg_list", "Which keys encrypted tokens may be opened with.", among: TokenAlgorithms.keys
    ) { $0.tokenAlgorithms = $1 },
    tokenList(
      "jwt.decrypt_enc_list", "How the content of tokens may be encrypted.", among: TokenAlgorithms.contents
    ) { $0.tokenEncryptions = $1 },
    .number("maxsslconn", "The most TLS connections at once.") { $0.maxTLSConnections = $1 },
    .number("maxsslrate", "The most TLS sessions a second.") { $0.rateLimitTLSSessions = $1 },
    .number("maxconnrate", "The most connections a second.") { $0.rateLimitConnections = $1 },
    .number("maxsessrate", "The most sessions a second.") { $0.rateLimitSessions = $1 },
    .number("anonkey", "The key of 'set anon on'.", in: 0...Int(UInt32.max)) {
      $0.anonymousKey = UInt32(clamping: $1)
    },
    .number("maxpipes", "The most pipes that bodies pass through at once.") { $0.maxPipes = $1 },
    Keyword("maxcomprate", in: .global, "<kB/s>", "The most octets to compress a second.") {
      settings, arguments, _ throws(Refusal) in
      settings.tunables["maxcomprate"] = String(try arguments.integer())
    },
    Keyword("ocsp-update.mode", in: .global, "[on|off]", "Whether OCSP responses are asked for.") {
      settings, arguments, _ throws(Refusal) in
      let word = try arguments.required("'on' or 'off'")
      guard word.text == "on" || word.text == "off" else {
        throw Refusal.unknownArgument(word, of: "ocsp-update.mode", among: ["on", "off"])
      }
      settings.updatesOCSP = word.text == "on"
      try arguments.end()
    },
    .number("ocsp-update.mindelay", "Seconds between two requests, at least.", in: 1...Int(Int32.max)) {
      $0.ocspDelays.minimum = $1
    },
    .number("ocsp-update.maxdelay", "Seconds between two requests, at most.", in: 1...Int(Int32.max)) {
      $0.ocspDelays.maximum = $1
    },
    .word("ssl-default-bind-ciphers", "<ciphers>", "Ciphers of bind lines.") { $0.bindTLS.ciphers = $1.text },
    .word("ssl-default-bind-ciphersuites", "<suites>", "TLS 1.3 suites of bind lines.") {
      $0.bindTLS.ciphersuites = $1.text
    },
    .word("ssl-default-bind-curves", "<curves>", "Curves of bind lines.") { $0.bindTLS.curves = $1.text },
    .word("ssl-default-bind-sigalgs", "<algorithms>", "Signatures of bind lines.") {
      $0.bindTLS.signatureAlgorithms = $1.text
    },
    .word("ssl-default-bind-client-sigalgs", "<algorithms>", "Client signatures of bind lines.") {
      $0.bindTLS.clientSignatureAlgorithms = $1.text
    },
  ]

  private static func tokenList(
    _ name: String, _ help: String, among known: [String],
    _ set: @escaping @Sendable (inout GlobalSettings, Set<String>) -> Void
  ) -> Keyword<GlobalSettings> {
    Keyword<GlobalSettings>(name, in: .global, "<name>[:<name>...]", help) { settings, arguments, _ throws(Refusal) in
      let word = try arguments.required("names, separated by colons")
      set(&settings, try TokenAlgorithms.parse(word, of: name, among: known))
      try arguments.end()
    }
  }

  private static func captureSize(_ name: String) -> Keyword<GlobalSettings> {
    .number(name, "Octets of what each ClientHello lists that are kept for samples.", in: 0...65536) {
      $0.helloCapture = $1
    }
  }

  static let serverTLS: [Keyword<GlobalSettings>] = [
    .word("ssl-default-server-ciphers", "<ciphers>", "Ciphers of server lines.") {
      $0.serverTLS.ciphers = $1.text
    },
    .word("ssl-default-server-ciphersuites", "<suites>", "TLS 1.3 suites of server lines.") {
      $0.serverTLS.ciphersuites = $1.text
    },
    .word("ssl-default-server-curves", "<curves>", "Curves of server lines.") {
      $0.serverTLS.curves = $1.text
    },
    .word("ssl-default-server-sigalgs", "<algorithms>", "Signatures of server lines.") {
      $0.serverTLS.signatureAlgorithms = $1.text
    },
    .word("ssl-default-server-client-sigalgs", "<algorithms>", "Client signatures of server lines.") {
      $0.serverTLS.clientSignatureAlgorithms = $1.text
    },
    Keyword("ssl-default-bind-options", in: .global, "<option>...", "TLS options of bind lines.") {
      settings, arguments, context throws(Refusal) in
      try TLSOptions.parseDefaults(&settings.bindTLS, &arguments, context)
    },
    Keyword("ssl-default-server-options", in: .global, "<option>...", "TLS options of server lines.") {
      settings, arguments, context throws(Refusal) in
      try TLSOptions.parseDefaults(&settings.serverTLS, &arguments, context)
    },
    Keyword("ssl-server-verify", in: .global, "[none|required]", "Whether server certificates are verified.") {
      settings, arguments, _ throws(Refusal) in
      let word = try arguments.required("'none' or 'required'")
      guard word.text == "none" || word.text == "required" else {
        throw Refusal("'ssl-server-verify' expects 'none' or 'required'.", at: word.location)
      }
      settings.verifyServers = word.text == "required"
    },
  ]
}
