import Base
import Config

/// Visits the proxies of a selection in order of the configuration: each one's frontend, listeners, servers and
/// backend, one row a step, so that a big configuration can be listed in pieces.
struct StatWalk {
  enum Event {
    /// A proxy begins.
    case begin(Frontend?, Backend?)
    case row(StatRow)
    /// The proxy is done.
    case end(Frontend?, Backend?)
  }

  let runtime: Runtime
  let options: StatOptions
  let selection: StatSelection
  let now: WallTime
  private let proxies: [(frontend: Frontend?, backend: Backend?)]
  private var proxy = 0
  private var stage = Stage.start
  private var index = 0

  private enum Stage { case start, frontend, listeners, servers, backend, end }

  init(_ runtime: Runtime, _ options: StatOptions, _ selection: StatSelection, now: WallTime) {
    self.runtime = runtime
    proxies = runtime.proxies
    self.options = options
    self.selection = selection
    self.now = now
  }

  /// What comes next; nil after the last proxy.
  mutating func next() -> Event? {
    while proxy < proxies.count {
      let (frontend, backend) = proxies[proxy]
      guard let settings = frontend?.settings ?? backend?.settings,
        selection.includes(settings, id: frontend?.id ?? backend?.id ?? 0)
      else {
        proxy += 1
        continue
      }
      if let event = step(frontend, backend) { return event }
    }
    return nil
  }

  private mutating func step(_ frontend: Frontend?, _ backend: Backend?) -> Event? {
    switch stage {
    case .start:
      stage = .frontend
      return .begin(frontend, backend)
    case .frontend:
      stage = .listeners
      index = 0
      if let frontend, selection.includes(.frontend) { return .row(StatRow(frontend, at: now)) }
    case .listeners:
      if let listener = nextListener(frontend) { return .row(StatRow(listener, options)) }
      stage = .servers
      index = 0
    case .servers:
      if let backend, let server = nextServer(backend) {
        return .row(StatRow(server, of: backend, options, at: now))
      }
      stage = .backend
    case .backend:
      stage = .end
      if let backend, selection.includes(.backend) { return .row(StatRow(backend, options, at: now)) }
    case .end:
      stage = .start
      proxy += 1
      return .end(frontend, backend)
    }
    return nil
  }

  private mutating func nextListener(_ frontend: Frontend?) -> ListenerSettings? {
    guard let frontend, frontend.settings.socketStats, selection.includes(.listener) else { return nil }
    while index < runtime.listeners.count {
      let listener = runtime.listeners[index]
      index += 1
      if listener.frontend === frontend, selection.includesObject(listener.id) { return listener }
    }
    return nil
  }

  private mutating func nextServer(_ backend: Backend) -> Server? {
    guard selection.includes(.server) else { return nil }
    while index < backend.servers.count {
      let server = backend.servers[index]
      index += 1
      if selection.includesObject(server.id), !options.isHidden(server.snapshot()) { return server }
    }
    return nil
  }
}

/// Which rows of `show stat` are wanted: `show stat <proxy> <type> <sid>`.
struct StatSelection {
  /// nil for all proxies.
  var proxyID: Int?
  /// Bits 1 frontends, 2 backends, 4 servers, 8 listeners; -1 for all.
  var types = -1
  /// A server's or listener's id; -1 for all.
  var objectID = -1
  /// `stats scope`: names of proxies; empty for all.
  var scopes: [String] = []
  /// `?scope=` of the page: part of a proxy's name.
  var nameContains = Bytes.empty

  func includes(_ proxy: ProxySettings, id: Int) -> Bool {
    if let proxyID, proxyID != id { return false }
    if !scopes.isEmpty, !scopes.contains(proxy.name) { return false }
    return nameContains.isEmpty || Bytes(proxy.name).contains(nameContains)
  }

  func includes(_ kind: StatKind) -> Bool { types & (1 << kind.rawValue) != 0 }

  func includesObject(_ id: Int) -> Bool { objectID < 0 || objectID == id }
}

extension Bytes {
  func contains(_ other: Bytes) -> Bool {
    if other.isEmpty { return true }
    guard count >= other.count else { return false }
    return (0...(count - other.count)).contains { dropFirst($0).starts(with: other) }
  }
}
