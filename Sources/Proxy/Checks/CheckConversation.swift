import Base
import HTTP
import Rules

/// One run of a check as a machine: octets, the end of input and failures go in, actions come out.
///
/// It does no I/O and reads no clock. The owner performs what `next()` asks for, tells the outcome through
/// one of the event methods and asks again, until `.finished`.
struct CheckConversation {
  enum Action {
    /// Connect as step `index` says; then `connected()`. An older connection is closed first.
    case connect(index: Int, CheckConnection)
    /// Send all of this, then ask again.
    case send([UInt8])
    /// Wait for `received` or `inputEnded`.
    case receive
    case finished(CheckOutcome)
  }

  /// Octets of an answer that are kept; more make the answer complete.
  static let inputLimit = 16384

  let rules: CheckRules
  /// nil when the rules do nothing but connect.
  let context: RuleContext?
  /// The server is down, so that a 404 cannot mean that it stops.
  let isStopped: Bool
  /// What `agent-send` says now.
  let agentMessage: Bytes
  /// `http-check send-state`'s value.
  let stateField: Bytes
  private var index = 0
  private var input: [UInt8] = []
  private var hasEnded = false
  private var mustRead = true
  private var wasSent = false
  private(set) var isTLSNow = false
  private var httpAnswer: HTTPCheckAnswer?
  /// An HTTP status or what a protocol says; told in the outcome.
  var code = 0
  /// What an agent said, for the owner to act upon.
  private(set) var agentReply: AgentReply?

  init(
    _ rules: CheckRules, context: RuleContext? = nil, isStopped: Bool = false, agentMessage: Bytes = .empty,
    stateField: Bytes = .empty
  ) {
    self.rules = rules
    self.context = context
    self.isStopped = isStopped
    self.agentMessage = agentMessage
    self.stateField = stateField
  }

  var currentStep: CheckStep? { index < rules.steps.count ? rules.steps[index] : nil }

  // MARK: Events

  /// The connection that the last `.connect` asked for is there.
  mutating func connected(isTLS: Bool) {
    isTLSNow = isTLS
    index += 1
  }

  mutating func received(_ octets: borrowing Span<UInt8>) {
    let room = Swift.max(0, CheckConversation.inputLimit - input.count)
    input.append(copying: octets.extracting(first: Swift.min(room, octets.count)))
    mustRead = false
  }

  mutating func inputEnded() {
    hasEnded = true
    mustRead = false
  }

  var hasInput: Bool { !input.isEmpty }

  // MARK: Steps

  mutating func next() -> Action {
    while let step = currentStep {
      switch step.action {
      case .connect(let connection):
        resetInput()
        return .connect(index: index, connection)
      case .variable(let change):
        if let context { change.apply(context) }
        index += 1
      case .send(let message):
        if wasSent {
          wasSent = false
          index += 1
          continue
        }
        resetInput()
        do throws(CheckFailure) {
          let octets = try self.octets(of: message, step)
          wasSent = true
          if octets.isEmpty { continue }
          return .send(octets)
        } catch {
          return .finished(error.outcome)
        }
      case .expect(let expectation):
        if mustRead { return .receive }
        code = 0
        do throws(CheckFailure) {
          guard try evaluate(expectation, step) else {
            index = step.resumesAt
            mustRead = true
            return .receive
          }
          index += 1
        } catch {
          return .finished(error.outcome)
        }
      }
    }
    return .finished(success())
  }

  private mutating func resetInput() {
    input.removeAll(keepingCapacity: true)
    hasEnded = false
    mustRead = true
    httpAnswer = nil
  }

  /// Whether nothing that may still come can change the verdict.
  fileprivate var isFinal: Bool { hasEnded || input.count >= CheckConversation.inputLimit }

  /// False when more input is needed; throws when the expectation is not met.
  private mutating func evaluate(_ expectation: CheckExpectation, _ step: CheckStep) throws(CheckFailure)
    -> Bool
  {
    if case .custom(let dialect) = expectation.pattern {
      if input.isEmpty, dialect != .agent {
        throw CheckFailure(
          .invalidLayer7, message: failureText(expectation, step, matched: false), code: code)
      }
      return try evaluate(dialect, step)
    }
    if rules.kind == .http { return try evaluateHTTP(expectation, step) }
    if !isFinal {
      if let wanted = expectation.fixedLength, input.count < wanted { return false }
      if expectation.minimumOctets > 0, input.count < expectation.minimumOctets { return false }
    }
    context?.responsePayload = Bytes(input)
    context?.responsePayloadIsFinal = true
    let matched: Bool
    switch try match(expectation, input.span) {
    case .needsMore: return false
    case .yes: matched = true
    case .no: matched = false
    }
    return try conclude(expectation, step, matched, isFinal: isFinal) { conversation in
      conversation.failureText(expectation, step, matched: matched)
    }
  }

