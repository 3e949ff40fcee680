import Base

extension GlobalKeywords {
  /// Directives that mean something to HAProxy's insides and nothing here, each with the reason: taken, and told to be
  /// without effect.
  static let hints: [Keyword<GlobalSettings>] = reasons.map { name, why in
    Keyword(name, in: .global, "...", "Taken, and of no effect: \(why).", takesPrefix: true) {
      _, arguments, context throws(Refusal) in
      _ = arguments.rest()
      if context.prefix == .none { sayNoEffect(name, why, arguments, context) }
    }
  }

  static func sayNoEffect(_ name: String, _ why: String, _ arguments: Arguments, _ context: LoadContext) {
    context.diagnostics.advice("'\(name)' has no effect here: \(why)", at: arguments.keywordLocation)
  }

  private static let poller = "epoll, edge-triggered, is the only poller"
  private static let processors = "the kernel places threads; there are as many as processors, or 'nbthread'"
  private static let client = "there is no HTTP client inside; OCSP responders are asked over plain HTTP"
  private static let events = "an event loop takes up to 256 events at once"
  private static let pools = "memory is the allocator's, and buffers are held only while octets wait in them"
  private static let copying = "bodies pass through pipes or straight from one buffer wherever they can"
  private static let descriptors = "idle connections are bounded by use and 'pool-max-conn'"
  private static let variables = "variables are bounded by the messages that they come from"
  private static let glitches = "floods are bounded by fixed limits on resets and on frames without use"

