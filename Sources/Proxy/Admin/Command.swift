import Base
import Config

/// Who may give a command; the raw values order the levels.
enum AdminLevel: Int, Comparable, Sendable {
  case user, restricted, admin

  static let `operator` = AdminLevel.restricted
  static func < (a: AdminLevel, b: AdminLevel) -> Bool { a.rawValue < b.rawValue }

  init(_ name: String) {
    switch name {
    case "user": self = .user
    case "admin": self = .admin
    default: self = .operator
    }
  }

  var name: String {
    switch self {
    case .user: "user"
    case .restricted: "operator"
    case .admin: "admin"
    }
  }
}

/// One command of the runtime API: the table of these drives dispatch, `help` and suggestions.
struct Command: Sendable {
  /// The words that select it.
  let words: [String]
  /// The words with their arguments, as `help` shows them.
  let usage: String
  let help: String
  let level: AdminLevel
  /// The mode that the session must have switched on.
  let needs: Mode
  let run: @Sendable (CommandCall) -> CommandAnswer

  enum Mode { case nothing, experimental, expert }

  init(
    _ words: String, _ arguments: String = "", level: AdminLevel = .user, needs: Mode = .nothing, _ help: String,
    run: @escaping @Sendable (CommandCall) -> CommandAnswer
  ) {
    self.words = words.split(separator: " ").map(String.init)
    usage = arguments.isEmpty ? words : "\(words) \(arguments)"
    self.help = help
    self.level = level
    self.needs = needs
    self.run = run
  }

  /// Why a session may not give it now; nil when it may.
  func refusal(_ session: CommandSession) -> CommandAnswer? {
    if session.level < level { return .error("Permission denied\n") }
    if needs == .experimental && !session.isExperimental {
      return .error("This command is restricted to experimental mode only.")
    }
    if needs == .expert && !session.isExpert {
      return .error("This command is restricted to expert mode only.")
    }
    return nil
  }

  /// The whole line of `help`.
  var helpLine: String {
    let padding = String(repeating: " ", count: Swift.max(0, 40 - usage.utf8.count))
    return "  \(usage)\(padding): \(help)\n"
  }
}

/// One command as it was given.
struct CommandCall {
  /// All words, with those that selected the command.
  let words: [String]
  /// Those after them.
  let arguments: ArraySlice<String>
  let payload: Bytes?
  let session: CommandSession
  let gateway: Gateway
  let now: Now

  var runtime: Runtime { gateway.runtime }

  /// The argument at `index`, "" when there is none.
  func argument(_ index: Int) -> String {
    let at = arguments.startIndex + index
    return at < arguments.endIndex ? arguments[at] : ""
  }
}

/// What a command says.
enum CommandAnswer {
  /// Output, as it is.
  case text([UInt8])
  /// One line for the administrator; `severity` is a syslog level.
  case message(String, severity: Int)
  /// Long output, made while the client reads; nil is the end.
  case pieces(() -> [UInt8]?)
  /// Output that goes on as long as the client says nothing.
  case following(any CommandFeed)
  /// Given later, by calling the function on the connection's own thread.
  case later((@escaping (CommandAnswer) -> Void) -> Void)

  /// Output without the empty line that ends others.
  case bare(String)
  /// What another process says on a descriptor, after it was told `start`; the descriptor is given away.
  case relay(Int32, start: [UInt8], AdminRelay.Kind)

  static var done: CommandAnswer { .text([]) }
  static func error(_ text: String) -> CommandAnswer { .message(text, severity: 3) }
  static func info(_ text: String) -> CommandAnswer { .message(text, severity: 6) }
  static func lines(_ text: String) -> CommandAnswer { .text(Array(text.utf8)) }
  /// nil means that it was done.
  static func outcome(_ problem: String?) -> CommandAnswer { problem.map(error) ?? .done }
}

/// Output without an end, made while the client reads.
protocol CommandFeed: AnyObject {
  /// nil when there is nothing now.
  func next() -> [UInt8]?
  /// Calls `wake` once, from any thread, when there is more; false when there is already.
  func wait(_ wake: @escaping @Sendable () -> Void) -> Bool
  /// The client has had enough.
  func end()
}

/// What a connection remembers between commands.
final class CommandSession {
  enum Mode { case single, interactive, prompt }
  enum SeverityOutput: String { case none, number, string }

  var level: AdminLevel
  var mode = Mode.single
  var showsTime = false
  var severityOutput: SeverityOutput
  var timeout: Timespan
  /// `experimental-mode on`, `expert-mode on`.
  var isExperimental = false
  var isExpert = false
  /// Of the master CLI: the process that commands go to, 0 for the master, and `mcli-debug-mode on`.
  var target: Int32 = 0
  var isMasterDebug = false
  /// `set anon`
  var anonymizer = Anonymizer()
  /// The client has said `quit`.
  var isOver = false

  init(level: AdminLevel, timeout: Timespan, severityOutput: SeverityOutput) {
    self.level = level
    self.timeout = timeout
    self.severityOutput = severityOutput
  }

  /// A message with its line end, and its severity where that is wanted.
  func rendered(_ text: String, severity: Int) -> [UInt8] {
    var out: [UInt8] = []
    let names = ["emerg", "alert", "crit", "err", "warning", "notice", "info", "debug"]
    switch severityOutput {
    case .none: break
    case .number: out.append("[\(severity)]: ")
    case .string: out.append("[\(names[Swift.min(Swift.max(severity, 0), 7)])]: ")
    }
    out.append(text)
    if out.last != ASCII.lf { out.append(ASCII.lf) }
    return out
  }
}
