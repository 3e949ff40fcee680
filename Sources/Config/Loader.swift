import Base

/// What came out of a run over all files.
public struct LoadedConfiguration {
  public var configuration: Configuration
  public var diagnostics: Diagnostics
  /// The text of each file, by the name used in locations.
  public var sources: [String: [UInt8]]
  /// The environment after `setenv`, `presetenv`, `unsetenv` and `resetenv`.
  public var environment: [String: String]
}

/// Turns configuration files into a `Configuration`, collecting everything there is to say on the way.
///
/// It touches the system only through the `ConfigurationIO` that it was given.
public struct ConfigurationLoader {
  private let io: ConfigurationIO
  private let environment: [String: String]
  /// `-dr`: names of servers that do not resolve are no error.
  public var ignoresUnresolvable = false
  /// `-L`: this process' name among peers; nil keeps the environment's.
  public var localPeer: String?

  public init(
    io: ConfigurationIO = ConfigurationIO.system(),
    environment: [String: String] = ConfigurationIO.processEnvironment()
  ) {
    self.io = io
    self.environment = environment
  }

  /// Loads files and directories (their `*.cfg` in C-locale order) as one configuration.
  public func load(paths: [String]) -> LoadedConfiguration {
    let context = LoadContext(
      io: io, environment: BuiltInVariables.adding(to: environment, localPeer: localPeer))
    context.ignoresUnresolvable = ignoresUnresolvable
    let files = expand(paths, context)
    context.environment["HAPROXY_CFGFILES"] = files.joined(separator: ";")
    for file in files {
      switch io.read(file) {
      case .octets(let text): FileParser(text: text, name: file, context: context).parse()
      case .failure(let reason):
        context.diagnostics.error(
          "Could not open configuration file \(file) : \(reason)", at: SourceLocation(file: file, line: 0))
      }
    }
    return finish(context)
  }

  /// Loads one text that is already in memory.
  public func load(text: [UInt8], name: String) -> LoadedConfiguration {
    let context = LoadContext(
      io: io, environment: BuiltInVariables.adding(to: environment, localPeer: localPeer))
    context.ignoresUnresolvable = ignoresUnresolvable
    FileParser(text: text, name: name, context: context).parse()
    return finish(context)
  }

  private func finish(_ context: LoadContext) -> LoadedConfiguration {
    var validation = Validation(context)
    validation.run()
    context.configuration.environment = context.environment
    return LoadedConfiguration(
      configuration: context.configuration, diagnostics: context.diagnostics, sources: context.sources,
      environment: context.environment)
  }

  private func expand(_ paths: [String], _ context: LoadContext) -> [String] {
    var files: [String] = []
    for path in paths {
      guard let names = io.entries(path) else {
        files.append(path)
        continue
      }
      let base = path.hasSuffix("/") ? path : path + "/"
      let chosen = names.filter { $0.hasSuffix(".cfg") && !$0.hasPrefix(".") }
        .sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
      for name in chosen where io.entries(base + name) == nil { files.append(base + name) }
    }
    return files
  }
}
