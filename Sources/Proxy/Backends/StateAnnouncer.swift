import Base
import Config
import Glibc

/// Says what happens to servers, in the words of HAProxy: to the log targets of the backend and, while the
/// process has a terminal, to its standard error.
struct StateAnnouncer: Sendable {
  /// `-q` and `quiet` keep standard error silent.
  var isQuiet = false

  private enum Severity: String { case warning = "[WARNING] ", alert = "[ALERT]   " }

  // MARK: Changes

  /// UP, DOWN and stopping.
  func operation(
    _ entry: ServerControl.Entry, from old: ServerState, _ cause: StateCause, requeued: Int,
    _ tracked: ServerControl.Entry?, at now: Now
  ) {
    let new = entry.server.snapshot()
    var line = subject(entry)
    var level = 5
    switch new.operation {
    case .stopped:
      line += " is DOWN"
      level = old.isDraining ? 5 : 1
    case .stopping: line += " is stopping"
    case .starting, .running: line += " is UP"
    }
    switch cause {
    case .check: append(new.check, to: &line)
    case .agent: append(new.agent, to: &line)
    default: if !cause.operationText.isEmpty { line += ", \(cause.operationText)" }
    }
    appendCounts(entry, new, requeued, tracked, to: &line)
    say(entry.backend, level, line, at: now)
  }

  /// Maintenance and drain.
  func administration(
    _ entry: ServerControl.Entry, from old: ServerState, _ cause: StateCause, requeued: Int,
    _ tracked: ServerControl.Entry?, at now: Now
  ) {
    let new = entry.server.snapshot()
    let name = subject(entry)
    let via = tracked.map { " via \($0.backend.name)/\($0.server.name)" } ?? ""
    let reason = cause.administrationText.isEmpty ? "" : " (\(cause.administrationText))"
    if !old.isInMaintenance, new.isInMaintenance {
      let isForced = new.administration.contains(.maintenance)
      if old.operation == .stopped {
        say(
          entry.backend, 5, "\(name) was DOWN and now enters maintenance\(reason)\(isForced ? "" : via)",
          at: now)
      } else {
        var line = "\(name) is going DOWN for maintenance\(reason)"
        appendCounts(entry, new, requeued, isForced ? nil : tracked, to: &line)
        say(entry.backend, old.isDraining ? 5 : 1, line, at: now)
      }
    } else if old.isInMaintenance, !new.isInMaintenance {
      say(entry.backend, 5, "\(name)\(leaving(old, new, entry))", at: now)
    } else if new.isInMaintenance {
      if let text = remaining(old, new, via) { say(entry.backend, 5, name + text, at: now) }
    }
    if !new.isInMaintenance { drain(entry, old, new, requeued, reason, tracked, at: now) }
  }

  private func leaving(_ old: ServerState, _ new: ServerState, _ entry: ServerControl.Entry) -> String {
    let isDraining = !new.administration.isDisjoint(with: .anyDrain)
    let state = "\(new.operation == .stopped ? "DOWN" : "UP")/\(isDraining ? "DRAIN" : "READY")"
    let gone = old.administration.subtracting(new.administration)
    if gone.contains(.unresolved) { return " ('\(new.hostName ?? "")') is \(state) (resolves again)" }
    if gone.contains(.inheritedMaintenance) { return " is \(state) (leaving maintenance)" }
    return " is \(state) (leaving forced maintenance)"
  }

  private func remaining(_ old: ServerState, _ new: ServerState, _ via: String) -> String? {
    let gone = old.administration.subtracting(new.administration)
    if gone.contains(.maintenance) {
      return " is leaving forced maintenance but remains in maintenance\(via)"
    }
    if gone.contains(.inheritedMaintenance) { return " remains in forced maintenance" }
    if gone.contains(.unresolved) {
      return " ('\(new.hostName ?? "")') resolves again but remains in maintenance"
    }
    return nil
  }

  private func drain(
    _ entry: ServerControl.Entry, _ old: ServerState, _ new: ServerState, _ requeued: Int, _ reason: String,
    _ tracked: ServerControl.Entry?, at now: Now
  ) {
    let name = subject(entry)
    let before = old.administration.intersection(.anyDrain)
    let after = new.administration.intersection(.anyDrain)
    let via = tracked.map { " via \($0.backend.name)/\($0.server.name)" } ?? ""
    guard before != after || old.isInMaintenance else { return }
    if before.isEmpty || old.isInMaintenance && !after.isEmpty {
      guard !after.isEmpty, before.isEmpty else { return }
      var line = "\(name) enters drain state\(reason)"
      appendCounts(entry, new, requeued, after.contains(.drain) ? nil : tracked, to: &line)
      say(entry.backend, 5, line, at: now)
    } else if after.isEmpty {
      let state = new.operation == .stopped ? "DOWN" : "UP"
      let what = before.contains(.drain) ? "(leaving forced drain)" : "(leaving drain)\(via)"
      say(entry.backend, 5, "\(name) is \(state) \(what)", at: now)
    } else {
      let what = after.contains(.drain) ? "remains in forced drain mode" : "remains in drain mode\(via)"
      say(entry.backend, 5, "\(name) \(what)", at: now)
    }
  }

