import Base
import Config
import Synchronization

/// What the runtime API and the statistics page order. Texts are HAProxy's; nil means that it was done.
extension ServerControl {
  // MARK: State

  /// `set server ... state ready`, `enable server`.
  func setReady(_ server: Server, at now: Now) {
    exclusively {
      remove(.drain, entry(server), at: now)
      remove(.maintenance, entry(server), at: now)
    }
  }

  /// `set server ... state drain`.
  func setDrain(_ server: Server, _ cause: StateCause = .none, at now: Now) {
    exclusively {
      insert(.drain, entry(server), cause, at: now)
      remove(.maintenance, entry(server), at: now)
    }
  }

  /// `set server ... state maint`, `disable server`.
  func setMaintenance(_ server: Server, _ cause: StateCause = .none, at now: Now) {
    exclusively {
      insert(.maintenance, entry(server), cause, at: now)
      remove(.drain, entry(server), at: now)
    }
  }

  /// `set server ... health up|stopping|down`.
  func setHealth(
    _ server: Server, _ operation: ServerState.Operation, _ cause: StateCause = .commandLine, at now: Now
  ) -> String? {
    guard server.settings.track == nil else { return "cannot change health on a tracking server." }
    exclusively {
      let settings = server.settings
      server.state.withLock { $0.health = operation == .stopped ? 0 : settings.rise + settings.fall - 1 }
      setOperation(entry(server), operation, cause, at: now)
    }
    return nil
  }

  /// `set server ... agent up|down`.
  func setAgentHealth(
    _ server: Server, isUp: Bool, _ cause: StateCause = .commandLine, at now: Now
  ) -> String? {
    guard server.snapshot().agentEnabled else { return "agent checks are not enabled on this server." }
    exclusively {
      server.state.withLock { $0.agentHealth = isUp ? 1 : 0 }
      setOperation(entry(server), isUp ? .running : .stopped, cause, at: now)
    }
    return nil
  }

  /// `enable health`, `disable health`.
  func setChecksEnabled(_ server: Server, _ isEnabled: Bool) -> String? {
    guard !isEnabled || server.settings.checksEnabled else {
      return "Health check was not configured on this server, cannot enable."
    }
    exclusively { server.state.withLock { $0.checksEnabled = isEnabled && server.settings.checksEnabled } }
    return nil
  }

  /// `enable agent`, `disable agent`.
  func setAgentEnabled(_ server: Server, _ isEnabled: Bool) -> String? {
    guard !isEnabled || server.settings.agentEnabled else {
      return "Agent was not configured on this server, cannot enable."
    }
    exclusively { server.state.withLock { $0.agentEnabled = isEnabled && server.settings.agentEnabled } }
    return nil
  }

  // MARK: Weight and limits

  /// `set server ... weight`, `set weight`: `<n>` in 0...256 or `<n>%` of the configured weight.
  func setWeight(_ server: Server, _ text: String, at now: Now) -> String? {
    exclusively { changeWeight(server, text, at: now) }
  }

  /// The same, for a caller that holds `exclusively` already.
  func changeWeight(_ server: Server, _ text: String, at now: Now) -> String? {
    if text.isEmpty { return "Require <weight> or <weight%>." }
    guard let (number, rest) = ServerControl.leadingNumber(text) else {
      return "Empty weight string empty or preceded by garbage"
    }
    var weight = number
    if rest == "%" {
      if weight < 0 { return "Relative weight must be positive." }
      weight = Swift.min(256, server.settings.weight * Swift.min(weight, 25600) / 100)
    } else if weight < 0 || weight > 256 {
      return "Absolute weight can only be between 0 and 256 inclusive."
    } else if !rest.isEmpty {
      return "Trailing garbage in weight string"
    }
    let entry = entry(server)
    if weight != 0, weight != server.settings.weight,
      !BalancingAlgorithms.followsWeights(entry.backend.settings.balance)
    {
      return "Backend is using a static LB algorithm and only accepts weights '0%' and '100%'."
    }
    let old = server.snapshot()
    guard weight != old.weight else { return nil }
    server.state.withLock { $0.weight = weight }
    commit(entry, from: old, at: now) { _ in }
    return nil
  }

  /// `set maxconn server`.
  func setSessionLimit(_ server: Server, _ text: String) -> String? {
    exclusively { changeSessionLimit(server, text) }
  }

  /// The same, for a caller that holds `exclusively` already.
  func changeSessionLimit(_ server: Server, _ text: String) -> String? {
    if text.isEmpty { return "Require <maxconn>." }
    guard let (number, rest) = ServerControl.leadingNumber(text) else {
      return "maxconn string empty or preceded by garbage"
    }
    guard rest.isEmpty else { return "Trailing garbage in maxconn string" }
    server.sessionLimit.store(Swift.max(0, number), ordering: .relaxed)
    _ = entry(server).backend.serverChanged(server)
    return nil
  }

  /// An integer with an optional sign, and what follows it.
  static func leadingNumber(_ text: String) -> (Int, Substring)? {
    var rest = text[...]
    let sign = rest.first.flatMap { $0 == "-" || $0 == "+" ? rest.removeFirst() : nil }
    let digits = rest.prefix { $0.isASCII && $0.isNumber }
    guard !digits.isEmpty else { return nil }
    let value = Int(digits) ?? Int(Int32.max)
    let bounded = Swift.min(value, Int(Int32.max))
    return (sign == "-" ? -bounded : bounded, rest.dropFirst(digits.count))
  }

