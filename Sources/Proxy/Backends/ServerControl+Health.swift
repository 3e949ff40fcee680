import Base
import Config
import Synchronization
import NetIO

/// What checks, agents and live traffic find out about servers.
extension ServerControl {
  /// A check begins: `show stat` marks it.
  func checkStarted(_ server: Server, isAgent: Bool) {
    server.state.withLock { if isAgent { $0.agent.isRunning = true } else { $0.check.isRunning = true } }
  }

  /// A check has ended: its health is counted, and the server follows when that crosses a threshold.
  func checkEnded(_ server: Server, isAgent: Bool, _ outcome: CheckOutcome, at now: Now) {
    exclusively {
      let entry = entry(server)
      record(entry, isAgent: isAgent, outcome, at: now)
      apply(entry, isAgent: isAgent, outcome.status, at: now)
    }
  }

  /// Keeps the outcome and counts it. Logged when `option log-health-checks` asks and something is new.
  func record(_ entry: Entry, isAgent: Bool, _ outcome: CheckOutcome, at now: Now) {
    let server = entry.server
    let rise = isAgent ? 1 : server.settings.rise
    let top = isAgent ? 1 : server.settings.rise + server.settings.fall - 1
    let clearsErrors = server.settings.observe != .none
    let seen = server.state.withLock {
      state -> (isNews: Bool, failed: Bool, report: CheckReport, health: Int) in
      var report = isAgent ? state.agent : state.check
      var health = isAgent ? state.agentHealth : state.health
      var isNews = report.status != outcome.status
      var failed = false
      report.isRunning = outcome.status == .observed ? report.isRunning : false
      report.status = outcome.status
      report.code = outcome.code
      report.text = outcome.text.prefix(Swift.min(127, outcome.text.firstIndex(of: 0) ?? 127))
      report.duration = outcome.duration
      switch outcome.status.result {
      case .failed:
        // An agent that cannot be asked says nothing of the server.
        if health > 0, !isAgent || outcome.status >= .passedLayer7 {
          failed = true
          isNews = true
          health -= 1
          if health < rise { health = 0 }
        }
      case .passed, .conditionallyPassed:
        if health < top {
          isNews = true
          health += 1
          if health >= rise { health = top }
        }
        if clearsErrors { state.consecutiveErrors = 0 }
      case .neutral, .unknown: isNews = false
      }
      if isAgent {
        state.agent = report
        state.agentHealth = health
      } else {
        state.check = report
        state.health = health
      }
      return (isNews, failed, report, health)
    }
    if seen.failed { server.counters.add(.failedChecks, worker: 0) }
    if seen.isNews, entry.backend.settings.logHealthChecks {
      announceCheck(entry, isAgent: isAgent, seen.report, seen.health, at: now)
    }
  }

  /// Lets the server follow its health.
  private func apply(_ entry: Entry, isAgent: Bool, _ status: CheckStatus, at now: Now) {
    let server = entry.server
    let state = server.snapshot()
    // With `option log-health-checks` the reason stands in a line of its own.
    let cause: StateCause = entry.backend.settings.logHealthChecks ? .none : isAgent ? .agent : .check
    switch status.result {
    case .failed:
      if isAgent, status != .wrongStatusLayer7 { return }
      if (isAgent ? state.agentHealth : state.health) == 0 { setOperation(entry, .stopped, cause, at: now) }
    case .passed, .conditionallyPassed:
      if state.isInMaintenance { return }
      if let followed = tracked(entry), followed.server.snapshot().operation == .stopped { return }
      if state.checksEnabled, state.health < server.settings.rise { return }
      if state.agentEnabled, state.agentHealth < 1 { return }
      if isAgent, state.operation == .stopping { return }
      let stops = status.result == .conditionallyPassed && !isAgent
      setOperation(entry, stops ? .stopping : .running, cause, at: now)
    case .neutral, .unknown: break
    }
  }

  /// The time until the next check of the server.
  func nextInterval(_ server: Server, isAgent: Bool) -> Timespan {
    let settings = server.settings
    return server.state.withLock { state in
      if isAgent {
        let normal = settings.agentInterval ?? settings.interval
        if state.agentHealth >= 1 { return normal }
        return state.operation == .stopped ? settings.downInterval ?? normal : settings.fastInterval ?? normal
      }
      let wantsFast = state.wantsFastCheck
      state.wantsFastCheck = false
      if !wantsFast, state.health >= settings.rise + settings.fall - 1 { return settings.interval }
      if state.operation == .stopped, state.health == 0 { return settings.downInterval ?? settings.interval }
      return settings.fastInterval ?? settings.interval
    }
  }

  // MARK: Agents

