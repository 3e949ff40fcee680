public import Base

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
  /// `id` was given, not counted.
  public var isIDForced = false
  public var guid: String?
  public var description: String?
  public var isDisabled = false
  /// `be-unpublished`.
  public var isUnpublished = false
  /// A `mode` line is there.
  public var saysMode = false
  public var mode: Mode = .tcp
  /// The statistics page and `option forwardfor` came from defaults: nothing to complain about in TCP mode.
  var inheritsStats = false
  /// Lines that were there, even if wrong: their absence is no second mistake.
  var sawBind = false
  var sawLog = false
  var inheritsForwardFor = false

  public var hasFrontend: Bool { kind.hasFrontend }
  public var hasBackend: Bool { kind.hasBackend }

  // Frontend side.
  public var binds: [BindSettings] = []
  public var maxConnections: Int?
  public var backlog: Int?
  public var defaultBackend: Word?
  public var rateLimitSessions: Int?
  public var monitorURI: Bytes?
  /// `monitor-net`, old: turned into rules.
  public var monitorNets: [String] = []
  public var uniqueIDHeader: Bytes?
  public var clientKeepAlive = false
  public var dontLogNull = false
  public var dontLogNormal = false
  public var logAsap = false
  public var logSeparateErrors = false
  public var contStats = false
  public var socketStats = false
  /// `ssl-f-use`.
  public var certificates: [FrontendCertificate] = []
  /// `option tcp-smart-accept` and `tcp-smart-connect`: no acknowledgement before the first octets go back.
  public var smartAccept = false
  /// `option http-drop-request-trailers` and `http-drop-response-trailers`.
  public var dropsRequestTrailers = false
  public var dropsResponseTrailers = false
  public var smartConnect = false
  public var ignoreProbes = false
  public var acceptInvalidRequest = false

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
  /// `log-steps`; nil is one line at the end.
  public var logSteps: LogSteps?
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
  /// The names of `filter` lines, in order.
  public var filters: [String] = []
  public var bandwidthFilters: [BandwidthFilter] = []
  /// `filter-sequence`.
  public var requestFilters: Word?
  public var responseFilters: Word?
  public var bufferRequest = false
  public var tcpKeepAlive = false
  public var stats: StatsSettings?
  /// `capture cookie`.
  public var captureCookie: (name: Bytes, isPrefix: Bool, length: Int)?

  // Backend side.
  public var balance = Balance()
  public var servers: [Boxed<ServerSettings>] = []
  /// What `default-server` lines said; new servers start as a copy of it.
  public var defaultServer: Boxed<ServerSettings>?
  /// `default-server name <name>`.
  public var namedDefaultServers: [String: Boxed<ServerSettings>] = [:]
  public var retries = 3
  public var retryOn: Set<String> = ["conn-failure"]
  public var redispatch: Int?
  public var fullConnections: Int?
  public var cookie: CookieSettings?
  public var dynamicCookieKey: Bytes?
  /// `persist rdp-cookie`.
  public var persistentRDPCookie: Bytes?
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
  /// `filter trace random-forwarding`.
  public var forwardsAtRandom = false
  /// `hash-preserve-affinity`.
  public var hashPreserveAffinity = "always"
  public var serverStateFileName: String?
  /// `http-send-name-header`.
  public var sendNameHeader: Bytes?
  public var clientKeepAliveProbes = KeepAliveProbes()
  public var serverKeepAliveProbes = KeepAliveProbes()
  public var adjustsCaseForClient = false
  public var adjustsCaseForServer = false
  /// `option http-restrict-req-hdr-names`: preserve, delete or reject.
  public var restrictHeaderNames: String?
  public var disablesH2Upgrade = false

  /// `acl` lines in order, with those inherited from defaults first.
  public var acls: [Directive] = []
  /// Everything that `Rules` compiles, in order of the file: tcp-request, tcp-response, http-request,
  /// http-response, http-after-response, redirect, use_backend, use-server, monitor fail, capture,
  /// declare capture, stick..., force-persist, ignore-persist, block, and the old req*/rsp* lines.
  public var rules: [Directive] = []
  /// How many of `rules` came from a `defaults` section: they are a rule set of their own that runs first.
  public var inheritedRules = 0
  /// `http-check` and `tcp-check` lines in order.
  public var checkRules: [Directive] = []
  public var stickTable: StickTableSettings?

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

extension ProxySettings.Kind {
  public var hasFrontend: Bool { self == .frontend || self == .listen }
  public var hasBackend: Bool { self == .backend || self == .listen }
}

extension Boxed where Value == ProxySettings {
  // Without a copy of all settings, which a computed member of theirs would be asked on.
  public var hasFrontend: Bool { value.kind.hasFrontend }
  public var hasBackend: Bool { value.kind.hasBackend }
}
