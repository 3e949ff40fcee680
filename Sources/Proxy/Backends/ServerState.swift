import Base
import Config

/// What can change about a server while the gateway runs: its health, what the administrator said, its weight.
///
/// Only `ServerControl` changes it; everybody may look (`Server.snapshot`).
struct ServerState: Sendable {
  struct Administration: OptionSet, Sendable {
    let rawValue: Int
    /// Put into maintenance by the configuration, on the command line or the stats page.
    static let maintenance = Administration(rawValue: 1)
    /// In maintenance because the server it tracks is.
    static let inheritedMaintenance = Administration(rawValue: 2)
    /// `disabled` stands in the configuration; says nothing of the present.
    static let configured = Administration(rawValue: 4)
    static let drain = Administration(rawValue: 8)
    static let inheritedDrain = Administration(rawValue: 16)
    /// Its name does not resolve.
    static let unresolved = Administration(rawValue: 32)

    static let anyMaintenance: Administration = [.maintenance, .inheritedMaintenance, .unresolved]
    static let anyDrain: Administration = [.drain, .inheritedDrain]
  }

  /// What checks say; numbered as in `show servers state`.
  enum Operation: Int, Sendable {
    case stopped
    /// Up, with a weight that still grows (`slowstart`).
    case starting
    case running
    /// Up, but without new sessions (`http-check disable-on-404`).
    case stopping
  }

  var administration: Administration = []
  var operation = Operation.running
  /// The administrator's weight; the configuration's at first.
  var weight: Int
  /// 1...16: how much of the weight `slowstart` allows by now.
  var warmth = 16
  var address: SocketAddress
  /// The port of its service, kept while the address is not known; 0 is the client's.
  var servicePort: UInt16
  /// The name that its address is resolved from; nil for an address given as such, and for a server that waits for
  /// a record of its service.
  var hostName: String?
  /// `set server ... fqdn` or an SRV record changed the name.
  var isNameChanged = false
  /// `+n` and `-n`: added to the port that the client reached.
  var portOffset: Int?
  /// Passed or failed checks in a row as HAProxy counts them, 0...rise+fall-1; up when at least `rise`.
  var health: Int
  /// The same for the agent, whose rise and fall are 1.
  var agentHealth = 1
  var lastChange: WallTime
  /// Whole seconds spent down before `lastChange`.
  var downTime = 0
  /// Failed requests in a row, for `observe`.
  var consecutiveErrors = 0
  var check = CheckReport()
  var agent = CheckReport()
  /// Whether checks run: `disable health` and `disable agent` stop them.
  var checksEnabled: Bool
  var agentEnabled: Bool
  /// `observe` wants the next check after `fastinter`.
  var wantsFastCheck = false
  /// Where checks and the agent connect to, when that was changed at run time.
  var checkAddress: SocketAddress?
  var checkPort: UInt16?
  var agentAddress: SocketAddress?
  var agentPort: UInt16?
  var agentSend: Bytes

  init(settings: ServerSettings, now: WallTime) {
    weight = settings.weight
    lastChange = now
    address = settings.address
    servicePort = settings.port ?? 0
    hostName = settings.isNamed && !settings.isService ? settings.host : nil
    portOffset = settings.portOffset
    checksEnabled = settings.checksEnabled
    agentEnabled = settings.agentEnabled
    agentSend = settings.agentSend ?? .empty
    checkPort = settings.checkPort
    agentPort = settings.agentPort
    // One failed check takes a server down that none has passed yet.
    health = settings.checksEnabled ? settings.rise : settings.rise + settings.fall - 1
    if settings.checksEnabled { check.status = .initializing }
    if settings.agentEnabled { agent.status = .initializing }
    if settings.isDisabled {
      administration = [.configured, .maintenance]
      operation = .stopped
      health = 0
    } else if !settings.startsUnresolved {
      setInitialState(settings)
    }
    if let saved = settings.saved { restore(saved, settings) }
    if settings.startsUnresolved {
      administration.insert(.unresolved)
      operation = .stopped
      health = 0
    }
  }

  /// A server that was added at run time does nothing before it is enabled, and so do its checks.
  mutating func waitForOrders() {
    administration.insert(.maintenance)
    operation = .stopped
    health = 0
    checksEnabled = false
    agentEnabled = false
  }

  /// `init-state`.
  mutating func setInitialState(_ settings: ServerSettings) {
    guard !administration.contains(.maintenance) else { return }
    switch settings.initState {
    case "fully-up":
      operation = .running
      health = settings.rise + settings.fall - 1
    case "down":
      operation = .stopped
      health = settings.rise - 1
    case "fully-down":
      operation = .stopped
      health = 0
    default: break
    }
  }

  /// The address as others see it: none while the name does not resolve.
  var knownAddress: SocketAddress { administration.contains(.unresolved) ? .none : address }
  var isRunning: Bool { operation != .stopped }
  var isStopping: Bool { operation == .stopping }
  var isInMaintenance: Bool { !administration.isDisjoint(with: .anyMaintenance) }
  var isDraining: Bool { !administration.isDisjoint(with: .anyDrain) || isStopping }
  /// Whether balancing may send new sessions here.
  var isUsable: Bool { isRunning && !isInMaintenance && !isDraining && weight > 0 }
  /// Whether a session that belongs here (by cookie) may still come.
  var acceptsPersistent: Bool { isRunning && !isInMaintenance }
  /// The weight in sixteenths, with `slowstart` applied.
  var scaledWeight: Int { weight * warmth }
  /// The weight that balancing uses now, for `show stat`: rounded up as HAProxy rounds it.
  var effectiveWeight: Int { isDraining ? 0 : (scaledWeight + 15) / 16 }

  /// Seconds spent down so far, with the time since `lastChange`.
  func totalDownTime(at now: WallTime) -> Int {
    guard operation == .stopped, now > lastChange else { return downTime }
    return downTime + Int(now.seconds - lastChange.seconds)
  }
}