  private mutating func conclude(
    _ expectation: CheckExpectation, _ step: CheckStep, _ matched: Bool, isFinal: Bool,
    usual: CheckStatus = .invalidLayer7, text: (inout CheckConversation) -> Bytes
  ) throws(CheckFailure) -> Bool {
    if !matched, !isFinal, expectation.minimumOctets == -1, rules.kind != .http { return false }
    if matched != expectation.isNegated { return true }
    let status = expectation.failedStatus.flatMap(CheckStatus.init(name:)) ?? usual
    throw CheckFailure(status, message: text(&self), code: code)
  }

  private mutating func evaluate(
    _ dialect: CheckExpectation.Dialect, _ step: CheckStep
  ) throws(CheckFailure) -> Bool {
    let verdict: DialectVerdict
    switch dialect {
    case .ldap: verdict = LDAPBindResponse.read(input.span)
    case .mysqlGreeting: verdict = MySQLPacket.read(input.span, skippingFirst: false)
    case .spop: verdict = SPOPFrame.read(input.span)
    case .mysqlResult: verdict = MySQLPacket.read(input.span, skippingFirst: true)
    case .agent:
      guard let reply = AgentReply.read(input.span) else {
        guard isFinal else { return false }
        agentReply = AgentReply(isIncomplete: true)
        throw CheckFailure(.noChange, message: "Ignoring incomplete line from agent")
      }
      agentReply = reply
      return true
    }
    switch verdict {
    case .needsMore:
      if !isFinal { return false }
      throw CheckFailure(.invalidLayer7, message: withComment(.empty, step))
    case .passed(let text):
      if index + 1 < rules.steps.count { return true }
      // The text of the answer is worth telling.
      throw CheckFailure(.passedLayer7, message: text)
    case .failed(let status, let failureCode, let text):
      throw CheckFailure(status, message: withComment(text, step), code: failureCode)
    }
  }

  // MARK: HTTP

  private mutating func evaluateHTTP(
    _ expectation: CheckExpectation, _ step: CheckStep
  ) throws(CheckFailure) -> Bool {
    var answer =
      httpAnswer ?? HTTPCheckAnswer(method: lastRequest?.method ?? "GET", offersUpgrade: offersUpgrade)
    answer.read(input.span, hasEnded: hasEnded)
    httpAnswer = answer
    let isLast = isFinal || answer.isComplete
    if answer.isInvalid || answer.head == nil, isLast || answer.isInvalid {
      throw CheckFailure(.invalidLayer7, message: emptyText(step))
    }
    guard let head = answer.head else { return false }
    code = head.status
    if rules.disablesOn404, !isStopped, code == 404 { return true }
    context?.response = head
    context?.responseBody = Bytes(answer.body)
    context?.responseBodyIsComplete = answer.isComplete
    switch expectation.pattern {
    case .status, .statusRegex, .header:
      let matched = try matchHead(expectation, head)
      return try conclude(expectation, step, matched, isFinal: true, usual: .wrongStatusLayer7) {
        conversation in
        conversation.text(expectation, step, usual: head.reason)
      }
    default: return try evaluateBody(expectation, step, answer, isLast: isLast)
    }
  }

  private mutating func evaluateBody(
    _ expectation: CheckExpectation, _ step: CheckStep, _ answer: HTTPCheckAnswer, isLast: Bool
  ) throws(CheckFailure) -> Bool {
    let status = expectation.failedStatus.flatMap(CheckStatus.init(name:)) ?? .invalidLayer7
    if answer.body.isEmpty {
      guard isLast else { return false }
      let reason: Bytes = "HTTP content check could not find a response body"
      throw CheckFailure(status, message: text(expectation, step, usual: reason), code: code)
    }
    if !isLast {
      if let wanted = expectation.fixedLength, answer.body.count < wanted { return false }
      if expectation.minimumOctets > 0, answer.body.count < expectation.minimumOctets { return false }
    }
    let matched: Bool
    switch try match(expectation, answer.body.span) {
    case .needsMore: return false
    case .yes: matched = true
    case .no: matched = false
    }
    if !matched, !isLast, expectation.minimumOctets == -1 { return false }
    let reason: Bytes =
      expectation.isNegated ? "HTTP check matched unwanted content" : "HTTP content check did not match"
    return try conclude(expectation, step, matched, isFinal: true) { conversation in
      conversation.text(expectation, step, usual: reason)
    }
  }

