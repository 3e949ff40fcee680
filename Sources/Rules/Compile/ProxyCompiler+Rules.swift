import Base
import Config
import HTTP

extension ProxyCompiler {
  mutating func compileTCPRequest(_ line: Directive) throws(RuleError) {
    let words = line.words.dropFirst()
    switch words.first?.text {
    case "connection"?:
      note(.tcpConnection, line)
      connection.append(try rule(line, .tcpConnection, words.dropFirst(), .connection))
    case "session"?:
      note(.tcpSession, line)
      session.append(try rule(line, .tcpSession, words.dropFirst(), .session))
    case "content"?:
      note(.tcpContent, line)
      content.append(
        try rule(line, .tcpContent, words.dropFirst(), places(.frontendContent, .backendContent)))
    case "inspect-delay"?: draft.inspectDelay = try delay(words.dropFirst())
    case let other:
      throw RuleError(
        "'tcp-request' expects 'inspect-delay', 'connection', 'session' or 'content' (got '\(other ?? "")')",
        suggestion: Suggestions.nearest(other ?? "", ["inspect-delay", "connection", "session", "content"]))
    }
  }

  mutating func compileTCPResponse(_ line: Directive) throws(RuleError) {
    let words = line.words.dropFirst()
    switch words.first?.text {
    case "content"?:
      responseContent.append(
        try rule(
          line, .tcpResponse, words.dropFirst(), places(.frontendResponseContent, .backendResponseContent)))
    case "inspect-delay"?: draft.responseInspectDelay = try delay(words.dropFirst())
    case let other:
      throw RuleError("'tcp-response' expects 'inspect-delay' or 'content' (got '\(other ?? "")')")
    }
  }

  private func delay(_ words: ArraySlice<Word>) throws(RuleError) -> Timespan {
    guard let word = words.first, let value = Numbers.duration(word.text) else {
      throw RuleError(
        "'inspect-delay' expects a positive delay in milliseconds", expected: "a duration such as 5s")
    }
    return value
  }

  mutating func compileRedirect(_ line: Directive) throws(RuleError) {
    note(.redirect, line)
    scope.place = places(.frontendRequest, .backendRequest)
    let (action, condition) = ConditionParser.split(line.words.dropFirst())
    var parser = ActionParser(
      scope: scope, place: .httpRequest, line: line, name: line.words[0], words: action)
    let redirect = try RedirectParser.parse(&parser, usesFormat: false)
    let compiled = try ConditionParser.parse(condition, scope: scope, line: line)
    redirects.append(
      Rule(condition: compiled, origin: origin(line, "redirect"), body: ReplyActions.body(of: redirect)))
  }

  mutating func compileRoute(_ line: Directive) throws(RuleError) {
    note(.useBackend, line)
    scope.place = .useBackend
    guard line.words.count > 1 else { throw RuleError("'use_backend' expects a backend name") }
    let (name, condition) = ConditionParser.split(line.words.dropFirst())
    guard let word = name.first else { throw RuleError("'use_backend' expects a backend name") }
    if name.count > 1, let extra = name.dropFirst().first {
      throw RuleError(
        "unexpected keyword '\(extra.text)' behind the backend's name", expected: "if or unless")
    }
    let target: BackendTarget
    if word.text.contains("%") {
      let format = try LogFormatParser.plain(word.bytes, scope: scope)
      target = format.constant == nil ? .format(format) : .proxy(try backend(word.text))
    } else {
      target = .proxy(try backend(word.text))
    }
    let compiled = try ConditionParser.parse(condition, scope: scope, line: line)
    if let last = routes.last, last.condition == nil {
      var advice = Diagnostic(
        .warning, at: line.location,
        "this 'use_backend' is never reached: the one at line \(last.origin.line) has no condition")
      advice.countsAsWarning = false
      advice.related = [
        (SourceLocation(file: last.origin.file, line: last.origin.line), "this one is always taken")
      ]
      scope.diagnostics.add(advice)
    }
    draft.routeTargets.append(target)
    routes.append(Rule(condition: compiled, origin: origin(line, "use_backend")) { _ in nil })
  }

  private static let finalActions: Set<Substring> = [
    "allow", "deny", "tarpit", "auth", "redirect", "return",
  ]

  /// Behind an action that always ends the list, nothing is ever reached.
  func warnBehindFinal(_ rules: [Rule], _ line: Directive) {
    // Those that came from a defaults section are a list of their own.
    guard let last = rules.last, last.condition == nil, last.origin.file == proxy.location.file,
      last.origin.line > proxy.location.line,
      let action = last.origin.keyword.split(separator: " ").last, Self.finalActions.contains(action)
    else { return }
    // Such a redirection is passed over where its target is empty.
    if action == "redirect",
      proxy.rules.contains(where: { line in
        line.location.line == last.origin.line && line.location.file == last.origin.file
          && line.words.contains { $0.text == "ignore-empty" }
      })
    {
      return
    }
    scope.diagnostics.warning(
      "previous '\(line.keyword)' action is final and has no condition attached, further entries are NOOP.",
      at: line.location)
  }

