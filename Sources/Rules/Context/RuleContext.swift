public import Base
public import Config
public import HTTP

/// Everything that rules, expressions and log formats may look at or change while one stream is
/// processed. One per stream, reused: `reset()` empties it for the next request of a connection.
///
/// The owner fills the fields before each evaluation; nothing here does I/O or reads a clock.
public final class RuleContext {
  public var now: Now
  /// nil in TCP mode and before a head has arrived.
  public var request: MessageHead?
  public var response: MessageHead?
  public var connection: ConnectionFacts
  public var environment: any ProxyEnvironment

  /// Client octets buffered so far, for content rules in TCP mode; empty once they are HTTP.
  public var payload = Bytes.empty
  /// No more client octets will come: the inspection delay has expired or the client has finished.
  public var payloadIsFinal = false
  public var responsePayload = Bytes.empty
  public var responsePayloadIsFinal = false

  /// Octets of the request body received so far, without the framing.
  public var requestBody = Bytes.empty
  public var requestBodyIsComplete = false
  /// The announced Content-Length, or nil when it is not known (chunked, HTTP/2 without one).
  public var requestContentLength: Int?
  public var responseBody = Bytes.empty
  public var responseBodyIsComplete = false
  public var responseContentLength: Int?

  public var log = LogFacts()
  public var frontend = ProxyFacts()
  public var backend = ProxyFacts()
  public var server: ServerFacts?
  public var serverSide = ServerSideFacts()

  /// Whether this is the first request of its connection.
  public var isFirstRequest = true
  /// Variables of the transaction, request and response scopes; those of the session are with the connection.
  public var transactionVariables = VariableStore()
  public var requestVariables = VariableStore()
  public var responseVariables = VariableStore()
  public var checkVariables = VariableStore()
  /// `proc.` variables: set this to `CompiledRules.processVariables`.
  public var processVariables = ProcessVariables.none

  /// The owner of the stream, which lives as long as the context; nil outside of streams.
  public unowned(unsafe) var keeper: (any FactsKeeper)?

  /// Fields that `http-request early-hint` wants to send in a 103 before the response.
  public var earlyHints: [(name: FieldName, value: Bytes)] = []
  /// What rules of this stream track.
  public var counters = StickCounters()
  /// The statuses that count as errors and failures.
  public var statusClasses = StatusClasses()
  /// What `set-log-level` chose: nil keeps the levels of `log`, -1 is silent.
  public var logLevel: Int?
  /// `set-nice`, `set-mark`, `set-tos`... are applied by the owner after evaluation.
  public var socketChanges = SocketChanges()
  /// Addresses that rules of this stream set; nil is the connection's.
  var sourceChange: SocketAddress?
  var destinationChange: SocketAddress?
  /// The client and the address that it reached, as this stream's rules see them.
  public var source: SocketAddress { sourceChange ?? connection.source }
  /// The source's IP address in text; nil without one.
  public var sourceText: Bytes? {
    sourceChange == nil ? connection.sourceText : source.ip.map { Bytes($0.description) }
  }
  public var destination: SocketAddress { destinationChange ?? connection.destination }
  /// The stream carries HTTP requests.
  public var isHTTPStream = false
  /// `set-timeout`: milliseconds by name; the owner applies them.
  public var timeoutChanges = TimeoutChanges()
  /// What `set-bandwidth-limit` has switched on.
  public internal(set) var bandwidth: [BandwidthMeter] = []
  /// `set-retries`: how often the backend may try again, in place of `retries`.
  public var retries: Int?
  /// `disable-l7-retry`.
  public var retriesDisabled = false
  /// What rewrites of request and response may still add.
  public var requestRoom = RewriteRoom()
  public var responseRoom = RewriteRoom()
  /// Rewrites that did not fit.
  public var failedRewrites = 0
  /// `http-request set-priority-class` and `-offset`.
  public var priorityClass = 0
  public var priorityOffset = 0

  /// Whether the rule that decided asks the client to log in.
  public var asksForLogin: Bool { lastRule?.keyword.hasSuffix(" auth") ?? false }
  /// The response came out of the cache of that name.
  public var cacheName: Bytes?
  /// The content coding that the response is given on the way, by its name in the configuration.
  public var compression: Bytes?

