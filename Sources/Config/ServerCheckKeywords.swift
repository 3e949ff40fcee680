import Base

extension ServerKeywords {
  static let checks: [Keyword<ServerSettings>] = [
    flag("check", "Probe the server.") { $0.checksEnabled = true },
    flag("no-check", "Do not probe the server.") { $0.checksEnabled = false },
    time("inter", "Time between checks.") { $0.interval = $1 },
    time("fastinter", "Time between checks in a transition.") { $0.fastInterval = $1 },
    time("downinter", "Time between checks while it is down.") { $0.downInterval = $1 },
    number("rise", "Good checks until it is up.", in: 1...Int(Int32.max)) { $0.rise = $1 },
    number("fall", "Bad checks until it is down.", in: 1...Int(Int32.max)) { $0.fall = $1 },
    number("port", "The port to check.", in: 0...65535) { $0.checkPort = UInt16(truncatingIfNeeded: $1) },
    word("addr", "<address>", "The address to check.") { $0.checkAddress = $1.text },
    flag("check-ssl", "Check over TLS.") { $0.checkTLS = true },
    flag("no-check-ssl", "Check without TLS.") { $0.checkTLS = false },
    flag("check-send-proxy", "Send the PROXY protocol with checks.") { $0.checkSendProxy = true },
    flag("no-check-send-proxy", "Send no PROXY protocol with checks.") { $0.checkSendProxy = false },
    flag("check-via-socks4", "Check through socks4.") { $0.checkViaSocks = true },
    word("check-sni", "<name>", "The name to ask for in checks.") { $0.checkSNI = $1.bytes },
    Keyword("check-alpn", in: .back, "<protocols>", "Protocols of checks.") {
      settings, arguments, _ throws(Refusal) in settings.checkALPN = try TLSOptions.protocols(&arguments)
    },
    word("check-proto", "{ h1 | h2 | none }", "The protocol of checks.") { settings, word throws(Refusal) in
      settings.checkProto = try MuxProtocol.parse(word, of: "check-proto")
    },
  ]

  static let checkDetails: [Keyword<ServerSettings>] = [
    flag("check-sni-auto", "Take the checks' name from the Host header.") { $0.checkSNIAuto = true },
    flag("no-check-sni-auto", "Do not take the checks' name from the Host header.") {
      $0.checkSNIAuto = false
    },
    Keyword(
      "check-reuse-pool", in: .back, "", "Taken, and of no effect: checks make connections of their own."
    ) {
      _, arguments, context throws(Refusal) in
      context.diagnostics.advice(
        "'check-reuse-pool' has no effect here: checks make connections of their own",
        at: arguments.keywordLocation)
    },
    noEffect("check-pool-conn-name", "<name>", "checks make connections of their own"),
    flag("no-check-reuse-pool", "Checks make connections of their own.") { _ in },
    word("healthcheck", "<section>", "The check of a 'healthcheck' section.") { $0.healthCheck = $1 },
  ]

  /// Of servers that log messages are sent to.
  static let logs: [Keyword<ServerSettings>] = [
    word("log-proto", "{ legacy | octet-count }", "How log messages are framed.") {
      settings, word throws(Refusal) in
      guard ["legacy", "octet-count"].contains(word.text) else {
        throw Refusal.unknownArgument(word, of: "log-proto", among: ["legacy", "octet-count"])
      }
      settings.countsOctets = word.text == "octet-count"
    },
    Keyword("log-bufsize", in: .back, "<size>", "Octets of messages that may wait for the server.") {
      settings, arguments, _ throws(Refusal) in
      settings.logBufferSize = try Arguments.integer(
        try arguments.requiredOption("log-bufsize", "<size>"), keyword: "log-bufsize", in: 1024...Int(Int32.max))
    },
  ]

  static let agents: [Keyword<ServerSettings>] = [
    flag("agent-check", "Ask an agent about the server.") { $0.agentEnabled = true },
    flag("no-agent-check", "Ask no agent.") { $0.agentEnabled = false },
    time("agent-inter", "Time between questions.") { $0.agentInterval = $1 },
    number("agent-port", "The agent's port.", in: 1...65535) {
      $0.agentPort = UInt16(truncatingIfNeeded: $1)
    },
    word("agent-addr", "<address>", "The agent's address.") { $0.agentAddress = $1.text },
    word("agent-send", "<text>", "What is sent to the agent.") { $0.agentSend = $1.bytes },
  ]

