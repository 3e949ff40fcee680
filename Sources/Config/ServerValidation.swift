import Base

/// Judges the servers of one proxy when all files are read, and finds their addresses.
struct ServerValidation {
  private let context: LoadContext
  private let proxyIndex: Int
  private let proxyName: String

  init(_ context: LoadContext, _ proxyIndex: Int) {
    self.context = context
    self.proxyIndex = proxyIndex
    proxyName = context.configuration.proxies[proxyIndex].name
  }

  func run() {
    var lines: [String: SourceLocation] = [:]
    let indices = context.configuration.proxies[proxyIndex].servers.indices
    lines.reserveCapacity(indices.count)
    for index in indices {
      let name = context.configuration.proxies[proxyIndex].servers[index].name
      let place = context.configuration.proxies[proxyIndex].servers[index].location
      if let earlier = lines[name] {
        var diagnostic = Diagnostic(
          .alert, at: place,
          "'server \(proxyName)/\(name)' : another server named '\(name)' was already defined at line "
            + "\(earlier.line), please use a distinct name.")
        diagnostic.form = .place
        diagnostic.related = [(earlier, "first defined here")]
        context.diagnostics.add(diagnostic)
      }
      lines[name] = lines[name] ?? place
      if context.configuration.proxies[proxyIndex].isDisabled { continue }
      resolve(index)
      verify(index)
      track(index)
    }
  }

  private var servers: [ServerSettings] { context.configuration.proxies[proxyIndex].servers }

  private func refuse(
    _ server: ServerSettings, _ message: String, at place: SourceLocation, expected: String? = nil
  ) {
    var diagnostic = Diagnostic(
      .alert, at: place, "'server \(proxyName)/\(server.name)' : \(message)", expected: expected)
    diagnostic.form = .place
    context.diagnostics.add(diagnostic)
  }

  /// `init-addr`: the methods in order until one gives an address; `last,libc` when there is no such option.
  private func resolve(_ index: Int) {
    let server = servers[index]
    guard case .none = server.address else { return }
    for method in server.initAddr.isEmpty ? ["last", "libc"] : server.initAddr {
      switch method {
      case "last": continue
      case "libc":
        if let ip = context.resolve(server.host) { return set(index, ip, server.port) }
      case "none":
        context.configuration.proxies[proxyIndex].servers[index].startsUnresolved = true
        return
      default:
        if let ip = IPAddress(method) { return set(index, ip, server.port) }
      }
    }
    if context.ignoresUnresolvable {
      context.configuration.proxies[proxyIndex].servers[index].startsUnresolved = true
      return
    }
    refuse(
      server, "could not resolve address '\(server.host)'.", at: server.addressLocation,
      expected: "a name that resolves now, or 'init-addr last,libc,none' to start without it")
  }

  private func set(_ index: Int, _ ip: IPAddress, _ port: UInt16?) {
    context.configuration.proxies[proxyIndex].servers[index].address = .ip(ip, port: port ?? 0)
  }

  /// HAProxy refuses to start without an authority; the system's store is as safe.
  private func verify(_ index: Int) {
    let server = servers[index]
    let usesTLS = server.isTLS || server.checkTLS == true
    guard usesTLS, server.tls.caFile == nil, server.tls.verification != .some(.none),
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
    context.configuration.proxies[proxyIndex].servers[index].tls.caFile = "@system-ca"
  }

  /// `track [<backend>/]<server>`.
  private func track(_ index: Int) {
    let server = servers[index]
    guard let track = server.track else { return }
    let parts = track.text.split(separator: "/", maxSplits: 1).map(String.init)
    guard let serverName = parts.last else { return }
    let backendName = parts.count > 1 ? parts[0] : proxyName
    guard let backend = context.backendsByName[backendName] else {
      return refuse(
        server, "unable to find required proxy '\(backendName)' for tracking.", at: track.location)
    }
    guard let target = context.configuration.proxies[backend].servers.first(where: { $0.name == serverName })
    else {
      return refuse(
        server, "unable to find required server '\(backendName)/\(serverName)' for tracking.",
        at: track.location)
    }
    if !target.checksEnabled, !target.agentEnabled, target.track == nil {
      refuse(
        server,
        "unable to use \(backendName)/\(serverName) for tracking as it does not have any check nor agent "
          + "enabled.", at: track.location)
    }
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
