import Base

/// `resolvers <name>` (manual chapter 5.3.2).
final class ResolversSection: Section {
  private var settings: ResolversSettings

  private static let keywords = [
    "nameserver", "parse-resolv-conf", "hold", "timeout", "resolve_retries", "accepted_payload_size",
  ]
  private static let payloadSizes = 512...65535

  init(_ arguments: Arguments, _ context: LoadContext) throws(Refusal) {
    var arguments = arguments
    let name = try arguments.required("a name")
    try arguments.end()
    try Name.check(name, of: "resolvers")
    if let earlier = context.configuration.resolvers.first(where: { $0.name == name.text }) {
      throw Refusal.duplicate(
        "resolvers '\(name.text)' has same name as another resolvers (declared at \(earlier.location.place)).",
        name,
        earlier.location)
    }
    settings = ResolversSettings(name: name.text, location: name.location)
  }

  func parse(_ line: Directive, _ context: LoadContext) throws(Refusal) {
    var arguments = Arguments(line)
    switch line.keyword {
    case "nameserver": try nameserver(&arguments, context)
    case "parse-resolv-conf":
      try arguments.end()
      try parseSystemFile(arguments, context)
    case "hold": try hold(&arguments)
    case "timeout": try timeout(&arguments)
    case "resolve_retries": settings.attempts = try arguments.integer("<nb>", in: 1...Int(Int32.max))
    case "accepted_payload_size":
      settings.payloadSize = try arguments.integer("<nb>", in: ResolversSection.payloadSizes)
    default:
      throw Refusal.unknownKeyword(line.words[0], section: "resolvers", among: ResolversSection.keywords)
    }
    try arguments.end()
  }

  private func nameserver(_ arguments: inout Arguments, _ context: LoadContext) throws(Refusal) {
    let name = try arguments.required("a name")
    let word = try arguments.required("an address")
    try Name.check(name, of: "nameserver")
    if let earlier = settings.nameservers.first(where: { $0.name == name.text }) {
      throw Refusal.duplicate(
        "nameserver '\(name.text)' has same name as another nameserver (declared at \(earlier.location.place)).",
        name,
        earlier.location)
    }
    let text = context.expandVariables(word.text)
    let syntax = try AddressSyntax(text, at: word.location, keyword: "nameserver", rules: [])
    guard let address = syntax.address(context.io) else {
      throw Refusal(
        "'nameserver \(name.text)' : '\(word.text)' is no address of a name server.", at: word.location,
        expected: "<address>[:<port>] or tcp@<address>[:<port>]")
    }
    var server = ResolversSettings.Nameserver(
      name: name.text, location: name.location, address: .ip(address, port: syntax.ports?.lowerBound ?? 53))
    server.isStream = ["tcp@", "tcp4@", "tcp6@", "stream+"].contains { text.hasPrefix($0) }
    if let option = arguments.peek {
      throw Refusal(
        "'nameserver \(name.text)' : '\(option.text)' is not supported yet.", at: option.location,
        expected: "the end of the line")
    }
    settings.nameservers.append(server)
  }

  private func hold(_ arguments: inout Arguments) throws(Refusal) {
    let event = try arguments.required("an <event>")
    let time = try arguments.time()
    switch event.text {
    case "valid": settings.hold.valid = time
    case "nx": settings.hold.noSuchName = time
    case "refused": settings.hold.refused = time
    case "timeout": settings.hold.timeout = time
    case "other": settings.hold.other = time
    case "obsolete": settings.hold.obsolete = time
    default:
      throw Refusal.unknownArgument(
        event, of: "hold", among: ["valid", "nx", "refused", "timeout", "other", "obsolete"])
    }
  }

  private func timeout(_ arguments: inout Arguments) throws(Refusal) {
    let event = try arguments.required("'retry' or 'resolve'")
    let time = try arguments.time()
    switch event.text {
    case "resolve": settings.interval = time
    case "retry": settings.retryInterval = time
    default: throw Refusal.unknownArgument(event, of: "timeout", among: ["resolve", "retry"])
    }
  }

  private func parseSystemFile(_ arguments: Arguments, _ context: LoadContext) throws(Refusal) {
    let place = arguments.keywordLocation
    guard case .octets(let text) = context.io.read(ResolverFile.path) else {
      throw Refusal("failed to open \(ResolverFile.path).", at: place)
    }
    let found = ResolverFile.nameservers(text, at: place)
    for server in found where !settings.nameservers.contains(where: { $0.name == server.name }) {
      settings.nameservers.append(server)
    }
    if found.isEmpty {
      context.diagnostics.warning("no usable name server in \(ResolverFile.path).", at: place)
    }
  }

  func finish(_ context: LoadContext) {
    if settings.nameservers.isEmpty {
      context.diagnostics.warning(
        "resolvers '\(settings.name)' has no nameserver: its names will not be resolved.",
        at: settings.location)
    }
    context.configuration.resolvers.append(settings)
  }
}

/// resolv.conf(5), as far as it names servers.
enum ResolverFile {
  static let path = "/etc/resolv.conf"

  /// One for each `nameserver` line with an address; named by it.
  static func nameservers(_ text: [UInt8], at place: SourceLocation) -> [ResolversSettings.Nameserver] {
    var found: [ResolversSettings.Nameserver] = []
    for line in String(decoding: text, as: UTF8.self).split(whereSeparator: \.isNewline) {
      let words = line.split(whereSeparator: { $0 == " " || $0 == "\t" })
      guard words.count > 1, words[0] == "nameserver", let address = IPAddress(String(words[1])) else {
        continue
      }
      let name = String(words[1])
      if found.contains(where: { $0.name == name }) { continue }
      found.append(.init(name: name, location: place, address: .ip(address, port: 53)))
    }
    return found
  }

  /// The section that exists unless a file declares it.
  static func addDefault(to configuration: inout Configuration, _ io: ConfigurationIO) {
    guard !configuration.resolvers.contains(where: { $0.name == "default" }),
      case .octets(let text) = io.read(path)
    else { return }
    var settings = ResolversSettings(name: "default", location: .none)
    settings.nameservers = nameservers(text, at: .none)
    if !settings.nameservers.isEmpty { configuration.resolvers.append(settings) }
  }
}
