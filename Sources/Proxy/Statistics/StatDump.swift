import Base
import Config
import Synchronization

/// Which rows of `show stat` are wanted: `show stat <proxy> <type> <sid>`.
struct StatSelection {
  /// nil for all proxies.
  var proxyID: Int?
  /// Bits 1 frontends, 2 backends, 4 servers, 8 listeners; -1 for all.
  var types = -1
  /// A server's id; -1 for all.
  var serverID = -1
  /// `stats scope`: names of proxies; empty for all.
  var scopes: [String] = []
  /// `?scope=` of the page: part of a proxy's name.
  var nameContains = ""

  func includes(_ proxy: ProxySettings, id: Int) -> Bool {
    if let proxyID, proxyID != id { return false }
    if !scopes.isEmpty, !scopes.contains(proxy.name) { return false }
    return nameContains.isEmpty || proxy.name.contains(nameContains)
  }

  func includes(_ kind: StatKind) -> Bool { types & (1 << kind.rawValue) != 0 }
}

/// Walks over all proxies and writes their rows in pieces, so that a big configuration stalls nobody.
struct StatDump {
  let runtime: Runtime
  let format: StatFormat
  let options: StatOptions
  let selection: StatSelection
  let now: WallTime
  private var proxy = 0
  private var server = -1
  private var hasBegun = false
  private var isFirst = true
  private var isOver = false

  init(_ runtime: Runtime, _ format: StatFormat, _ options: StatOptions, _ selection: StatSelection, now: WallTime) {
    self.runtime = runtime
    self.format = format
    self.options = options
    self.selection = selection
    self.now = now
  }

  /// The next 16 KiB or a little more; nil after the end.
  mutating func next() -> [UInt8]? {
    if isOver { return nil }
    var out: [UInt8] = []
    out.reserveCapacity(20 * 1024)
    if !hasBegun {
      format.begin(&out)
      hasBegun = true
    }
    while out.count < 16 * 1024 {
      guard proxy < runtime.frontendOfProxy.count else {
        format.end(&out)
        isOver = true
        break
      }
      step(&out)
    }
    return out
  }

  /// Writes what comes before a proxy's servers, one server, or the row of the backend.
  private mutating func step(_ out: inout [UInt8]) {
    let frontend = runtime.frontendOfProxy[proxy]
    let backend = runtime.backendOfProxy[proxy]
    guard let settings = frontend?.settings ?? backend?.settings,
      selection.includes(settings, id: frontend?.id ?? backend?.id ?? 0)
    else {
      proxy += 1
      server = -1
      return
    }
    if server < 0 {
      if let frontend { writeFrontend(frontend, &out) }
      server = 0
    } else if let backend, server < backend.servers.count {
      writeServer(backend.servers[server], backend, &out)
      server += 1
    } else {
      if let backend, selection.includes(.backend) { write(StatRow(backend, options, at: now), &out) }
      proxy += 1
      server = -1
    }
  }

  private mutating func writeFrontend(_ frontend: Frontend, _ out: inout [UInt8]) {
    if selection.includes(.frontend) { write(StatRow(frontend, at: now), &out) }
    guard frontend.settings.socketStats, selection.includes(.listener) else { return }
    for listener in runtime.listeners where listener.frontend === frontend {
      if selection.serverID >= 0, selection.serverID != listener.id { continue }
      write(StatRow(listener, options), &out)
    }
  }

  private mutating func writeServer(_ server: Server, _ backend: Backend, _ out: inout [UInt8]) {
    guard selection.includes(.server) else { return }
    if selection.serverID >= 0, selection.serverID != server.id { return }
    if options.isHidden(server.snapshot()) { return }
    write(StatRow(server, of: backend, options, at: now), &out)
  }

  private mutating func write(_ row: StatRow, _ out: inout [UInt8]) {
    format.append(row, isFirst: isFirst, describes: options.describes, to: &out)
    isFirst = false
  }
}

extension StatOptions {
  /// `up` hides servers that are down or in maintenance, `no-maint` only the latter.
  func isHidden(_ state: ServerState) -> Bool {
    if hidesMaintenance || hidesDown, state.isInMaintenance { return true }
    return hidesDown && !state.isRunning
  }
}