  private static let reasons: [(String, String)] = [
    ("noepoll", poller), ("nokqueue", poller), ("noevports", poller), ("nopoll", poller),
    ("nogetaddrinfo", "names are resolved by the C library when the configuration is read"),
    ("noreuseport", "every thread listens on a socket of its own, which needs SO_REUSEPORT"),
    ("noktls", "records are sealed by the library, in user space"),
    ("cpu-map", processors), ("cpu-policy", processors), ("cpu-set", processors), ("cpu-affinity", processors),
    ("numa-cpu-mapping", processors), ("thread-hard-limit", processors),
    ("max-threads-per-group", "there is one group of threads"),
    ("prealloc-fd", "descriptors are the kernel's to allot"),
    ("no-memory-trimming", "memory goes back to the system when a crowd has left"),
    ("set-dumpable", "core dumps are as the system has them"),
    ("mworker-max-reloads", "old workers leave when their connections end, or after 'hard-stop-after'"),
    ("warn-blocked-traffic-after", "a turn of a stream is bounded"),
    ("pp2-never-send-local", "checks say LOCAL, as the protocol wants"),
    ("httpclient.resolvers.disabled", client), ("httpclient.resolvers.id", client),
    ("httpclient.resolvers.prefer", client), ("httpclient.retries", client), ("httpclient.ssl.ca-file", client),
    ("httpclient.ssl.verify", client), ("httpclient.timeout.connect", client),
    ("limited-quic", "QUIC is not supported"), ("harden.reject-privileged-ports.quic", "QUIC is not supported"),
    ("harden.reject-privileged-ports.tcp", "TCP clients may have any port"),
    ("stress-level", "there is no code for stress in it"),
    ("force-cfg-parser-pause", "the reader of configurations never pauses"),
    ("h1-accept-payload-with-any-method", "bodies of HTTP/1.0 requests are framed strictly, whatever the method"),
    ("h1-do-not-close-on-insecure-transfer-encoding", "Transfer-Encoding in HTTP/1.0 is refused"),
    ("profiling.tasks", "'set profiling tasks on' does it at any time"),
    ("profiling.memory", "there is no profiler inside"),
    ("cluster-secret", "it is for QUIC, which is not supported"),
    ("busy-polling", "an event loop sleeps when it has nothing to do"),
    ("close-spread-time", "a soft stop closes idle connections at once"),
    ("tune.ssl.default-dh-param", "parameters are as strong as the certificate"),
    ("ssl-dh-param-file", "parameters are as strong as the certificate, or those in its own file"),
    ("ssl-load-extra-files", "keys, responses and issuers are looked for beside every certificate"),
    ("ssl-load-extra-del-ext", "a key is looked for with the certificate's extension and without"),
    ("ssl-skip-self-issued-ca", "chains are sent as their files have them"),
    ("maxcompcpuusage", "the encoder has one speed; 'maxcomprate' bounds it"),
    ("tune.comp.maxlevel", "the encoder has one speed"), ("tune.bufsize.large", pools), ("tune.bufsize.small", pools),
    ("tune.pipesize", "pipes have 256 KiB"), ("tune.recv_enough", "a socket is read until it has nothing"),
    ("tune.ssl.maxrecord", "records are as large as what is sent at once"),
    ("tune.ssl.hard-maxrecord", "records are as large as what is sent at once"),
    ("tune.chksize", "checks keep up to 16 KiB of an answer"),
    ("tune.vars.global-max-size", variables), ("tune.vars.proc-max-size", variables),
    ("tune.vars.reqres-max-size", variables), ("tune.vars.sess-max-size", variables),
    ("tune.vars.txn-max-size", variables), ("tune.vars.check-max-size", variables), ("tune.memory.hot-size", pools),
    ("tune.applet.zero-copy-forwarding", copying), ("tune.buffers.limit", pools), ("tune.buffers.reserve", pools),
    ("tune.cli.max-payload-size", "payloads of the runtime API have up to 64 KiB"),
    ("tune.defaults.purge", "nothing is kept of 'defaults' sections"), ("tune.disable-fast-forward", copying),
    ("tune.disable-zero-copy-forwarding", copying), ("tune.epoll.mask-events", poller),
    ("tune.events.max-events-at-once", events), ("tune.maxpollevents", events), ("tune.runqueue-depth", events),
    ("tune.fail-alloc", "allocations are not made to fail"), ("tune.fd.edge-triggered", poller),
    ("tune.fd.tables", "descriptors need no tables"), ("tune.glitches.kill.cpu-usage", glitches),
    ("tune.h1.be.glitches-threshold", glitches), ("tune.h1.fe.glitches-threshold", glitches),
    ("tune.h1.zero-copy-fwd-recv", copying), ("tune.h1.zero-copy-fwd-send", copying),
    ("tune.pt.zero-copy-forwarding", copying),
    ("tune.http.cookielen", "captures of cookies have the length that their line says"),
    ("tune.http.logurilen", "the target is logged whole; 'len' of a log line bounds it"),
    ("tune.idletimer", copying), ("tune.listener.default-shards", "every thread has a socket of its own"),
    ("tune.listener.multi-queue", "a connection stays with the thread that accepted it"),
    ("tune.max-checks-per-thread", "checks are spread over their intervals"),
    ("tune.max-rules-at-once", "runs of rules that test one sample are one look-up"),
    ("tune.pattern.cache-size", "patterns are looked up in tables, which need no cache"),
    ("tune.peers.max-updates-at-once", "up to 64 KiB of updates are gathered at once"),
    ("tune.pool-high-fd-ratio", descriptors), ("tune.pool-low-fd-ratio", descriptors),
    ("tune.renice.runtime", "priorities are the service manager's to give"),
    ("tune.renice.startup", "priorities are the service manager's to give"),
    ("tune.ring.queues", "a ring has one lock, held for one message"),
    ("tune.sched.low-latency", "tasks of a thread have their turns in order"),
    ("tune.ssl.cachesize", "the library keeps sessions, and tickets keep none"),
    ("tune.ssl.certificate-compression", "certificates are not compressed"),
    ("tune.ssl.force-private-cache", "all threads share the library's cache"),
    ("tune.ssl.keyupdate-rate-limit", "the library bounds key updates"),
    ("tune.ssl.lifetime", "sessions live as long as the library has them, 300 seconds and two hours with tickets"),
    ("tune.ssl.ocsp-update.maxdelay", "it is called 'ocsp-update.maxdelay'"),
    ("tune.ssl.ocsp-update.mindelay", "it is called 'ocsp-update.mindelay'"),
    ("tune.ssl.ssl-ctx-cache-size", "1,000 certificates that were made for names are kept"),
    ("tune.streams-elasticity", "streams of an HTTP/2 connection are bounded by 'tune.h2.fe.max-concurrent-streams'"),
    ("tune.takeover-other-tg-connections", "there is one group of threads"),
  ]

