public import Base

/// A `ring` section (manual chapter 12.5): the newest messages in memory, and the servers they are sent to.
public struct RingSettings: Sendable {
  public var name: Word
  public var description: String
  /// What lines without a `format` of their own are written in.
  public var format: LogTarget.Format?
  /// Octets of a message, its header included.
  public var maxLength: Int?
  /// Octets of all messages; nil is `tune.bufsize`.
  public var size: Int?
  public var backingFile: Word?
  public var connectTimeout: Timespan?
  /// How long messages may wait for a server that does not take them.
  public var serverTimeout: Timespan?
  public var servers: [Boxed<ServerSettings>] = []

  public init(name: Word) {
    self.name = name
    description = name.text
  }
}

/// Takes the lines of a `ring` section.
final class RingSection: Section {
  private var settings: RingSettings
  private var defaults: Boxed<ServerSettings>?
  private static let keywords = [
    "backing-file", "default-server", "description", "format", "maxlen", "server", "size", "timeout",
  ]
  /// Names of the rings and outputs that are always there.
  private static let builtIn = ["buf0", "stdout", "stderr"]

  init(_ arguments: Arguments, _ context: LoadContext) throws(Refusal) {
    var arguments = arguments
    let name = try arguments.required("a name")
    try arguments.end()
    try Name.check(name, of: "ring")
    if let earlier = context.configuration.rings.first(where: { $0.name.text == name.text }) {
      throw Refusal.duplicate("sink named '\(name.text)' already exists.", name, earlier.name.location)
    }
    if RingSection.builtIn.contains(name.text) {
      throw Refusal("sink named '\(name.text)' already exists.", at: name.location, expected: "another name")
    }
    settings = RingSettings(name: name)
  }

  func parse(_ line: Directive, _ context: LoadContext) throws(Refusal) {
    var arguments = Arguments(line)
    switch line.keyword {
    case "size":
      let word = arguments.peek
      settings.size = try arguments.size()
      if let size = settings.size, size < 4096 {
        throw Refusal(
          "invalid size '\(size)' for new sink buffer.", at: word?.location ?? line.location,
          expected: "at least 4096 octets")
      }
    case "maxlen": settings.maxLength = try arguments.integer(in: 1...Int(Int32.max))
    case "format": settings.format = try LogLine.format(&arguments)
    case "description":
      _ = try arguments.required("a text")
      settings.description = line.arguments.map(\.text).joined(separator: " ")
      return
    case "backing-file": settings.backingFile = try arguments.required("a file")
    case "timeout": try timeout(&arguments)
    case "default-server": defaults = try ServerLine.defaults(owner, &arguments, context)
    case "server":
      let server = try ServerLine.server(owner, &arguments, context)
      if server.isDatagram {
        throw Refusal(
          "'server' : rings send to servers over TCP.", at: server.addressLocation, expected: "<address>:<port>")
      }
      settings.servers.append(Boxed(server))
    default:
      throw Refusal.unknownKeyword(line.words[0], section: "ring", among: RingSection.keywords)
    }
    try arguments.end()
  }

  private var owner: ServerLine.Owner { ServerLine.Owner(name: settings.name.text, defaults: defaults) }

  private func timeout(_ arguments: inout Arguments) throws(Refusal) {
    let name = try arguments.required("'connect' or 'server'")
    switch name.text {
    case "connect": settings.connectTimeout = try arguments.time()
    case "server": settings.serverTimeout = try arguments.time()
    default: throw Refusal.unknownArgument(name, of: "timeout", among: ["connect", "server"])
    }
  }

  func finish(_ context: LoadContext) {
    if let longest = settings.maxLength, let size = settings.size, longest > size {
      context.diagnostics.warning(
        "ring '\(settings.name.text)' event max length '\(longest)' exceeds size, forced to size '\(size)'.",
        at: settings.name.location)
      settings.maxLength = size
    }
    context.configuration.rings.append(settings)
  }
}
