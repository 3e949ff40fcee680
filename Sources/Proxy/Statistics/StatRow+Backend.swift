import Base
import Config
import Synchronization

extension StatRow {
  init(_ backend: Backend, _ options: StatOptions, at now: WallTime) {
    self.init(.backend, proxy: backend.settings, proxyID: backend.id, name: "BACKEND", id: 0)
    let counters = backend.counters
    self[.qcur] = .u32(backend.queueLength.current)
    self[.qmax] = .u32(backend.queueLength.maximum)
    self[.scur] = .u32(backend.sessions.current)
    self[.smax] = .u32(backend.sessions.maximum)
    self[.slim] = .u32(backend.fullConnections)
    self[.rate] = .u32(backend.sessionRate.perSecond(at: now.microseconds))
    self[.rateMax] = .u32(backend.sessionRate.maximum)
    fillServers(backend, options)
    let change = backend.lastChange.withLock { $0 }
    let since = Swift.max(0, Int(now.seconds - change.since.seconds))
    self[.lastchg] = .u32(since)
    if !backend.servers.isEmpty { self[.downtime] = .u32(change.downTime + (change.isUp ? 0 : since)) }
    self[.chkdown] = .u64(change.downTransitions)
    fill(counters, StatRow.serverColumns)
    fill(
      counters,
      [
        (.dreq, .deniedRequests), (.compIn, .compressionIn), (.compOut, .compressionOut),
        (.compByp, .compressionBypassed), (.compRsp, .compressedResponses),
      ])
    fill(counters, StatRow.octets)
    if backend.settings.mode == .http {
      fill(counters, StatRow.responses)
      fill(
        counters,
        [
          (.reqTot, .requests), (.cacheLookups, .cacheLookups), (.cacheHits, .cacheHits),
          (.cacheHintHits, .cacheHintHits),
        ])
    }
    self[.lastsess] = StatRow.age(backend.lastSession.load(ordering: .relaxed), now)
    fillTimes(backend.times)
    if options.showsLegends {
      if let cookie = backend.settings.cookie { self[.cookie] = .text(cookie.name.string) }
      self[.algo] = .text(backend.settings.balance.algorithm.statText)
    }
    for column in [StatColumn.aggServerStatus, .aggServerCheckStatus, .aggCheckStatus] {
      self[column] = .u32(0)
    }
    zero(StatRow.protocols)
    fill(counters, [(.h1SplicedBytesIn, .splicedIn), (.h1SplicedBytesOut, .splicedOut)])
    if backend.settings.mode == .http { fillHTTP1(backend) }
    zero(StatRow.tls)
  }

  /// Where all servers are spoken to in HTTP/1; else connections and octets are those of both protocols together.
  private mutating func fillHTTP1(_ backend: Backend) {
    let servers = backend.servers
    guard !servers.contains(where: \.speaksHTTP2) else { return }
    let counters = backend.counters
    self[.h1OpenConnections] = .u64(servers.reduce(0) { $0 + $1.usedConnections.current })
    self[.h1OpenStreams] = .u64(servers.reduce(0) { $0 + $1.sessions.current })
    self[.h1TotalConnections] = .u64(
      servers.reduce(0) { $0 + $1.counters.total(.connectAttempts) - $1.counters.total(.connectErrors) })
    self[.h1TotalStreams] = .u64(servers.reduce(0) { $0 + $1.counters.total(.requests) })
    // As the server's side sees them: what came from it, and what it was sent.
    self[.h1BytesIn] = .u64(counters.total(.octetsOut))
    self[.h1BytesOut] = .u64(counters.total(.octetsIn))
  }

  /// Weights and numbers of usable servers, and the state that follows from them.
  private mutating func fillServers(_ backend: Backend, _ options: StatOptions) {
    var weights = (active: 0, backup: 0, firstBackup: 0)
    var (active, backup, up) = (0, 0, 0)
    for server in backend.servers {
      let state = server.snapshot()
      if state.isRunning, !state.isInMaintenance { up += 1 }
      guard state.isUsable else { continue }
      if server.settings.isBackup {
        backup += 1
        weights.backup += state.weight
        if backup == 1 { weights.firstBackup = state.weight }
      } else {
        active += 1
        weights.active += state.weight
      }
    }
    let backups = backend.settings.allBackups ? weights.backup : weights.firstBackup
    let weight = active > 0 ? weights.active : backups
    var status = weight > 0 || backend.servers.isEmpty ? "UP" : "DOWN"
    if backend.isUnpublished.load(ordering: .relaxed) { status += " (UNPUB)" }
    if options.hidesMaintenance || options.hidesDown { status += " (\(up)/\(backend.servers.count))" }
    self[.status] = .text(status)
    self[.weight] = .u32(weight)
    self[.uweight] = .u32(weight)
    self[.act] = .u32(active)
    self[.bck] = .u32(backup)
  }

  /// What servers and backends both count.
  static let serverColumns: [(StatColumn, Counter)] = [
    (.stot, .sessions), (.dresp, .deniedResponses), (.econ, .connectErrors), (.eresp, .responseErrors),
    (.wretr, .retries), (.wredis, .redispatches), (.lbtot, .selected), (.cliAbrt, .clientAborts),
    (.srvAbrt, .serverAborts), (.wrew, .failedHeaderRewrites), (.connect, .connectAttempts),
    (.reuse, .reused), (.eint, .internalErrors),
  ]

  /// Seconds since `moment`; -1 when it has not come yet.
  static func age(_ moment: Int64, _ now: WallTime) -> StatValue {
    .s32(moment < 0 ? -1 : Swift.max(0, Int(now.seconds - moment)))
  }

  mutating func fillTimes(_ times: ExchangeTimes) {
    self[.qtime] = .u32(times.queue.average)
    self[.ctime] = .u32(times.connect.average)
    self[.rtime] = .u32(times.response.average)
    self[.ttime] = .u32(times.total.average)
    self[.qtimeMax] = .u32(times.queue.maximum)
    self[.ctimeMax] = .u32(times.connect.maximum)
    self[.rtimeMax] = .u32(times.response.maximum)
    self[.ttimeMax] = .u32(times.total.maximum)
  }
}

extension Balance.Algorithm {
  /// HAProxy's name of the algorithm.
  var statText: String {
    switch self {
    case .roundrobin: "roundrobin"
    case .staticRoundrobin: "static-rr"
    case .leastconn: "leastconn"
    case .first: "first"
    case .source: "source"
    case .random: "random"
    case .uri: "uri"
    case .urlParameter: "url_param"
    case .header: "hdr"
    case .rdpCookie: "rdp-cookie"
    case .hash: "hash"
    case .sticky: "sticky"
    case .logHash: "log-hash"
    }
  }
}