  /// Known, and refused because leaving them out would change what the process does.
  static let refused: [Keyword<GlobalSettings>] = [
    ("ssl-mode-async", "handshakes are not handed to other threads of the library"),
    ("ssl-engine", "engines are gone from OpenSSL's interface since 3.0; configure a provider in openssl.cnf"),
    ("ssl-propquery", "properties are set for the whole library; configure them in openssl.cnf"),
    ("ssl-provider", "providers are loaded for the whole library; configure them in openssl.cnf"),
    ("ssl-provider-path", "providers are loaded for the whole library; configure them in openssl.cnf"),
    ("ssl-passphrase-cmd", "keys with a passphrase cannot be read; keep the key in clear, readable by root only"),
    ("shm-stats-file", "counters are not shared by memory; 'stats-file' carries them over a reload"),
    ("shm-stats-file-max-objects", "counters are not shared by memory"),
    ("ocsp-update.disable", "write 'ocsp-update.mode off'"),
    ("ocsp-update.httpproxy", "responders are asked without a proxy"),
    ("acme.scheduler", "certificates are not requested by ACME; let a client such as certbot write them"),
    ("wurfl-data-file", "device detection is not supported"),
    ("51degrees-data-file", "device detection is not supported"),
    ("deviceatlas-json-file", "device detection is not supported"),
  ].map { .refused($0.0, in: .global, $0.1) }

  /// Buffers of sockets, and how many connections are taken in a row.
  static let sockets: [Keyword<GlobalSettings>] = [
    size("tune.rcvbuf.client", "The kernel's receive buffer of clients.", \.clientSockets.receive),
    size("tune.rcvbuf.frontend", "See 'tune.rcvbuf.client'.", \.clientSockets.receive),
    size("tune.rcvbuf.server", "The kernel's receive buffer of servers.", \.serverSockets.receive),
    size("tune.rcvbuf.backend", "See 'tune.rcvbuf.server'.", \.serverSockets.receive),
    size("tune.sndbuf.client", "The kernel's send buffer of clients.", \.clientSockets.send),
    size("tune.sndbuf.frontend", "See 'tune.sndbuf.client'.", \.clientSockets.send),
    size("tune.sndbuf.server", "The kernel's send buffer of servers.", \.serverSockets.send),
    size("tune.sndbuf.backend", "See 'tune.sndbuf.server'.", \.serverSockets.send),
    size("tune.notsent-lowat.client", "Octets for clients that may wait unsent.", \.clientSockets.unsent),
    size("tune.notsent-lowat.server", "Octets for servers that may wait unsent.", \.serverSockets.unsent),
    Keyword("tune.maxaccept", in: .global, "<number>", "Connections taken in a row, at most 64; -1 for as many.") {
      settings, arguments, _ throws(Refusal) in
      let value = try arguments.integer(in: -1...Int(Int32.max))
      try arguments.end()
      settings.acceptBatch = value <= 0 ? 64 : Swift.min(value, 64)
    },
    .number("fd-hard-limit", "The most file descriptors, whatever the system allows.", in: 1...Int(Int32.max)) {
      $0.descriptorLimit = $1
    },
    .number("ssl-security-level", "OpenSSL's security level.", in: 0...5) { $0.securityLevel = $1 },
    Keyword(
      "setcap", in: .global, "<capability>[,<capability>...]", "Capabilities that are kept when 'user' is changed to."
    ) { settings, arguments, _ throws(Refusal) in
      let word = try arguments.required("a list of capabilities")
      try arguments.end()
      for name in word.commaSeparated.map(\.string) {
        guard let number = capabilities[name] else {
          throw Refusal(
            "'setcap' : unsupported capability '\(name)'.", at: word.location,
            expected: capabilities.keys.sorted().oneOf,
            suggestion: Nearest.word(to: name, among: capabilities.keys.sorted()))
        }
        settings.capabilities |= 1 << number
      }
    },
  ]

  /// Those that a proxy can need, by their numbers in the kernel.
  private static let capabilities: [String: UInt64] = [
    "cap_net_bind_service": 10, "cap_net_admin": 12, "cap_net_raw": 13, "cap_sys_admin": 21,
  ]

  private static func size(
    _ name: String, _ help: String, _ field: any WritableKeyPath<GlobalSettings, Int32> & Sendable
  ) -> Keyword<GlobalSettings> {
    Keyword(name, in: .global, "<size>", help) { settings, arguments, _ throws(Refusal) in
      settings[keyPath: field] = Int32(clamping: try arguments.size())
      try arguments.end()
    }
  }
}

/// Sizes of sockets in octets; 0 leaves them to the kernel.
public struct SocketSizes: Sendable {
  public var receive: Int32 = 0
  public var send: Int32 = 0
  public var unsent: Int32 = 0
  public init() {}
}
