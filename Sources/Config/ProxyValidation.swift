import Base

extension ProxySettings {
  /// HAProxy's word for the kind: a `listen` section is a "proxy".
  public var kindLabel: String { kind == .listen ? "proxy" : kind.rawValue }

  /// The count goes on past servers with an id of their own, as HAProxy's does.
  mutating func assignServerIDs() {
    let given = Set(servers.lazy.compactMap { $0.value.id })
    var next = 1
    for index in servers.indices {
      if servers[index].value.id == nil {
        while given.contains(next) { next += 1 }
        servers[index].value.id = next
      } else {
        servers[index].value.isIDForced = true
      }
      next += 1
    }
  }

  /// A bind line's id is its first listener's; the others of the line count on.
  mutating func assignListenerIDs() {
    var used = Set(binds.lazy.compactMap(\.id))
    var next = 1
    for index in binds.indices {
      if binds[index].id == nil {
        while used.contains(next) { next += 1 }
        binds[index].id = next
      }
      let first = binds[index].id ?? next
      for id in first..<(first &+ max(1, binds[index].listenerCount)) { used.insert(id) }
    }
  }

  /// What a proxy in TCP mode asks for and cannot have.
  mutating func checkModes(_ report: ProxyReport) {
    guard mode == .tcp else { return }
    if cookie != nil, hasBackend {
      report.warn("cookie will be ignored for \(kindLabel) '\(name)' (needs 'mode http').", at: location)
      cookie = nil
    }
    if hasBackend, balance.needsHTTP {
      report.warn(
        "Layer 7 hash not possible for \(kindLabel) '\(name)' (needs 'mode http'). Falling back to round robin.",
        at: balance.location)
      balance.algorithm = .roundrobin
    }
    if hasFrontend, let logStyle { fallBack(from: logStyle, report) }
    if stats != nil, !inheritsStats { ignored("'stats' statement ignored", "it requires", location, report) }
    // Such a proxy becomes an HTTP one in the middle of a connection.
    if rules.contains(where: { $0.words.contains { $0.text == "switch-mode" } }) { return }
    for keyword in ["http-request", "http-response", "http-after-response"] {
      guard let rule = rules.first(where: { $0.keyword == keyword }) else { continue }
      ignored("'\(keyword)' rules ignored", "they require", rule.location, report)
    }
    if forwardFor != nil, !inheritsForwardFor {
      ignored("'option forwardfor' ignored", "it requires", location, report)
    }
  }

  /// What old keywords ask for in terms of newer ones: `monitor-net` and `dispatch`.
  mutating func modernize() {
    for network in monitorNets {
      let words =
        mode == .http
        ? ["http-request", "return", "status", "200", "if", "{", "src", network, "}"]
        : ["tcp-request", "connection", "reject", "if", "{", "src", network, "}"]
      rules.insert(Directive(words: words.map { Word($0) }, location: location), at: 0)
      if inheritedRules > 0 { inheritedRules += 1 }
    }
    if let dispatch, hasBackend, servers.isEmpty {
      var server = defaultServer?.value ?? ServerSettings(name: "", host: "", location: location)
      // What the logs show for it.
      server.name = "<NOSRV>"
      server.id = 1
      server.host = dispatch.ip?.description ?? ""
      server.port = dispatch.port
      server.address = dispatch
      server.checksEnabled = false
      servers = [Boxed(server)]
    }
  }

  private func ignored(_ what: String, _ verb: String, _ place: SourceLocation, _ report: ProxyReport) {
    report.warn("\(what) for \(kindLabel) '\(name)' as \(verb) HTTP mode.", at: place)
  }

  private mutating func fallBack(from style: LogStyle, _ report: ProxyReport) {
    let option: String
    switch style {
    case .http: option = "httplog"
    case .clf: option = "httplog clf"
    case .https: option = "httpslog"
    case .tcp, .format: return
    }
    logStyle = .tcp
    report.diagnostics.warning(
      "'option \(option)' not usable with \(kindLabel) '\(name)' (needs 'mode http'). Falling back to 'option "
        + "tcplog'.", at: logStyleLocation)
  }

  /// What a proxy cannot do without.
  func checkMissing(_ report: ProxyReport, globalLogs: Bool) {
    if hasFrontend, binds.isEmpty, !sawBind {
      report.warn(
        "\(kindLabel) '\(name)' has no 'bind' directive. Please declare it as a backend if this was intended.",
        at: location)
    }
    if mode != .log, lacksTimeouts {
      report.warn(
        """
        missing timeouts for \(kindLabel) '\(name)'.
           | While not properly invalid, you will certainly encounter various problems
           | with such a configuration. To fix this, please ensure that all following
           | timeouts are set to a non-zero value: 'client', 'connect', 'server'.
        """, at: location)
    }
    if hasFrontend, logStyle != nil, !usesGlobalLogs, logs.isEmpty, !sawLog {
      report.warn("log format ignored for \(kindLabel) '\(name)' since it has no log address.", at: location)
    }
    for bind in binds where bind.lacksCertificate && certificates.isEmpty {
      report.refuse(
        "Proxy '\(name)': no SSL certificate specified for bind '\(bind.addressText)' at "
          + "[\(bind.location.place)] (use 'crt').", at: bind.location, expected: "crt <file>")
    }
  }

  private var lacksTimeouts: Bool {
    func unset(_ time: Timespan?) -> Bool { time == nil || time == .zero }
    if hasFrontend, unset(timeouts.client) { return true }
    guard hasBackend, !servers.isEmpty else { return false }
    if unset(timeouts.connect) { return true }
    return unset(timeouts.server) && (mode == .http || unset(timeouts.tunnel))
  }
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
  mutating func apply(_ defaults: UnixBindDefaults) {
    mode = mode ?? defaults.mode
    uid = uid ?? defaults.uid
    gid = gid ?? defaults.gid
  }

  /// The number of listeners that the line makes.
  var listenerCount: Int {
    addresses.reduce(0) { sum, address in
      if case .ip(_, let ports) = address { return sum + ports.count }
      return sum + 1
    }
  }

  var lacksCertificate: Bool {
    isTLS && certificateSources.isEmpty
  }
}
