import Base

/// Why a log line is written: the step of a stream, a failure, or a `do-log` action.
///
/// The raw value is what `on` lines of profiles call it.
public enum LogOrigin: String, CaseIterable, Sendable {
  case unspecified = "unspec"
  /// A connection that ended before it became a stream, and what the client sent is no request.
  case killed
  case error
  case accept, request, connect, response, close
  case tcpConnection = "tcp-req-conn"
  case tcpSession = "tcp-req-sess"
  case tcpContent = "tcp-req-cont"
  case tcpResponse = "tcp-res-cont"
  case httpRequest = "http-req"
  case httpResponse = "http-res"
  case httpAfterResponse = "http-after-res"

  /// The step whose settings in a profile apply.
  public var step: LogOrigin { self == .killed ? .error : self }

  /// As `%OG` shows it.
  public var text: String {
    switch self {
    case .error: "sess_error"
    case .killed: "sess_killed"
    case .accept, .request, .connect, .response, .close: "txn_" + rawValue
    default: rawValue
    }
  }

  /// Steps that `on` lines may name, but for `any`.
  static let steps = allCases.filter { $0 != .unspecified && $0 != .killed }
}

/// `log-steps`: when lines are written.
public struct LogSteps: OptionSet, Sendable {
  public let rawValue: UInt8
  public init(rawValue: UInt8) { self.rawValue = rawValue }
  public static let accept = LogSteps(rawValue: 1)
  public static let request = LogSteps(rawValue: 2)
  public static let connect = LogSteps(rawValue: 4)
  public static let response = LogSteps(rawValue: 8)
  public static let close = LogSteps(rawValue: 16)
  public static let all: LogSteps = [.accept, .request, .connect, .response, .close]

  static let names: [(String, LogSteps)] = [
    ("accept", .accept), ("request", .request), ("connect", .connect), ("response", .response),
    ("close", .close), ("all", .all),
  ]
}

/// A `log-profile` section (manual chapter 8.3.5): how the lines of a `log` directive are made.
public struct LogProfileSettings: Sendable {
  /// What one `on` line says.
  public struct Step: Sendable {
    public var isDropped = false
    public var format: Word?
    public var structuredData: Word?
    public init() {}
  }

  public var name: Word
  public var tag: String?
  public var steps: [LogOrigin: Step] = [:]
  /// `on any`
  public var anyStep: Step?

  public init(name: Word) { self.name = name }
}

/// Takes the lines of a `log-profile` section.
final class LogProfileSection: Section {
  private var settings: LogProfileSettings

  init(_ arguments: Arguments, _ context: LoadContext) throws(Refusal) {
    var arguments = arguments
    let name = try arguments.required("a name")
    try arguments.end()
    try Name.check(name, of: "log-profile")
    if let earlier = context.configuration.logProfiles.first(where: { $0.name.text == name.text }) {
      throw Refusal.duplicate(
        "log-profile section '\(name.text)' has the same name as another log-profile section declared at "
          + "\(earlier.name.location.place).", name, earlier.name.location)
    }
    settings = LogProfileSettings(name: name)
  }

  func parse(_ line: Directive, _ context: LoadContext) throws(Refusal) {
    var arguments = Arguments(line)
    switch line.keyword {
    case "log-tag":
      settings.tag = try arguments.required("a tag for use in syslog").text
      try arguments.end()
    case "on": try on(&arguments)
    default:
      throw Refusal.unknownKeyword(line.words[0], section: "log-profile", among: ["log-tag", "on"])
    }
  }

  private func on(_ arguments: inout Arguments) throws(Refusal) {
    let known = ["any"] + LogOrigin.steps.map(\.rawValue)
    let name = try arguments.required("a log step")
    let origin = LogOrigin.steps.first { $0.rawValue == name.text }
    guard origin != nil || name.text == "any" else {
      throw Refusal(
        "'on' expects a log step.", at: name.location, expected: known.oneOf,
        suggestion: Nearest.word(to: name.text, among: known))
    }
    var step = origin.map { settings.steps[$0] ?? .init() } ?? settings.anyStep ?? .init()
    if arguments.take("drop") {
      step.isDropped = true
    } else {
      while let word = arguments.next() {
        step.isDropped = false
        switch word.text {
        case "format": step.format = try arguments.required("a log-format string")
        case "sd": step.structuredData = try arguments.required("a log-format string")
        default: throw Refusal.unknownArgument(word, of: "on", among: ["drop", "format", "sd"])
        }
      }
    }
    try arguments.end()
    if let origin { settings.steps[origin] = step } else { settings.anyStep = step }
  }

  func finish(_ context: LoadContext) { context.configuration.logProfiles.append(settings) }
}
