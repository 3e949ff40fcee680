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
  func run(_ proxy: inout Boxed<ProxySettings>) -> Bool {
    var lines: [String: SourceLocation] = [:]
    var ids: [Int: Int] = [:]
    var tracking = false
    lines.reserveCapacity(proxy.value.servers.count)
    for index in proxy.value.servers.indices {
      let place = proxy.value.servers[index].value.location
      if let earlier = lines.updateValue(place, forKey: proxy.value.servers[index].value.name) {
        lines[proxy.value.servers[index].value.name] = earlier
        duplicate(proxy.value.servers[index].value.name, place, earlier)
      }
      if let id = proxy.value.servers[index].value.id, let earlier = ids.updateValue(index, forKey: id) {
        ids[id] = earlier
        let other = proxy.value.servers[earlier]
        if other.location != place { sameID(proxy.value.servers[index], id, other) }
      }
      if proxy.isDisabled { continue }
      checkProtocols(proxy.value.servers[index], proxy)
      checkResolvers(proxy.value.servers[index], proxy)
      checkHealthCheck(proxy.value.servers[index])
      resolve(&proxy.value.servers[index].value)
      adviseVerification(proxy.value.servers[index])
      verify(&proxy.value.servers[index].value)
      if proxy.value.servers[index].value.track != nil { tracking = true }
    }
    return tracking
  }

  /// A server outside of proxies: its address, and what it trusts.
  func complete(_ server: inout ServerSettings) {
    resolve(&server)
    verify(&server)
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

  private func sameID(_ server: Boxed<ServerSettings>, _ id: Int, _ earlier: Boxed<ServerSettings>) {
    var diagnostic = Diagnostic(
      .alert, at: server.location,
      "'server \(proxyName)/\(server.name)' : 'id' : custom id \(id) already used at \(earlier.location.place) "
        + "('server \(earlier.name)').")
    diagnostic.form = .place
    diagnostic.related = [(earlier.location, "first used here")]
    context.diagnostics.add(diagnostic)
  }

  func refuse(_ server: ServerSettings, _ message: String, at place: SourceLocation, expected: String? = nil) {
    var diagnostic = Diagnostic(
      .alert, at: place, "'server \(proxyName)/\(server.name)' : \(message)", expected: expected)
    diagnostic.form = .place
    context.diagnostics.add(diagnostic)
  }

  /// `proto` and `check-proto` must fit the mode and the kind of check.
  private func checkProtocols(_ server: Boxed<ServerSettings>, _ proxy: Boxed<ProxySettings>) {
    let report = ProxyReport(diagnostics: context.diagnostics)
    let isHTTP = proxy.mode == .http
    if let name = server.proto, !MuxProtocol.fits(name, isHTTP: isHTTP) {
      report.refuse(
        "\(proxy.kindLabel) '\(proxyName)' : MUX protocol '\(name)' is not usable for server '\(server.name)' at "
          + "[\(server.location.place)].", at: server.location,
        expected: isHTTP ? "h1 or h2 in mode http" : "none in mode tcp")
    }
    if let name = server.checkProto, server.checksEnabled, !MuxProtocol.fits(name, isHTTP: proxy.check.isHTTP) {
      report.refuse(
        "config: \(proxy.kindLabel) '\(proxyName)': server '\(server.name)' uses an incompatible MUX protocol for the "
          + "selected check type", at: server.location,
        expected: proxy.check.isHTTP ? "h1 or h2 for HTTP checks" : "none for checks that are not HTTP")
    }
  }

  private func checkResolvers(_ server: Boxed<ServerSettings>, _ proxy: Boxed<ProxySettings>) {
    guard let name = server.resolvers,
      !context.configuration.resolvers.contains(where: { $0.name == name })
    else { return }
    let known = context.configuration.resolvers.map(\.name)
    ProxyReport(diagnostics: context.diagnostics).refuse(
      "\(proxy.kindLabel) '\(proxyName)', server '\(server.name)': unable to find required resolvers '\(name)'",
      at: server.location, expected: "the name of a 'resolvers' section",
      suggestion: Nearest.word(to: name, among: known))
  }

  private func checkHealthCheck(_ server: Boxed<ServerSettings>) {
    guard let name = server.healthCheck else { return }
    let known = context.configuration.healthChecks.map(\.name)
    if known.contains(name.text) { return }
    ProxyReport(diagnostics: context.diagnostics).refuse(
      "server '\(proxyName)/\(server.name)': unable to find required healthcheck section '\(name.text)'.",
      at: name.location, expected: "the name of a 'healthcheck' section",
      suggestion: Nearest.word(to: name.text, among: known))
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

  /// Whoever is in between can read and change what goes to such a server.
  private func adviseVerification(_ server: Boxed<ServerSettings>) {
    guard server.isTLS || server.checkTLS == true, server.tls.verification == .some(.none),
      !server.isUnix, server.address.ip.map({ !$0.isLoopback }) ?? true
    else { return }
    var diagnostic = Diagnostic(
      .warning, at: server.location,
      "'server \(proxyName)/\(server.name)' : 'verify none' takes any certificate: whoever is on the way to it can "
        + "read and change what is sent.",
      expected: "'verify required ca-file <file>', or 'ca-file @system-ca' for a public server")
    diagnostic.form = .place
    diagnostic.countsAsWarning = false
    context.diagnostics.add(diagnostic)
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
