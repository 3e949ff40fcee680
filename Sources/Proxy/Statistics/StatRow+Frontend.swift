import Base
import Config
import Synchronization

extension StatRow {
  init(_ frontend: Frontend, at now: WallTime) {
    self.init(
      .frontend, proxy: frontend.settings, proxyID: frontend.id, name: "FRONTEND", id: 0)
    let time = now.microseconds
    let counters = frontend.counters
    self[.scur] = .u32(frontend.sessions.current)
    self[.smax] = .u32(frontend.sessions.maximum)
    self[.slim] = .u32(frontend.connectionLimit)
    self[.status] = .text(frontend.statusText)
    self[.rate] = .u32(frontend.sessionRate.perSecond(at: time))
    self[.rateLim] = .u32(frontend.settings.rateLimitSessions ?? 0)
    self[.rateMax] = .u32(frontend.sessionRate.maximum)
    self[.reqRate] = .u32(frontend.requestRate.perSecond(at: time))
    self[.reqRateMax] = .u32(frontend.requestRate.maximum)
    self[.connRate] = .u32(frontend.connectionRate.perSecond(at: time))
    self[.connRateMax] = .u32(frontend.connectionRate.maximum)
    fill(counters, StatRow.frontendColumns)
    fill(counters, StatRow.octets)
    self[.reqTot] = .u64(0)
    if frontend.isHTTP {
      fill(counters, StatRow.responses)
      fill(counters, StatRow.httpColumns)
      let known = [Counter.requestsHTTP1, .requestsHTTP2, .requestsHTTP3, .requestsOther].reduce(0) {
        $0 + counters.total($1)
      }
      self[.reqTot] = .u64(known)
    }
    let http = counters.total(.sessionsHTTP1) + counters.total(.sessionsHTTP2)
    self[.sessOther] = .u64(Swift.max(0, counters.total(.sessions) - http))
    zero(StatRow.protocols)
    zero(StatRow.tls)
    zero([.h3sess])
    fill(
      counters,
      [
        (.h1SplicedBytesIn, .splicedIn), (.h1SplicedBytesOut, .splicedOut),
        (.h1TotalConnections, .sessionsHTTP1), (.h1TotalStreams, .requestsHTTP1),
        (.h2TotalConnections, .sessionsHTTP2), (.h2HeadersRcvd, .requestsHTTP2),
      ])
    // Octets and open connections are counted for both protocols together.
    if frontend.isHTTP, counters.total(.sessionsHTTP2) == 0 {
      fill(counters, [(.h1BytesIn, .octetsIn), (.h1BytesOut, .octetsOut)])
      self[.h1OpenConnections] = .u64(frontend.sessions.current)
    }
  }

  static let frontendColumns: [(StatColumn, Counter)] = [
    (.stot, .sessions), (.dreq, .deniedRequests), (.dresp, .deniedResponses), (.ereq, .requestErrors),
    (.compIn, .compressionIn), (.compOut, .compressionOut), (.compByp, .compressionBypassed),
    (.compRsp, .compressedResponses), (.connTot, .connections), (.dcon, .deniedConnections),
    (.dses, .deniedSessions), (.wrew, .failedHeaderRewrites), (.eint, .internalErrors),
    (.h1sess, .sessionsHTTP1), (.h2sess, .sessionsHTTP2), (.reqOther, .requestsOther),
    (.h1req, .requestsHTTP1), (.h2req, .requestsHTTP2), (.h3req, .requestsHTTP3),
  ]
  static let httpColumns: [(StatColumn, Counter)] = [
    (.intercepted, .interceptedRequests), (.cacheLookups, .cacheLookups), (.cacheHits, .cacheHits),
    (.cacheHintHits, .cacheHintHits),
  ]

  /// A listener of a frontend with `option socket-stats`.
  init(_ listener: ListenerSettings, _ options: StatOptions) {
    let frontend = listener.frontend
    let name = listener.name.isEmpty ? "sock-\(listener.id)" : listener.name
    self.init(.listener, proxy: frontend.settings, proxyID: frontend.id, name: name, id: listener.id)
    self[.scur] = .u32(listener.sessions.current)
    self[.smax] = .u32(listener.sessions.maximum)
    self[.slim] = .u32(listener.bind.maxConnections ?? 0)
    self[.status] = .text(frontend.statusText == "OPEN" ? "OPEN" : "WAITING")
    if options.showsLegends { self[.addr] = .text(listener.address.statText) }
    self[.proto] = .text(listener.address.protocolName)
    fill(
      listener.counters,
      [
        (.stot, .sessions), (.dreq, .deniedRequests), (.dresp, .deniedResponses), (.ereq, .requestErrors),
        (.connTot, .connections), (.dcon, .deniedConnections), (.dses, .deniedSessions),
        (.wrew, .failedHeaderRewrites), (.eint, .internalErrors),
      ])
    fill(listener.counters, StatRow.octets)
    zero(StatRow.tls)
  }
}

extension Frontend {
  /// The most sessions at once: `maxconn`, or what the administrator set.
  var connectionLimit: Int {
    let limit = administratorLimit.load(ordering: .relaxed)
    return limit > 0 ? limit : maxConnections
  }

  var statusText: String {
    if isShutDown.load(ordering: .relaxed) { return "STOP" }
    return isPaused.load(ordering: .relaxed) ? "PAUSED" : "OPEN"
  }
}

extension SocketAddress {
  /// The address as `show stat` tells it.
  var statText: String {
    switch self {
    case .ip: description
    case .unix: "unix"
    case .none: ""
    }
  }

  /// HAProxy's name of the protocol of a listening socket.
  var protocolName: String {
    switch self {
    case .ip(.v4, _): "tcpv4"
    case .ip(.v6, _): "tcpv6"
    case .unix: "unix_stream"
    case .none: "tcpv4"
    }
  }
}

extension Runtime {
  /// The listener of a frontend that a connection came in by.
  func listener(of frontend: Frontend, _ id: Int) -> ListenerSettings? {
    listeners.first { $0.frontend === frontend && $0.id == id }
  }
}
