import Base

/// `option <name>` (manual chapter 4.2).
public enum OptionKeywords {
  public static let table = KeywordTable<ProxySettings>(frontSide, backSide, bothSides, formats, checks)

  /// A switch; `no` turns it off, `default` puts the built-in value back.
  static func toggle(
    _ name: String, in sections: SectionSet, default standard: Bool = false, isHTTP: Bool = false,
    _ set: @escaping @Sendable (inout ProxySettings, Bool) -> Void
  ) -> Keyword<ProxySettings> {
    Keyword(name, in: sections, "", "A switch.", takesPrefix: true, isHTTP: isHTTP) {
      settings, arguments, context throws(Refusal) in
      try arguments.end()
      set(&settings, context.prefix == .none ? true : context.prefix == .no ? false : standard)
    }
  }

  /// A switch of something that is not done here: taken so that the configuration loads, not silently.
  private static func noEffect(
    _ name: String, in sections: SectionSet, isHTTP: Bool = false, _ why: String
  ) -> Keyword<ProxySettings> {
    Keyword(name, in: sections, "", "Taken, and of no effect: \(why).", takesPrefix: true, isHTTP: isHTTP) {
      _, arguments, context throws(Refusal) in
      try arguments.end()
      if context.prefix != .none { return }
      context.diagnostics.advice("'option \(name)' has no effect here: \(why)", at: arguments.keywordLocation)
    }
  }

  static let frontSide: [Keyword<ProxySettings>] = [
    toggle("dontlognull", in: .front) { $0.dontLogNull = $1 },
    toggle("dontlog-normal", in: .front) { $0.dontLogNormal = $1 },
    toggle("logasap", in: .front) { $0.logAsap = $1 },
    toggle("log-separate-errors", in: .front) { $0.logSeparateErrors = $1 },
    toggle("contstats", in: .front) { $0.contStats = $1 },
    toggle("socket-stats", in: .front) { $0.socketStats = $1 },
    toggle("clitcpka", in: .front) { $0.clientKeepAlive = $1 },
    toggle("tcp-smart-accept", in: .front) { $0.smartAccept = $1 },
    toggle("http-ignore-probes", in: .front, isHTTP: true) { $0.ignoreProbes = $1 },
    toggle("accept-invalid-http-request", in: .front) { $0.acceptInvalidRequest = $1 },
    toggle("accept-unsafe-violations-in-http-request", in: .front, isHTTP: true) { $0.acceptInvalidRequest = $1 },
    toggle("h1-case-adjust-bogus-client", in: .front) { $0.adjustsCaseForClient = $1 },
    noEffect("http-use-proxy-header", in: .front, isHTTP: true, "Proxy-Connection is a header of no standard"),
    noEffect("idle-close-on-response", in: .front, isHTTP: true, "idle connections are closed when the process stops"),
    toggle("http-drop-request-trailers", in: .back, isHTTP: true) { $0.dropsRequestTrailers = $1 },
    toggle("http-drop-response-trailers", in: .front, isHTTP: true) { $0.dropsResponseTrailers = $1 },
  ]

  static let backSide: [Keyword<ProxySettings>] = [
    toggle("allbackups", in: .back) { $0.allBackups = $1 },
    toggle("persist", in: .back) { $0.persist = $1 },
    toggle("prefer-last-server", in: .back, isHTTP: true) { $0.preferLastServer = $1 },
    toggle("abortonclose", in: .proxy) { $0.abortOnClose = $1 },
    toggle("srvtcpka", in: .back) { $0.serverKeepAlive = $1 },
    toggle("log-health-checks", in: .back) { $0.logHealthChecks = $1 },
    toggle("checkcache", in: .back, isHTTP: true) { $0.checkCache = $1 },
    toggle("accept-invalid-http-response", in: .back) { $0.acceptInvalidResponse = $1 },
    toggle("accept-unsafe-violations-in-http-response", in: .back, isHTTP: true) { $0.acceptInvalidResponse = $1 },
    toggle("h1-case-adjust-bogus-server", in: .back) { $0.adjustsCaseForServer = $1 },
    toggle("http-pretend-keepalive", in: .back, isHTTP: true) { $0.pretendKeepAlive = $1 },
    toggle("tcp-smart-connect", in: .back) { $0.smartConnect = $1 },
    Keyword(
      "use-small-buffers", in: .proxy, "[...]", "Taken, and of no effect: buffers are held only while octets wait.",
      takesPrefix: true
    ) {
      _, arguments, context throws(Refusal) in
      _ = arguments.rest()
      context.diagnostics.advice(
        "'option use-small-buffers' has no effect here: buffers are held only while octets wait in them",
        at: arguments.keywordLocation)
    },
    .unsupported("transparent", in: .back),
    Keyword("redispatch", in: .back, "[<interval>]", "Retry on another server.", takesPrefix: true) {
      settings, arguments, context throws(Refusal) in
      if context.prefix != .none {
        settings.redispatch = nil
        return
      }
      settings.redispatch =
        arguments.isAtEnd ? -1 : try arguments.integer(in: Int(Int32.min)...Int(Int32.max))
      try arguments.end()
    },
  ]

