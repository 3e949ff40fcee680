public import Base

/// A whole configuration as a plain value: what the files said, with the defaults filled in.
///
/// Rules, ACLs, log formats and expressions stay as `Directive`s in the order of the file;
/// `Rules` compiles them. Everything else is typed here.
public struct Configuration: Sendable {
  public var global = GlobalSettings()
  public var proxies: [ProxySettings] = []
  public var userlists: [Userlist] = []
  public var httpErrors: [HTTPErrorsSection] = []
  public var certificateStores: [CertificateStore] = []
  public var rings: [Directive] = []
  /// The environment as `setenv`, `presetenv`, `unsetenv` and `resetenv` left it.
  public var environment: [String: String] = [:]

  public init() {}

  public func proxy(named name: String, where matches: (ProxySettings) -> Bool) -> ProxySettings? {
    proxies.first { $0.name == name && matches($0) }
  }
}

public enum Mode: String, Sendable { case tcp, http }

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
  public var statsTimeout: Timespan = .seconds(10)
  public var statsMaxConnections = 10
  public var hardStopAfter: Timespan?
  public var grace: Timespan?
  public var spreadChecks = 0
  public var maxSpreadChecks: Timespan?
  public var bufferSize = 16384
  public var maxRewrite = 1024
  public var maxHeaders = 101
  public var serverStateBase: String?
  public var serverStateFile: String?
  public var certificateBase: String?
  public var caBase: String?
  public var issuersChainPath: String?
  public var dhParameterSize: Int?
  public var dhParameterFile: String?
  public var bindTLS = TLSSettings()
  public var serverTLS = TLSSettings()
  /// `ssl-server-verify none` clears it.
  public var verifyServers = true
  public var busyPolling = false
  public var rateLimitConnections: Int?
  public var rateLimitSessions: Int?
  public var rateLimitTLSSessions: Int?
  public var maxTLSConnections: Int?
  /// `tune.*` and everything else that is a name and a value, by keyword.
  public var tunables: [String: String] = [:]
  /// `set-var` and `set-var-fmt` lines.
  public var variableLines: [Directive] = []
  /// `h1-case-adjust from to` pairs, keyed by the lower-case name.
  public var headerCaseAdjust: [String: String] = [:]
  public var strictLimits = true
  /// `zero-warning`: warnings are fatal.
  public var zeroWarning = false
  public var keyBase: String?
  /// `unix-bind`: what unix sockets of bind lines start with.
  public var unixBind = UnixBindDefaults()
  public var insecureForkWanted = false
  public var externalCheckAllowed = false

  public init() {}
}

/// `unix-bind` (manual chapter 3.1).
public struct UnixBindDefaults: Sendable {
  /// Put in front of paths.
  public var prefix = ""
  public var mode: UInt32?
  public var user: String?
  public var group: String?
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
  }
  public enum Format: String, Sendable { case local, rfc3164, rfc5424, priority, short, timed, iso, raw }

  public var destination: Destination
  public var maxLength = 1024
  public var format: Format = .local
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

/// TLS parameters that `bind`, `server` and the global defaults share.
public struct TLSSettings: Sendable {
  public enum Version: Int, Comparable, Sendable {
    case sslv3, tls10, tls11, tls12, tls13
    public static func < (a: Version, b: Version) -> Bool { a.rawValue < b.rawValue }
  }
  public enum Verification: Sendable { case none, optional, required }

  public var minimumVersion: Version?
  public var maximumVersion: Version?
  /// `no-tlsv12` and the like.
  public var excludedVersions: Set<Version> = []
  public var ciphers: String?
  public var ciphersuites: String?
  public var curves: String?
  public var ecdhe: String?
  public var signatureAlgorithms: String?
  public var clientSignatureAlgorithms: String?
  public var alpn: [String]?
  public var npn: [String]?
  public var verification: Verification?
  public var caFile: String?
  public var caVerifyFile: String?
  public var crlFile: String?
  public var noTickets = false
  public var preferClientCiphers = false
  public var allow0RTT = false
  /// `no-ssl-reuse` of servers: sessions are not resumed.
  public var noReuse = false
  /// `no-ca-names`: clients are not told which authorities are accepted.
  public var noCANames = false
  /// `strict-sni` in `ssl-default-bind-options`.
  public var strictSNIByDefault = false
  public var ticketKeysFile: String?
  public var caIgnoreErrors: String?
  public var crtIgnoreErrors: String?

