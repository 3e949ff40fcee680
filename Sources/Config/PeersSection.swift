import Base

/// A `peers` section (manual chapter 11.2).
public struct PeersSettings: Sendable {
  public struct Peer: Sendable {
    public var name: String
    public var location: SourceLocation
    /// How to reach it; nil for the local peer of a section with `bind`.
    public var server: ServerSettings?
  }

  public var name: Word
  public var isDisabled = false
  public var peers: [Peer] = []
  public var binds: [BindSettings] = []
  public var tables: [StickTableSettings] = []
  public var logs: [LogTarget] = []
  public var usesGlobalLogs = false
  /// `shards`: over how many groups of peers the keys are spread; 0 is for all keys at every peer.
  public var shards = 0
}

/// Takes the lines of a `peers` section.
final class PeersSection: Section {
  private var settings: PeersSettings
  private var defaults: Boxed<ServerSettings>?
  private var defaultBind: [Word] = []
  private static let keywords = [
    "bind", "default-bind", "default-server", "disabled", "enabled", "log", "peer", "server", "shards", "table",
  ]

  init(_ arguments: Arguments, _ context: LoadContext) throws(Refusal) {
    var arguments = arguments
    let name = try arguments.required("a name")
    try arguments.end()
    try Name.check(name, of: "peers")
    if let earlier = context.configuration.peers.first(where: { $0.name.text == name.text }) {
      throw Refusal.duplicate(
        "peers section '\(name.text)' already exists.", name, earlier.name.location)
    }
    settings = PeersSettings(name: name)
  }

  func parse(_ line: Directive, _ context: LoadContext) throws(Refusal) {
    var arguments = Arguments(line)
    switch line.keyword {
    case "peer", "server": try peer(&arguments, context)
    case "bind": try bind(&arguments, context)
    case "default-bind": defaultBind = arguments.rest()
    case "default-server":
      defaults = try ServerLine.defaults(owner, &arguments, context)
    case "table": try table(&arguments, context)
    case "disabled", "enabled":
      try arguments.end()
      settings.isDisabled = line.keyword == "disabled"
    case "log":
      if arguments.take("global") {
        try arguments.end()
        settings.usesGlobalLogs = true
      } else {
        settings.logs.append(try LogLine.parse(&arguments, context))
      }
    case "shards":
      settings.shards = try arguments.integer(in: 1...Int(Int32.max))
      try arguments.end()
    default:
      throw Refusal.unknownKeyword(line.words[0], section: "peers", among: PeersSection.keywords)
    }
  }

  private var owner: ServerLine.Owner {
    ServerLine.Owner(name: settings.name.text, defaults: defaults)
  }

  private func peer(_ arguments: inout Arguments, _ context: LoadContext) throws(Refusal) {
    guard let name = arguments.peek else {
      throw Refusal("'\(arguments.keyword)' expects a name.", at: arguments.endLocation, expected: "a name")
    }
    if let earlier = settings.peers.first(where: { $0.name == name.text }) {
      throw Refusal.duplicate("peer '\(name.text)' is declared already.", name, earlier.location)
    }
    var peer = PeersSettings.Peer(name: name.text, location: name.location)
    // The local peer may leave its address to a bind line, and then has options at most.
    let second = arguments.line.words.count > 2 ? arguments.line.words[2].text : ""
    if second.contains(":") || second.hasPrefix("/") || second.contains("@") {
      peer.server = try ServerLine.server(owner, &arguments, context)
    } else {
      try Name.check(name, of: "peer")
    }
    settings.peers.append(peer)
  }

  private func bind(_ arguments: inout Arguments, _ context: LoadContext) throws(Refusal) {
    let words = Array(arguments.line.words.prefix(2)) + defaultBind + arguments.line.words.dropFirst(2)
    var line = Arguments(Directive(words: words, location: arguments.line.location))
    settings.binds.append(try BindLine.parse(&line, context))
  }

  private func table(_ arguments: inout Arguments, _ context: LoadContext) throws(Refusal) {
    let name = try arguments.required("a table's name")
    try Name.check(name, of: "table")
    let table = StickTableSettings(
      name: settings.name.text + "/" + name.text, wireName: "/" + name.text, location: name.location)
    settings.tables.append(try StickTableLine.parse(table, isOfPeers: true, &arguments, context))
  }

  func finish(_ context: LoadContext) {
    for index in settings.peers.indices {
      guard let shard = settings.peers[index].server?.shard, settings.shards > 0, shard > settings.shards else {
        continue
      }
      context.diagnostics.warning(
        "'peer \(settings.peers[index].name)' : shard \(shard) is greater than the \(settings.shards) shards of the section and is ignored.",
        at: settings.peers[index].location)
      settings.peers[index].server?.shard = nil
    }
    context.configuration.peers.append(settings)
  }
}
