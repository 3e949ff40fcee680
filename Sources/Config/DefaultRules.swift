import Base

/// Which sections may take rules over from a `defaults` section (manual chapter 4, `defaults`).
enum DefaultRules {
  private static let kinds: Set<String> = [
    "tcp-request", "tcp-response", "http-request", "http-response", "http-after-response",
  ]

  static func check(
    _ parent: ProxySettings, for kind: ProxySettings.Kind, _ arguments: Arguments, _ context: LoadContext
  ) throws(Refusal) {
    let heirs = context.configuration.heirsOfRules[parent.location.place]
    if let problem = problem(of: parent, for: kind, heirs: heirs) {
      var refusal = Refusal(problem, at: arguments.line.words.first?.location ?? context.here)
      refusal.diagnostic.related = [(parent.location, "the defaults section")]
      if let first = rules(of: parent).first { refusal.diagnostic.related.append((first.location, "its first rule")) }
      throw refusal
    }
    if kind != .defaults, heirs == nil, !rules(of: parent).isEmpty {
      context.configuration.heirsOfRules[parent.location.place] = kind
    }
  }

  private static func rules(of parent: ProxySettings) -> [Directive] {
    parent.rules.filter { kinds.contains($0.keyword) }
  }

  /// Why a section of `kind` cannot take the rules of `parent` over, which sections of the kind `heirs` did before.
  static func problem(
    of parent: ProxySettings, for kind: ProxySettings.Kind, heirs: ProxySettings.Kind?
  ) -> String? {
    let rules = rules(of: parent)
    if rules.isEmpty { return nil }
    let place = "(defaults section at \(parent.location.place))"
    switch kind {
    case .defaults:
      return "a defaults section cannot inherit from a defaults section defining TCP/HTTP rules \(place)."
    case .listen: return "a listen section cannot inherit from a defaults section defining TCP/HTTP rules."
    case .backend where has(rules, "tcp-request", ["connection", "session"]):
      return "a backend section cannot inherit from a defaults section defining 'tcp-request connection' or "
        + "'tcp-request session' rules \(place)."
    case .frontend where has(rules, "tcp-response", ["content"]):
      return
        "a frontend section cannot inherit from a defaults section defining 'tcp-response content' rules \(place)."
    default:
      if heirs ?? kind == kind { return nil }
      return
        "frontends and backends cannot inherit from the same defaults section if it defines TCP/HTTP rules \(place)."
    }
  }

  private static func has(_ rules: [Directive], _ keyword: String, _ seconds: [String]) -> Bool {
    rules.contains { $0.keyword == keyword && $0.words.count > 1 && seconds.contains($0.words[1].text) }
  }
}
