public import Base
public import Config

/// The rules of one proxy, ready to run; immutable, shared by all workers.
public final class CompiledProxy: Sendable {
  public let name: String
  public let tcpRequestConnection: RuleSet
  public let tcpRequestSession: RuleSet
  public let tcpRequestContent: RuleSet
  /// `tcp-request inspect-delay`.
  public let inspectDelay: Timespan?
  public let tcpResponseContent: RuleSet
  public let responseInspectDelay: Timespan?
  /// `block` and old `req*` lines, then `http-request`, then `redirect` lines.
  public let httpRequest: RuleSet
  public let httpResponse: RuleSet
  public let httpAfterResponse: RuleSet
  public let statsHTTPRequest: RuleSet
  public let logFormat: LogFormat?
  public let logFormatSD: LogFormat?
  public let errorLogFormat: LogFormat?
  public let uniqueIDFormat: LogFormat?
  /// `monitor fail if ...`: any true condition fails the monitor.
  public let monitorFail: [Condition]
  public let forcePersist: [Condition]
  public let ignorePersist: [Condition]
  /// `force-be-switch if ...`: unpublished backends may be chosen after all.
  public let forceBackendSwitch: [Condition]
  /// `stats admin if ...`.
  public let statsAdmin: [Condition]
  let routes: RuleSet
  let routeTargets: [BackendTarget]
  let serverChoices: [(condition: Condition?, server: ServerTarget)]
  let captures: CaptureSlots
  /// `balance hash <expr>`.
  public let hashExpression: SampleExpression?
  /// `persist rdp-cookie`.
  public let rdpCookie: SampleExpression?
  /// Of servers that have any, by name.
  public let serverExpressions: [String: ServerExpressions]
  /// `sni-auto`, for servers that come at run time; nil in TCP mode.
  public let automaticSNI: SampleExpression?
  /// `errorfile`, `http-error` pages in the form of replies by status; `errorloc*` too.
  public let errorReplies: [Int: Reply]
  /// How servers are probed beyond connecting to them; nil when that is all, or for external checks.
  public let check: CheckRules?

  /// `stick` lines.
  public let stick: StickRules
  /// `option forwarded`.
  public let forwarded: ForwardedOption?

  init(_ draft: ProxyDraft) {
    stick = draft.stick
    name = draft.name
    tcpRequestConnection = draft.tcpRequestConnection
    tcpRequestSession = draft.tcpRequestSession
    tcpRequestContent = draft.tcpRequestContent
    inspectDelay = draft.inspectDelay
    tcpResponseContent = draft.tcpResponseContent
    responseInspectDelay = draft.responseInspectDelay
    httpRequest = draft.httpRequest
    httpResponse = draft.httpResponse
    httpAfterResponse = draft.httpAfterResponse
    statsHTTPRequest = draft.statsHTTPRequest
    logFormat = draft.logFormat
    logFormatSD = draft.logFormatSD
    errorLogFormat = draft.errorLogFormat
    uniqueIDFormat = draft.uniqueIDFormat
    monitorFail = draft.monitorFail
    forcePersist = draft.forcePersist
    ignorePersist = draft.ignorePersist
    statsAdmin = draft.statsAdmin
    forceBackendSwitch = draft.forceBackendSwitch
    routes = draft.routes
    routeTargets = draft.routeTargets
    serverChoices = draft.serverChoices
    captures = draft.captures
    hashExpression = draft.hashExpression
    rdpCookie = draft.rdpCookie
    serverExpressions = draft.serverExpressions
    automaticSNI = draft.automaticSNI
    errorReplies = draft.errorReplies
    check = draft.check
    forwarded = draft.forwarded
  }
}

/// Where `use_backend` sends a stream.
public enum BackendChoice {
  /// The index of the proxy in `Configuration.proxies`.
  case proxy(Int)
  /// A computed name, to be looked up; the default backend is used when there is none of that name.
  case named(Bytes)
}

/// What `use_backend` names.
enum BackendTarget: Sendable {
  case proxy(Int)
  case format(LogFormat)
}

/// What `use-server` names.
enum ServerTarget: Sendable {
  case name(Bytes)
  case format(LogFormat)
}

/// All compiled rules of a configuration.
public struct CompiledRules: Sendable {
  /// One per `Configuration.proxies`, same order.
  public var proxies: [CompiledProxy] = []
  /// Variables of the `proc` scope, with those that `global` sets.
  public let processVariables: ProcessVariables
  /// Names of all variables by number.
  public var variableNames: [Bytes] = []
  /// The same for the runtime API.
  public internal(set) var variables: RuntimeVariables

  /// All stick tables, those of `peers` sections first.
  public var tables: [StickTable] = []
  /// `log-profile` sections by name.
  public var logProfiles: [String: LogProfile] = [:]
  /// `healthcheck` sections by name.
  public var healthChecks: [String: CheckRules] = [:]
  /// `http-err-codes` and `http-fail-codes`.
  public var statusClasses = StatusClasses()
  /// `backend/server` of all servers that rules name; these cannot be removed.
  public var referencedServers: Set<String> = []
  /// Names of backends that rules name; these cannot be removed.
  public var referencedBackends: Set<String> = []
  /// By the name of the `defaults` section.
  public var backendTemplates: [String: BackendTemplate] = [:]
  /// Files of certificates that rules check tokens with.
  public var tokenCertificates: Set<String> = []
  /// Maps and pattern lists, which may change at run time.
  public let patterns: PatternRegistry

  init(processVariables: ProcessVariables, patterns: PatternRegistry) {
    self.processVariables = processVariables
    self.patterns = patterns
    variables = RuntimeVariables(VariableNames(), processVariables)
  }
}
