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

  /// Those that something reads.
  static let wordTunables: [Keyword<GlobalSettings>] = [
    "tune.h2.fe.initial-window-size", "tune.h2.initial-window-size", "tune.h2.fe.max-concurrent-streams",
    "tune.h2.max-concurrent-streams", "tune.h2.header-table-size", "tune.h2.be.initial-window-size",
    "tune.h2.be.max-concurrent-streams",
  ].map { name in
    Keyword<GlobalSettings>(name, in: .global, "<value>", "Of HTTP/2 with clients (fe), servers (be), or both.") {
      settings, arguments, _ throws(Refusal) in
      settings.tunables[name] = String(try arguments.integer())
      try arguments.end()
    }
  }

  static let sizedHints: [Keyword<GlobalSettings>] = sizes.map { name in
    Keyword<GlobalSettings>(name, in: .global, "<size>", "Taken, and of no effect.") {
      _, arguments, context throws(Refusal) in
      _ = try arguments.size()
      try arguments.end()
      sayNoEffect(name, arguments, context)
    }
  }

  static let wordHints: [Keyword<GlobalSettings>] = words.map { name in
    Keyword<GlobalSettings>(name, in: .global, "<value>", "Taken, and of no effect.") {
      _, arguments, context throws(Refusal) in
      _ = try arguments.required("a value").text
      _ = arguments.rest()
      sayNoEffect(name, arguments, context)
    }
  }

  /// A tunable of HAProxy's insides that have no counterpart: taken so that the configuration loads, not silently.
  static func sayNoEffect(_ name: String, _ arguments: Arguments, _ context: LoadContext) {
    context.diagnostics.advice("'\(name)' has no effect here", at: arguments.keywordLocation)
  }

  private static func sized(
    _ name: String, _ help: String, set: @escaping @Sendable (inout GlobalSettings, Int) -> Void
  ) -> Keyword<GlobalSettings> {
    Keyword(name, in: .global, "<size>", help) { settings, arguments, _ throws(Refusal) in
      let value = try arguments.size()
      try arguments.end()
      set(&settings, value)
    }
  }

  private static let sizes = [
    "tune.bufsize.large", "tune.bufsize.small", "tune.rcvbuf.client", "tune.rcvbuf.server",
    "tune.rcvbuf.frontend", "tune.rcvbuf.backend", "tune.sndbuf.client", "tune.sndbuf.server",
    "tune.sndbuf.frontend", "tune.sndbuf.backend", "tune.notsent-lowat.client", "tune.notsent-lowat.server",
    "tune.pipesize", "tune.recv_enough", "tune.ssl.maxrecord", "tune.ssl.hard-maxrecord", "tune.chksize",
    "tune.vars.global-max-size", "tune.vars.proc-max-size", "tune.vars.reqres-max-size",
    "tune.vars.sess-max-size", "tune.vars.txn-max-size", "tune.vars.check-max-size", "tune.memory.hot-size",
    "tune.h2.be.rxbuf", "tune.h2.fe.rxbuf",
  ]

  private static let words = [
    "tune.applet.zero-copy-forwarding", "tune.buffers.limit", "tune.buffers.reserve",
    "tune.cli.max-payload-size", "tune.comp.maxlevel", "tune.defaults.purge", "tune.disable-fast-forward",
    "tune.disable-zero-copy-forwarding", "tune.epoll.mask-events", "tune.events.max-events-at-once",
    "tune.fail-alloc", "tune.fd.edge-triggered", "tune.fd.tables", "tune.glitches.kill.cpu-usage",
    "tune.h1.be.glitches-threshold", "tune.h1.fe.glitches-threshold", "tune.h1.zero-copy-fwd-recv",
    "tune.h1.zero-copy-fwd-send", "tune.h2.be.glitches-threshold", "tune.h2.be.max-frames-at-once",
    "tune.h2.fe.glitches-threshold",
    "tune.h2.fe.max-frames-at-once",
    "tune.h2.fe.max-rst-at-once", "tune.h2.fe.max-total-streams",
    "tune.h2.log-errors",
    "tune.h2.max-frame-size", "tune.h2.zero-copy-fwd-send", "tune.http.cookielen", "tune.http.logurilen",
    "tune.idletimer", "tune.listener.default-shards", "tune.listener.multi-queue",
    "tune.max-checks-per-thread", "tune.max-rules-at-once", "tune.maxaccept", "tune.maxpollevents",
    "tune.pattern.cache-size", "tune.peers.max-updates-at-once", "tune.pool-high-fd-ratio",
    "tune.pool-low-fd-ratio", "tune.pt.zero-copy-forwarding", "tune.renice.runtime", "tune.renice.startup",
    "tune.ring.queues", "tune.runqueue-depth", "tune.sched.low-latency", "tune.ssl.cachesize",
    "tune.ssl.certificate-compression",
    "tune.ssl.force-private-cache", "tune.ssl.keyupdate-rate-limit", "tune.ssl.lifetime",
    "tune.ssl.ocsp-update.maxdelay", "tune.ssl.ocsp-update.mindelay", "tune.ssl.ssl-ctx-cache-size",
    "tune.streams-elasticity", "tune.takeover-other-tg-connections",
  ]
}
