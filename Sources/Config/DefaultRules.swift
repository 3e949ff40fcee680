import Base

/// Which sections may take rules over from a `defaults` section (manual chapter 4, `defaults`).
enum DefaultRules {
  private static let kinds: Set<String> = [
    "tcp-request", "tcp-response", "http-request", "http-response", "http-after-response",
  ]

  static func check(
    _ parent: ProxySettings, for kind: ProxySettings.Kind, _ arguments: Arguments, _ context: LoadContext
  ) throws(Refusal) {
    let rules = parent.rules.filter { kinds.contains($0.keyword) }
    guard !rules.isEmpty else { return }
    let place = "(defaults section at \(parent.location.place))"
    var problem: String?
    switch kind {
    case .defaults:
      problem = "a defaults section cannot inherit from a defaults section defining TCP/HTTP rules \(place)."
    case .listen: problem = "a listen section cannot inherit from a defaults section defining TCP/HTTP rules."
    case .backend where has(rules, "tcp-request", ["connection", "session"]):
      problem =
        "a backend section cannot inherit from a defaults section defining 'tcp-request connection' or "
        + "'tcp-request session' rules \(place)."
    case .frontend where has(rules, "tcp-response", ["content"]):
      problem =
        "a frontend section cannot inherit from a defaults section defining 'tcp-response content' rules \(place)."
    default:
      let first = context.heirsOfRules[parent.location.place] ?? kind
      context.heirsOfRules[parent.location.place] = first
      if first != kind {
        problem =
          "frontends and backends cannot inherit from the same defaults section if it defines TCP/HTTP rules \(place)."
      }
    }
    guard let problem else { return }
    var refusal = Refusal(problem, at: arguments.line.words.first?.location ?? context.here)
    refusal.diagnostic.related = [
      (parent.location, "the defaults section"), (rules[0].location, "its first rule"),
    ]
    throw refusal
  }

  private static func has(_ rules: [Directive], _ keyword: String, _ seconds: [String]) -> Bool {
    rules.contains { $0.keyword == keyword && $0.words.count > 1 && seconds.contains($0.words[1].text) }
  }
}