  func backendIsDown(_ backend: Backend, at now: Now) {
    let kind = backend.settings.kind == .listen ? "proxy" : "backend"
    write(.alert, "\(kind) '\(backend.name)' has no server available!")
    backend.log.send(level: 0, "\(kind) \(backend.name) has no server available!", at: now.wall)
  }

  /// A line on a server that is no change of state.
  func note(_ backend: Backend, _ text: String, at now: Now) { say(backend, 5, text, at: now) }

  /// `option log-health-checks`.
  func checkEnded(
    _ entry: ServerControl.Entry, isAgent: Bool, report: CheckReport, health: Int, at now: Now
  ) {
    let settings = entry.server.settings
    let rise = isAgent ? 1 : settings.rise
    let fall = isAgent ? 1 : settings.fall
    var line = "\(isAgent ? "Agent" : "Health") check for \(settings.isBackup ? "backup " : "")server "
    line += "\(entry.backend.name)/\(settings.name) "
    switch report.status.result {
    case .conditionallyPassed: line += "conditionally succeeded"
    case .passed: line += "succeeded"
    default: line += "failed"
    }
    append(report, to: &line)
    let isUp = health >= rise
    line += ", status: \(isUp ? health - rise + 1 : health)/\(isUp ? fall : rise) "
    line += isUp ? (entry.server.snapshot().weight > 0 ? "UP" : "DRAIN") : "DOWN"
    say(entry.backend, 5, line, at: now)
  }

  // MARK: Parts

  private func subject(_ entry: ServerControl.Entry) -> String {
    "\(entry.server.settings.isBackup ? "Backup " : "")Server \(entry.backend.name)/\(entry.server.name)"
  }

  private func append(_ report: CheckReport, to line: inout String) {
    line += ", reason: \(report.status.description)"
    if report.status.hasCode { line += ", code: \(report.code)" }
    if !report.text.isEmpty { line += ", info: \"\(StateAnnouncer.escaped(report.text))\"" }
    if let duration = report.duration { line += ", check duration: \(duration.milliseconds)ms" }
  }

  private func appendCounts(
    _ entry: ServerControl.Entry, _ new: ServerState, _ requeued: Int, _ tracked: ServerControl.Entry?,
    to line: inout String
  ) {
    if let tracked { line += " via \(tracked.backend.name)/\(tracked.server.name)" }
    let usable = entry.backend.usableServers
    let running = usable.active == 0 && usable.backup > 0 ? " Running on backup." : ""
    let queued = entry.server.queueLength.current
    line += ". \(usable.active) active and \(usable.backup) backup servers "
    if new.operation == .stopped {
      let sessions = entry.server.sessions.current
      line +=
        "left.\(running) \(sessions) sessions active, \(requeued) requeued, \(queued) remaining in queue"
    } else {
      line += "online.\(running) \(requeued) sessions requeued, \(queued) total in queue"
    }
  }

  /// Text from the network as it may stand between quotes in a log: what is not printable becomes `<0D>`.
  static func escaped(_ text: Bytes) -> String {
    var out: [UInt8] = []
    for i in 0..<text.count {
      let c = text[i]
      switch c {
      case 0x22, 0x3C, 0x3E, 0...0x1F, 0x7F...0xFF:
        let digits = Array("0123456789ABCDEF".utf8)
        out += [0x3C, digits[Int(c >> 4)], digits[Int(c & 15)], 0x3E]
      default: out.append(c)
      }
    }
    return String(decoding: out, as: UTF8.self)
  }

  // MARK: Targets

  private func say(_ backend: Backend, _ level: Int, _ text: String, at now: Now) {
    write(.warning, text + ".")
    backend.log.send(level: level, text + ".", at: now.wall)
  }

  private func write(_ severity: Severity, _ text: String) {
    if isQuiet { return }
    let line = "\(severity.rawValue) (\(getpid())) : \(text)\n"
    var copy = line
    copy.withUTF8 { _ = Glibc.write(2, $0.baseAddress, $0.count) }
  }
}
