public import Base
public import Config
import Glibc
import HTTP
import NetIO
public import Rules
import TLS

/// Turns a configuration and its compiled rules into a `Runtime`.
///
/// It reads certificates, resolves nothing (names were resolved when the configuration was read) and opens no
/// listening socket; everything that cannot work is reported with its place in the configuration.
public struct RuntimeBuilder {
  let configuration: Configuration
  let rules: CompiledRules
  let diagnostics: Diagnostics
  let now: Now
  let channels: LogChannels
  private let workerCount: Int
  private let hostName: Bytes
  private var serverNumber = 0
  private var listeners: [ListenerSettings] = []
  var contexts: TLSContexts

  public init(_ configuration: Configuration, _ rules: CompiledRules, _ diagnostics: Diagnostics, now: Now) {
    self.configuration = configuration
    self.rules = rules
    self.diagnostics = diagnostics
    self.now = now
    channels = LogChannels(configuration)
    workerCount = configuration.global.threads ?? Swift.min(processorCount, 64)
    hostName = Bytes(RuntimeBuilder.hostName())
    contexts = TLSContexts(configuration.global, rules.patterns.retirement, diagnostics)
    contexts.load(configuration.certificateStores.flatMap(\.loads), forTokens: rules.tokenCertificates)
  }

  /// nil when there were errors; `diagnostics` says which.
  public mutating func build() -> Runtime? {
    let processLog = logTargets(configuration.global.logs)
    let limit = configuration.global.maxConnections ?? defaultConnectionLimit
    var parts = RuntimeParts(
      configuration: configuration, rules: rules, processLog: processLog, workerCount: workerCount, started: now,
      maxConnections: limit, hostName: hostName, certificates: contexts.store)
    let fullConnections = defaultFullConnections(limit)
    for (index, proxy) in configuration.proxies.enumerated() {
      let wanted = proxy.hasBackend && !proxy.isDisabled
      parts.backendOfProxy.append(wanted ? makeBackend(proxy, index, fullConnections[index]) : nil)
    }
    for (index, proxy) in configuration.proxies.enumerated() {
      let wanted = proxy.hasFrontend && !proxy.isDisabled
      parts.frontendOfProxy.append(wanted ? makeFrontend(proxy, index, parts.backendOfProxy, limit) : nil)
    }
    parts.listeners = listeners
    for defaults in configuration.namedDefaults { parts.logsOfDefaults[defaults.name] = makeLog(defaults) }
    let localName = configuration.environment["HAPROXY_LOCALPEER"] ?? hostName.string
    for section in configuration.peers {
      var lines = section.logs
      if section.usesGlobalLogs { lines += configuration.global.logs }
      if let plan = plan(section, localName: localName, log: logTargets(lines)) { parts.peers.append(plan) }
    }
    parts.logForwards = configuration.logForwards.map { plan($0) }
    attachLogBackends(parts.backendOfProxy)
    parts.rings = channels.rings
    checkIdentifiers()
    if diagnostics.hasErrors { return nil }
    contexts.store.close()
    let runtime = Runtime(parts: parts)
    loadCounters(of: runtime)
    return runtime
  }

  /// Every `guid` is there once.
  private func checkIdentifiers() {
    var seen: Set<String> = []
    for proxy in configuration.proxies {
      for (guid, place) in [(proxy.guid, proxy.location)] + proxy.servers.map({ ($0.guid, $0.location) }) {
        guard let guid, !seen.insert(guid).inserted else { continue }
        diagnostics.error("'guid' : '\(guid)' is used twice.", at: place)
      }
    }
  }

  private func loadCounters(of runtime: Runtime) {
    guard let file = configuration.global.statsFile else { return }
    guard case .octets(let text) = ConfigurationIO.system().read(file.text) else {
      return diagnostics.warning("Can't load stats-file '\(file.text)': cannot open file.", at: file.location)
    }
    if !StatsFile(runtime).load(text) {
      diagnostics.warning("Invalid stats-file format in file '\(file.text)'.", at: file.location)
    }
  }

  // MARK: Proxies

  private func makeLog(_ proxy: Boxed<ProxySettings>) -> LogTargets {
    var lines = proxy.logs
    if proxy.usesGlobalLogs { lines += configuration.global.logs }
    return logTargets(lines, tag: proxy.logTag)
  }

  func logTargets(_ lines: [LogTarget], tag: String? = nil) -> LogTargets {
    if lines.isEmpty { return .none }
    return LogTargets(
      lines, channels: channels, tag: Bytes(tag ?? configuration.global.logTag), hostName: logHostName,
      profiles: rules.logProfiles)
  }

  private var logHostName: Bytes? {
    configuration.global.logSendHostname.map { $0.isEmpty ? hostName : Bytes($0) }
  }