  static let bothSides: [Keyword<ProxySettings>] = [
    toggle("http-server-close", in: .proxy) { $0.setMode(.serverClose, on: $1) },
    toggle("httpclose", in: .proxy) { $0.setMode(.close, on: $1) },
    toggle("http-keep-alive", in: .proxy) { $0.setMode(.keepAlive, on: $1) },
    oldClose("forceclose"), oldClose("http_proxy", supported: false), oldTunnel,
    noEffect("http-no-delay", in: .proxy, isHTTP: true, "nothing is ever held back"),
    toggle("http-buffer-request", in: .proxy, isHTTP: true) { $0.bufferRequest = $1 },
    restrictNames,
    noEffect("independent-streams", in: .proxy, "each side has its own timeout"),
    noEffect("independant-streams", in: .proxy, "each side has its own timeout"),
    toggle("nolinger", in: .proxy) { $0.noLinger = $1 },
    toggle("tcpka", in: .proxy) { $0.tcpKeepAlive = $1 },
    splice("splice-auto"), splice("splice-request"), splice("splice-response"),
    toggle("disable-h2-upgrade", in: .front, isHTTP: true) { $0.disablesH2Upgrade = $1 },
    forwardFor("forwardfor", "X-Forwarded-For") { $0.forwardFor = $1 },
    forwardFor("originalto", "X-Original-To") { $0.originalTo = $1 },
    Keyword(
      "forwarded", in: .back, "[proto] [host ...] [by ...] [for ...]", "Sends RFC 7239's header.",
      takesPrefix: true
    ) {
      settings, arguments, context throws(Refusal) in
      settings.forwarded = context.prefix == .none ? arguments.line : nil
    },
    .unsupported("http-use-htx", in: .proxy),
  ]

  private static let restrictNames = Keyword<ProxySettings>(
    "http-restrict-req-hdr-names", in: .proxy, "{ preserve | delete | reject }",
    "What happens to odd header names."
  ) { settings, arguments, _ throws(Refusal) in
    let word = try arguments.required("'preserve', 'delete' or 'reject'")
    try arguments.end()
    guard ["preserve", "delete", "reject"].contains(word.text) else {
      throw Refusal.unknownArgument(
        word, of: "option http-restrict-req-hdr-names", among: ["preserve", "delete", "reject"])
    }
    settings.restrictHeaderNames = word.text
  }

  private static func splice(_ name: String) -> Keyword<ProxySettings> {
    noEffect(name, in: .proxy, "what is large enough passes from socket to socket anyway, unless 'nosplice' forbids it")
  }

  private static func oldClose(_ name: String, supported: Bool = true) -> Keyword<ProxySettings> {
    guard supported else { return .unsupported(name, in: .proxy) }
    return Keyword(name, in: .proxy, "", "See 'option httpclose'.", deprecatedSince: "2.0", takesPrefix: true) {
      settings, arguments, context throws(Refusal) in
      settings.setMode(.close, on: context.prefix == .none)
      context.diagnostics.warning(
        "'option \(name)' is gone since 2.0: 'option httpclose' does the same.",
        at: arguments.keywordLocation, replacement: "option httpclose")
    }
  }

  private static let oldTunnel = Keyword<ProxySettings>(
    "http-tunnel", in: .proxy, "", "Gone since 2.1.", deprecatedSince: "2.1", takesPrefix: true
  ) { settings, arguments, context throws(Refusal) in
    settings.setMode(.keepAlive, on: context.prefix == .none)
    context.diagnostics.warning(
      "'option http-tunnel' is gone since 2.1: connections are kept alive in its place.",
      at: arguments.keywordLocation, replacement: "option http-keep-alive")
  }

  private static func forwardFor(
    _ name: String, _ header: Bytes, _ set: @escaping @Sendable (inout ProxySettings, ForwardFor?) -> Void
  ) -> Keyword<ProxySettings> {
    Keyword(
      name, in: .proxy, "[except <network>] [header <name>] [if-none]",
      "Tells the server the client's address.",
      takesPrefix: true
    ) { settings, arguments, context throws(Refusal) in
      if context.prefix != .none { return set(&settings, nil) }
      var value = ForwardFor(headerName: header)
      while let word = arguments.next() {
        switch word.text {
        case "except":
          let network = try arguments.required("a network")
          guard Network.isValid(network.text) else {
            throw Refusal(
              "'option \(name)' : '\(network.text)' is no network.", at: network.location,
              expected: "an address with an optional /<bits>")
          }
          value.except.append(network.text)
        case "header": value.headerName = try arguments.required("a header's name").bytes
        case "if-none": value.ifNone = true
        default:
          throw Refusal.unknownArgument(word, of: "option \(name)", among: ["except", "header", "if-none"])
        }
      }
      set(&settings, value)
    }
  }
}

/// `address[/bits]`.
enum Network {
  static func isValid(_ text: String) -> Bool {
    let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    guard let address = IPAddress(parts[0]) else { return false }
    guard parts.count == 2 else { return true }
    if let bits = Int(parts[1]) { return bits >= 0 && bits <= (address.octets.count * 8) }
    if case .v4 = address, case .v4 = IPAddress(parts[1]) { return true }
    return false
  }
}

extension ProxySettings {
  /// The last of the connection modes wins; switching off another one than the current changes nothing.
  mutating func setMode(_ mode: HTTPConnectionMode, on: Bool) {
    if on {
      connectionMode = mode
    } else if connectionMode == mode {
      connectionMode = .keepAlive
    }
  }
}
