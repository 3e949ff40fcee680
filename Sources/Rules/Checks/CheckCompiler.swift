import Base
import Config

/// Compiles `option ...chk` and the `http-check` and `tcp-check` lines of one proxy.
struct CheckCompiler {
  let proxy: Boxed<ProxySettings>
  let scope: CompileScope
  var steps: [CheckStep] = []
  private var disablesOn404 = false
  private var sendsState = false
  /// A comment line waits for the step behind it.
  private var comment = Bytes.empty

  init(_ proxy: Boxed<ProxySettings>, _ scope: CompileScope) {
    self.proxy = proxy
    self.scope = scope
  }

  /// nil when no check of this kind is asked for, or when there were errors.
  mutating func run() -> CheckRules? {
    scope.place = .checks
    guard proxy.hasBackend else { return nil }
    do throws(RuleError) {
      switch proxy.check.kind {
      case .connection, .external: return nil
      case .tcp:
        try compileLines("tcp-check")
        return finish(.tcp)
      case .http:
        try addOptionRequest()
        try compileLines("http-check")
        completeHTTP()
        return finish(.http)
      default:
        try addBuiltIn()
        return finish(.builtIn)
      }
    } catch {
      if !error.message.isEmpty {
        scope.report(error, "", Directive(words: [], location: proxy.check.location))
      }
      return nil
    }
  }

  // MARK: Lines

  private mutating func compileLines(_ keyword: String) throws(RuleError) {
    var failed = false
    for (index, line) in lines(keyword).enumerated() {
      do throws(RuleError) { try compile(line, number: index + firstNumber) } catch {
        let second = line.words.count > 1 ? line.words[1].text : ""
        scope.report(error, "'\(keyword) \(second)' : ", line)
        failed = true
      }
    }
    // Reported already.
    if failed { throw RuleError("") }
  }

  /// A section that says anything of its checks itself inherits no lines from `defaults`.
  private func lines(_ keyword: String) -> [Directive] {
    let all = proxy.checkRules.filter { $0.keyword == keyword }
    func isOwn(_ place: SourceLocation) -> Bool {
      place.file == proxy.location.file && place.line > proxy.location.line
    }
    let own = all.filter { isOwn($0.location) }
    return own.isEmpty && !isOwn(proxy.check.location) ? all : own
  }

  /// `option httpchk` of `defaults` says nothing of the request when a section describes its own.
  private var optionIsInherited: Bool {
    let own = proxy.checkRules.contains {
      $0.keyword == "http-check" && $0.location.file == proxy.location.file
        && $0.location.line > proxy.location.line
    }
    let place = proxy.check.location
    return own && (place.file != proxy.location.file || place.line < proxy.location.line)
  }

  /// The request of `option httpchk` counts as a step.
  private var firstNumber: Int { if case .http = proxy.check.kind { 2 } else { 1 } }

  private mutating func compile(_ line: Directive, number: Int) throws(RuleError) {
    let isHTTP = line.keyword == "http-check"
    var words = CheckWords(line.words.dropFirst(2), scope: scope)
    let name = line.words.count > 1 ? line.words[1].text : ""
    let action: CheckStep.Action
    switch name {
    case "comment":
      comment = try words.value(of: "comment")
      return
    case "connect":
      try requireConnectFirst()
      action = .connect(try connection(&words))
    case "send" where isHTTP: action = .send(.request(try request(&words)))
    case "send", "send-lf", "send-binary", "send-binary-lf": action = .send(try message(name, &words))
    case "expect": action = .expect(try expectation(&words, isHTTP: isHTTP))
    case "disable-on-404" where isHTTP:
      disablesOn404 = true
      return
    case "send-state" where isHTTP:
      sendsState = true
      return
    default:
      guard name.hasPrefix("set-var") || name.hasPrefix("unset-var") else {
        let known = isHTTP ? CheckCompiler.httpActions : CheckCompiler.tcpActions
        throw RuleError(
          "unknown action '\(name)'", suggestion: Suggestions.nearest(name, known),
          expected: known.joined(separator: ", "))
      }
      action = .variable(try variable(name, &words))
    }
    if isHTTP { try requireOrder(action, number) }
    var step = CheckStep(number: number, action: action, comment: words.comment)
    if step.comment.isEmpty { step.comment = comment }
    if case .variable = action {} else { comment = .empty }
    append(step)
  }