  /// The request that the answer belongs to.
  private var lastRequest: CheckRequest? {
    for step in rules.steps[..<index].reversed() {
      if case .send(.request(let request)) = step.action { return request }
    }
    return nil
  }

  private var offersUpgrade: Bool {
    lastRequest?.fields.contains { $0.name.equalsIgnoringCase("upgrade") } ?? false
  }
}

extension CheckConversation {
  // MARK: Matching

  enum Match { case yes, no, needsMore }

  /// Looks for the pattern in `text`.
  private func match(_ expectation: CheckExpectation, _ text: borrowing Span<UInt8>) throws(CheckFailure)
    -> Match
  {
    switch expectation.pattern {
    case .string(let wanted), .binary(let wanted): return Octets.contains(text, wanted.span) ? .yes : .no
    case .regex(let regex): return context.map { regex.matches(text, $0) } ?? false ? .yes : .no
    case .binaryRegex(let regex):
      let digits = HexDigits.text(text)
      return context.map { regex.matches(digits.span, $0) } ?? false ? .yes : .no
    case .format(let format), .binaryFormat(let format):
      guard let context else { return .no }
      var wanted = format.rendered(context)
      if wanted.isEmpty {
        throw CheckFailure(.invalidLayer7, message: "log-format string evaluated to an empty string")
      }
      if case .binaryFormat = expectation.pattern {
        guard let octets = HexDigits.octets(Bytes(wanted)) else {
          throw CheckFailure(
            .invalidLayer7, message: "Failed to parse hexastring resulting of eval of a log-format string")
        }
        wanted = octets
      }
      if text.count < wanted.count { return isFinal ? .no : .needsMore }
      return Octets.contains(text, wanted.span) ? .yes : .no
    case .status, .statusRegex, .header, .custom: return .no
    }
  }

  private func matchHead(_ expectation: CheckExpectation, _ head: MessageHead) throws(CheckFailure) -> Bool {
    switch expectation.pattern {
    case .status(let ranges): return ranges.contains { $0.contains(head.status) }
    case .statusRegex(let regex):
      let digits = Bytes(String(head.status))
      return context.map { regex.matches(digits.span, $0) } ?? false
    case .header(let pattern): return try matchHeader(pattern, head)
    default: return false
    }
  }

  private func matchHeader(_ pattern: CheckHeaderPattern, _ head: MessageHead) throws(CheckFailure) -> Bool {
    guard let context else { return false }
    guard let name = pattern.name.resolved(context) else {
      throw CheckFailure(
        .invalidLayer7, message: "log-format string evaluated to an empty string", code: code)
    }
    var wanted: Bytes?
    if let value = pattern.value {
      guard let resolved = value.resolved(context) else {
        throw CheckFailure(
          .invalidLayer7, message: "log-format string evaluated to an empty string", code: code)
      }
      wanted = resolved
    }
    for i in 0..<head.count where pattern.name.matches(head.name(at: i), name, foldingCase: true, context) {
      guard let value = pattern.value, let wanted else { return true }
      let whole = head.value(at: i)
      if pattern.isWhole {
        if value.matches(whole, wanted, foldingCase: false, context) { return true }
      } else {
        for element in HTTPCheckAnswer.elements(whole)
        where value.matches(element, wanted, foldingCase: false, context) {
          return true
        }
      }
    }
    return false
  }
}

extension CheckExpectation {
  /// The octets without which a fixed pattern cannot be there.
  var fixedLength: Int? {
    switch pattern {
    case .string(let text), .binary(let text): text.count
    default: nil
    }
  }
}

/// Searching in octets.
enum Octets {
  static func contains(_ text: borrowing Span<UInt8>, _ wanted: borrowing Span<UInt8>) -> Bool {
    if wanted.isEmpty { return true }
    guard wanted.count <= text.count else { return false }
    let first = wanted[0]
    var i = 0
    search: while i <= text.count - wanted.count {
      if text[i] == first {
        for j in 1..<Swift.max(1, wanted.count) where text[i + j] != wanted[j] {
          i += 1
          continue search
        }
        return true
      }
      i += 1
    }
    return false
  }
}
