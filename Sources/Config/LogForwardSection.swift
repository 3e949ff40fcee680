public import Base

/// A `log-forward` section (manual chapter 12.6): takes log messages in and passes them on to log targets.
public struct LogForwardSettings: Sendable {
  /// `option host`: what happens to the host name of a message.
  public enum HostStrategy: String, CaseIterable, Sendable { case replace, fill, keep, append }

  public var name: Word
  public var binds: [BindSettings] = []
  /// `dgram-bind`: for datagrams.
  public var datagramBinds: [BindSettings] = []
  public var logs: [LogTarget] = []
  public var usesGlobalLogs = false
  public var maxConnections = 10
  public var backlog: Int?
  public var clientTimeout: Timespan?
  /// `option assume-rfc6587-ntf`: a connection's messages are lines, whatever they begin with.
  public var assumesLines = false
  /// `option dont-parse-log`
  public var keepsMessages = false
  public var hostStrategy = HostStrategy.fill

  public init(name: Word) { self.name = name }
}

/// Takes the lines of a `log-forward` section.
final class LogForwardSection: Section {
  private var settings: LogForwardSettings
  private static let keywords = ["backlog", "bind", "dgram-bind", "log", "maxconn", "option", "timeout"]

  init(_ arguments: Arguments, _ context: LoadContext) throws(Refusal) {
    var arguments = arguments
    let name = try arguments.required("a name")
    try arguments.end()
    try Name.check(name, of: "log-forward")
    if let earlier = context.configuration.logForwards.first(where: { $0.name.text == name.text }) {
      throw Refusal.duplicate(
        "log-forward section '\(name.text)' already exists.", name, earlier.name.location)
    }
    settings = LogForwardSettings(name: name)
  }

  func parse(_ line: Directive, _ context: LoadContext) throws(Refusal) {
    var arguments = Arguments(line)
    switch line.keyword {
    case "bind": settings.binds.append(try BindLine.parse(&arguments, context))
    case "dgram-bind": try datagramBind(&arguments, context)
    case "log": try log(&arguments, context)
    case "maxconn": settings.maxConnections = try arguments.integer(in: 1...Int(Int32.max))
    case "backlog": settings.backlog = try arguments.integer(in: 1...Int(Int32.max))
    case "timeout":
      let name = try arguments.required("'client'")
      guard name.text == "client" else {
        throw Refusal.unknownArgument(name, of: "timeout", among: ["client"])
      }
      settings.clientTimeout = try arguments.time()
    case "option": try option(&arguments, context)
    default:
      throw Refusal.unknownKeyword(line.words[0], section: "log-forward", among: LogForwardSection.keywords)
    }
    try arguments.end()
  }

  private func datagramBind(_ arguments: inout Arguments, _ context: LoadContext) throws(Refusal) {
    let place = arguments.peek?.location ?? arguments.endLocation
    let bind = try BindLine.parse(&arguments, context)
    for address in bind.addresses {
      switch address {
      case .ip, .descriptor: continue
      case .unix, .abstract:
        throw Refusal(
          "'dgram-bind' : only addresses of IPv4 and IPv6 take datagrams.", at: place,
          expected: "[<address>]:<port>")
      }
    }
    settings.datagramBinds.append(bind)
  }

  private func log(_ arguments: inout Arguments, _ context: LoadContext) throws(Refusal) {
    if context.prefix == .no {
      settings.logs = []
      settings.usesGlobalLogs = false
    } else if arguments.take("global") {
      settings.usesGlobalLogs = true
    } else {
      settings.logs.append(try LogLine.parse(&arguments, context))
    }
  }

  private func option(_ arguments: inout Arguments, _ context: LoadContext) throws(Refusal) {
    let name = try arguments.required("an option's name")
    switch name.text {
    case "assume-rfc6587-ntf": settings.assumesLines = context.prefix == .none
    case "dont-parse-log": settings.keepsMessages = context.prefix == .none
    case "host":
      if context.prefix != .none {
        settings.hostStrategy = .fill
      } else {
        settings.hostStrategy = try arguments.choice("a strategy", LogForwardSettings.HostStrategy.self)
      }
    default:
      throw Refusal.unknownArgument(
        name, of: "option", among: ["assume-rfc6587-ntf", "dont-parse-log", "host"])
    }
  }

  func finish(_ context: LoadContext) { context.configuration.logForwards.append(settings) }
}
