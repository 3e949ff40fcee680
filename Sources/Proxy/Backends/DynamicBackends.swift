import Base
import Config
import Rules
import Synchronization

/// `add backend` and `del backend`: backends that come and go while the gateway runs. Texts are HAProxy's.
struct DynamicBackends {
  let runtime: Runtime

  enum Outcome {
    case done(String)
    case problem(String)
  }

  /// `words` are the backend's name and what stands behind it. It starts unpublished and without servers.
  func add(_ words: [String], at now: Now) -> Outcome {
    switch DynamicBackendLine.parse(words, in: runtime.configuration) {
    case .problem(let text): return .problem(text)
    case .backend(var settings, let defaults):
      return runtime.control.exclusively {
        guard let template = runtime.rules.backendTemplates[defaults] else {
          return .problem("Cannot find default proxy '\(defaults)'.")
        }
        if let problem = obstacle(settings) ?? template.problem {
          return .problem("Error during backend creation : \(problem).")
        }
        let id = freeID()
        settings.id = id
        runtime.add(make(settings, template, log: runtime.logsOfDefaults[defaults] ?? .none, id, at: now))
        let isFixed = !BalancingAlgorithms.followsWeights(settings.balance)
        let addition =
          isFixed
          ? " (no support for dynamic servers: backend '\(settings.name)' uses a non dynamic load balancing method)"
          : ""
        return .done("New backend registered\(addition).")
      }
    }
  }

  private func obstacle(_ settings: ProxySettings) -> String? {
    if let other = bearer(of: settings.name) {
      return "name is already used by other proxy '\(other == .listen ? "proxy" : other.rawValue) \(settings.name)'"
    }
    if let guid = settings.guid, let other = runtime.bearer(ofGUID: guid) {
      return "GUID insertion : duplicate entry with \(other)"
    }
    return nil
  }

  /// What kind of proxy has a name already; a `defaults` section is one here.
  private func bearer(of name: String) -> ProxySettings.Kind? {
    if let proxy = runtime.configuration.proxies.first(where: { $0.name == name }), proxy.isDisabled {
      return proxy.kind
    }
    for proxy in runtime.proxies {
      guard let settings = proxy.frontend?.settings ?? proxy.backend?.settings, settings.name == name else { continue }
      return settings.kind
    }
    return runtime.configuration.namedDefaults.contains { $0.name == name } ? .defaults : nil
  }

  /// Ids go on where those of the configuration that were not given by hand ended.
  private func freeID() -> Int {
    var used = Set(runtime.proxies.compactMap { $0.frontend?.id ?? $0.backend?.id })
    used.formUnion(runtime.configuration.proxies.lazy.filter(\.isDisabled).compactMap(\.id))
    let first = runtime.nextProxyID.load(ordering: .relaxed)
    let id = (first...(first + used.count)).first { !used.contains($0) } ?? first
    runtime.nextProxyID.store(id, ordering: .relaxed)
    return id
  }

  private func make(
    _ settings: ProxySettings, _ template: BackendTemplate, log: LogTargets, _ id: Int, at now: Now
  ) -> Backend {
    let rules = template.rules(of: settings.name, mode: settings.mode)
    // No frontend of the configuration leads to it, so a default `fullconn` has nothing to be a part of.
    return Backend(
      settings: settings, id: id, rules: rules, servers: [], workers: runtime.workerCount,
      log: log, fullConnections: settings.fullConnections ?? 0,
      retirement: runtime.rules.patterns.retirement, now: now)
  }

  func remove(_ name: String) -> Outcome {
    runtime.control.exclusively {
      switch runtime.removal(ofBackend: name) {
      case .possible(let backend):
        runtime.remove(backend)
        return .done("Backend deleted.")
      case .later(let text), .never(let text): return .problem(text)
      }
    }
  }
}

extension Runtime {
  enum BackendRemoval {
    case possible(Backend)
    /// Its last streams are still there.
    case later(String)
    case never(String)
  }

  func removal(ofBackend name: String) -> BackendRemoval {
    guard let backend = backend(named: Bytes(name)) else { return .never("No such backend.") }
    let settings = backend.settings
    if settings.hasFrontend { return .never("Cannot delete a listen section.") }
    if settings.stickTable != nil { return .never("Cannot remove a backend with stick-table.") }
    if rules.referencedBackends.contains(name) || frontends.contains(where: { $0.defaultBackend === backend }) {
      return .never(
        "This proxy cannot be removed at runtime due to other configuration elements pointing to it.")
    }
    if settings.mode == .log { return .never("Only TCP or HTTP proxies can be removed at runtime.") }
    guard backend.isUnpublished.load(ordering: .relaxed) else {
      return .never("Backend must be unpublished prior to its deletion.")
    }
    guard backend.servers.isEmpty else { return .never("Only a backend without server can be deleted.") }
    guard backend.sessions.current == 0 else { return .later("Backend still has attached streams on it.") }
    return .possible(backend)
  }

  /// What has a `guid` already, in HAProxy's words.
  fileprivate func bearer(ofGUID guid: String) -> String? {
    for (frontend, backend) in proxies {
      if let settings = frontend?.settings ?? backend?.settings, settings.guid == guid {
        return "\(settings.kindLabel) \(settings.name)"
      }
      for server in backend?.servers ?? [] where server.settings.guid == guid {
        return "server \(server.backendName)/\(server.name)"
      }
    }
    return nil
  }
}
