import Base

/// Judges `log` lines and log backends when all files are read.
struct LogValidation {
  private let context: LoadContext
  private let proxies: [Boxed<ProxySettings>]

  init(_ context: LoadContext, _ proxies: [Boxed<ProxySettings>]) {
    self.context = context
    self.proxies = proxies
  }

  func run() {
    for target in context.configuration.global.logs { check(target, "global log directive") }
    for proxy in proxies {
      for target in proxy.logs { check(target, "log directive of \(proxy.kindLabel) '\(proxy.name)'") }
    }
    for section in context.configuration.peers {
      for target in section.logs { check(target, "log directive of peers section '\(section.name.text)'") }
    }
    for section in context.configuration.logForwards {
      let owner = "log-forward section '\(section.name.text)'"
      for target in section.logs { check(target, "log directive of " + owner) }
      if section.clientTimeout == nil, !section.binds.isEmpty {
        context.diagnostics.advice(
          "log-forward '\(section.name.text)' has no 'timeout client': silent clients are kept for ever",
          at: section.name.location)
      }
    }
    for index in context.configuration.rings.indices {
      let name = context.configuration.rings[index].name.text
      for server in context.configuration.rings[index].servers.indices {
        ServerValidation(context, name).complete(&context.configuration.rings[index].servers[server].value)
      }
    }
  }

  private func check(_ target: LogTarget, _ owner: String) {
    switch target.destination {
    case .ring(let name):
      let known = context.configuration.rings.map(\.name.text) + ["buf0"]
      if !known.contains(name) {
        refuse(
          "\(owner) uses unknown ring named '\(name)'.", target.location, "the name of a 'ring' section", name,
          known)
      }
    case .backend(let name): checkBackend(name, target, owner)
    case .udp, .unixDatagram, .descriptor, .stream: break
    }
    guard let profile = target.profile else { return }
    let known = context.configuration.logProfiles.map(\.name.text)
    if !known.contains(profile.text) {
      refuse(
        "\(owner): unknown log-profile '\(profile.text)'.", profile.location,
        "the name of a 'log-profile' section", profile.text, known)
    }
  }

  private func checkBackend(_ name: String, _ target: LogTarget, _ owner: String) {
    guard let backend = proxies.first(where: { $0.name == name && $0.hasBackend }) else {
      return refuse(
        "\(owner) uses unknown log backend '\(name)'.", target.location, "the name of a backend in 'mode log'",
        name, proxies.filter { $0.mode == .log }.map(\.name))
    }
    guard backend.mode != .log else { return }
    ProxyReport(diagnostics: context.diagnostics).refuse(
      "\(owner) uses incompatible log backend '\(name)'.", at: target.location,
      expected: "a backend in 'mode log'", related: [(backend.location, "the backend is declared here")])
  }

  private func refuse(
    _ message: String, _ place: SourceLocation, _ expected: String, _ name: String, _ known: [String]
  ) {
    ProxyReport(diagnostics: context.diagnostics).refuse(
      message, at: place, expected: expected, suggestion: Nearest.word(to: name, among: known))
  }
}

extension ProxySettings {
  /// What a backend for logs (`mode log`) may have and what other proxies may not.
  mutating func checkLogMode(_ report: ProxyReport) {
    guard mode == .log else { return checkNoLogMode(report) }
    switch balance.algorithm {
    case .roundrobin, .random, .sticky: break
    case .logHash:
      if balance.hashType != .mapBased {
        report.refuse(
          "log backend '\(name)': failed to initialize: unsupported hash method (from \"hash-type\").",
          at: balance.location, expected: "hash-type map-based")
      }
    default:
      report.refuse(
        "in \(kindLabel) '\(name)': \"balance\" only supports 'roundrobin', 'random', 'sticky' and 'log-hash'.",
        at: balance.location, expected: "'roundrobin', 'random', 'sticky' or 'log-hash'")
    }
    for server in servers where server.isDatagram != (servers.first?.isDatagram ?? false) {
      report.refuse(
        "log backend '\(name)': failed to initialize: cannot mix server types within a log backend, "
          + "'\(server.name)' srv's network type differs from previous server.", at: server.addressLocation,
        expected: "'udp@' for all servers or for none")
      break
    }
    for server in servers where server.isUnix {
      report.refuse(
        "log server address family not supported for log backend server '\(server.name)'.",
        at: server.addressLocation, expected: "udp@<address>:<port> or tcp@<address>:<port>")
    }
    dropForeignRules(report)
  }

  private mutating func checkNoLogMode(_ report: ProxyReport) {
    switch balance.algorithm {
    case .sticky, .logHash:
      report.warn(
        "Unusable balance algorithm for \(kindLabel) '\(name)' (needs 'mode log'). Falling back to round robin.",
        at: balance.location)
      balance.algorithm = .roundrobin
    default: break
    }
    for server in servers where server.isDatagram {
      report.refuse(
        "unsupported transport for server address in '\(mode.rawValue)' backend.", at: server.addressLocation,
        expected: "an address without 'udp@'; servers for datagrams belong to backends in 'mode log'")
    }
  }

  /// A backend for logs sees messages and no streams.
  private mutating func dropForeignRules(_ report: ProxyReport) {
    let kinds: [(String, String, String)] = [
      ("tcp-request", "tcp-request rules", "They"), ("tcp-response", "tcp-response rules", "They"),
      ("stick", "sticking rules", "They"), ("use-server", "\"use-server\" rules", "They"),
    ]
    for (keyword, text, pronoun) in kinds where rules.contains(where: { $0.keyword == keyword }) {
      report.warn(
        "Cannot use \(text) with 'mode log' in \(kindLabel) '\(name)'. \(pronoun) will be ignored.",
        at: location)
    }
    rules = []
    inheritedRules = 0
    if let table = stickTable {
      report.warn(
        "Cannot use stick table with 'mode log' in \(kindLabel) '\(name)'. It will be ignored.",
        at: table.location)
      stickTable = nil
    }
    if sendNameHeader != nil {
      report.warn(
        "Cannot set \"http-send-name-header\" with 'mode log' in \(kindLabel) '\(name)'. It will be ignored.",
        at: location)
      sendNameHeader = nil
    }
    if dynamicCookieKey != nil {
      report.warn(
        "Cannot set \"dynamic-cookie-key\" with 'mode log' in \(kindLabel) '\(name)'. It will be ignored.",
        at: location)
      dynamicCookieKey = nil
    }
  }
}