  // MARK: Addresses

  /// `set server ... addr <ip> [port <port>]`. The answer is what to tell the administrator, always.
  func setAddress(
    _ server: Server, _ address: String?, port: String?, by updater: String = "stats socket command",
    at now: Now
  ) -> String {
    exclusively {
      let old = server.snapshot()
      guard case .ip(let oldIP, let oldPort) = old.address else {
        return "Update for the current server address family is only supported through configuration file."
      }
      var ip = oldIP
      if let address {
        guard let parsed = IPAddress(address) else { return "Invalid addr '\(address)'" }
        ip = parsed
      }
      var newPort = old.portOffset ?? Int(oldPort)
      var isMapped = old.portOffset != nil
      if let port {
        guard let (number, _) = ServerControl.leadingNumber(port) else {
          return "problem converting port '\(port)' to an int"
        }
        isMapped = port.hasPrefix("+") || port.hasPrefix("-")
        newPort = Int(UInt16(truncatingIfNeeded: number))
      }
      return change(entry(server), old, (ip, newPort, isMapped), updater, at: now)
    }
  }

  private func change(
    _ entry: Entry, _ old: ServerState, _ wanted: (ip: IPAddress, port: Int, isMapped: Bool),
    _ updater: String,
    at now: Now
  ) -> String {
    guard case .ip(let oldIP, let oldPort) = old.address else { return "nothing changed" }
    var parts: [String] = []
    if wanted.ip != oldIP { parts.append("IP changed from '\(oldIP)' to '\(wanted.ip)'") }
    let wasMapped = old.portOffset != nil
    let before = old.portOffset.map { Int(UInt16(truncatingIfNeeded: $0)) } ?? Int(oldPort)
    var changesPort = wasMapped != wanted.isMapped || before != wanted.port
    if changesPort, wanted.isMapped, !wasMapped, old.checksEnabled, old.checkPort == nil {
      changesPort = false
      parts.append(
        "can't change <port> to port map because it is incompatible with current health check port configuration "
          + "(use 'port' statement from the 'server' directive).")
    } else if changesPort {
      parts.append(
        "port changed from '\(wasMapped ? "+" : "")\(before)' to '\(wanted.isMapped ? "+" : "")\(wanted.port)'"
      )
    }
    if parts.isEmpty { return "nothing changed" }
    guard wanted.ip != oldIP || changesPort else { return parts.joined(separator: ", ") }
    let server = entry.server
    server.state.withLock { state in
      var port = oldPort
      if changesPort {
        state.portOffset = wanted.isMapped ? wanted.port : nil
        port = wanted.isMapped ? 0 : UInt16(truncatingIfNeeded: wanted.port)
      }
      state.address = .ip(wanted.ip, port: port)
      if changesPort { state.servicePort = UInt16(truncatingIfNeeded: wanted.port) }
    }
    dropIdleConnections(to: server)
    let text = parts.joined(separator: ", ") + " by '\(updater)'"
    announce(entry.backend, "\(entry.backend.name)/\(server.name): \(text)", at: now)
    return text
  }

  /// `set server ... ssl`: sessions that begin from now on; no idle connection is left of the other kind.
  func setTLS(_ server: Server, isOn: Bool) {
    exclusively {
      server.tlsState.store(isOn ? 1 : 0, ordering: .relaxed)
      dropIdleConnections(to: server)
    }
  }

  /// `set server ... check-addr` and `check-port`.
  func setCheckTarget(_ server: Server, address: String?, port: String?) -> String? {
    guard server.snapshot().checksEnabled else { return "health checks are not enabled on this server" }
    return setTarget(server, address, port) { state, address, port in
      if let address { state.checkAddress = address }
      if let port { state.checkPort = port == 0 ? nil : port }
    }
  }

  /// `set server ... agent-addr` and `agent-port`.
  func setAgentTarget(_ server: Server, address: String?, port: String?) -> String? {
    guard server.snapshot().agentEnabled else { return "agent checks are not enabled on this server" }
    return setTarget(server, address, port) { state, address, port in
      if let address { state.agentAddress = address }
      if let port { state.agentPort = port }
    }
  }

  private func setTarget(
    _ server: Server, _ address: String?, _ port: String?,
    _ change: (inout ServerState, SocketAddress?, UInt16?) -> Void
  ) -> String? {
    var parsed: SocketAddress?
    if let address {
      guard let ip = IPAddress(address) else { return "invalid addr '\(address)'" }
      parsed = .ip(ip, port: 0)
    }
    var number: UInt16?
    if let port {
      guard let value = Int(port) else { return "provided port is not an integer" }
      guard let valid = UInt16(exactly: value) else { return "provided port is invalid" }
      number = valid
    }
    exclusively { server.state.withLock { change(&$0, parsed, number) } }
    return nil
  }

  /// `set server ... agent-send`.
  func setAgentSend(_ server: Server, _ text: Bytes) -> String? {
    guard server.snapshot().agentEnabled else { return "agent checks are not enabled on this server." }
    exclusively { server.state.withLock { $0.agentSend = text } }
    return nil
  }
}