  public init() {}
}

/// One `bind` line; each of its addresses becomes a listener.
public struct BindSettings: Sendable {
  public enum Address: Hashable, Sendable {
    /// A literal or unresolved host; nil means any IPv4 address; `v6only` and dual stack by flags below.
    case ip(IPAddress, ports: ClosedRange<UInt16>)
    case unix(String)
    case abstract(String)
    case descriptor(Int32)
  }

  public var addresses: [Address] = []
  /// The addresses as written.
  public var addressText = ""
  public var location: SourceLocation
  public var name: String?
  public var id: Int?
  public var interface: String?
  public var isTLS = false
  public var tls = TLSSettings()
  /// `crt` arguments in order: files or directories.
  public var certificates: [Word] = []
  public var certificateLists: [Word] = []
  public var defaultCertificates: [Word] = []
  public var strictSNI = false
  public var generateCertificates = false
  /// `proto h2` and the like: forces the protocol in place of ALPN.
  public var proto: String?
  public var acceptProxy = false
  /// `expect-netscaler-cip <magic>`.
  public var netscalerMagic: UInt32?
  public var maxConnections: Int?
  public var backlog: Int?
  public var mode: UInt32?
  public var uid: UInt32?
  public var gid: UInt32?
  public var user: String?
  public var group: String?
  /// Stats sockets: user, operator or admin.
  public var level = "operator"
  public var exposeListeners = false
  public var severityOutput = "none"
  public var transparent = false
  public var v4v6 = false
  public var v6only = false
  public var deferAccept = false
  public var tcpFastOpen = false
  public var tcpUserTimeout: Timespan?
  public var maxSegmentSize: Int?
  public var nice = 0
  public var threadSet: String?
  public var shards: String?
  public var guid: String?

  public init(location: SourceLocation) { self.location = location }
}

/// `timeout` lines of a proxy; nil means not set (no limit, or the fallback that the manual names).
public struct Timeouts: Sendable {
  public var client: Timespan?
  public var server: Timespan?
  public var connect: Timespan?
  public var queue: Timespan?
  public var check: Timespan?
  public var httpRequest: Timespan?
  public var httpKeepAlive: Timespan?
  public var tunnel: Timespan?
  public var tarpit: Timespan?
  public var clientFin: Timespan?
  public var serverFin: Timespan?
  public var clientHandshake: Timespan?

  public init() {}
}

/// The connection mode of `option httpclose`, `http-server-close`, `http-keep-alive`, `http-tunnel`.
public enum HTTPConnectionMode: Sendable { case keepAlive, serverClose, close }

/// Which idle server connections may carry a new client's request.
public enum HTTPReuse: String, Sendable { case never, safe, aggressive, always }

/// A `listen`, `frontend`, `backend` or `defaults` section (manual chapter 4).
public struct ProxySettings: Sendable {
  public enum Kind: String, Sendable { case frontend, backend, listen, defaults }

  public var kind: Kind
  public var name: String
  public var location: SourceLocation
  /// HAProxy's proxy id (`iid`): given by `id` or counted from 2 in order of the file.
  public var id: Int?
  public var guid: String?
  public var description: String?
  public var isDisabled = false
  public var mode: Mode = .tcp
  /// The statistics page and `option forwardfor` came from defaults: nothing to complain about in TCP mode.
  var inheritsStats = false
  var inheritsForwardFor = false

  public var hasFrontend: Bool { kind == .frontend || kind == .listen }
  public var hasBackend: Bool { kind == .backend || kind == .listen }

  // Frontend side.
  public var binds: [BindSettings] = []
  public var maxConnections: Int?
  public var backlog: Int?
  public var defaultBackend: Word?
  public var rateLimitSessions: Int?
  public var monitorURI: Bytes?
  public var monitorNets: [String] = []
  public var uniqueIDHeader: Bytes?
  public var clientKeepAlive = false
  public var dontLogNull = false
  public var dontLogNormal = false
  public var logAsap = false
  public var logSeparateErrors = false
  public var contStats = false
  public var socketStats = false
  public var tcpSmartAccept = true
  public var ignoreProbes = false
  public var acceptInvalidRequest = false
  public var bypassIndependentStreams = false
  public var bypassNoLingerFrontend = false

