import Base
import Config

extension ServerState {
  /// What `srv_check_state` and `srv_agent_state` say.
  private enum CheckFlag {
    static let configured = 2
    static let enabled = 4
  }

  /// Takes over what a state file says, as far as the configuration does not speak against it.
  mutating func restore(_ saved: SavedServerState, _ settings: ServerSettings) {
    restoreOperation(saved, settings)
    restoreAdministration(saved, settings)
    lastChange = WallTime(microseconds: lastChange.microseconds - Int64(saved.age) * 1_000_000)
    if saved.checkState & CheckFlag.configured != 0, saved.checkState & CheckFlag.enabled == 0 {
      checksEnabled = false
    }
    if saved.agentState & CheckFlag.configured != 0, saved.agentState & CheckFlag.enabled == 0 {
      agentEnabled = false
    }
    // A weight of the configuration that is a new one stands.
    if saved.initialWeight == settings.weight { weight = saved.weight }
    restoreNames(saved, settings)
    if checksEnabled {
      if saved.checkPort != 0 { checkPort = saved.checkPort }
      if let address = saved.checkAddress { checkAddress = .ip(address, port: 0) }
    }
    if agentEnabled {
      if saved.agentPort != 0 { agentPort = saved.agentPort }
      if let address = saved.agentAddress { agentAddress = .ip(address, port: 0) }
    }
  }

  private mutating func restoreOperation(_ saved: SavedServerState, _ settings: ServerSettings) {
    let top = settings.rise + settings.fall - 1
    switch Operation(rawValue: saved.operation) {
    case .stopped, nil:
      operation = .stopped
      health = 0
    case .starting, .running:
      operation = .running
      health = top
    case .stopping:
      operation = settings.fall == 1 ? .stopped : .stopping
      health = settings.fall == 1 ? 0 : Swift.min(Swift.max(saved.checkHealth, settings.rise), top)
    }
  }

  private mutating func restoreAdministration(_ saved: SavedServerState, _ settings: ServerSettings) {
    let before = Administration(rawValue: saved.administration)
    if before.contains(.configured) != settings.isDisabled {
      // The configuration has changed its mind since, and is followed.
      if settings.isDisabled {
        administration.insert(.maintenance)
      } else {
        administration.remove(.maintenance)
      }
    } else if before.contains(.maintenance) {
      administration.insert(.maintenance)
    } else {
      administration.remove(.maintenance)
    }
    if !administration.contains(.maintenance), before.contains(.drain),
      saved.initialWeight > 0 || settings.weight == 0
    {
      administration.insert(.drain)
    }
    if isInMaintenance {
      operation = .stopped
      health = 0
    }
  }

  private mutating func restoreNames(_ saved: SavedServerState, _ settings: ServerSettings) {
    if let name = saved.name {
      if settings.isService, saved.service == settings.host {
        hostName = name
        isNameChanged = true
      } else if let own = hostName, own != name, saved.administration & 0x40 != 0 {
        hostName = name
        isNameChanged = true
      }
    }
    guard settings.portOffset == nil, !settings.isUnix else { return }
    servicePort = saved.port
    if let ip = address.ip { address = .ip(ip, port: saved.port) }
  }
}
