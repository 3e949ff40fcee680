import Base
import Config
import HTTP

/// Compiles the lines of one proxy in the order of the file.
struct ProxyCompiler {
  let proxy: Boxed<ProxySettings>
  let scope: CompileScope
  var draft: ProxyDraft
  var connection: [Rule] = []
  var session: [Rule] = []
  var content: [Rule] = []
  var responseContent: [Rule] = []
  var blocks: [Rule] = []
  var request: [Rule] = []
  var legacyRequest: [Rule] = []
  var legacyAdditions: [Rule] = []
  var redirects: [Rule] = []
  var response: [Rule] = []
  var legacyResponse: [Rule] = []
  var afterResponse: [Rule] = []
  var routes: [Rule] = []
  var order = RuleOrder()

  init(_ proxy: Boxed<ProxySettings>, _ scope: CompileScope) {
    self.proxy = proxy
    self.scope = scope
    draft = ProxyDraft(name: proxy.name)
  }

  mutating func run() -> ProxyDraft {
    // Sections of defaults are compiled as part of those that inherit them.
    guard proxy.kind != .defaults else { return draft }
    scope.declareACLs(proxy.acls)
    declareCaptures()
    compileBandwidthLimits()
    for (index, line) in proxy.rules.enumerated() {
      scope.lineAtHand = line.location
      scope.ruleAtHand = index
      // Those of a defaults section are a set of their own, with an order of their own.
      if index == proxy.inheritedRules { order = RuleOrder() }
      scope.isInherited = index < proxy.inheritedRules
      do throws(RuleError) { try compile(line) } catch { scope.report(error, prefix(of: line), line) }
    }
    scope.isInherited = false
    compileFormats()
    compileExpressions()
    compileStatistics()
    compileErrorReplies()
    compileChecks()
    scope.finishACLs()
    warnAboutMode()
    draft.captures = scope.captures
    draft.tcpRequestConnection = RuleSet(kind: .connection, rules: connection)
    draft.tcpRequestSession = RuleSet(kind: .connection, rules: session)
    draft.tcpRequestContent = RuleSet(kind: .requestContent, rules: content)
    draft.tcpResponseContent = RuleSet(kind: .responseContent, rules: responseContent)
    // Old `req*` lines came after http-request rules and before redirections.
    draft.httpRequest = RuleSet(
      kind: .request, rules: blocks + request + legacyRequest + legacyAdditions + redirects)
    draft.httpResponse = RuleSet(kind: .response, rules: response + legacyResponse)
    draft.httpAfterResponse = RuleSet(kind: .response, rules: afterResponse)
    draft.routes = RuleSet(kind: .request, rules: routes)
    return draft
  }

  private mutating func compileChecks() {
    var compiler = CheckCompiler(proxy, scope)
    draft.check = compiler.run()
  }

  private func prefix(of line: Directive) -> String {
    let first = line.keyword
    let second = line.words.count > 1 ? line.words[1].text : ""
    switch first {
    case "http-request", "http-response", "http-after-response":
      return "error detected in \(kindName) '\(proxy.name)' while parsing '\(first) \(second)' rule : "
    case "tcp-request", "tcp-response":
      return "error detected in \(kindName) '\(proxy.name)' while parsing '\(first) \(second)' rule : "
    case "redirect": return "error detected in \(kindName) '\(proxy.name)' while parsing redirect rule : "
    case "use_backend": return "error detected while parsing switching rule : "
    default: return "error detected while parsing a '\(first)' rule : "
    }
  }

  private var kindName: String { proxy.hasFrontend ? "frontend" : "backend" }

  private mutating func compile(_ line: Directive) throws(RuleError) {
    let words = line.words.dropFirst()
    switch line.keyword {
    case "tcp-request": try compileTCPRequest(line)
    case "tcp-response": try compileTCPResponse(line)
    case "http-request":
      note(.httpRequest, line)
      warnBehindFinal(request, line)
      request.append(try rule(line, .httpRequest, words, places(.frontendRequest, .backendRequest)))
    case "http-response":
      warnBehindFinal(response, line)
      response.append(try rule(line, .httpResponse, words, places(.frontendResponse, .backendResponse)))
    case "http-after-response":
      warnBehindFinal(afterResponse, line)
      afterResponse.append(
        try rule(line, .httpAfterResponse, words, places(.frontendResponse, .backendResponse)))
    case "redirect": try compileRedirect(line)
    case "use_backend": try compileRoute(line)
    case "use-server": try compileServerChoice(line)
    case "monitor": try compileMonitor(line)
    case "capture", "declare": break
    case "force-persist", "ignore-persist", "force-be-switch": try compilePersist(line)
    case "block": try compileBlock(line)
    case "stick": try compileStick(line)
    default:
      if LegacyRules.isKeyword(line.keyword) {
        try compileLegacy(line)
      } else {
        throw RuleError("'\(line.keyword)' is not supported yet")
      }
    }
  }

