import Base

/// What can only be judged when all files are read: references, ids, modes and missing settings.
struct Validation {
  let context: LoadContext
  private var diagnostics: Diagnostics { context.diagnostics }

  init(_ context: LoadContext) { self.context = context }

  func run() {
    assignIDs()
    for index in context.configuration.proxies.indices {
      references(index)
      modes(index)
      missing(index)
      ServerValidation(context, index).run()
    }
  }

  /// A message about a whole proxy, worded and placed as HAProxy does it: without a line.
  private func warn(_ message: String, at place: SourceLocation) {
    var diagnostic = Diagnostic(.warning, at: place, message)
    diagnostic.form = .plain
    diagnostics.add(diagnostic)
  }

  private func refuse(
    _ message: String, at place: SourceLocation, expected: String? = nil, suggestion: String? = nil,
    related: [(location: SourceLocation, message: String)] = []
  ) {
    var diagnostic = Diagnostic(.alert, at: place, message, expected: expected, suggestion: suggestion)
    diagnostic.form = .plain
    diagnostic.related = related
    diagnostics.add(diagnostic)
  }

  /// Proxies count from 2, servers and listeners of a proxy from 1, around the ids given by hand.
  private func assignIDs() {
    var next = 2
    var used = context.proxyIDs
    for index in context.configuration.proxies.indices {
      if context.configuration.proxies[index].id == nil {
        while used.contains(next) { next += 1 }
        used.insert(next)
        context.configuration.proxies[index].id = next
      }
      assignServerIDs(index)
      assignListenerIDs(index)
    }
  }

  private func assignServerIDs(_ proxy: Int) {
    var used = Set(context.configuration.proxies[proxy].servers.compactMap(\.id))
    var next = 1
    for server in context.configuration.proxies[proxy].servers.indices
    where context.configuration.proxies[proxy].servers[server].id == nil {
      while used.contains(next) { next += 1 }
      used.insert(next)
      context.configuration.proxies[proxy].servers[server].id = next
    }
  }

  /// A bind line's id is its first listener's; the others of the line count on.
  private func assignListenerIDs(_ proxy: Int) {
    var used = Set(context.configuration.proxies[proxy].binds.compactMap(\.id))
    var next = 1
    for bind in context.configuration.proxies[proxy].binds.indices {
      let listeners = max(1, context.configuration.proxies[proxy].binds[bind].listenerCount)
      if context.configuration.proxies[proxy].binds[bind].id == nil {
        while used.contains(next) { next += 1 }
        context.configuration.proxies[proxy].binds[bind].id = next
      }
      let first = context.configuration.proxies[proxy].binds[bind].id ?? next
      for id in first..<(first &+ min(listeners, 65536)) { used.insert(id) }
    }
  }

  private func references(_ index: Int) {
    let proxy = context.configuration.proxies[index]
    guard !proxy.isDisabled else { return }
    if proxy.hasFrontend, let name = proxy.defaultBackend { defaultBackend(proxy, name) }
    for case .section(let name, _) in proxy.errorFiles
    where !context.configuration.httpErrors.contains(where: { $0.name == name.text }) {
      refuse(
        "proxy '\(proxy.name)': unknown http-errors section '\(name.text)' "
          + "(at \(name.location.file):\(name.location.line)).", at: name.location,
        expected: "the name of an 'http-errors' section",
        suggestion: Nearest.word(to: name.text, among: context.configuration.httpErrors.map(\.name)))
    }
  }

  private func defaultBackend(_ proxy: ProxySettings, _ name: Word) {
    guard let target = context.backendsByName[name.text] else {
      // A name with an expression in it is looked up for each request.
      if name.text.contains("%[") { return }
      return refuse(
        "Proxy '\(proxy.name)': unable to find required default_backend: '\(name.text)'.", at: name.location,
        expected: "the name of a 'backend' or 'listen' section",
        suggestion: Nearest.word(to: name.text, among: context.backendsByName.keys))
    }
    let backend = context.configuration.proxies[target]
    guard proxy.mode == .http, backend.mode == .tcp else { return }
    refuse(
      "\(proxy.mode.rawValue) \(proxy.kindLabel) '\(proxy.name)' (\(proxy.location.place)) tries to use incompatible "
        + "\(backend.mode.rawValue) \(backend.kindLabel) '\(backend.name)' (\(backend.location.place)) as its default "
        + "backend (see 'mode').", at: name.location,
      related: [(backend.location, "the backend is declared here")])
  }

