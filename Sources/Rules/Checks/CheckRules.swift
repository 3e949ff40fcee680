public import Base

/// What is done to probe the servers of one proxy: steps in order, compiled and immutable.
public final class CheckRules: Sendable {
  /// What is spoken; decides what messages say.
  public enum Kind: Sendable {
    /// No option at all: connecting is enough.
    case connection
    case tcp
    case http
    /// A protocol with steps of its own: LDAP, SMTP, MySQL...
    case builtIn
    case agent
  }

  public let kind: Kind
  public let steps: [CheckStep]
  /// `http-check disable-on-404`.
  public let disablesOn404: Bool
  /// `http-check send-state`.
  public let sendsState: Bool
  /// False when connecting is all there is, so that no rule context is needed.
  public let needsContext: Bool

  init(kind: Kind, steps: [CheckStep], disablesOn404: Bool = false, sendsState: Bool = false) {
    self.kind = kind
    self.steps = steps
    self.disablesOn404 = disablesOn404
    self.sendsState = sendsState
    needsContext = steps.contains { if case .connect = $0.action { false } else { true } }
  }

  /// Connects and hangs up.
  public static let connection = CheckRules(kind: .connection, steps: [.implicitConnect])

  /// `agent-check`: what `agent-send` says, then the agent's line.
  public static let agent = CheckRules(
    kind: .agent,
    steps: [
      .implicitConnect, CheckStep(number: 1, action: .send(.agent)),
      CheckStep(number: 2, action: .expect(CheckExpectation(.custom(.agent)))),
    ])
}

/// One step of a check.
public struct CheckStep: Sendable {
  public enum Action: Sendable {
    case connect(CheckConnection)
    case send(CheckMessage)
    case expect(CheckExpectation)
    case variable(CheckVariableChange)
  }
  /// As messages count: 0 is the connection that no line asks for.
  public let number: Int
  public let action: Action
  public var comment = Bytes.empty
  /// Where an expectation that lacks data begins again: the first of a run of negated ones.
  public internal(set) var resumesAt = 0

  init(number: Int, action: Action, comment: Bytes = .empty) {
    self.number = number
    self.action = action
    self.comment = comment
  }

  static let implicitConnect = CheckStep(number: 0, action: .connect(.implicit))
}

/// `connect`.
public struct CheckConnection: Sendable {
  /// With the settings of the `server` line.
  public var usesServerSettings = false
  public var isImplicit = false
  public var address = SocketAddress.none
  public var port: UInt16?
  public var portExpression: SampleExpression?
  public var sendsProxy = false
  public var viaSocks = false
  /// Ends with an orderly close where a check usually resets.
  public var lingers = false
  public var isTLS = false
  public var serverName: Bytes?
  public var alpn: [String] = []
  /// `proto`: h1 or h2, whatever ALPN says.
  public var proto: String?
  /// Octets follow at once.
  public var hasData = false
  /// The Host of the request that follows, for the TLS name of HTTP checks.
  public var hostFormat: LogFormat?

  static let implicit: CheckConnection = {
    var connection = CheckConnection()
    connection.usesServerSettings = true
    connection.isImplicit = true
    return connection
  }()
}

/// `send`.
public enum CheckMessage: Sendable {
  case fixed(Bytes)
  case format(LogFormat)
  /// Hexadecimal digits once it is rendered.
  case binaryFormat(LogFormat)
  case request(CheckRequest)
  /// The SSLv3 ClientHello of `option ssl-hello-chk`, with the time in it.
  case tlsHello
  case agent
}

/// `http-check send`.
public struct CheckRequest: Sendable {
  public var method: Bytes = "OPTIONS"
  public var target: Bytes = "/"
  public var targetFormat: LogFormat?
  public var version: Bytes = "HTTP/1.0"
  public var fields: [(name: Bytes, value: LogFormat)] = []
  public var body = Bytes.empty
  public var bodyFormat: LogFormat?
  /// The request of `option httpchk`, which a `send` line completes.
  var fromOption = false
  var saysMethod = false
  var saysTarget = false
  var saysVersion = false
}

