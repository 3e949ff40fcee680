import Base
import Config
import Rules
import Synchronization

/// `add server` and `del server`: servers that come and go while the gateway runs. Texts are HAProxy's.
struct DynamicServers {
  let runtime: Runtime
  let health: HealthMonitor

  enum Outcome {
    case done(String)
    case problem(String)
  }

  /// `words` are the server's name, address and options. The server starts in maintenance, its checks disabled.
  func add(_ words: [String], to backend: Backend, at now: Now) -> Outcome {
    if !BalancingAlgorithms.followsWeights(backend.settings.balance) {
      return .problem("backend '\(backend.name)' uses a non dynamic load balancing method")
    }
    var settings: ServerSettings
    switch DynamicServerLine.parse(
      words,
      of: backend.settings, in: runtime.configuration.proxies, environment: runtime.configuration.environment)
    {
    case .problem(let text): return .problem(text)
    case .server(let parsed): settings = parsed
    }
    if settings.source == nil { settings.source = backend.settings.source }
    if let problem = refusal(of: settings, backend) { return .problem(problem) }
    let control = runtime.control
    return control.exclusively {
      if backend.serversByName[settings.name] != nil {
        return .problem("Already exists a server with the same name in backend.")
      }
      let used = Set(backend.servers.map(\.id))
      if let id = settings.id, used.contains(id) {
        return .problem("custom id \(id) is already used by a server of backend '\(backend.name)'.")
      }
      let id = settings.id ?? (1...(used.count + 1)).first { !used.contains($0) } ?? used.count + 1
      settings.isIDForced = settings.id != nil
      settings.id = id
      let tracked: Int?
      switch target(settings, backend) {
      case .success(let number): tracked = number
      case .failure(let problem): return .problem(problem.text)
      }
      var name: SampleExpression?
      if let sni = settings.sni?.words.last {
        let compiled = runtime.rules.variables.serverExpression(sni.bytes)
        if let problem = compiled.problem { return .problem("'sni' : \(problem)") }
        name = compiled.expression
      }
      guard let server = make(settings, id, name, backend, at: now) else {
        return .problem("cannot create the server.")
      }
      let entry = control.add(server, to: backend, tracked: tracked)
      health.add(entry, runtime, at: now)
      return .done("New server registered.")
    }
  }

  private func refusal(of settings: ServerSettings, _ backend: Backend) -> String? {
    if settings.proto == "h2", backend.settings.mode != .http { return "MUX protocol is not usable for server." }
    if settings.agentEnabled, settings.agentPort == nil {
      return "server \(settings.name) does not have agent port. Agent check has been disabled."
    }
    return nil
  }

  private struct Problem: Error { var text: String }

  /// The number of the server that `track` names, which must be one of the configuration.
  private func target(_ settings: ServerSettings, _ backend: Backend) -> Result<Int?, Problem> {
    guard let word = settings.track else { return .success(nil) }
    let parts = word.text.split(separator: "/", maxSplits: 1).map(String.init)
    let name = parts.last ?? ""
    let home = parts.count == 2 ? runtime.backend(parts[0]) : backend
    guard let home else {
      return .failure(Problem(text: "unable to find required proxy '\(parts[0])' for tracking."))
    }
    guard let target = home.serversByName[name] else {
      return .failure(Problem(text: "unable to find required server '\(home.name)/\(name)' for tracking."))
    }
    let unable = "unable to use \(home.name)/\(name) for tracking as it "
    if target.isDynamic { return .failure(Problem(text: unable + "is a dynamic server.")) }
    if !target.settings.checksEnabled, !target.settings.agentEnabled, target.settings.track == nil {
      return .failure(Problem(text: unable + "does not have any check nor agent enabled."))
    }
    return .success(target.number)
  }

  private func make(
    _ settings: ServerSettings, _ id: Int, _ name: SampleExpression?, _ backend: Backend, at now: Now
  ) -> Server? {
    let diagnostics = Diagnostics()
    let boxed = Boxed(settings)
    let contexts = TLSContexts(
      runtime.global, runtime.certificates, runtime.rules.patterns.retirement, diagnostics)
    var planner = CheckPlanner(
      proxy: Boxed(backend.settings), rules: backend.rules.check, named: runtime.rules.healthChecks,
      global: runtime.global, contexts: contexts,
      diagnostics: diagnostics)
    planner.followsSessions = false
    var expressions = ServerExpressions()
    if let name {
      expressions.sni = name
      expressions.connectionName = name
    } else if settings.isTLS, settings.sniAuto ?? true {
      expressions.sni = backend.rules.automaticSNI
      expressions.isAutomatic = true
      expressions.connectionName = expressions.sni
    }
    let server = Server(
      settings: settings, index: backend.freeIndex, number: runtime.control.freeNumber, id: id,
      backendName: backend.name, workers: runtime.workerCount, tls: contexts.client(for: boxed),
      checkPlan: planner.plan(for: boxed), agentPlan: planner.agentPlan(for: boxed), isDynamic: true,
      expressions: expressions, retirement: runtime.rules.patterns.retirement, now: now.wall)
    return diagnostics.hasErrors ? nil : server
  }

  func remove(_ server: Server, from backend: Backend) -> Outcome {
    let control = runtime.control
    return control.exclusively {
      let entry = control.entry(server)
      switch runtime.removal(of: server, from: backend) {
      case .possible: break
      case .later(let text), .never(let text): return .problem(text)
      }
      guard control.remove(entry) else {
        return .problem("Server still has connections attached to it, cannot remove it.")
      }
      health.remove(server)
      runtime.names.remove(server)
      let steps: [ClientTLS?] = server.checkPlan?.stepTLS.values.map { $0 } ?? []
      for client in [server.tls, server.checkPlan?.tls] + steps {
        if let client { runtime.certificates.remove(client) }
      }
      return .done("Server deleted.")
    }
  }
}

extension Runtime {
  /// Whether a server may be removed, and if not, why.
  enum Removal {
    case possible
    /// Its last connections are still there.
    case later(String)
    case never(String)
  }

  func removal(of server: Server, from backend: Backend) -> Removal {
    if rules.referencedServers.contains("\(backend.name)/\(server.name)")
      || !control.entry(server).trackers.isEmpty
    {
      return .never(
        "This server cannot be removed at runtime due to other configuration elements pointing to it.")
    }
    guard server.snapshot().isInMaintenance else {
      return .never("Only servers in maintenance mode can be deleted.")
    }
    guard server.sessions.current == 0, server.queueLength.current == 0 else {
      return .later("Server still has connections attached to it, cannot remove it.")
    }
    return .possible
  }
}

extension Runtime {
  /// `set server ... name`; what stands against it, if anything does.
  func rename(_ server: Server, to name: String, at now: Now) -> String? {
    guard let backend = backend(server.backendName) else { return "No such backend." }
    guard DynamicServerLine.isName(name) else { return "Server name contains invalid characters." }
    guard server.snapshot().isInMaintenance else {
      return "Server must be in maintenance mode to be renamed (set server <b>/<s> state maint)."
    }
    return control.exclusively {
      if rules.referencedServers.contains("\(backend.name)/\(server.name)")
        || !control.entry(server).trackers.isEmpty
      {
        return "Cannot rename: server's name is statically referenced (use-server, track, or sample argument)."
      }
      let old = server.name
      if old == name { return nil }
      if backend.serversByName[name] != nil {
        return "A server with the same name already exists in this backend."
      }
      server.rename(name)
      backend.serverRenamed()
      backend.log.send(level: 5, "Server \(backend.name)/\(name) renamed from '\(old)'.", at: now.wall)
      return nil
    }
  }
}
