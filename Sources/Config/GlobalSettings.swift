public import Base

/// The `global` section (manual chapter 3).
public struct GlobalSettings: Sendable {
  public var isDaemon = false
  public var masterWorker = false
  public var pidfile: String?
  public var maxConnections: Int?
  public var threads: Int?
  public var user: String?
  public var group: String?
  public var uid: UInt32?
  public var gid: UInt32?
  public var chroot: String?
  public var ulimitN: Int?
  public var node: String?
  public var description: String?
  public var logs: [LogTarget] = []
  public var logTag = "haproxy"
  /// `log-send-hostname`: nil when not asked for, empty for this machine's own name.
  public var logSendHostname: String?
  public var statsSockets: [BindSettings] = []
  /// `stats-file`: counters of the process before this one.
  public var statsFile: Word?
  public var statsTimeout: Timespan = .seconds(10)
  public var statsMaxConnections = 10
  public var hardStopAfter: Timespan?
  public var grace: Timespan?
  public var spreadChecks = 0
  public var maxSpreadChecks: Timespan?
  public var bufferSize = 16384
  /// `tune.ssl.capture-buffer-size`: octets of each ClientHello's lists.
  public var helloCapture = 0
  /// `tune.ssl.keylog`
  public var logsKeys = false
  /// `jwt.decrypt_alg_list` and `jwt.decrypt_enc_list`: with what tokens may be encrypted.
  public var tokenAlgorithms = Set(TokenAlgorithms.keys).subtracting(["RSA1_5"])
  public var tokenEncryptions = Set(TokenAlgorithms.contents)
  public var maxRewrite = 1024
  public var maxHeaders = 101
  /// `tune.rcvbuf.*`, `tune.sndbuf.*`, `tune.notsent-lowat.*`.
  public var clientSockets = SocketSizes()
  public var serverSockets = SocketSizes()
  /// `tune.maxaccept`.
  public var acceptBatch = 64
  /// `fd-hard-limit`.
  public var descriptorLimit: Int?
  public var securityLevel: Int?
  /// `setcap`: a bit for each capability of the kernel's.
  public var capabilities: UInt64 = 0
  /// `localpeer`, or `-L`; nil is this machine's name.
  public var localPeer: String?
  /// `http-err-codes` and `http-fail-codes`.
  public var statusClasses = StatusClasses()
  /// `tune.stick-counters`.
  public var stickCounters = 3
  /// `tune.idle-pool.shared`.
  public var sharesIdleConnections = true
  public var serverStateBase: String?
  public var serverStateFile: String?
  public var certificateBase: String?
  public var caBase: String?
  public var issuersChainPath: String?
  /// `ocsp-update.mode`.
  public var updatesOCSP = false
  /// `ocsp-update.mindelay` and `maxdelay`, in seconds.
  public var ocspDelays = (minimum: 300, maximum: 3600)
  public var bindTLS = TLSSettings()
  public var serverTLS = TLSSettings()
  /// `ssl-server-verify none` clears it.
  public var verifyServers = true
  public var rateLimitConnections: Int?
  public var rateLimitSessions: Int?
  public var rateLimitTLSSessions: Int?
  public var maxTLSConnections: Int?
  /// `maxpipes`: pipes that bodies pass through at once.
  public var maxPipes: Int?
  /// `anonkey`: the key of sessions that ask for anonymity and name none; 0 for one made at random.
  public var anonymousKey: UInt32 = 0
  /// Large bodies may pass from socket to socket (`nosplice` forbids it).
  public var splices = true
  /// `tune.*` and everything else that is a name and a value, by keyword.
  public var tunables: [String: String] = [:]
  public var http2 = H2Tuning()
  /// `set-var` and `set-var-fmt` lines.
  public var variableLines: [Directive] = []
  /// `h1-case-adjust from to` pairs, keyed by the lower-case name.
  public var headerCaseAdjust: [String: String] = [:]
  public var strictLimits = true
  public var dnsFamilies = AddressFamilies.automatic
  /// `zero-warning`: warnings are fatal.
  public var zeroWarning = false
  public var keyBase: String?
  /// `unix-bind`: what unix sockets of bind lines start with.
  public var unixBind = UnixBindDefaults()
  public var externalCheckAllowed = false

  public init() {}
}

/// `unix-bind` (manual chapter 3.1).
public struct UnixBindDefaults: Sendable {
  /// Put in front of paths.
  public var prefix = ""
  public var mode: UInt32?
  public var uid: UInt32?
  public var gid: UInt32?
  public init() {}
}

/// Where and how to log (`log` lines).
public struct LogTarget: Sendable {
  public enum Destination: Hashable, Sendable {
    case udp(host: String, port: UInt16)
    case unixDatagram(String)
    case descriptor(Int32)
    case ring(String)
    /// A backend in `mode log`.
    case backend(String)
    /// `tcp@`: a ring of its own that a connection empties.
    case stream(host: String, port: UInt16)
  }
  public enum Format: String, CaseIterable, Sendable {
    case local, rfc3164, rfc5424, priority, short, timed, iso, raw
  }

  public var destination: Destination
  /// nil is 1024, or what the ring has.
  public var maxLength: Int?
  /// nil is the ring's format, or the one that has room for what is known.
  public var format: Format?
  /// `profile <name>`.
  public var profile: Word?
  /// 0...23, syslog's facility number.
  public var facility = 16
  /// 0...7; messages above `level` are not sent, those below `minimumLevel` are sent as it.
  public var level = 7
  public var minimumLevel = 0
  /// `sample <ranges>:<size>`.
  public var sampleRanges: [ClosedRange<Int>] = []
  public var sampleSize = 0
  public var location: SourceLocation

  public init(destination: Destination, location: SourceLocation) {
    self.destination = destination
    self.location = location
  }
}
