import Base
import Config

/// `http-check send-state`: what the server is told about itself in `X-Haproxy-Server-State`.
enum CheckStateField {
  static func text(_ entry: ServerControl.Entry, _ state: ServerState, at now: Now, _ worker: Worker) -> Bytes {
    let server = entry.server
    let settings = server.settings
    var words = [health(state, settings)]
    switch state.address {
    case .ip(let ip, let port): words += ["address=\(ip)", "port=\(port)"]
    case .unix(let path): words += ["address=\(path)", "port="]
    case .none: words += ["address=", "port="]
    }
    words.append("name=\(entry.backend.name)/\(server.name)")
    words.append("node=\(worker.runtime.nodeName.string)")
    let total = entry.backend.servers.reduce(0) { sum, other in
      let state = other.snapshot()
      return state.isUsable && !other.settings.isBackup ? sum + state.effectiveWeight : sum
    }
    words.append("weight=\(state.effectiveWeight)/\(total)")
    words.append("scur=\(server.sessions.current)/\(entry.backend.sessions.current)")
    words.append("qcur=\(server.queueLength.current)")
    if state.operation == .starting { words.append("throttle=\(server.throttlePercent)%") }
    return Bytes(words.joined(separator: "; "))
  }

  private static func health(_ state: ServerState, _ settings: ServerSettings) -> String {
    guard settings.checksEnabled else { return "no check" }
    let top = settings.rise + settings.fall - 1
    switch state.operation {
    case .stopped: return state.health > 0 ? "DOWN \(state.health)/\(settings.rise)" : "DOWN"
    case .stopping:
      return state.health == top ? "NOLB" : "NOLB \(state.health - settings.rise + 1)/\(settings.fall)"
    case .starting, .running:
      return state.health == top ? "UP" : "UP \(state.health - settings.rise + 1)/\(settings.fall)"
    }
  }
}
