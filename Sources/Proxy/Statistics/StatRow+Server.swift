import Base
import Config
import Synchronization

extension StatRow {
  init(_ server: Server, of backend: Backend, _ options: StatOptions, at now: WallTime) {
    self.init(.server, proxy: backend.settings, proxyID: backend.id, name: server.name, id: server.id)
    let settings = server.settings
    let counters = server.counters
    let state = server.snapshot()
    self[.qcur] = .u32(server.queueLength.current)
    self[.qmax] = .u32(server.queueLength.maximum)
    self[.scur] = .u32(server.sessions.current)
    self[.smax] = .u32(server.sessions.maximum)
    let limit = server.sessionLimit.load(ordering: .relaxed)
    if limit > 0 { self[.slim] = .u32(limit) }
    if let limit = settings.maxQueue, limit > 0 { self[.qlimit] = .u32(limit) }
    if let limit = settings.poolMaximum, limit >= 0 { self[.srcIlim] = .u32(limit) }
    self[.status] = .text(state.statusText(settings, isTracking: settings.track != nil))
    self[.weight] = .u32(state.weight)
    self[.uweight] = .u32(state.weight)
    self[.act] = .u32(settings.isBackup ? 0 : 1)
    self[.bck] = .u32(settings.isBackup ? 1 : 0)
    self[.rate] = .u32(server.sessionRate.perSecond(at: now.microseconds))
    self[.rateMax] = .u32(server.sessionRate.maximum)
    let since = Swift.max(0, Int(now.seconds - state.lastChange.seconds))
    self[.lastchg] = .u32(since)
    fill(counters, StatRow.serverColumns)
    fill(counters, StatRow.octets)
    if backend.settings.mode == .http {
      fill(counters, StatRow.responses)
      self[.reqTot] = .u64(counters.total(.requests))
    }
    fillChecks(server, state, since)
    self[.lastsess] = StatRow.age(server.lastSession.load(ordering: .relaxed), now)
    fillTimes(server.times)
    fillConnections(server)
    if options.showsLegends {
      self[.addr] = .text(state.address.statText)
      if let cookie = server.cookie { self[.cookie] = .text(cookie.string) }
    }
    if let track = settings.track { self[.tracked] = .text(StatRow.tracked(track.text, backend)) }
    self[.srid] = .u32(0)
    zero(StatRow.tls)
  }

  private static func tracked(_ name: String, _ backend: Backend) -> String {
    name.utf8.contains(ASCII.slash) ? name : "\(backend.name)/\(name)"
  }

  private mutating func fillConnections(_ server: Server) {
    let idle = server.idleConnections.current
    self[.srvIcur] = .u32(idle)
    self[.idleConnCur] = .u32(0)
    self[.safeConnCur] = .u32(idle)
    self[.usedConnCur] = .u32(Swift.max(0, server.usedConnections.current - idle))
    self[.needConnEst] = .u32(server.peakUse)
    self[.privIdleCur] = .u32(0)
  }

  private mutating func fillChecks(_ server: Server, _ state: ServerState, _ since: Int) {
    let settings = server.settings
    if settings.observe != .none { self[.hanafail] = .u64(0) }
    if state.checksEnabled {
      self[.chkfail] = .u64(server.counters.total(.failedChecks))
      self[.chkdown] = .u64(server.counters.total(.downTransitions))
      self[.downtime] = .u32(state.downTime + (state.isRunning ? 0 : since))
    }
    if state.checksEnabled {
      let report = state.check
      let status = report.status == .unknown ? "INI" : report.status.name
      self[.checkStatus] = .text(report.isRunning ? "* \(status)" : status)
      if report.status >= .passedLayer7 { self[.checkCode] = .u32(report.code) }
      if let duration = report.duration { self[.checkDuration] = .u64(Int(duration.milliseconds)) }
      self[.checkDesc] = .text(CheckNames.description(of: status))
      self[.lastChk] = .text(report.text.string)
      self[.checkRise] = .u32(settings.rise)
      self[.checkFall] = .u32(settings.fall)
      self[.checkHealth] = .u32(state.health)
    }
    if state.agentEnabled {
      let report = state.agent
      let status = report.status == .unknown ? "INI" : report.status.name
      self[.agentStatus] = .text(report.isRunning ? "* \(status)" : status)
      if report.status >= .passedLayer7 { self[.agentCode] = .u32(report.code) }
      if let duration = report.duration { self[.agentDuration] = .u64(Int(duration.milliseconds)) }
      self[.agentDesc] = .text(CheckNames.description(of: status))
      self[.lastAgt] = .text(report.text.string)
      self[.agentRise] = .u32(1)
      self[.agentFall] = .u32(1)
      self[.agentHealth] = .u32(1)
    }
  }
}

extension ServerState {
  /// The `status` column: `UP`, `DOWN 1/2`, `MAINT`, `no check`...
  func statusText(_ settings: ServerSettings, isTracking: Bool) -> String {
    if administration.contains(.unresolved) { return "MAINT (resolution)" }
    if administration.contains(.inheritedMaintenance), let track = settings.track {
      return "MAINT (via \(track.text))"
    }
    if isInMaintenance { return "MAINT" }
    let checked = checksEnabled || isTracking
    let passed = "\(health - settings.rise + 1)/\(settings.fall)"
    if !isRunning {
      if agentEnabled, !checksEnabled { return "DOWN (agent)" }
      return checked && health > 0 ? "DOWN \(health)/\(settings.rise)" : "DOWN"
    }
    let goesDown = checked && health < settings.rise + settings.fall - 1
    if isStopping, administration.isDisjoint(with: [.drain, .inheritedDrain]) {
      return goesDown ? "NOLB \(passed)" : "NOLB"
    }
    if isDraining {
      if agentEnabled { return "DRAIN (agent)" }
      return goesDown ? "DRAIN \(passed)" : "DRAIN"
    }
    if goesDown { return "UP \(passed)" }
    return checked ? "UP" : "no check"
  }
}