  /// The places at which this proxy's rules of a kind run: a `listen` section plays both parts.
  func places(_ frontend: SamplePlaces, _ backend: SamplePlaces) -> SamplePlaces {
    var places: SamplePlaces = []
    if proxy.hasFrontend { places.formUnion(frontend) }
    if proxy.hasBackend { places.formUnion(backend) }
    return places
  }

  /// An action and its condition out of the words behind the rule set's keyword.
  mutating func rule(
    _ line: Directive, _ place: RulePlaces, _ words: ArraySlice<Word>, _ samplePlaces: SamplePlaces
  ) throws(RuleError) -> Rule {
    scope.place = samplePlaces
    guard let name = words.first else {
      throw RuleError("'\(place.keyword)' expects an action")
    }
    let (action, condition) = ConditionParser.split(words.dropFirst())
    let entry = try ActionKeywords.find(name.text, in: place)
    var parser = ActionParser(scope: scope, place: place, line: line, name: name, words: action)
    let body = try entry.make(&parser)
    try parser.finish()
    let keyword = place.keyword + " " + entry.name
    return Rule(
      condition: try self.condition(condition, line, place, keyword), origin: origin(line, keyword),
      body: body)
  }

  /// A condition whose mistakes are told in HAProxy's words for conditions.
  private func condition(
    _ words: ArraySlice<Word>, _ line: Directive, _ place: RulePlaces, _ keyword: String
  ) throws(RuleError) -> Condition? {
    do throws(RuleError) {
      return try ConditionParser.parse(words, scope: scope, line: line)
    } catch {
      var error = error
      let polarity = words.first?.text ?? "if"
      error.preamble =
        place.isSubset(of: .tcp)
        ? "'\(keyword)' : error detected in \(kindName) '\(proxy.name)' while parsing '\(polarity)' condition : "
        : "error detected while parsing an '\(keyword)' condition : "
      throw error
    }
  }

  func origin(_ line: Directive, _ keyword: String) -> RuleOrigin {
    RuleOrigin(file: line.location.file, line: line.location.line, keyword: keyword)
  }

  mutating func note(_ kind: RuleOrder.Kind, _ line: Directive) {
    if let later = order.note(kind) {
      scope.diagnostics.warning(
        "a '\(kind.rawValue)' rule placed after \(later.article) '\(later.rawValue)' rule will still be processed before",
        at: line.location)
    }
  }

  private func warnAboutMode() {
    guard proxy.mode == .tcp, !proxy.rules.contains(where: { $0.words.contains { $0.text == "switch-mode" } }) else {
      return
    }
    // Of the others the configuration has told by itself.
    if !redirects.isEmpty {
      scope.diagnostics.warning(
        "'redirect' rules ignored for \(proxy.kindLabel) '\(proxy.name)' as they require HTTP mode", at: proxy.location)
    }
  }
}

/// The order in which kinds of rules are evaluated, whatever their order in the file.
struct RuleOrder {
  enum Kind: String, CaseIterable {
    case tcpConnection = "tcp-request connection"
    case tcpSession = "tcp-request session"
    case tcpContent = "tcp-request content"
    case monitorFail = "monitor fail"
    case httpRequest = "http-request"
    case redirect
    case useBackend = "use_backend"
    case useServer = "use-server"

    var article: String { self == .httpRequest ? "an" : "a" }
  }

  private var seen: Set<Kind> = []

  /// Records a rule; the first kind seen already that is evaluated later, if any.
  mutating func note(_ kind: Kind) -> Kind? {
    seen.insert(kind)
    guard let position = Kind.allCases.firstIndex(of: kind) else { return nil }
    return Kind.allCases[(position + 1)...].first { seen.contains($0) }
  }
}
