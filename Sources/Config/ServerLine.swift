import Base

/// `server` and `default-server` lines (manual chapter 5.2).
enum ServerLine {
  /// What a line has to know of its proxy.
  struct Owner {
    var name: String
    var defaults: Boxed<ServerSettings>?
    /// Where `from` looks; nil when the line has none.
    var origins: ServerOrigins?

    /// `from <origin>` if it is next; what the line starts with.
    func base(_ arguments: inout Arguments) throws(Refusal) -> ServerSettings? {
      guard arguments.take("from") else { return defaults?.value }
      let word = try arguments.required("an origin")
      guard let origins else { throw Refusal("'from' is not supported here.", at: word.location) }
      return try origins.settings(word)
    }
  }

  static func server(_ proxy: Owner, _ arguments: inout Arguments, _ context: LoadContext)
    throws(Refusal) -> ServerSettings
  {
    let name = try arguments.required("a server name")
    try Name.check(name, of: "server")
    let address = try arguments.required("an address")
    var server =
      try proxy.base(&arguments) ?? ServerSettings(name: name.text, host: "", location: name.location)
    server.name = name.text
    server.location = name.location
    try setAddress(&server, address, context)
    try options(&server, &arguments, context, what: { "server \(proxy.name)/\(name.text)" })
    server.noteTLSDefaults(context)
    return server
  }

  /// `server-template <prefix> <count> <address>`: that many servers that differ by their number.
  static func template(_ proxy: Owner, _ arguments: inout Arguments, _ context: LoadContext)
    throws(Refusal) -> [Boxed<ServerSettings>]
  {
    let prefix = try arguments.required("a prefix")
    try Name.check(prefix, of: "server-template")
    let range = try arguments.required("a number or a range")
    let bounds = range.text.split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
    guard bounds.count <= 2, let low = bounds.first ?? nil, let high = bounds.last ?? nil, low >= 0,
      low <= high,
      high - low < 100_000
    else {
      throw Refusal(
        "invalid server template range '\(range.text)'.", at: range.location,
        expected: "a count or <low>-<high>")
    }
    let address = try arguments.required("an address")
    var server =
      try proxy.base(&arguments) ?? ServerSettings(name: prefix.text, host: "", location: prefix.location)
    server.location = prefix.location
    try setAddress(&server, address, context)
    try options(&server, &arguments, context, what: { "server-template \(proxy.name)/\(prefix.text)" })
    server.noteTLSDefaults(context)
    return (bounds.count == 1 ? 1...max(1, high) : low...high).map { number in
      var copy = server
      copy.name = "\(prefix.text)\(number)"
      return Boxed(copy)
    }
  }

  static func defaults(_ proxy: Owner, _ arguments: inout Arguments, _ context: LoadContext)
    throws(Refusal) -> Boxed<ServerSettings>
  {
    var server =
      try proxy.base(&arguments)
      ?? ServerSettings(name: "default-server", host: "", location: arguments.line.location)
    try options(&server, &arguments, context, what: { "default-server" })
    server.hasDefaults = true
    return Boxed(server)
  }

  private static func setAddress(_ server: inout ServerSettings, _ word: Word, _ context: LoadContext)
    throws(Refusal)
  {
    let syntax = try AddressSyntax(
      context.expandVariables(word.text), at: word.location, keyword: "server", rules: [.portOffset])
    server.host = syntax.hostText
    server.addressLocation = word.location
    server.port = syntax.ports?.lowerBound
    server.portOffset = syntax.portOffset
    server.isDatagram = syntax.transport == .datagram
    let port = server.port ?? 0
    switch syntax.host {
    case .unix(let path):
      server.isUnix = true
      server.address = .unix(path)
    case .abstract(let name, let isPadded):
      server.isUnix = true
      server.address = .abstract(name, isPadded: isPadded)
    case .descriptor: throw Refusal("'server' : a file descriptor is no server address.", at: word.location)
    case .unspecified: server.address = .ip(syntax.family == .v6 ? .v6(high: 0, low: 0) : .v4(0), port: port)
    case .literal(let ip): server.address = .ip(ip, port: port)
    case .name: server.address = .none
    }
  }

  private static func options(
    _ server: inout ServerSettings, _ arguments: inout Arguments, _ context: LoadContext, what: () -> String
  ) throws(Refusal) {
    while let word = arguments.next() {
      guard let keyword = ServerKeywords.table[word.text] ?? parenthesized(word) else {
        let suggestion = ServerKeywords.table.suggestion(for: word.text, in: .proxy)
        let hint = suggestion.map { "; did you mean '\($0)' maybe ?" } ?? ""
        var refusal = Refusal(
          "'\(what())' : unknown keyword '\(word.text)'\(hint)", at: word.location,
          expected: "an option of 'server'", suggestion: suggestion)
        refusal.diagnostic.form = .place
        throw refusal
      }
      if context.refusedServerOptions.contains(keyword.name) {
        throw Refusal("'\(word.text)' option is not accepted for dynamic server", at: word.location)
      }
      try keyword.parse(&server, &arguments, context)
    }
  }

  /// `name(argument)` as the keyword `name`.
  private static func parenthesized(_ word: Word) -> Keyword<ServerSettings>? {
    guard let open = word.text.firstIndex(of: "("), word.text.hasPrefix("set-proxy-v2-tlv-fmt(") else {
      return nil
    }
    return ServerKeywords.table[String(word.text[..<open])]
  }
}

extension ServerSettings {
  /// Lines of `global` that come later mean later servers.
  fileprivate mutating func noteTLSDefaults(_ context: LoadContext) {
    if isTLS || preparesTLS || checkTLS == true, !context.isRuntime {
      tlsDefaults = context.configuration.global.serverTLS
    }
  }
}
