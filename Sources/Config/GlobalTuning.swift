import Base

extension GlobalKeywords {
  /// `tune.*` (manual chapter 3.2).
  static let tuning: [Keyword<GlobalSettings>] = [
    sized("tune.bufsize", "Octets of a buffer.") { $0.bufferSize = $1 },
    sized("tune.maxrewrite", "Octets of a buffer kept free for rewriting.") { $0.maxRewrite = $1 },
    .number("tune.http.maxhdr", "The most headers of a message.", in: 1...32767) { $0.maxHeaders = $1 },
    Keyword("tune.idle-pool.shared", in: .global, "{ on | off }", "Threads take over idle connections of others.") {
      settings, arguments, _ throws(Refusal) in
      settings.sharesIdleConnections = try arguments.onOff()
      try arguments.end()
    },
    .number("tune.stick-counters", "How many stick counters a session tracks at most.", in: 0...100) {
      $0.stickCounters = $1
    },
  ]

  private static func sized(
    _ name: String, _ help: String, set: @escaping @Sendable (inout GlobalSettings, Int) -> Void
  ) -> Keyword<GlobalSettings> {
    Keyword(name, in: .global, "<size>", help) { settings, arguments, _ throws(Refusal) in
      let value = try arguments.size()
      try arguments.end()
      set(&settings, value)
    }
  }
}
