import Base

extension ProxyKeywords {
  /// Lines that `Rules` compiles; only their place is checked here.
  static let rules: [Keyword<ProxySettings>] = [
    Keyword("acl", in: .proxy, "<name> <criterion> [<flags>] [<pattern>...]", "A named condition.") {
      settings, arguments, _ throws(Refusal) in
      if settings.isAnonymousDefaults {
        throw Refusal("'acl' not allowed in anonymous 'defaults' section.", at: arguments.keywordLocation)
      }
      let name = try arguments.required("a name")
      if let i = Name.firstInvalid(name.bytes) {
        throw Refusal(
          "character '\(Character(UnicodeScalar(name.bytes[i])))' is not permitted in acl name '\(name.text)'.",
          at: name.location, expected: "letters, digits, '-', '_', '.' and ':'")
      }
      _ = try arguments.required("a criterion")
      settings.acls.append(arguments.line)
    },
    rule("tcp-request", in: .proxy, "{ connection | session | content | inspect-delay } ..."),
    rule("tcp-response", in: .back, "{ content | inspect-delay } ..."),
    rule("http-request", in: .proxy, "<action> [<arguments>] [{ if | unless } <condition>]"),
    rule("http-response", in: .proxy, "<action> [<arguments>] [{ if | unless } <condition>]"),
    rule("http-after-response", in: .proxy, "<action> [<arguments>] [{ if | unless } <condition>]"),
    rule(
      "redirect", in: .notDefaults,
      "{ location | prefix | scheme } <to> [<options>] [{ if | unless } <condition>]"),
    rule("use_backend", in: [.frontend, .listen], "<backend> [{ if | unless } <condition>]"),
    rule("use-server", in: [.backend, .listen], "<server> { if | unless } <condition>"),
    rule("monitor", in: [.frontend, .listen], "fail { if | unless } <condition>"),
    rule("force-persist", in: [.backend, .listen], "{ if | unless } <condition>"),
    rule("force-be-switch", in: [.frontend, .listen], "{ if | unless } <condition>"),
    rule("ignore-persist", in: [.backend, .listen], "{ if | unless } <condition>"),
    rule("stick", in: [.backend, .listen], "{ on | match | store-request | store-response } ..."),
    rule("declare", in: .notDefaults, "capture { request | response } len <length>"),
    Keyword(
      "capture", in: [.frontend, .listen],
      "{ cookie <name> | request header <name> | response header <name> } len <length>",
      "What is captured for logs.", parse: capture),
    Keyword("stick-table", in: .notDefaults, StickTableLine.grammar, "A table of keys and counters.") {
      settings, arguments, context throws(Refusal) in
      if let earlier = settings.stickTable {
        throw Refusal.duplicate(
          "'stick-table': '\(settings.name)' has a stick-table already.", arguments.line.words[0],
          earlier.location)
      }
      let table = StickTableSettings(
        name: settings.name, wireName: settings.name, location: arguments.keywordLocation)
      settings.stickTable = try StickTableLine.parse(table, isOfPeers: false, &arguments, context)
    },
    checkRule("http-check"), checkRule("tcp-check"),
  ]

  private static func rule(_ name: String, in sections: SectionSet, _ grammar: String) -> Keyword<
    ProxySettings
  > {
    Keyword(name, in: sections, grammar, "A rule.") { settings, arguments, _ throws(Refusal) in
      if settings.isAnonymousDefaults {
        throw Refusal("'\(name)' not allowed in anonymous 'defaults' section.", at: arguments.keywordLocation)
      }
      _ = try arguments.required(grammar)
      settings.rules.append(arguments.line)
    }
  }

  private static func checkRule(_ name: String) -> Keyword<ProxySettings> {
    Keyword(name, in: .back, "...", "A step of a check.") { settings, arguments, _ throws(Refusal) in
      _ = try arguments.required("a step")
      settings.checkRules.append(arguments.line)
    }
  }

  private static func capture(
    _ settings: inout ProxySettings, _ arguments: inout Arguments, _ context: LoadContext
  ) throws(Refusal) {
    let what = try arguments.required("'cookie', 'request' or 'response'")
    switch what.text {
    case "cookie":
      let name = try arguments.required("a cookie's name")
      let word = try arguments.required("'len'")
      guard word.text == "len" else {
        throw Refusal.unknownArgument(word, of: "capture cookie", among: ["len"])
      }
      let length = try arguments.integer(in: 1...65535)
      // A name is the beginning of a cookie's name unless an equals sign ends it.
      let isPrefix = !name.bytes.ends(with: "=")
      let bare = isPrefix ? name.bytes : name.bytes.prefix(name.bytes.count - 1)
      settings.captureCookie = (bare, isPrefix, length)
    case "request", "response":
      settings.rules.append(arguments.line)
    default:
      throw Refusal.unknownArgument(what, of: "capture", among: ["cookie", "request", "response"])
    }
  }
}

extension ProxySettings {
  var isAnonymousDefaults: Bool { kind == .defaults && name.isEmpty }
}