  private func backend(_ name: String) throws(RuleError) -> Int {
    if let index = scope.shared.backend(named: name) { return index }
    throw RuleError(
      "unable to find required use_backend: '\(name)'",
      suggestion: Suggestions.nearest(name, scope.shared.backends.keys))
  }

  mutating func compileServerChoice(_ line: Directive) throws(RuleError) {
    note(.useServer, line)
    scope.place = .useServer
    let (name, condition) = ConditionParser.split(line.words.dropFirst())
    guard let word = name.first else { throw RuleError("'use-server' expects a server name") }
    let target: ServerTarget
    if word.text.contains("%") {
      target = .format(try LogFormatParser.plain(word.bytes, scope: scope))
    } else {
      guard proxy.servers.contains(where: { $0.name == word.text }) else {
        throw RuleError(
          "unable to find server '\(word.text)' in proxy '\(proxy.name)' referenced in a 'use-server' rule",
          suggestion: Suggestions.nearest(word.text, proxy.servers.map(\.name)))
      }
      scope.shared.referencedServers.insert("\(proxy.name)/\(word.text)")
      target = .name(word.bytes)
    }
    draft.serverChoices.append((try ConditionParser.parse(condition, scope: scope, line: line), target))
  }

  mutating func compileMonitor(_ line: Directive) throws(RuleError) {
    note(.monitorFail, line)
    scope.place = .frontendRequest
    guard line.words.count > 2, line.words[1].text == "fail" else {
      throw RuleError("'monitor' only supports 'fail'", expected: "monitor fail { if | unless } <condition>")
    }
    if let condition = try ConditionParser.parse(line.words.dropFirst(2), scope: scope, line: line) {
      draft.monitorFail.append(condition)
    }
  }

  mutating func compilePersist(_ line: Directive) throws(RuleError) {
    scope.place = places(.frontendRequest, .backendRequest)
    guard let condition = try ConditionParser.parse(line.words.dropFirst(), scope: scope, line: line) else {
      throw RuleError("'\(line.keyword)' requires either 'if' or 'unless' followed by a condition")
    }
    switch line.keyword {
    case "force-persist": draft.forcePersist.append(condition)
    case "force-be-switch": draft.forceBackendSwitch.append(condition)
    default: draft.ignorePersist.append(condition)
    }
  }

  /// Gives each capture its slot, in the order of the file, before any rule refers to one.
  mutating func declareCaptures() {
    for (index, line) in proxy.rules.enumerated() {
      let words = line.words.map(\.text)
      if line.keyword == "capture" || line.keyword == "declare" {
        do throws(RuleError) {
          try compileCapture(line)
        } catch {
          scope.report(error, "error detected while parsing a '\(line.keyword)' line : ", line)
        }
      } else if words.count > 4, words[1] == "capture" || words[2] == "capture",
        let at = words.firstIndex(of: "len"),
        at + 1 < words.count, let length = Int(words[at + 1]), length > 0, line.keyword != "http-response"
      {
        scope.captureOfRule[index] = scope.captures.add(.init(field: nil, length: length), isResponse: false)
      }
    }
  }

  /// `capture request header <name> len <n>`, `declare capture request len <n>`.
  mutating func compileCapture(_ line: Directive) throws(RuleError) {
    var words = line.words.map(\.text)[...]
    let isDeclaration = words.first == "declare"
    if isDeclaration { words = words.dropFirst() }
    guard words.popFirst() == "capture", let side = words.popFirst(), side == "request" || side == "response"
    else {
      throw RuleError("expects 'request' or 'response' behind 'capture'")
    }
    var field: FieldName?
    if !isDeclaration {
      guard words.popFirst() == "header", let name = words.popFirst() else {
        throw RuleError(
          "expects 'header <name> len <length>'", expected: "capture \(side) header <name> len <length>")
      }
      field = FieldName(name)
    }
    guard words.popFirst() == "len", let text = words.popFirst(), let length = Int(text), length > 0 else {
      throw RuleError("missing 'len <length>' with a positive length")
    }
    _ = scope.captures.add(.init(field: field, length: length), isResponse: side == "response")
  }

  mutating func compileBlock(_ line: Directive) throws(RuleError) {
    scope.place = places(.frontendRequest, .backendRequest)
    guard let condition = try ConditionParser.parse(line.words.dropFirst(), scope: scope, line: line) else {
      throw RuleError("'block' requires either 'if' or 'unless' followed by a condition")
    }
    let modern = "http-request deny " + LegacyRules.text(line.words.dropFirst())
    scope.diagnostics.warning(
      "the 'block' directive is deprecated: use 'http-request deny' in its place", at: line.location,
      replacement: modern)
    blocks.append(Rule(condition: condition, origin: origin(line, "block")) { _ in .deny(status: 403, nil) })
  }
}
