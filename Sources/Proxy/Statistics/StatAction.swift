import Base
import Config

/// What the statistics page's form can order; the raw values travel in its `action` field.
enum StatAction: String {
  case ready, drain, maint, dhlth, ehlth, hrunn, hnolb, hdown, dagent, eagent, arunn, adown, shutdown
  // The names of older pages.
  case disable, enable, stop, start

  static let listed: [StatAction] = [
    .ready, .drain, .maint, .dhlth, .ehlth, .hrunn, .hnolb, .hdown, .dagent, .eagent, .arunn, .adown,
    .shutdown,
  ]

  var label: StaticString {
    switch self {
    case .ready: "Set state to READY"
    case .drain: "Set state to DRAIN"
    case .maint: "Set state to MAINT"
    case .dhlth: "Health: disable checks"
    case .ehlth: "Health: enable checks"
    case .hrunn: "Health: force UP"
    case .hnolb: "Health: force NOLB"
    case .hdown: "Health: force DOWN"
    case .dagent: "Agent: disable checks"
    case .eagent: "Agent: enable checks"
    case .arunn: "Agent: force UP"
    case .adown: "Agent: force DOWN"
    case .shutdown: "Kill Sessions"
    case .disable: "Disable"
    case .enable: "Enable"
    case .stop: "Stop"
    case .start: "Start"
    }
  }

  /// Does it to one server; false when that changes nothing.
  func perform(on server: Server, _ runtime: Runtime, at now: Now) -> Bool {
    let control = runtime.control
    let state = server.snapshot()
    switch self {
    case .ready: control.setReady(server, at: now)
    case .drain: control.setDrain(server, at: now)
    case .maint: control.setMaintenance(server, at: now)
    case .dhlth, .ehlth:
      guard server.settings.checksEnabled else { return false }
      return control.setChecksEnabled(server, self == .ehlth) == nil
    case .dagent, .eagent:
      guard server.settings.agentEnabled else { return false }
      return control.setAgentEnabled(server, self == .eagent) == nil
    case .hrunn: return control.setHealth(server, .running, .statisticsPage, at: now) == nil
    case .hnolb: return control.setHealth(server, .stopping, .statisticsPage, at: now) == nil
    case .hdown: return control.setHealth(server, .stopped, .statisticsPage, at: now) == nil
    case .arunn: return control.setAgentHealth(server, isUp: true, .statisticsPage, at: now) == nil
    case .adown: return control.setAgentHealth(server, isUp: false, .statisticsPage, at: now) == nil
    case .shutdown: control.endSessions(on: server)
    case .disable:
      guard !state.administration.contains(.maintenance) else { return false }
      control.setMaintenance(server, .disabledOnPage, at: now)
    case .stop:
      guard !state.administration.contains(.drain) else { return false }
      control.setDrain(server, .stoppedOnPage, at: now)
    case .enable:
      guard state.isInMaintenance else { return false }
      control.setReady(server, at: now)
    case .start:
      guard state.administration.contains(.drain) else { return false }
      control.setReady(server, at: now)
    }
    return true
  }
}

/// The body of the page's form: `s=<server>&...&action=<action>&b=<backend>`.
struct StatForm {
  private var fields: [(key: Bytes, value: Bytes)] = []

  /// The last of each key wins, but for `s`, of which there are many.
  init(_ body: Bytes) {
    var low = 0
    while low <= body.count {
      let end = body.firstIndex(of: 0x26, from: low) ?? body.count
      let part = body[low..<end]
      if !part.isEmpty {
        let equals = part.firstIndex(of: 0x3D) ?? part.count
        fields.append((StatForm.decoded(part.prefix(equals)), StatForm.decoded(part.dropFirst(equals + 1))))
      }
      low = end + 1
    }
  }

  func last(_ key: Bytes) -> String? { fields.last { $0.key == key }?.value.string }
  var servers: [String] { fields.filter { $0.key == "s" }.map(\.value.string) }

  /// `application/x-www-form-urlencoded`
  static func decoded(_ text: Bytes) -> Bytes {
    var out: [UInt8] = []
    var index = 0
    while index < text.count {
      let octet = text[index]
      if octet == 0x2B {
        out.append(ASCII.space)
      } else if octet == 0x25, index + 2 < text.count, let high = ASCII.hexValue(text[index + 1]),
        let low = ASCII.hexValue(text[index + 2])
      {
        out.append(high << 4 | low)
        index += 2
      } else {
        out.append(octet)
      }
      index += 1
    }
    return Bytes(out)
  }

  /// Carries it out; the code that the page shows afterwards.
  func perform(_ runtime: Runtime, _ request: StatRequest, at now: Now) -> String {
    guard let name = last("b") else { return "NONE" }
    let backend = runtime.backend(name)
    if !request.selection.scopes.isEmpty {
      guard let backend, request.selection.scopes.contains(backend.name) else { return "DENY" }
    }
    guard let backend else { return "ERRP" }
    guard let word = last("action") else { return "NONE" }
    guard let action = StatAction(rawValue: word) else { return "ERRP" }
    var (wanted, changed) = (0, 0)
    for name in servers {
      guard let server = backend.serversByName[name] else {
        wanted += 1
        continue
      }
      // What does nothing to a server counts neither way.
      guard action.perform(on: server, runtime, at: now) else { continue }
      wanted += 1
      changed += 1
    }
    if wanted == 0 { return "NONE" }
    if changed == 0 { return "ERRP" }
    return changed == wanted ? "DONE" : "PART"
  }
}
