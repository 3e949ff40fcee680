import Base

/// A `CompiledProxy` while the compiler fills it.
struct ProxyDraft {
  var name: String
  var tcpRequestConnection = RuleSet()
  var tcpRequestSession = RuleSet()
  var tcpRequestContent = RuleSet()
  var inspectDelay: Timespan?
  var tcpResponseContent = RuleSet()
  var responseInspectDelay: Timespan?
  var httpRequest = RuleSet()
  var httpResponse = RuleSet()
  var httpAfterResponse = RuleSet()
  var statsHTTPRequest = RuleSet()
  var logFormat: LogFormat?
  var logFormatSD: LogFormat?
  var errorLogFormat: LogFormat?
  var uniqueIDFormat: LogFormat?
  var monitorFail: [Condition] = []
  var forcePersist: [Condition] = []
  var ignorePersist: [Condition] = []
  var statsAdmin: [Condition] = []
  var forceBackendSwitch: [Condition] = []
  var routes = RuleSet()
  var routeTargets: [BackendTarget] = []
  var serverChoices: [(condition: Condition?, server: ServerTarget)] = []
  var captures = CaptureSlots()
  var hashExpression: SampleExpression?
  var rdpCookie: SampleExpression?
  var serverExpressions: [String: ServerExpressions] = [:]
  var automaticSNI: SampleExpression?
  var errorReplies: [Int: Reply] = [:]
  var check: CheckRules?
  var stick = StickRules()
  var forwarded: ForwardedOption?

  init(name: String) { self.name = name }
}
