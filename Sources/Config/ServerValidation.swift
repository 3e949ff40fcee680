import Base

/// Judges the servers of one proxy when all files are read, and finds their addresses.
struct ServerValidation {
  private let context: LoadContext
  private let proxyName: String

  init(_ context: LoadContext, _ proxyName: String) {
    self.context = context
    self.proxyName = proxyName
  }

  /// Says whether any server follows another one's state.
  func run(_ proxy: inout ProxySettings) -> Bool {
    var lines: [String: SourceLocation] = [:]
    var tracking = false
    lines.reserveCapacity(proxy.servers.count)
    for index in proxy.servers.indices {
      let place = proxy.servers[index].location
      if let earlier = lines.updateValue(place, forKey: proxy.servers[index].name) {
        lines[proxy.servers[index].name] = earlier
        duplicate(proxy.servers[index].name, place, earlier)
      }
      if proxy.isDisabled { continue }
      checkResolvers(proxy.servers[index], proxy)
      resolve(&proxy.servers[index])
      verify(&proxy.servers[index])
      if proxy.servers[index].track != nil { tracking = true }
    }
    return tracking
  }

  private func duplicate(_ name: String, _ place: SourceLocation, _ earlier: SourceLocation) {
    var diagnostic = Diagnostic(
      .alert, at: place,
      "'server \(proxyName)/\(name)' : another server named '\(name)' was already defined at line "
        + "\(earlier.line), please use a distinct name.")
    diagnostic.form = .place
    diagnostic.related = [(earlier, "first defined here")]
    context.diagnostics.add(diagnostic)
  }

  func refuse(_ server: ServerSettings, _ message: String, at place: SourceLocation, expected: String? = nil) {
    var diagnostic = Diagnostic(
      .alert, at: place, "'server \(proxyName)/\(server.name)' : \(message)", expected: expected)
    diagnostic.form = .place
    context.diagnostics.add(diagnostic)
  }

  private func checkResolvers(_ server: ServerSettings, _ proxy: ProxySettings) {
    guard let name = server.resolvers,
      !context.configuration.resolvers.contains(where: { $0.name == name })
    else { return }
    let known = context.configuration.resolvers.map(\.name)
    ProxyReport(diagnostics: context.diagnostics).refuse(
      "\(proxy.kindLabel) '\(proxyName)', server '\(server.name)': unable to find required resolvers '\(name)'",
      at: server.location, expected: "the name of a 'resolvers' section",
      suggestion: Nearest.word(to: name, among: known))
  }

  /// `init-addr`: the methods in order until one gives an address; `last,libc` when there is no such option, and
  /// `none` where a resolver will find one later.
  private func resolve(_ server: inout ServerSettings) {
    guard case .none = server.address else { return }
    let standard = server.resolvers == nil ? ["last", "libc"] : ["last", "libc", "none"]
    for method in server.initAddr.isEmpty ? standard : server.initAddr {
      var found: IPAddress?
      switch method {
      case "last":
        if let saved = server.saved, let address = saved.address {
          server.address = .ip(address, port: saved.port)
          return
        }
        continue
      case "libc": found = server.isService ? nil : context.resolve(server.host)
      case "none":
        server.startsUnresolved = true
        return
      default: found = IPAddress(method)
      }
      if let found {
        server.address = .ip(found, port: server.port ?? 0)
        return
      }
    }
    if context.ignoresUnresolvable {
      server.startsUnresolved = true
      return
    }
    refuse(
      server, "could not resolve address '\(server.host)'.", at: server.addressLocation,
      expected: "a name that resolves now, or 'init-addr last,libc,none' to start without it")
  }

  /// HAProxy refuses to start without an authority; the system's store is as safe.
  private func verify(_ server: inout ServerSettings) {
    guard server.isTLS || server.preparesTLS || server.checkTLS == true, server.tls.caFile == nil,
      server.tls.verification != .some(.none),
      context.configuration.global.verifyServers || server.tls.verification == .required
    else { return }
    var diagnostic = Diagnostic(
      .warning, at: server.location,
      "'server \(proxyName)/\(server.name)' : no 'ca-file' for 'ssl': its certificate is verified against the "
        + "system's authorities; HAProxy refuses this line.",
      expected: "'ca-file @system-ca' to say so, a file of authorities, or 'verify none' on a trusted network"
    )
    diagnostic.form = .place
    diagnostic.countsAsWarning = false
    context.diagnostics.add(diagnostic)
    server.tls.caFile = "@system-ca"
  }
}

extension LoadContext {
  /// The address of a name, asked once a run.
  func resolve(_ host: String) -> IPAddress? {
    if let known = resolved[host] { return known }
    let address = io.resolve(host)
    resolved[host] = .some(address)
    return address
  }
}