  // Logging.
  public var logs: [LogTarget] = []
  /// `log global`.
  public var usesGlobalLogs = false
  /// `no log`.
  public var logTag: String?
  /// The last of `option httplog|tcplog|httpslog`, `log-format`; nil means the default short line.
  public var logStyle: LogStyle?
  public var logStyleLocation: SourceLocation = .none
  public var logFormatSD: Directive?
  public var errorLogFormat: Directive?
  public var uniqueIDFormat: Directive?

  // Both sides.
  public var timeouts = Timeouts()
  public var connectionMode: HTTPConnectionMode = .keepAlive
  public var forwardFor: ForwardFor?
  public var originalTo: ForwardFor?
  /// `option forwarded`'s arguments.
  public var forwarded: Directive?
  public var errorFiles: [ErrorFileReference] = []
  public var compression: CompressionSettings?
  public var bufferRequest = false
  public var tcpKeepAlive = false
  public var splice: Set<String> = []
  public var stats: StatsSettings?
  /// `capture cookie`.
  public var captureCookie: (name: Bytes, isPrefix: Bool, length: Int)?

  // Backend side.
  public var balance = Balance()
  public var servers: [ServerSettings] = []
  /// What `default-server` lines said; new servers start as a copy of it.
  public var defaultServer: ServerDefaults?
  public var retries = 3
  public var retryOn: Set<String> = ["conn-failure"]
  public var redispatch: Int?
  public var fullConnections: Int?
  public var cookie: CookieSettings?
  public var dynamicCookieKey: Bytes?
  public var check = CheckSettings()
  public var reuse: HTTPReuse?
  public var allBackups = false
  public var persist = false
  public var preferLastServer = false
  public var abortOnClose = false
  public var serverKeepAlive = false
  public var logHealthChecks = false
  public var checkCache = false
  public var acceptInvalidResponse = false
  public var pretendKeepAlive = false
  public var noLinger = false
  public var source: SourceSettings?
  public var externalCheckCommand: String?
  public var externalCheckPath: String?
  public var hashBalanceFactor = 0
  public var loadServerStateFromFile: String?
  public var dispatch: SocketAddress?
  public var emailAlert: [Directive] = []
  /// `hash-preserve-affinity`.
  public var hashPreserveAffinity = "always"
  public var serverStateFileName: String?
  /// `http-send-name-header`.
  public var sendNameHeader: Bytes?
  /// `max-keep-alive-queue`; -1 means no limit.
  public var maxKeepAliveQueue = -1
  public var clientKeepAliveProbes = KeepAliveProbes()
  public var serverKeepAliveProbes = KeepAliveProbes()
  public var adjustsCaseForClient = false
  public var adjustsCaseForServer = false
  public var usesProxyHeader = false
  public var idleCloseOnResponse = false
  public var dropsRequestTrailers = false
  public var dropsResponseTrailers = false
  public var tcpSmartConnect = false
  public var usesSmallBuffers = false
  public var noDelay = false
  /// `option http-restrict-req-hdr-names`: preserve, delete or reject.
  public var restrictHeaderNames: String?
  public var disablesH2Upgrade = false

  /// `acl` lines in order, with those inherited from defaults first.
  public var acls: [Directive] = []
  /// Everything that `Rules` compiles, in order of the file: tcp-request, tcp-response, http-request,
  /// http-response, http-after-response, redirect, use_backend, use-server, monitor fail, capture,
  /// declare capture, stick..., force-persist, ignore-persist, block, and the old req*/rsp* lines.
  public var rules: [Directive] = []
  /// `http-check` and `tcp-check` lines in order.
  public var checkRules: [Directive] = []
  public var stickTable: Directive?
  public var filters: [Directive] = []

  public init(kind: Kind, name: String, location: SourceLocation) {
    self.kind = kind
    self.name = name
    self.location = location
  }
}

/// `clitcpka-*` and `srvtcpka-*`: nil leaves it to the kernel.
public struct KeepAliveProbes: Sendable {
  public var count: Int?
  public var idle: Timespan?
  public var interval: Timespan?
  public init() {}
}

public enum LogStyle: Sendable {
  case http, tcp, https, clf
  case format(Directive)
}

public struct ForwardFor: Sendable {
  public var headerName: Bytes
  public var except: [String] = []
  public var ifNone = false
  public init(headerName: Bytes) { self.headerName = headerName }
}