  /// Set by a fetch that lacked data which may still come.
  var mayChange = false
  /// The captures of the last regular expression match in `-m reg` and `replace-*`.
  var regexScratch = RegexScratch()
  /// Reused by renderers so that a rule needs no allocation of its own.
  var scratch: [UInt8] = []
  public var dates = DateCache()
  /// Reused by log lines: the text, and what is sent.
  public var logText: [UInt8] = []
  public var logLine: [UInt8] = []
  /// The file and line of the rule that ended the last evaluation, for `last_rule_file`.
  public internal(set) var lastRule: RuleOrigin?
  /// What held the rules up when the evaluation was last interrupted, for `waiting_entity`.
  public var waitingEntity: WaitingEntity?
  /// True while the owner evaluates response rules: decides what `hdr` and `ver` look at.
  var isResponseSide = false
  /// Set by an old `reqallow`: the `reqdeny` and `reqtarpit` rules behind it no longer apply to this request.
  var isAllowedByOldRule = false
  /// False while missing data may be waited for.
  var evaluationIsFinal = true

  public init(connection: ConnectionFacts, environment: any ProxyEnvironment, now: Now) {
    self.connection = connection
    self.environment = environment
    self.now = now
    scratch.reserveCapacity(512)
  }

  /// Forgets the last request; the connection, its variables and the environment stay.
  public func reset() {
    request = nil
    response = nil
    if !payload.isEmpty { payload = .empty }
    payloadIsFinal = false
    if !responsePayload.isEmpty { responsePayload = .empty }
    responsePayloadIsFinal = false
    if !requestBody.isEmpty { requestBody = .empty }
    requestBodyIsComplete = false
    requestContentLength = nil
    if !responseBody.isEmpty { responseBody = .empty }
    responseBodyIsComplete = false
    responseContentLength = nil
    log.reset()
    backend.clear()
    if server != nil { server = nil }
    serverSide.clear()
    transactionVariables.removeAll()
    requestVariables.removeAll()
    responseVariables.removeAll()
    if !earlyHints.isEmpty { earlyHints.removeAll() }
    logLevel = nil
    socketChanges = SocketChanges()
    if sourceChange != nil { sourceChange = nil }
    if destinationChange != nil { destinationChange = nil }
    timeoutChanges = TimeoutChanges()
    retriesDisabled = false
    if !bandwidth.isEmpty { bandwidth.removeAll() }
    retries = nil
    failedRewrites = 0
    cacheName = nil
    compression = nil
    priorityClass = 0
    priorityOffset = 0
    mayChange = false
    if lastRule != nil { lastRule = nil }
    if waitingEntity != nil { waitingEntity = nil }
    isResponseSide = false
    isAllowedByOldRule = false
  }
}

/// Where a rule stands, and its keyword.
public struct RuleOrigin: Sendable {
  public var file: String
  public var line: Int
  /// Such as `http-request deny`.
  public var keyword: String
}

/// What rules wait for.
public enum WaitingEntity: Sendable {
  /// A rule that wants more octets, a body, a name's address...
  case rule(RuleOrigin)
  /// `option http-buffer-request`
  case requestBuffer
}

/// What rules want done to the sockets of a stream.
public struct SocketChanges: Sendable {
  public var serverTOS: Int?
  public var serverMark: UInt32?
  public init() {}
}

/// `set-timeout` results; nil means unchanged.
public struct TimeoutChanges: Sendable {
  public var client: Timespan?
  public var server: Timespan?
  public var tunnel: Timespan?
  public var connect: Timespan?
  public var queue: Timespan?
  public var tarpit: Timespan?
  public init() {}
}

/// The proxy that plays the frontend's or backend's part in a stream.
public struct ProxyFacts: Sendable {
  public var name = Bytes.empty
  public var id = 0
  public var defaultBackendName = Bytes.empty
  /// Milliseconds; 0 when there is none.
  public var clientTimeout = 0
  public var serverTimeout = 0
  public var tunnelTimeout = 0
  public var connectTimeout = 0
  public var queueTimeout = 0
  public var tarpitTimeout = 0
  public var retries = 0
  public init() {}
  public init(name: Bytes, id: Int) {
    self.name = name
    self.id = id
  }

  /// Names nothing any more; the other facts are without meaning then.
  mutating func clear() {
    if name.isEmpty { return }
    self = ProxyFacts()
  }
}

/// The server that a stream was assigned.
public struct ServerFacts: Sendable {
  public var name: Bytes
  public var id: Int
  public init(name: Bytes, id: Int) {
    self.name = name
    self.id = id
  }
}
