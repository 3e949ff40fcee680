import Base

extension ProxyKeywords {
  /// Keywords of 1.3 to 2.0 that later versions dropped; they keep their meaning here.
  static let old: [Keyword<ProxySettings>] = [
    oldTimeout("clitimeout", "client", in: .front, \.client),
    oldTimeout("srvtimeout", "server", in: .back, \.server),
    oldTimeout("contimeout", "connect", in: .back, \.connect),
    Keyword("redispatch", in: .back, "", "See 'option redispatch'.", deprecatedSince: "1.3") {
      settings, arguments, context throws(Refusal) in
      settings.redispatch = -1
      context.diagnostics.warning(
        "'redispatch' is gone since 2.1: it is an option.", at: arguments.keywordLocation,
        replacement: "option redispatch")
    },
  ]

  static let oldRules: [Keyword<ProxySettings>] = headerRules.map(oldRule)

  private static let headerRules = [
    "reqadd", "reqallow", "reqiallow", "reqdel", "reqidel", "reqdeny", "reqideny", "reqpass", "reqipass",
    "reqrep", "reqirep", "reqsetbe", "reqisetbe", "reqtarpit", "reqitarpit", "rspadd", "rspdel", "rspidel",
    "rspdeny", "rspideny", "rsprep", "rspirep", "block",
  ]

  /// `Rules` knows what such a line means and says what to write in its place.
  private static func oldRule(_ name: String) -> Keyword<ProxySettings> {
    Keyword(name, in: .proxy, "...", "A rule of old.", deprecatedSince: "2.1") {
      settings, arguments, _ throws(Refusal) in
      _ = try arguments.required("an argument")
      settings.rules.append(arguments.line)
    }
  }

  private static func oldTimeout(
    _ name: String, _ modern: String, in sections: SectionSet, _ field: TimeoutKeywords.Field
  ) -> Keyword<ProxySettings> {
    Keyword(name, in: sections, "<time>", "See 'timeout \(modern)'.", deprecatedSince: "1.3") {
      settings, arguments, context throws(Refusal) in
      try TimeoutKeywords.setOld(&settings, &arguments, context, modern, field)
    }
  }
}