/// `errorfile`, `errorloc*` and `errorfiles` lines, in order; later ones win.
public enum ErrorFileReference: Sendable {
  case file(status: Int, path: Word)
  case location(status: Int, code: Int, url: Bytes)
  /// `errorfiles <section> [codes]`.
  case section(Word, statuses: [Int])
  /// `http-error status ...`.
  case reply(Directive)
}

public struct HTTPErrorsSection: Sendable {
  public var name: String
  public var location: SourceLocation
  public var files: [ErrorFileReference] = []
  public init(name: String, location: SourceLocation) {
    self.name = name
    self.location = location
  }
}

public struct CompressionSettings: Sendable {
  public enum Direction: String, Sendable { case request, response, both }
  public var direction = Direction.response
  public var requestAlgorithms: [String] = []
  public var responseAlgorithms: [String] = []
  public var types: [Bytes] = []
  public var requestTypes: [Bytes] = []
  public var offload = false
  public var minimumRequestSize = 0
  public var minimumResponseSize = 0
  public init() {}
}

public struct StatsSettings: Sendable {
  public var uri: Bytes = "/haproxy?stats"
  public var realm: Bytes?
  /// user:password pairs.
  public var credentials: [(user: Bytes, password: Bytes)] = []
  public var refresh: Timespan?
  public var hideVersion = false
  public var showNode = false
  public var node: String?
  public var showDescription = false
  public var description: String?
  public var showLegends = false
  public var showModules = false
  public var scopes: [Word] = []
  /// `stats admin if ...` lines.
  public var adminRules: [Directive] = []
  /// `stats http-request ...` lines.
  public var httpRequestRules: [Directive] = []
  public init() {}
}

public struct Balance: Sendable {
  public enum Algorithm: Sendable, Equatable {
    case roundrobin, staticRoundrobin, leastconn, first, source
    case random(draws: Int)
    case uri(length: Int?, depth: Int?, whole: Bool, pathOnly: Bool)
    case urlParameter(Bytes, checkPost: Int?)
    case header(Bytes, useDomainOnly: Bool)
    case rdpCookie(Bytes)
    case hash(String)
  }
  public enum HashType: String, Sendable { case mapBased = "map-based", consistent }
  public enum HashFunction: String, Sendable { case sdbm, djb2, wt6, crc32, none }

  public var algorithm: Algorithm = .roundrobin
  public var hashType: HashType = .mapBased
  public var hashFunction: HashFunction = .sdbm
  public var avalanche = false
  public var location: SourceLocation = .none
  public init() {}
}

public struct CookieSettings: Sendable {
  public enum Scheme: Sendable { case insert, rewrite, prefix, none }
  public var name: Bytes
  public var scheme: Scheme = .none
  public var indirect = false
  public var nocache = false
  public var postonly = false
  public var preserve = false
  public var httponly = false
  public var secure = false
  public var domains: [Bytes] = []
  public var maxIdle: Timespan?
  public var maxLife: Timespan?
  public var dynamic = false
  public var attributes: [Bytes] = []
  public init(name: Bytes) { self.name = name }
}

public struct SourceSettings: Sendable {
  public var address: SocketAddress
  public var interface: String?
  public var useSource: String?
  /// The ports to use, when more than any one.
  public var ports: ClosedRange<UInt16>?
  public init(address: SocketAddress) { self.address = address }
}

/// How a backend probes its servers (`option httpchk` and its kin).
public struct CheckSettings: Sendable {
  public enum Kind: Sendable, Equatable {
    case connection
    /// `option httpchk`'s own words; `http-check` lines add to them.
    case http(method: Bytes, uri: Bytes, version: Bytes, headers: Bytes)
    case tcp
    case ldap
    case mysql(user: Bytes?, modern: Bool)
    case pgsql(user: Bytes)
    case redis
    case smtp(greeting: Bytes)
    case tlsHello
    case spop
    case external
  }
  public var kind: Kind = .connection
  public var location: SourceLocation = .none
  public init() {}
}

/// One `server` line, with `default-server` applied.
public struct ServerSettings: Sendable {
  public enum OnError: String, Sendable {
    case fastinter, failCheck = "fail-check", suddenDeath = "sudden-death", markDown = "mark-down"
  }
  public enum Observe: String, Sendable { case none, layer4, layer7 }

