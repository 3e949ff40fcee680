public import Base

/// A server line that comes while the gateway runs (`add server`).
public enum DynamicServerLine {
  /// Options that make no sense for such a server, or need what only a start can do.
  private static let refused: Set<String> = [
    "enabled", "init-addr", "interface", "redir", "resolve-net", "resolve-opts", "resolve-prefer", "resolvers",
  ]

  /// What `add server help` lists.
  public static var keywords: [String] {
    ServerKeywords.table.keywords.filter { $0.isSupported && !refused.contains($0.name) }.map(\.name)
  }

  /// Whether a server may be called so.
  public static func isName(_ text: String) -> Bool { Name.firstInvalid(Bytes(text)) == nil }

  public enum Outcome {
    case server(ServerSettings)
    case problem(String)
  }

  /// `words` are those of the line behind `server`: the name, the address, the options. `default-server` lines
  /// count where `from` names them.
  public static func parse(
    _ words: [String], of backend: ProxySettings, in proxies: [Boxed<ProxySettings>],
    environment: [String: String] = [:]
  ) -> Outcome {
    let io = ConfigurationIO(read: { _ in .failure("not while running") })
    let context = LoadContext(io: io, environment: environment)
    context.refusedServerOptions = refused
    guard words.count >= 2 else {
      return .problem("'server' expects <name> and <addr>[:<port>] as arguments.")
    }
    let location = SourceLocation(file: "add server", line: 1)
    let line = Directive(
      words: [Word("server", at: location)] + words.map { Word(Bytes($0), at: location) }, location: location)
    var arguments = Arguments(line)
    do throws(Refusal) {
      var server = try ServerLine.server(
        ServerLine.Owner(name: backend.name, origins: ServerOrigins(backend, proxies)), &arguments, context)
      server.checkAuthorities()
      if server.address == .none { server.startsUnresolved = true }
      return .server(server)
    } catch {
      return .problem(error.diagnostic.message)
    }
  }
}

extension ServerSettings {
  /// Without an authority the system's are meant, as for servers of the configuration.
  fileprivate mutating func checkAuthorities() {
    guard isTLS || checkTLS == true, tls.caFile == nil, tls.verification != .some(.none) else { return }
    tls.caFile = "@system-ca"
  }
}
