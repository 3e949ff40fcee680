import Base
import Config
import NetIO
import Synchronization

/// Changes of servers' states that the runtime API and the statistics page order. Texts are HAProxy's; nil means
/// that it was done.
struct ServerAdministration {
  let runtime: Runtime

  func setReady(_ server: Server, at now: Now) {
    change(server, at: now) {
      $0.administration.subtract([.maintenance, .drain, .configured])
    }
  }

  func setDrain(_ server: Server, _ cause: StateCause = .none, at now: Now) {
    change(server, at: now) {
      $0.administration.insert(.drain)
      $0.administration.subtract([.maintenance, .configured])
    }
  }

  func setMaintenance(_ server: Server, _ cause: StateCause = .none, at now: Now) {
    change(server, at: now) {
      $0.administration.insert(.maintenance)
      $0.administration.remove(.drain)
    }
  }

  func setHealth(
    _ server: Server, _ operation: ServerState.Operation, _ cause: StateCause = .commandLine, at now: Now
  ) -> String? {
    guard server.settings.track == nil else { return "cannot change health on a tracking server." }
    let settings = server.settings
    change(server, at: now) {
      $0.isRunning = operation != .stopped
      $0.isStopping = operation == .stopping
      $0.health = operation == .stopped ? 0 : settings.rise + settings.fall - 1
    }
    return nil
  }

  func setAgentHealth(_ server: Server, isUp: Bool, _ cause: StateCause = .commandLine, at now: Now) -> String? {
    guard server.snapshot().agentEnabled else { return "agent checks are not enabled on this server." }
    change(server, at: now) { $0.isRunning = isUp }
    return nil
  }

  func setChecksEnabled(_ server: Server, _ isEnabled: Bool) -> String? {
    guard !isEnabled || server.settings.checksEnabled else {
      return "Health check was not configured on this server, cannot enable."
    }
    server.state.withLock { $0.checksEnabled = isEnabled && server.settings.checksEnabled }
    return nil
  }

  func setAgentEnabled(_ server: Server, _ isEnabled: Bool) -> String? {
    guard !isEnabled || server.settings.agentEnabled else {
      return "Agent was not configured on this server, cannot enable."
    }
    server.state.withLock { $0.agentEnabled = isEnabled && server.settings.agentEnabled }
    return nil
  }

  /// `<n>` in 0...256 or `<n>%` of the configured weight.
  func setWeight(_ server: Server, _ text: String, at now: Now) -> String? {
    if text.isEmpty { return "Require <weight> or <weight%>." }
    guard let (number, rest) = CommandNumber.leading(text) else {
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
    server.state.withLock { $0.weight = weight }
    publish(server)
    return nil
  }

  func setSessionLimit(_ server: Server, _ text: String) -> String? {
    if text.isEmpty { return "Require <maxconn>." }
    guard let (number, rest) = CommandNumber.leading(text) else {
      return "maxconn string empty or preceded by garbage"
    }
    guard rest.isEmpty else { return "Trailing garbage in maxconn string" }
    server.sessionLimit.store(Swift.max(0, number), ordering: .relaxed)
    publish(server)
    return nil
  }

  func setAddress(
    _ server: Server, _ address: String?, port: String?, by updater: String = "stats socket command", at now: Now
  ) -> String {
    guard case .ip(let oldIP, let oldPort) = server.snapshot().address else {
      return "Update for the current server address family is only supported through configuration file."
    }
    var (ip, newPort) = (oldIP, oldPort)
    if let address {
      guard let parsed = IPAddress(address) else { return "Invalid addr '\(address)'" }
      ip = parsed
    }
    if let port {
      guard let number = UInt16(port) else { return "problem converting port '\(port)' to an int" }
      newPort = number
    }
    var parts: [String] = []
    if ip != oldIP { parts.append("IP changed from '\(oldIP)' to '\(ip)'") }
    if newPort != oldPort { parts.append("port changed from '\(oldPort)' to '\(newPort)'") }
    if parts.isEmpty { return "nothing changed" }
    let changed = SocketAddress.ip(ip, port: newPort)
    server.state.withLock { $0.address = changed }
    return parts.joined(separator: ", ") + " by '\(updater)'"
  }

  func setCheckTarget(_ server: Server, address: String?, port: String?) -> String? {
    guard server.snapshot().checksEnabled else { return "health checks are not enabled on this server" }
    return "changing where checks go is not supported yet"
  }

  func setAgentTarget(_ server: Server, address: String?, port: String?) -> String? {
    guard server.snapshot().agentEnabled else { return "agent checks are not enabled on this server" }
    return "changing where agent checks go is not supported yet"
  }

  func setAgentSend(_ server: Server, _ text: Bytes) -> String? {
    guard server.snapshot().agentEnabled else { return "agent checks are not enabled on this server." }
    return "changing what agent checks send is not supported yet"
  }

  /// Ends every session on the server.
  func endSessions(on server: Server) {
    for worker in runtime.workers.withLock({ $0 }) {
      worker.loop.enqueue { worker.endSessions(on: server, .killed) }
    }
  }

  private func change(_ server: Server, at now: Now, _ body: (inout ServerState) -> Void) {
    server.state.withLock { state in
      let before = (state.isRunning, state.administration)
      body(&state)
      if before != (state.isRunning, state.administration) { state.lastChange = now.wall }
    }
    publish(server)
  }

  private func publish(_ server: Server) {
    server.isUsable.store(server.snapshot().isUsable, ordering: .relaxed)
    runtime.backends.first { $0.servers.contains { $0 === server } }?.serverChanged()
  }
}

/// Why a server's state changes, for the log.
enum StateCause: Sendable {
  case none, commandLine, statisticsPage, disabledOnPage, stoppedOnPage
}

extension ServerState {
  /// What checks say; numbered as in `show servers state`.
  enum Operation: Int, Sendable {
    case stopped, starting, running, stopping
  }

  var operation: Operation { !isRunning ? .stopped : isStopping ? .stopping : .running }
}

extension Runtime {
  var control: ServerAdministration { ServerAdministration(runtime: self) }
}
