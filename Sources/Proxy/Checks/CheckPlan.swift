import Base
import Config
import Rules
import TLS

/// How one server is probed: everything about its check that the configuration fixes.
final class CheckPlan: Sendable {
  let rules: CheckRules
  /// For connections with the server line's settings; nil when those are clear.
  let tls: ClientTLS?
  /// For `connect ... ssl` lines, by step.
  let stepTLS: [Int: ClientTLS]
  /// `check-send-proxy`, or the server's own `send-proxy`.
  let proxyVersion: ProxyVersion?
  /// `addr`, `agent-addr`; `.none` for the server's own.
  let address: SocketAddress
  let serverName: String?
  /// `check-sni-auto`.
  let usesHostAsServerName: Bool
  let external: ExternalCheckSettings?
  /// `check-proto`, or the server's own `proto`: for connections with the server line's settings.
  let proto: String?

  init(
    rules: CheckRules, tls: ClientTLS? = nil, stepTLS: [Int: ClientTLS] = [:],
    proxyVersion: ProxyVersion? = nil, address: SocketAddress = .none, serverName: String? = nil,
    usesHostAsServerName: Bool = false, external: ExternalCheckSettings? = nil, proto: String? = nil
  ) {
    self.rules = rules
    self.tls = tls
    self.stepTLS = stepTLS
    self.proxyVersion = proxyVersion
    self.address = address
    self.serverName = serverName
    self.usesHostAsServerName = usesHostAsServerName
    self.external = external
    self.proto = proto
  }
}

/// Makes the plans of a backend's servers; what cannot work is an error of the configuration.
struct CheckPlanner {
  let proxy: Boxed<ProxySettings>
  let rules: CheckRules?
  /// Those of `healthcheck` sections.
  let named: [String: CheckRules]
  let global: GlobalSettings
  let contexts: TLSContexts
  let diagnostics: Diagnostics

  /// Checks speak TLS and PROXY because sessions do; not so for servers that were added at run time.
  var followsSessions = true

  /// nil when the server has no check of its own.
  func plan(for server: Boxed<ServerSettings>) -> CheckPlan? {
    guard server.checksEnabled else { return nil }
    let own = server.healthCheck.flatMap { named[$0.text] }
    if own == nil, proxy.check.kind == .external { return externalPlan(server) }
    let rules = own ?? rules ?? .connection
    requirePort(server, rules)
    let isElsewhere = server.checkPort != nil || server.checkAddress != nil
    // A check that goes somewhere else than sessions do is clear unless it is said to be otherwise.
    let isTLS = server.checkTLS ?? (followsSessions && !isElsewhere && server.isTLS)
    var stepTLS: [Int: ClientTLS] = [:]
    for (index, step) in rules.steps.enumerated() {
      guard case .connect(let connection) = step.action, connection.isTLS else { continue }
      stepTLS[index] = contexts.check(for: server, alpn: connection.alpn)
    }
    var version = server.checkSendProxy ? server.sendProxy ?? .v1 : nil
    if followsSessions, !isElsewhere, version == nil { version = server.sendProxy }
    return CheckPlan(
      rules: rules, tls: isTLS ? contexts.check(for: server, alpn: server.checkALPN ?? []) : nil,
      stepTLS: stepTLS, proxyVersion: version,
      address: address(server.checkAddress, of: server), serverName: server.checkSNI?.string,
      usesHostAsServerName: server.checkSNIAuto ?? true,
      proto: server.checkProto ?? (followsSessions && !isElsewhere ? server.proto : nil))
  }

  func agentPlan(for server: Boxed<ServerSettings>) -> CheckPlan? {
    guard server.agentEnabled else { return nil }
    if server.agentPort == nil {
      diagnostics.error(
        "config: backend '\(proxy.name)': server '\(server.name)' does not have agent port. Agent check has been disabled.",
        at: server.location)
    }
    return CheckPlan(rules: .agent, address: address(server.agentAddress, of: server))
  }

  private func address(_ text: String?, of server: Boxed<ServerSettings>) -> SocketAddress {
    guard let text else { return .none }
    if text.hasPrefix("/") { return .unix(text) }
    if let resolved = HostResolver.resolve(text) { return .ip(resolved, port: 0) }
    if let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]) {
      var host = String(text[..<colon])
      if host.hasPrefix("["), host.hasSuffix("]") { host = String(host.dropFirst().dropLast()) }
      if let resolved = HostResolver.resolve(host) { return .ip(resolved, port: port) }
    }
    diagnostics.error("'addr' : could not resolve address '\(text)'", at: server.location)
    return .none
  }

  /// There must be a port to connect to.
  private func requirePort(_ server: Boxed<ServerSettings>, _ rules: CheckRules) {
    guard case .ip = server.address, server.port == nil || server.portOffset != nil,
      server.checkPort == nil,
      server.checkAddress.map({ !$0.hasPrefix("/") }) ?? true
    else { return }
    let connections = rules.steps.compactMap { step -> CheckConnection? in
      if case .connect(let connection) = step.action { connection } else { nil }
    }
    if connections.allSatisfy({ $0.port != nil || $0.portExpression != nil || ($0.address.port ?? 0) != 0 }) {
      return
    }
    diagnostics.error(
      "config: \(proxy.kind == .backend ? "backend" : "proxy") '\(proxy.name)': server '\(server.name)' has neither service port nor check port.",
      at: server.location)
  }

  private func externalPlan(_ server: Boxed<ServerSettings>) -> CheckPlan? {
    guard global.externalCheckAllowed else {
      diagnostics.error(
        "Proxy '\(proxy.name)' : 'option external-check' is used without 'external-check' in the global section, which is required",
        at: proxy.check.location)
      return nil
    }
    guard let command = proxy.externalCheckCommand else {
      diagnostics.error(
        "Proxy '\(proxy.name)' : 'external-check command' is missing, which 'option external-check' requires",
        at: proxy.check.location)
      return nil
    }
    let front = proxy.binds.first.flatMap { RuntimeBuilder.addresses(of: $0).first?.0 } ?? .none
    return CheckPlan(
      rules: .connection, address: address(server.checkAddress, of: server),
      external: ExternalCheckSettings(
        command: command, path: proxy.externalCheckPath, proxyName: proxy.name, proxyID: proxy.id ?? 0,
        proxyAddress: front))
  }
}