  static let tcpActions = [
    "comment", "connect", "send", "send-lf", "send-binary", "send-binary-lf", "expect", "set-var",
    "set-var-fmt",
    "unset-var",
  ]
  static let httpActions = [
    "comment", "connect", "send", "expect", "disable-on-404", "send-state", "set-var", "set-var-fmt",
    "unset-var",
  ]

  /// An explicit request takes the place of the one from the option, keeping what it does not say itself.
  private mutating func append(_ step: CheckStep) {
    if case .send(.request(var explicit)) = step.action,
      let index = steps.firstIndex(where: {
        if case .send(.request(let r)) = $0.action { r.fromOption } else { false }
      }),
      case .send(.request(let implied)) = steps[index].action
    {
      explicit.inherit(implied)
      steps.remove(at: index)
      steps.append(CheckStep(number: 1, action: .send(.request(explicit)), comment: step.comment))
      return
    }
    steps.append(step)
  }

  private var hasOptionRequest: Bool {
    steps.contains { if case .send(.request(let request)) = $0.action { request.fromOption } else { false } }
  }

  private var substantial: [CheckStep] {
    steps.filter {
      switch $0.action {
      case .variable: false
      case .send(.request(let request)): !request.fromOption
      default: true
      }
    }
  }

  private func requireConnectFirst() throws(RuleError) {
    guard let first = substantial.first else { return }
    if case .connect = first.action { return }
    throw RuleError(
      "first step MUST also be a 'connect', optionally preceded by a 'set-var', an 'unset-var' or a 'comment', when there is a 'connect' step in the tcp-check ruleset"
    )
  }

  /// HTTP is request and answer by turns, on one connection after the other.
  private func requireOrder(_ action: CheckStep.Action, _ number: Int) throws(RuleError) {
    guard let last = substantial.last else { return }
    switch (last.action, action) {
    case (.connect, .expect):
      if steps.contains(where: { if case .send = $0.action { true } else { false } }) { return }
      throw RuleError("unable to add http-check expect rule at step \(number) (missing send rule)")
    case (.connect, .connect), (.send, .connect):
      throw RuleError("unable to add http-check connect rule at step \(number) (missing expect rule)")
    case (.send, .send) where hasOptionRequest: return
    case (.send, .send), (.expect, .send):
      throw RuleError("unable to add http-check send rule at step \(number) (missing connect rule)")
    default: return
    }
  }

  // MARK: HTTP

  private mutating func addOptionRequest() throws(RuleError) {
    guard case .http(let method, let uri, let version, let headers) = proxy.check.kind else { return }
    var request = CheckRequest()
    request.fromOption = true
    if optionIsInherited {
      let sends = proxy.checkRules.contains { $0.words.count > 1 && $0.words[1].text == "send" }
      if sends {
        steps.append(CheckStep(number: 1, action: .send(.request(request))))
        return
      }
    }
    request.method = method
    request.target = uri
    request.version = version
    if let blank = version.firstIndex(of: ASCII.space) {
      request.version = version.prefix(blank)
      request.fields.append(
        ("Host", try LogFormatParser.plain(version.dropFirst(blank + 1).trimmed, scope: scope)))
    }
    // What follows an empty line is the body.
    let lines = headers.string.replacingLineEnds.split(separator: "\n", omittingEmptySubsequences: false)
    var isBody = false
    var body = ""
    for line in lines.dropFirst() {
      if isBody {
        body += body.isEmpty ? String(line) : "\r\n\(line)"
      } else if line.isEmpty {
        isBody = true
      } else {
        let parts = line.split(separator: ":", maxSplits: 1)
        let value = Bytes(parts.count > 1 ? String(parts[1]) : "").trimmed
        let escaped = Bytes(
          value.string.split(separator: "%", omittingEmptySubsequences: false).joined(separator: "%%"))
        request.fields.append(
          (Bytes(String(parts.first ?? "")), try LogFormatParser.plain(escaped, scope: scope)))
      }
    }
    request.body = Bytes(body)
    steps.append(CheckStep(number: 1, action: .send(.request(request))))
  }

