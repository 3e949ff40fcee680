import Base
import Config
import NetIO
import Synchronization

extension Commands {
  /// Listings of servers for tools: `show servers state` is also the format of server-state files.
  static let serverReports: [Command] = [
    Command(
      "show servers state", "[<backend>]",
      "dump volatile server information (all or for a single backend)"
    ) { call in
      let anonymizer = call.session.anonymizer
      return listing(call, head: "1\n# \(ServerStateLine.columns)\n") { backend, server in
        ServerStateLine.text(backend, server, at: call.now.wall, anonymizer)
      }
    },
    Command(
      "show servers conn", "[<backend>]",
      "dump server connections status (all or for a single backend)"
    ) { call in
      let threads = call.runtime.workerCount
      let head =
        "# bkname/svname bkid/svid addr port - purge_delay served used_cur used_max need_est idle_sess "
        + "unsafe_nb safe_nb idle_lim idle_cur idle_per_thr[\(threads)]\n"
      return listing(call, head: head) { backend, server in
        connections(backend, server, threads, call.session.anonymizer)
      }
    },
  ]

  private static func listing(
    _ call: CommandCall, head: String, _ line: @escaping (Backend, Server) -> String
  ) -> CommandAnswer {
    var backends = call.runtime.backends[...]
    if !call.argument(0).isEmpty {
      guard let backend = call.runtime.backend(call.argument(0)) else { return .error("Can't find backend.") }
      backends = [backend]
    }
    var index = 0
    var isFirst = true
    return .pieces {
      var out: [UInt8] = []
      if isFirst { out.append(head) }
      isFirst = false
      while let backend = backends.first, out.count < 16 * 1024 {
        if index < backend.servers.count {
          out.append(line(backend, backend.servers[index]))
          index += 1
        } else {
          backends = backends.dropFirst()
          index = 0
        }
      }
      return out.isEmpty ? nil : out
    }
  }

  private static func connections(_ backend: Backend, _ server: Server, _ threads: Int, _ anonymizer: Anonymizer)
    -> String
  {
    let address = server.snapshot().knownAddress
    let host = address.ip.map { "\($0)" } ?? "\(address)"
    let idle = server.idleConnections.current
    let used = Swift.max(0, server.usedConnections.current - idle)
    let limit = server.settings.poolMaximum ?? -1
    let delay = server.settings.poolPurgeDelay.milliseconds
    var line = "\(anonymizer(backend.name))/\(anonymizer(server.name)) \(backend.id)/\(server.id) "
    line += "\(host) \(address.port ?? 0) - \(delay) \(server.sessions.current) \(used) "
    line += "\(server.peakUse) \(server.peakUse) 0 0 \(idle) \(limit) \(idle)"
    // Idle connections belong to workers, who count them for all together.
    line += String(repeating: " 0", count: Swift.max(0, threads - 1)) + " \(idle)\n"
    return line
  }
}

/// One line of `show servers state` (management.txt chapter 9.3).
enum ServerStateLine {
  static let columns =
    "be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight srv_iweight "
    + "srv_time_since_last_change srv_check_status srv_check_result srv_check_health srv_check_state "
    + "srv_agent_state bk_f_forced_id srv_f_forced_id srv_fqdn srv_port srvrecord srv_use_ssl srv_check_port "
    + "srv_check_addr srv_agent_addr srv_agent_port"

  static func text(
    _ backend: Backend, _ server: Server, at now: WallTime, _ anonymizer: Anonymizer = Anonymizer()
  ) -> String {
    let state = server.snapshot()
    let settings = server.settings
    let age = Swift.max(0, now.seconds - state.lastChange.seconds)
    let operation = state.isInMaintenance ? 0 : state.operation.rawValue
    var administration = state.administration.rawValue
    let host = state.knownAddress.ip.map { "\($0)" } ?? (settings.isUnix ? "unix" : "-")
    let name = state.hostName.map { anonymizer($0) } ?? "-"
    let service = settings.isService ? settings.host : "-"
    let forced = (backend.settings.isIDForced ? 1 : 0, settings.isIDForced ? 1 : 0)
    if state.isNameChanged { administration |= 64 }
    let check = state.checkColumns(settings)
    let agent =
      (state.agentEnabled ? 4 : 0) | (settings.agentEnabled ? 2 : 0) | (state.agent.isRunning ? 1 : 0)
    var line = "\(backend.id) \(anonymizer(backend.name)) \(server.id) \(anonymizer(server.name)) \(host) "
    line += "\(operation) \(administration) \(state.weight) \(settings.weight) \(age) \(check) \(agent) "
    line +=
      "\(forced.0) \(forced.1) \(name) \(state.servicePort) \(service) \(server.tlsState.load(ordering: .relaxed)) "
    let checkAddress = state.checkAddress?.ip.map { "\($0)" } ?? settings.checkAddress ?? "-"
    let agentAddress = state.agentAddress?.ip.map { "\($0)" } ?? settings.agentAddress ?? "-"
    line += "\(state.checkPort ?? 0) \(checkAddress) \(agentAddress) \(state.agentPort ?? 0)\n"
    return line
  }
}

extension ServerState {
  /// Status, result, health and state of checks.
  fileprivate func checkColumns(_ settings: ServerSettings) -> String {
    let flags =
      (checksEnabled ? 4 : 0) | (settings.checksEnabled ? 2 : 0) | (check.isRunning ? 1 : 0)
      | (isInMaintenance && checksEnabled ? 8 : 0)
    // HAProxy's checks of a server that starts in maintenance are paused; those that are not there stay so.
    let paused = settings.isDisabled && (isInMaintenance || !settings.checksEnabled) ? 8 : 0
    // Without checks HAProxy shows what `default-server` brought along.
    let idle = settings.hasDefaults && !isInMaintenance ? settings.rise : 0
    let status = check.status == .unknown ? CheckStatus.initializing.name : check.status.name
    let number = CheckNames.number(of: status)
    let result = number < 4 ? 0 : CheckNames.isSuccess(status) ? (status == "L7OKC" ? 4 : 3) : 2
    return
      "\(number) \(result) \(settings.checksEnabled ? health : idle) \(settings.checksEnabled ? flags | paused : paused)"
  }
}