  static let connections: [Keyword<ServerSettings>] = [
    number("pool-max-conn", "The most idle connections.", in: -1...Int(Int32.max)) {
      $0.poolMaximum = $1 < 0 ? nil : $1
    },
    number("pool-low-conn", "Idle connections below which none is taken over.") {
      $0.poolLowConnections = $1
    },
    time("pool-purge-delay", "How long connections stay idle.") { $0.poolPurgeDelay = $1 },
    Keyword("pool-conn-name", in: .back, "<expr>", "A name that idle connections are looked up by.") {
      settings, arguments, _ throws(Refusal) in
      let word = try arguments.requiredOption("pool-conn-name", "<expr>")
      settings.poolConnectionName = Directive(words: [word], location: word.location)
    },
    number("max-reuse", "The most requests of a connection.", in: -1...Int(Int32.max)) {
      $0.maxReuse = $1 < 0 ? nil : $1
    },
    flag("tfo", "TCP Fast Open.") { $0.tcpFastOpen = true },
    flag("no-tfo", "No TCP Fast Open.") { $0.tcpFastOpen = false },
    time("tcp-ut", "TCP's user timeout.") { $0.tcpUserTimeout = $1 },
    time("idle-ping", "How often an idle HTTP/2 connection is asked whether its server is there.") { $0.idlePing = $1 },
    word("cc", "<algorithm>", "How TCP controls congestion: cubic, reno, bbr...") { $0.congestionControl = $1 },
    Keyword("tcp-md5sig", in: .back, "<password>", "Segments are signed (RFC 2385).") {
      settings, arguments, _ throws(Refusal) in
      settings.segmentPassword = try SocketWords.password(&arguments)
    },
    word("namespace", "<name>", "A network namespace.") { _, word throws(Refusal) in
      throw Refusal.notSupported("'namespace'", word)
    },
    word("socks4", "<address>:<port>", "Connect through a socks4 proxy.") { settings, word throws(Refusal) in
      let syntax = try AddressSyntax(word.text, at: word.location, keyword: "socks4", rules: [.portRequired])
      guard case .literal(let ip) = syntax.host, let port = syntax.ports?.lowerBound else {
        throw Refusal("'socks4' : expects an address and a port.", at: word.location)
      }
      settings.socks4 = .ip(ip, port: port)
    },
  ]

  static let proxyProtocol: [Keyword<ServerSettings>] = [
    flag("send-proxy", "Send the PROXY protocol, version 1.") { $0.sendProxy = .v1 },
    flag("no-send-proxy", "Send no PROXY protocol.") { if $0.sendProxy == .v1 { $0.sendProxy = nil } },
    flag("send-proxy-v2", "Send the PROXY protocol, version 2.") { $0.sendProxy = .v2 },
    flag("no-send-proxy-v2", "Send no PROXY protocol, version 2.") {
      if $0.sendProxy == .v2 { $0.sendProxy = nil }
    },
    flag("send-proxy-v2-ssl", "The PROXY protocol with TLS information.") {
      $0.sendProxy = .v2
      $0.proxyV2Options.append("ssl")
    },
    flag("send-proxy-v2-ssl-cn", "The PROXY protocol with the client certificate's name.") {
      $0.sendProxy = .v2
      $0.proxyV2Options += ["ssl", "cert-cn"]
    },
    flag("no-send-proxy-v2-ssl", "The PROXY protocol without TLS information.") {
      $0.proxyV2Options.removeAll { $0 == "ssl" }
    },
    flag("no-send-proxy-v2-ssl-cn", "The PROXY protocol without the client certificate's name.") {
      $0.proxyV2Options.removeAll { $0 == "cert-cn" }
    },
    word("proxy-v2-options", "<options>", "What version 2 of the PROXY protocol tells.") {
      settings, word throws(Refusal) in
      let known = [
        "ssl", "cert-cn", "ssl-cipher", "cert-sig", "cert-key", "authority", "crc32c", "unique-id",
      ]
      for option in word.commaSeparated.map(\.string) {
        guard known.contains(option) else {
          throw Refusal(
            "'proxy-v2-options' : option '\(option)' is unknown.", at: word.location, expected: known.oneOf,
            suggestion: Nearest.word(to: option, among: known))
        }
        settings.proxyV2Options.append(option)
      }
    },
    Keyword("set-proxy-v2-tlv-fmt", in: .back, "(<id>) [<fmt>]", "A TLV of version 2 of the PROXY protocol.") {
      settings, arguments, _ throws(Refusal) in
      guard arguments.position > 0 else { return }
      let name = arguments.line.words[arguments.position - 1]
      let words = [name] + (arguments.next().map { [$0] } ?? [])
      settings.setProxyTLVs.append(Directive(words: words, location: name.location))
    },
  ]
}