  private mutating func makeBackend(_ proxy: Boxed<ProxySettings>, _ index: Int, _ fullConnections: Int) -> Backend {
    var servers: [Server] = []
    let planner = CheckPlanner(
      proxy: proxy, rules: rules.proxies[index].check, named: rules.healthChecks,
      global: configuration.global, contexts: contexts, diagnostics: diagnostics)
    for (position, settings) in proxy.servers.enumerated() {
      servers.append(
        Server(
          settings: settings.value, index: position, number: serverNumber, id: settings.id ?? position + 1,
          backendName: proxy.name, workers: workerCount, tls: contexts.client(for: settings),
          checkPlan: planner.plan(for: settings), agentPlan: planner.agentPlan(for: settings),
          expressions: rules.proxies[index].serverExpressions[settings.name] ?? ServerExpressions(),
          retirement: rules.patterns.retirement, now: now.wall))
      serverNumber += 1
    }
    return Backend(
      settings: proxy.value, id: proxy.id ?? index + 2, rules: rules.proxies[index], servers: servers,
      workers: workerCount, log: makeLog(proxy), fullConnections: proxy.fullConnections ?? fullConnections,
      retirement: rules.patterns.retirement, now: now)
  }

  private mutating func makeFrontend(
    _ proxy: Boxed<ProxySettings>, _ index: Int, _ backends: [Backend?], _ limit: Int
  ) -> Frontend {
    let own = proxy.hasBackend ? backends[index] : nil
    let named = proxy.defaultBackend.flatMap { name in
      configuration.proxies.indices.first {
        configuration.proxies[$0].name == name.text && configuration.proxies[$0].hasBackend
      }.flatMap { backends[$0] }
    }
    let compiled = rules.proxies[index]
    let frontend = Frontend(
      settings: proxy.value, id: proxy.id ?? index + 2, rules: compiled, workers: workerCount, log: makeLog(proxy),
      logFormats: logFormats(proxy, compiled), maxConnections: proxy.maxConnections ?? limit,
      defaultBackend: named ?? own, ownBackend: own)
    addListeners(proxy, frontend)
    return frontend
  }

  private func logFormats(_ proxy: Boxed<ProxySettings>, _ compiled: CompiledProxy) -> LogFormats {
    return LogFormats(
      stream: compiled.logFormat ?? (proxy.mode == .http ? .shortHTTP : .shortTCP), error: compiled.errorLogFormat,
      structuredData: compiled.logFormatSD)
  }

  // MARK: Listeners

  private mutating func addListeners(_ proxy: Boxed<ProxySettings>, _ frontend: Frontend) {
    var id = 0
    for bind in proxy.binds {
      let tls = contexts.server(
        for: bind, proxyName: proxy.name, isHTTP: proxy.mode == .http, certificates: proxy.certificates)
      for (address, descriptor) in RuntimeBuilder.addresses(of: bind) {
        id += 1
        listeners.append(
          ListenerSettings(
            frontend: frontend, bind: bind, address: address, inheritedDescriptor: descriptor, id: bind.id ?? id,
            name: bind.name ?? "", tls: tls, workers: workerCount))
      }
    }
  }

  /// Every port of every address of a bind line.
  static func addresses(of bind: BindSettings) -> [(SocketAddress, Int32?)] {
    var result: [(SocketAddress, Int32?)] = []
    for address in bind.addresses {
      switch address {
      case .ip(let ip, let ports): for port in ports { result.append((.ip(ip, port: port), nil)) }
      case .unix(let path): result.append((.unix(path), nil))
      case .abstract(let name, let isPadded): result.append((.abstract(name, isPadded: isPadded), nil))
      case .descriptor(let fd): result.append((Socket.localAddress(fd), fd))
      }
    }
    return result
  }

  // MARK: Limits

  /// `fullconn`'s default: a tenth of the maxconn of all frontends that may use the backend.
  private func defaultFullConnections(_ limit: Int) -> [Int] {
    var sums = configuration.proxies.map { _ in 0 }
    for (index, proxy) in configuration.proxies.enumerated() where proxy.hasFrontend {
      var names = Set(proxy.rules.filter { $0.keyword == "use_backend" }.compactMap { $0.arguments.first?.text })
      if let name = proxy.defaultBackend?.text { names.insert(name) }
      let connections = proxy.maxConnections ?? limit
      if proxy.hasBackend { sums[index] += connections }
      if names.isEmpty { continue }
      for (target, other) in configuration.proxies.enumerated()
      where other.hasBackend && target != index && names.contains(other.name) {
        sums[target] += connections
      }
    }
    return sums.map { Swift.max(1, ($0 + 9) / 10) }
  }

  /// As many connections as file descriptors allow: two for each, and some for the process itself.
  private var defaultConnectionLimit: Int {
    var limit = rlimit()
    guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return 2000 }
    let descriptors = Int(clamping: limit.rlim_max)
    return Swift.max(100, (Swift.min(descriptors, configuration.global.descriptorLimit ?? 1_048_576) - 100) / 2)
  }

  private static func hostName() -> String {
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { name in
      guard let base = name.baseAddress, gethostname(base, 255) == 0 else { return "localhost" }
      name[255] = 0
      return String(cString: base)
    }
  }
}