  /// What an agent said: first the administration, then weight and limit, at last the health.
  func agentReplied(_ server: Server, _ reply: AgentReply, duration: Timespan, at now: Now) {
    exclusively {
      let entry = entry(server)
      guard server.snapshot().agentEnabled else {
        server.state.withLock { $0.agent.isRunning = false }
        return
      }
      if reply.isIncomplete {
        let text: Bytes = "Ignoring incomplete line from agent"
        record(entry, isAgent: true, CheckOutcome(.noChange, text: text, duration: duration), at: now)
        return
      }
      follow(reply.administration, entry, at: now)
      var warning: String?
      if let weight = reply.weight { warning = changeWeight(server, weight, at: now) }
      if let limit = reply.sessionLimit { warning = warning ?? changeSessionLimit(server, limit) }
      let outcome = ServerControl.outcome(of: reply, warning, duration)
      if let health = reply.health { server.state.withLock { $0.agentHealth = health == .up ? 1 : 0 } }
      record(entry, isAgent: true, outcome, at: now)
      apply(entry, isAgent: true, outcome.status, at: now)
    }
  }

  private func follow(_ administration: AgentReply.Administration?, _ entry: Entry, at now: Now) {
    switch administration {
    case .ready:
      remove(.drain, entry, at: now)
      remove(.maintenance, entry, at: now)
    case .drain:
      insert(.drain, entry, at: now)
      remove(.maintenance, entry, at: now)
    case .maintenance:
      insert(.maintenance, entry, at: now)
      remove(.drain, entry, at: now)
    case nil: break
    }
  }

  /// What is told of an agent's word: its own comment, or what was wrong with the rest of the line.
  private static func outcome(of reply: AgentReply, _ warning: String?, _ duration: Timespan) -> CheckOutcome {
    let problem = reply.unknownWord.isEmpty ? Bytes(warning ?? "") : reply.unknownWord
    guard let health = reply.health else {
      var text = Bytes.empty
      if !reply.unknownWord.isEmpty {
        text = Bytes("agent reports an error : \(reply.unknownWord.string)")
      } else if let warning {
        text = Bytes("agent warns : \(warning)")
      }
      return CheckOutcome(.noChange, text: text, duration: duration)
    }
    var detail = reply.comment
    if (detail.isEmpty || health == .up) && !problem.isEmpty { detail = problem }
    let text = "via agent : \(reply.healthWord.string)" + (detail.isEmpty ? "" : " (\(detail.string))")
    return CheckOutcome(
      health == .up ? .passedLayer7 : .wrongStatusLayer7, text: Bytes(text), duration: duration)
  }

  // MARK: Live traffic

  /// `observe`: what a stream met counts for or against the server.
  ///
  /// Called by streams for servers with `observe` only.
  func observe(_ event: ObservedEvent, _ server: Server, at now: Now) {
    guard let isError = event.isError(server.settings.observe) else { return }
    let count = server.state.withLock { state -> Int in
      state.consecutiveErrors = isError ? state.consecutiveErrors &+ 1 : 0
      return state.consecutiveErrors
    }
    guard isError, count >= server.settings.errorLimit else { return }
    exclusively { errorLimitReached(entry(server), count, event, at: now) }
    if server.settings.fastInterval != nil { wakeCheck(of: server) }
  }

  private func errorLimitReached(_ entry: Entry, _ count: Int, _ event: ObservedEvent, at now: Now) {
    let settings = entry.server.settings
    let text = Bytes("Detected \(count) consecutive errors, last one was: \(event.text)")
    entry.server.state.withLock { state in
      state.wantsFastCheck = true
      switch settings.onError {
      case .suddenDeath: if state.health > settings.rise { state.health = settings.rise + 1 }
      case .markDown: state.health = settings.rise
      case .failCheck, .fastinter: break
      }
    }
    if settings.onError != .fastinter {
      record(entry, isAgent: false, CheckOutcome(.observed, text: text, duration: nil), at: now)
      apply(entry, isAgent: false, .observed, at: now)
    }
    entry.server.state.withLock { $0.consecutiveErrors = 0 }
  }
}

extension ObservedEvent {
  /// Whether the event speaks against the server at this layer; nil when it says nothing.
  func isError(_ layer: ServerSettings.Observe) -> Bool? {
    switch (layer, self) {
    case (.none, _): nil
    case (_, .connectFailed): true
    case (.layer4, .connected): false
    case (.layer7, .success): false
    case (.layer4, _), (.layer7, .connected): nil
    case (.layer7, _): true
    }
  }

  /// As HAProxy names it.
  var text: String {
    switch self {
    case .connected: "L4 successful connection"
    case .connectFailed: "L4 unsuccessful connection"
    case .success: "Correct http response"
    case .wrongStatus: "Wrong http response"
    case .invalidResponse: "Invalid http response"
    case .readError: "Read error (http)"
    case .timeout: "Read timeout (http)"
    case .closed: "Close from server (http)"
    }
  }
}