  /// What a proxy in TCP mode asks for and cannot have.
  private func modes(_ index: Int) {
    let proxy = context.configuration.proxies[index]
    guard proxy.mode == .tcp else { return }
    if proxy.cookie != nil, proxy.hasBackend {
      warn(
        "cookie will be ignored for \(proxy.kindLabel) '\(proxy.name)' (needs 'mode http').",
        at: proxy.location)
      context.configuration.proxies[index].cookie = nil
    }
    if proxy.hasBackend, proxy.balance.needsHTTP {
      warn(
        "Layer 7 hash not possible for \(proxy.kindLabel) '\(proxy.name)' (needs 'mode http'). Falling back to round "
          + "robin.", at: proxy.balance.location)
      context.configuration.proxies[index].balance.algorithm = .roundrobin
    }
    if proxy.hasFrontend, let style = proxy.logStyle { fallBack(index, style) }
    if proxy.stats != nil, !proxy.inheritsStats {
      warn(
        "'stats' statement ignored for \(proxy.kindLabel) '\(proxy.name)' as it requires HTTP mode.",
        at: proxy.location)
    }
    for name in ["http-request", "http-response", "http-after-response"] {
      guard let rule = proxy.rules.first(where: { $0.keyword == name }) else { continue }
      warn(
        "'\(name)' rules ignored for \(proxy.kindLabel) '\(proxy.name)' as they require HTTP mode.",
        at: rule.location)
    }
    if proxy.forwardFor != nil, !proxy.inheritsForwardFor {
      warn(
        "'option forwardfor' ignored for \(proxy.kindLabel) '\(proxy.name)' as it requires HTTP mode.",
        at: proxy.location)
    }
  }

  private func fallBack(_ index: Int, _ style: LogStyle) {
    let proxy = context.configuration.proxies[index]
    let name: String
    switch style {
    case .http: name = "httplog"
    case .clf: name = "httplog clf"
    case .https: name = "httpslog"
    case .tcp, .format: return
    }
    context.configuration.proxies[index].logStyle = .tcp
    diagnostics.warning(
      "'option \(name)' not usable with \(proxy.kindLabel) '\(proxy.name)' (needs 'mode http'). Falling back to "
        + "'option tcplog'.", at: proxy.logStyleLocation)
  }

  private func missing(_ index: Int) {
    let proxy = context.configuration.proxies[index]
    guard !proxy.isDisabled else { return }
    if proxy.hasFrontend, proxy.binds.isEmpty {
      warn(
        "\(proxy.kindLabel) '\(proxy.name)' has no 'bind' directive. Please declare it as a backend if this was "
          + "intended.", at: proxy.location)
    }
    missingTimeouts(proxy)
    let logs = !proxy.logs.isEmpty || (proxy.usesGlobalLogs && !context.configuration.global.logs.isEmpty)
    if proxy.hasFrontend, proxy.logStyle != nil, !proxy.usesGlobalLogs, !logs {
      warn(
        "log format ignored for \(proxy.kindLabel) '\(proxy.name)' since it has no log address.",
        at: proxy.location)
    }
    for bind in proxy.binds
    where bind.isTLS && bind.certificates.isEmpty && bind.certificateLists.isEmpty
      && bind.defaultCertificates.isEmpty
    {
      refuse(
        "Proxy '\(proxy.name)': no SSL certificate specified for bind '\(bind.addressText)' at "
          + "[\(bind.location.place)] (use 'crt').", at: bind.location, expected: "crt <file>")
    }
  }

  private func missingTimeouts(_ proxy: ProxySettings) {
    let zero = Timespan.zero
    let limits = proxy.timeouts
    let client = proxy.hasFrontend && (limits.client ?? zero) == zero
    let server =
      proxy.hasBackend && !proxy.servers.isEmpty
      && ((limits.connect ?? zero) == zero
        || ((limits.server ?? zero) == zero && (proxy.mode == .http || (limits.tunnel ?? zero) == zero)))
    guard client || server else { return }
    warn(
      """
      missing timeouts for \(proxy.kindLabel) '\(proxy.name)'.
         | While not properly invalid, you will certainly encounter various problems
         | with such a configuration. To fix this, please ensure that all following
         | timeouts are set to a non-zero value: 'client', 'connect', 'server'.
      """, at: proxy.location)
  }
}

extension ProxySettings {
  /// HAProxy's word for the kind: a `listen` section is a "proxy".
  public var kindLabel: String { kind == .listen ? "proxy" : kind.rawValue }
}

extension SourceLocation {
  /// `file:line`.
  public var place: String { "\(file):\(line)" }
}

extension Balance {
  /// Whether the algorithm looks at a request.
  var needsHTTP: Bool {
    switch algorithm {
    case .uri, .urlParameter, .header: true
    default: false
    }
  }
}

extension BindSettings {
  /// The number of listeners that the line makes.
  var listenerCount: Int {
    addresses.reduce(0) { sum, address in
      if case .ip(_, let ports) = address { return sum + ports.count }
      return sum + 1
    }
  }
}