  public var name: String
  public var location: SourceLocation
  public var id: Int?
  public var guid: String?
  /// The address as written: `host[:port]`, `unix@path`, `:port` (same as the client's), `+n`, `-n`.
  public var host: String
  public var port: UInt16?
  /// `+n` and `-n`: added to the port that the client reached.
  public var portOffset: Int?
  public var isUnix = false
  /// Filled when the host was resolved at start-up.
  public var address: SocketAddress = .none
  /// The word that gave the address.
  public var addressLocation: SourceLocation = .none
  public var initAddr: [String] = []
  /// The name did not resolve and need not: the server waits in maintenance for an address.
  public var startsUnresolved = false
  /// `init-state`: up, down, fully-up or fully-down.
  public var initState = "up"
  /// `hash-key`: what consistent hashing hashes.
  public var hashKey = "id"
  public var poolConnectionName: Directive?
  public var sniAuto: Bool?
  public var checkSNIAuto: Bool?
  public var checkReusesPool = false
  public var weight = 1
  public var isBackup = false
  public var isDisabled = false
  public var maxConnections: Int?
  public var minConnections: Int?
  public var maxQueue: Int?
  public var cookie: Bytes?
  public var redirect: Bytes?
  public var proto: String?
  public var isTLS = false
  public var tls = TLSSettings()
  /// `sni <expression>` as words.
  public var sni: Directive?
  public var verifyHost: String?
  public var certificate: Word?
  public var sendProxy: ProxyVersion?
  public var proxyV2Options: [String] = []
  public var setProxyTLVs: [Directive] = []
  public var checksEnabled = false
  public var agentEnabled = false
  public var checkTLS: Bool?
  public var checkPort: UInt16?
  public var checkAddress: String?
  public var checkSNI: Bytes?
  public var checkALPN: [String]?
  public var checkProto: String?
  public var checkSendProxy = false
  public var checkViaSocks = false
  public var interval: Timespan = .seconds(2)
  public var fastInterval: Timespan?
  public var downInterval: Timespan?
  public var rise = 2
  public var fall = 3
  public var agentInterval: Timespan?
  public var agentPort: UInt16?
  public var agentAddress: String?
  public var agentSend: Bytes?
  public var track: Word?
  public var observe: Observe = .none
  public var onError: OnError = .failCheck
  public var errorLimit = 10
  public var shutdownSessionsWhenDown = false
  public var shutdownBackupSessionsWhenUp = false
  public var slowStart: Timespan?
  public var nonStick = false
  public var source: SourceSettings?
  public var tcpUserTimeout: Timespan?
  public var tcpFastOpen = false
  public var poolMaximum: Int?
  public var poolLowConnections = 0
  public var poolPurgeDelay: Timespan = .seconds(5)
  public var maxReuse: Int?
  public var namespace: String?
  public var socks4: SocketAddress?
  public var resolvers: String?
  public var resolvePrefer: String?
  public var resolveNet: String?
  public var resolveOptions: String?

  public init(name: String, host: String, location: SourceLocation) {
    self.name = name
    self.host = host
    self.location = location
  }
}

/// `default-server`: shared by all the proxies that inherit it.
public final class ServerDefaults: Sendable {
  public let settings: ServerSettings
  public init(_ settings: ServerSettings) { self.settings = settings }
}

public enum ProxyVersion: Int, Sendable { case v1 = 1, v2 }

public struct Userlist: Sendable {
  public struct User: Sendable {
    public var name: Bytes
    /// A crypt(3) hash, or the clear text when `isClear`.
    public var password: Bytes
    public var isClear: Bool
    public var groups: [Bytes] = []
    public init(name: Bytes, password: Bytes, isClear: Bool) {
      self.name = name
      self.password = password
      self.isClear = isClear
    }
  }
  public var name: String
  public var location: SourceLocation
  public var users: [User] = []
  public var groups: [(name: Bytes, users: [Bytes])] = []
  public init(name: String, location: SourceLocation) {
    self.name = name
    self.location = location
  }
}

public struct CertificateStore: Sendable {
  public var name: String
  public var location: SourceLocation
  public var loads: [Directive] = []
  public var certificateBase: String?
  public var keyBase: String?
  public init(name: String, location: SourceLocation) {
    self.name = name
    self.location = location
  }
}