  /// The request of the option goes behind the first connection; an answer that nobody describes must have a
  /// status below 400.
  private mutating func completeHTTP() {
    if let first = steps.first, case .send(.request(let request)) = first.action, request.fromOption {
      let next = steps.firstIndex { if case .connect = $0.action { true } else { false } }
      if let next, next > 0,
        steps[1..<next].allSatisfy({ if case .variable = $0.action { true } else { false } })
      {
        steps.remove(at: 0)
        steps.insert(first, at: next)
      }
    }
    let last = steps.last { if case .variable = $0.action { false } else { true } }
    if let last, case .send = last.action {
      steps.append(
        CheckStep(number: last.number + 1, action: .expect(CheckExpectation(.status([200...399])))))
    }
  }

  // MARK: The whole

  private mutating func finish(_ kind: CheckRules.Kind) -> CheckRules {
    let first = steps.first { if case .variable = $0.action { false } else { true } }
    var beginsWithConnection = false
    if let first, case .connect = first.action { beginsWithConnection = true }
    if !beginsWithConnection { steps.insert(.implicitConnect, at: 0) }
    var head = 0
    for i in steps.indices {
      if case .expect(let expectation) = steps[i].action {
        if !CheckCompiler.isExpectation(i > 0 ? steps[i - 1] : nil) { head = i }
        if !CheckCompiler.isNegated(steps[head]) { head = i }
        steps[i].resumesAt = expectation.isNegated || CheckCompiler.isNegated(steps[head]) ? head : i
      }
      connectKnowsWhatFollows(i)
    }
    return CheckRules(kind: kind, steps: steps, disablesOn404: disablesOn404, sendsState: sendsState)
  }

  private mutating func connectKnowsWhatFollows(_ i: Int) {
    guard case .connect(var connection) = steps[i].action else { return }
    let next = steps[(i + 1)...].first { if case .variable = $0.action { false } else { true } }
    if let next, case .send(let message) = next.action {
      connection.hasData = true
      if case .request(let request) = message, connection.isImplicit {
        connection.hostFormat = request.fields.last { $0.name.equalsIgnoringCase("host") }?.value
      }
      steps[i] = CheckStep(number: steps[i].number, action: .connect(connection), comment: steps[i].comment)
    }
  }

  private static func isExpectation(_ step: CheckStep?) -> Bool {
    if let step, case .expect = step.action { true } else { false }
  }

  private static func isNegated(_ step: CheckStep) -> Bool {
    if case .expect(let expectation) = step.action { expectation.isNegated } else { false }
  }
}

extension CheckRequest {
  /// What this line leaves unsaid comes from the option's.
  mutating func inherit(_ other: CheckRequest) {
    if !saysMethod { method = other.method }
    if !saysTarget {
      target = other.target
      targetFormat = other.targetFormat
    }
    if !saysVersion { version = other.version }
    if fields.isEmpty { fields = other.fields }
    if body.isEmpty, bodyFormat == nil { body = other.body }
  }
}

extension String {
  fileprivate var replacingLineEnds: String {
    var text = ""
    for scalar in unicodeScalars where scalar != "\r" { text.unicodeScalars.append(scalar) }
    return text
  }
}
