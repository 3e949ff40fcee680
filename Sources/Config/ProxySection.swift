import Base

/// The lines of a `defaults`, `frontend`, `backend` or `listen` section (manual chapter 4).
final class ProxySection: Section {
  private var settings: Boxed<ProxySettings>

  init(_ kind: ProxySettings.Kind, _ arguments: Arguments, _ context: LoadContext) throws(Refusal) {
    var arguments = arguments
    var name: Word?
    if kind == .defaults {
      if let word = arguments.peek, word.text != "from" { name = arguments.next() }
    } else {
      name = try arguments.required("a name")
    }
    if let name { try Name.check(name, of: kind.rawValue) }
    // `listen NAME ADDR:PORT` of old versions comes before `from`.
    var address: Word?
    if kind != .defaults, let word = arguments.peek, word.text != "from" { address = arguments.next() }
    let parent = try ProxySection.parent(&arguments, context)
    if let parent { try DefaultRules.check(parent, for: kind, arguments, context) }
    settings = Boxed(parent ?? ProxySettings(kind: kind, name: "", location: .none))
    settings.value.inherit(
      kind: kind, name: name?.text ?? "", location: name?.location ?? arguments.keywordLocation)
    if let name, kind != .defaults { try ProxySection.checkDuplicate(settings, name, context) }
    if let address { try oldAddress(address, &arguments, context) }
    try arguments.end()
  }

  private static func parent(_ arguments: inout Arguments, _ context: LoadContext) throws(Refusal)
    -> ProxySettings?
  {
    guard arguments.take("from") else {
      return arguments.line.keyword == "defaults" ? nil : context.currentDefaults
    }
    let name = try arguments.required("the name of a 'defaults' section")
    if let found = context.defaultsByName[name.text] {
      guard let earlier = context.ambiguousDefaults[name.text] else { return found }
      var refusal = Refusal(
        "ambiguous defaults section name '\(name.text)' exists at least at \(earlier.place) and "
          + "\(found.location.place).", at: name.location, expected: "a name that one section bears")
      refusal.diagnostic.related = [(earlier, "declared here"), (found.location, "and here")]
      throw refusal
    }
    throw Refusal(
      "defaults section '\(name.text)' not found for \(arguments.line.keyword) "
        + "'\(arguments.line.words.count > 1 ? arguments.line.words[1].text : "")'.",
      at: name.location, expected: "the name of an earlier 'defaults' section",
      suggestion: Nearest.word(to: name.text, among: context.defaultsByName.keys))
  }

  /// Two proxies may share a name when one is only a frontend and the other only a backend.
  private static func checkDuplicate(_ new: Boxed<ProxySettings>, _ name: Word, _ context: LoadContext)
    throws(Refusal)
  {
    var earlier: Int?
    if new.hasFrontend { earlier = context.frontendsByName[new.name] }
    if earlier == nil, new.hasBackend { earlier = context.backendsByName[new.name] }
    guard let earlier else { return }
    let other = context.configuration.proxies[earlier]
    let place = other.location
    throw Refusal.duplicate(
      "\(new.kind.rawValue) '\(new.name)' has the same name as \(other.kind.rawValue) '\(other.name)' declared at "
        + "\(place.file):\(place.line).", name, place)
  }

  private func oldAddress(_ word: Word, _ arguments: inout Arguments, _ context: LoadContext)
    throws(Refusal)
  {
    guard settings.hasFrontend else {
      throw Refusal("'backend' cannot handle unexpected argument '\(word.text)'.", at: word.location)
    }
    let words = [Word("bind", at: word.location), word] + arguments.rest()
    var bind = Arguments(Directive(words: words, location: word.location))
    settings.value.binds.append(try BindLine.parse(&bind, context))
    context.diagnostics.warning(
      "addresses on the line of '\(settings.kind.rawValue)' are gone since 1.9; use a 'bind' line.",
      at: word.location, replacement: "bind " + words.dropFirst().map(\.text).joined(separator: " "))
  }

  func parse(_ line: Directive, _ context: LoadContext) throws(Refusal) {
    guard let keyword = ProxyKeywords.table[line.keyword] else {
      throw Refusal.unknownKeyword(
        line.words[0], section: settings.kind.rawValue,
        suggestion: ProxyKeywords.table.suggestion(for: line.keyword, in: settings.kind.sections))
    }
    let allowed = try settings.kind.allows(
      keyword.sections, keyword.name, settings.name, line.words[0].location, context)
    guard allowed else { return }
    var arguments = Arguments(line)
    try keyword.parse(&settings.value, &arguments, context)
  }

  func finish(_ context: LoadContext) {
    if settings.kind == .defaults {
      context.currentDefaults = settings.value
      guard !settings.name.isEmpty else { return }
      if let earlier = context.defaultsByName.updateValue(settings.value, forKey: settings.name) {
        context.ambiguousDefaults[settings.name] = earlier.location
        context.configuration.namedDefaults.removeAll { $0.name == settings.name }
      }
      context.configuration.namedDefaults.append(settings)
      return
    }
    FilterKeywords.finish(&settings.value, context)
    // Connections of a server that has no 'source' come from where its backend says.
    if let source = settings.source {
      for index in settings.servers.indices where settings.servers[index].source == nil {
        settings.value.servers[index].source = source
      }
    }
    let index = context.configuration.proxies.count
    if settings.hasFrontend { context.frontendsByName[settings.name] = index }
    if settings.hasBackend { context.backendsByName[settings.name] = index }
    context.configuration.proxies.append(settings)
  }
}

extension ProxySettings.Kind {
  var sections: SectionSet {
    switch self {
    case .frontend: .frontend
    case .backend: .backend
    case .listen: .listen
    case .defaults: .defaults
    }
  }
}

extension ProxySettings {
  /// Turns inherited defaults into a section of its own.
  mutating func inherit(kind: Kind, name: String, location: SourceLocation) {
    self.kind = kind
    self.name = name
    self.location = location
    id = nil
    guid = nil
    description = nil
    stickTable = nil
    binds = []
    sawBind = false
    isUnpublished = false
    saysMode = false
    servers = []
    inheritsStats = stats != nil
    inheritsForwardFor = forwardFor != nil
    inheritedRules = rules.count
  }

  /// What a `server` line has to know; the servers so far only where it asks for them.
  func serverOwner(_ arguments: Arguments, _ context: LoadContext) -> ServerLine.Owner {
    var owner = ServerLine.Owner(name: name, defaults: defaultServer)
    if arguments.line.words.contains(where: { $0.text == "from" }) {
      owner.origins = ServerOrigins(self, context.configuration.proxies)
    }
    return owner
  }
}

extension ProxySettings.Kind {
  /// Whether a keyword for `sections` acts here; one for the other side is ignored with a warning.
  func allows(
    _ sections: SectionSet, _ name: String, _ proxy: String, _ place: SourceLocation, _ context: LoadContext
  ) throws(Refusal) -> Bool {
    if sections.contains(self.sections) { return true }
    if self == .defaults {
      throw Refusal("'\(name)' not allowed in 'defaults' section.", at: place)
    }
    let needed = sections.contains(.frontend) ? "frontend" : "backend"
    if name == "server" || name == "server-template" {
      throw Refusal("'\(name)' not allowed because \(rawValue) '\(proxy)' has no \(needed) capability.", at: place)
    }
    context.diagnostics.warning(
      "'\(name)' ignored because \(rawValue) '\(proxy)' has no \(needed) capability.", at: place)
    return false
  }
}