/// `set-var`, `set-var-fmt`, `unset-var`.
public struct CheckVariableChange: Sendable {
  let variable: Variable
  let expression: SampleExpression?
  let format: LogFormat?

  public func apply(_ context: RuleContext) {
    if let expression {
      variable.set(expression.evaluate(context), context)
    } else if let format {
      variable.set(.string(Bytes(format.rendered(context))), context)
    } else {
      variable.set(nil, context)
    }
  }
}

/// `expect`.
public struct CheckExpectation: Sendable {
  public enum Pattern: Sendable {
    case string(Bytes)
    case binary(Bytes)
    case regex(CheckRegex)
    /// Matched against the octets in hexadecimal.
    case binaryRegex(CheckRegex)
    case format(LogFormat)
    case binaryFormat(LogFormat)
    case status([ClosedRange<Int>])
    case statusRegex(CheckRegex)
    case header(CheckHeaderPattern)
    case custom(Dialect)
  }
  /// Protocols whose answers are parsed rather than matched.
  public enum Dialect: Sendable { case ldap, mysqlGreeting, mysqlResult, spop, agent }

  public var pattern: Pattern
  public var isNegated = false
  /// -1: any octets may decide; otherwise so many must have come before a mismatch counts.
  public var minimumOctets = -1
  /// Names of statuses, as in `show stat`; nil for the usual ones.
  public var passedStatus: String?
  public var failedStatus: String?
  public var timeoutStatus: String?
  public var onSuccess: LogFormat?
  public var onError: LogFormat?
  public var statusCode: SampleExpression?

  init(_ pattern: Pattern) { self.pattern = pattern }
}

/// A compiled regular expression as checks use it.
public final class CheckRegex: Sendable {
  private let regex: RegularExpression

  init(_ pattern: Bytes, ignoresCase: Bool = false) throws(RuleError) {
    regex = try RegularExpression.compile(pattern, ignoresCase: ignoresCase)
  }

  public func matches(_ text: borrowing Span<UInt8>, _ context: RuleContext) -> Bool {
    regex.matches(text, &context.regexScratch)
  }
}

/// `expect hdr` and `fhdr`.
public struct CheckHeaderPattern: Sendable {
  public enum Method: Sendable { case whole, prefix, suffix, part, regex }
  public struct Part: Sendable {
    public let method: Method
    let text: Bytes
    let format: LogFormat?
    let regex: CheckRegex?

    /// nil when the format gives nothing.
    public func resolved(_ context: RuleContext) -> Bytes? {
      guard let format else { return text }
      let value = Bytes(format.rendered(context))
      return value.isEmpty ? nil : value
    }

    /// Names match in any case, values as they are.
    public func matches(_ value: Bytes, _ wanted: Bytes, foldingCase: Bool, _ context: RuleContext) -> Bool {
      if method == .regex { return regex?.matches(value.span, context) ?? false }
      let subject = foldingCase ? value.lowercased : value
      let pattern = foldingCase ? wanted.lowercased : wanted
      switch method {
      case .whole: return subject == pattern
      case .prefix: return subject.starts(with: pattern)
      case .suffix: return subject.ends(with: pattern)
      case .part: return CheckHeaderPattern.contains(subject, pattern)
      case .regex: return false
      }
    }
  }

  public let name: Part
  /// nil when the name alone must match.
  public let value: Part?
  /// The field's whole value rather than each element of its list.
  public let isWhole: Bool

  private static func contains(_ text: Bytes, _ part: Bytes) -> Bool {
    if part.isEmpty { return true }
    guard part.count <= text.count else { return false }
    return (0...(text.count - part.count)).contains { text[$0..<($0 + part.count)] == part }
  }
}

extension RuleContext {
  /// Ready for a run of a check: what is looked at is the server's side.
  public func resetForCheck() {
    reset()
    checkVariables.removeAll()
    isResponseSide = true
  }
}
