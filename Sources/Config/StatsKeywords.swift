import Base

/// `stats <name>` of proxies (manual chapter 4.2).
public enum StatsKeywords {
  public static let table = KeywordTable<ProxySettings>([
    Keyword("enable", in: .proxy, "", "Serve the statistics page.") { settings, _, _ throws(Refusal) in
      settings.withStats { _ in }
    },
    setting("uri", "<prefix>") { stats, arguments throws(Refusal) in
      stats.uri = try arguments.required("a URI prefix").bytes
    },
    setting("realm", "<realm>") { stats, arguments throws(Refusal) in
      stats.realm = try arguments.required("a realm").bytes
    },
    setting("auth", "<user>:<password>") { stats, arguments throws(Refusal) in
      let word = try arguments.required("<user>:<password>")
      guard let colon = word.bytes.firstIndex(of: ASCII.colon) else {
        throw Refusal("'stats auth' expects 'user:password' as argument.", at: word.location)
      }
      stats.credentials.append((word.bytes[0..<colon], word.bytes.dropFirst(colon + 1)))
    },
    Keyword("refresh", in: .proxy, "<delay>", "How often the page refreshes.") {
      settings, arguments, _ throws(Refusal) in
      let time = try arguments.time(unit: .seconds(1))
      settings.withStats { $0.refresh = time }
    },
    setting("hide-version", "") { stats, _ throws(Refusal) in stats.hideVersion = true },
    setting("show-legends", "") { stats, _ throws(Refusal) in stats.showLegends = true },
    setting("show-modules", "") { stats, _ throws(Refusal) in stats.showModules = true },
    setting("show-node", "[<name>]") { stats, arguments throws(Refusal) in
      stats.showNode = true
      stats.node = arguments.next()?.text
    },
    setting("show-desc", "[<text>]") { stats, arguments throws(Refusal) in
      stats.showDescription = true
      let text = arguments.rest().map(\.text).joined(separator: " ")
      stats.description = text.isEmpty ? nil : text
    },
    setting("scope", "{ <name> | '.' }") { stats, arguments throws(Refusal) in
      stats.scopes.append(try arguments.required("a proxy's name or '.'"))
    },
    setting("admin", "{ if | unless } <condition>") { stats, arguments throws(Refusal) in
      let word = try arguments.required("'if' or 'unless'")
      guard word.text == "if" || word.text == "unless" else {
        throw Refusal(
          "'stats admin' expects 'if' or 'unless' followed by a condition.", at: word.location,
          expected: "'if' or 'unless'")
      }
      stats.adminRules.append(arguments.line)
      _ = arguments.rest()
    },
    setting("http-request", "{ allow | deny | auth } [<condition>]") { stats, arguments throws(Refusal) in
      _ = try arguments.required("an action")
      stats.httpRequestRules.append(arguments.line)
      _ = arguments.rest()
    },
  ])

  private static func setting(
    _ name: String, _ grammar: String,
    _ parse: @escaping @Sendable (inout StatsSettings, inout Arguments) throws(Refusal) -> Void
  ) -> Keyword<ProxySettings> {
    Keyword(name, in: .proxy, grammar, "The statistics page.") { settings, arguments, _ throws(Refusal) in
      var stats = settings.stats ?? StatsSettings()
      try parse(&stats, &arguments)
      settings.stats = stats
    }
  }
}

extension ProxySettings {
  /// Changes the statistics page, which the first of its lines brings into being.
  mutating func withStats(_ change: (inout StatsSettings) -> Void) {
    var stats = self.stats ?? StatsSettings()
    change(&stats)
    self.stats = stats
  }
}
