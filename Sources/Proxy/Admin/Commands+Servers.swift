import Base
import Config
import Synchronization

extension Commands {
  /// Commands that change one server.
  static let servers: [Command] = [
    Command(
      "set server", "<bk>/<srv> [opts]", level: .admin,
      "change a server's state, weight, address, name or ssl"
    ) { call in
      withServer(call) { set(call, $0) }
    },
    Command(
      "set weight", "<bk>/<srv>  (DEPRECATED)", level: .admin,
      "change a server's weight (use 'set server' instead)"
    ) {
      call in
      withServer(call) { .outcome(call.runtime.control.setWeight($0, call.argument(1), at: call.now)) }
    },
    Command("get weight", "<bk>/<srv>", "report a server's current weight") { call in
      withServer(call) { .info("\($0.snapshot().weight) (initial \($0.settings.weight))") }
    },
    Command(
      "enable server", " (DEPRECATED)", level: .admin, "enable a disabled server (use 'set server' instead)"
    ) {
      call in
      withServer(call) {
        call.runtime.control.setReady($0, at: call.now)
        return .done
      }
    },
    Command(
      "disable server", "(DEPRECATED)", level: .admin,
      "disable a server for maintenance (use 'set server' instead)"
    ) {
      call in
      withServer(call) {
        call.runtime.control.setMaintenance($0, at: call.now)
        return .done
      }
    },
    Command("enable health", "", level: .admin, "enable health checks") { call in
      withServer(call) { .outcome(call.runtime.control.setChecksEnabled($0, true)) }
    },
    Command("disable health", "", level: .admin, "disable health checks") { call in
      withServer(call) { .outcome(call.runtime.control.setChecksEnabled($0, false)) }
    },
    Command("enable agent", "", level: .admin, "enable agent checks") { call in
      withServer(call) { .outcome(call.runtime.control.setAgentEnabled($0, true)) }
    },
    Command("disable agent", "", level: .admin, "disable agent checks") { call in
      withServer(call) { .outcome(call.runtime.control.setAgentEnabled($0, false)) }
    },
    Command("set maxconn server", "<bk>/<srv>", level: .admin, "change a server's maxconn setting") { call in
      withServer(call) { .outcome(call.runtime.control.setSessionLimit($0, call.argument(1))) }
    },
  ]

  /// Commands that add and remove servers.
  static let dynamicServers: [Command] = [
    Command("add server", "<bk>/<srv>", level: .admin, "create a new server") { call in
      let name = call.argument(0)
      if name == "help" {
        return .lines(
          "List of keywords supported for dynamic server:\n" + DynamicServerLine.keywords.joined(separator: "\n")
            + "\n")
      }
      guard let slash = name.firstIndex(of: "/") else { return .error("Require 'backend/server'.") }
      guard let backend = call.runtime.backend(String(name[..<slash])) else {
        return .error("No such backend.")
      }
      let words = [String(name[name.index(after: slash)...])] + call.arguments.dropFirst()
      return answer(dynamic(call).add(words, to: backend, at: call.now))
    },
    Command("show default-server", "[<backend>]", "list the default-server settings that 'from' can name") {
      call in
      var backends = call.runtime.backends
      if !call.argument(0).isEmpty {
        guard let backend = call.runtime.backend(call.argument(0)) else { return .error("Can't find backend.") }
        backends = [backend]
      }
      return .lines(backends.map(defaultServers).joined())
    },
    Command("del server", "<bk>/<srv>", level: .admin, "remove a dynamically added server") { call in
      withServer(call) { server in
        guard let backend = call.runtime.backend(server.backendName) else {
          return .error("No such backend.")
        }
        return answer(dynamic(call).remove(server, from: backend))
      }
    },
  ]

  private static func defaultServers(_ backend: Backend) -> String {
    let settings = backend.settings
    let names = settings.namedDefaultServers.keys.sorted()
    if settings.defaultServer == nil, names.isEmpty { return "" }
    return "\(settings.defaultServer == nil ? " " : "*") \(backend.name)\n"
      + names.map { "  \(backend.name)/\($0)\n" }.joined()
  }

  private static func dynamic(_ call: CommandCall) -> DynamicServers {
    DynamicServers(runtime: call.runtime, health: call.gateway.health)
  }

  private static func answer(_ outcome: DynamicServers.Outcome) -> CommandAnswer {
    switch outcome {
    case .done(let text): .info(text)
    case .problem(let text): .error(text)
    }
  }

  /// Finds the server that the first argument names.
  static func withServer(_ call: CommandCall, _ body: (Server) -> CommandAnswer) -> CommandAnswer {
    let name = call.argument(0)
    guard let slash = name.firstIndex(of: "/") else { return .error("Require 'backend/server'.") }
    guard let backend = call.runtime.backend(String(name[..<slash])) else {
      return .error("No such backend.")
    }
    let wanted = String(name[name.index(after: slash)...])
    guard !wanted.isEmpty else { return .error("Require 'backend/server'.") }
    guard let server = backend.server(wanted) else { return .error("No such server.") }
    return body(server)
  }

  private static func set(_ call: CommandCall, _ server: Server) -> CommandAnswer {
    let control = call.runtime.control
    let value = call.argument(2)
    if value.isEmpty, ["agent-addr", "check-addr"].contains(call.argument(1)) {
      return .error("set server <b>/<s> \(call.argument(1)) requires an address and optionally a port.")
    }
    switch call.argument(1) {
    case "weight": return .outcome(control.setWeight(server, value, at: call.now))
    case "state": return setState(call, server, value)
    case "health": return setHealth(call, server, value)
    case "agent":
      guard server.snapshot().agentEnabled else { return .error("agent checks are not enabled on this server.") }
      guard value == "up" || value == "down" else {
        return .error("'set server <srv> agent' expects 'up' or 'down'.")
      }
      return .outcome(control.setAgentHealth(server, isUp: value == "up", at: call.now))
    case "agent-addr":
      return .outcome(control.setAgentTarget(server, address: value, port: portArgument(call)))
    case "agent-port": return .outcome(control.setAgentTarget(server, address: nil, port: value))
    case "agent-send": return .outcome(control.setAgentSend(server, Bytes(value)))
    case "check-addr":
      return .outcome(control.setCheckTarget(server, address: value, port: portArgument(call)))
    case "check-port": return .outcome(control.setCheckTarget(server, address: nil, port: value))
    case "addr":
      guard !value.isEmpty else {
        return .error("set server <b>/<s> addr requires an address and optionally a port.")
      }
      return .info(control.setAddress(server, value, port: portArgument(call), at: call.now))
    case "fqdn":
      return setName(call, server, value)
    case "name":
      if value.isEmpty { return .error("set server <b>/<s> name requires a new name.") }
      if let problem = call.runtime.rename(server, to: value, at: call.now) { return .error(problem) }
      return .info("Server name updated.")
    case "ssl": return setTLS(call, server, value)
    default:
      return .error(
        "usage: set server <backend>/<server> addr | agent | agent-addr | agent-port | agent-send | check-addr | check-port | fqdn | health | name | ssl | state | weight"
      )
    }
  }

  private static func setTLS(_ call: CommandCall, _ server: Server, _ value: String) -> CommandAnswer {
    if server.isDynamic { return .error("'set server <srv> ssl' not supported on dynamic servers") }
    if server.tls == nil {
      return .error("'set server <srv> ssl' cannot be set.  default-server should define ssl settings")
    }
    guard value == "on" || value == "off" else {
      return .error("'set server <srv> ssl' expects 'on' or 'off'.")
    }
    call.runtime.control.setTLS(server, isOn: value == "on")
    return .message("server ssl setting updated.", severity: 5)
  }

  private static func setName(_ call: CommandCall, _ server: Server, _ value: String) -> CommandAnswer {
    if value.isEmpty { return .error("set server <b>/<s> fqdn requires a FQDN.") }
    if server.settings.resolvers == nil {
      return .error("set server <b>/<s> fqdn failed because no resolution is configured.")
    }
    if server.settings.isService {
      return .error("set server <b>/<s> fqdn failed because SRV resolution is configured.")
    }
    return .info(call.runtime.names.setName(of: server, to: value, at: call.now))
  }

  /// `... <address> port <port>`
  private static func portArgument(_ call: CommandCall) -> String? {
    call.argument(3) == "port" ? call.argument(4) : nil
  }

  private static func setState(_ call: CommandCall, _ server: Server, _ value: String) -> CommandAnswer {
    let control = call.runtime.control
    switch value {
    case "ready": control.setReady(server, at: call.now)
    case "drain": control.setDrain(server, at: call.now)
    case "maint": control.setMaintenance(server, at: call.now)
    default: return .error("'set server <srv> state' expects 'ready', 'drain' and 'maint'.")
    }
    return .done
  }

  private static func setHealth(_ call: CommandCall, _ server: Server, _ value: String) -> CommandAnswer {
    let operation: ServerState.Operation
    switch value {
    case "up": operation = .running
    case "stopping": operation = .stopping
    case "down": operation = .stopped
    default: return .error("'set server <srv> health' expects 'up', 'stopping', or 'down'.")
    }
    return .outcome(call.runtime.control.setHealth(server, operation, at: call.now))
  }
}

extension Runtime {
  /// The backend of a name, or of `#<id>`.
  func backend(_ name: String) -> Backend? {
    if name.hasPrefix("#"), let id = Int(name.dropFirst()) { return backends.first { $0.id == id } }
    return backend(named: Bytes(name))
  }

  func frontend(_ name: String) -> Frontend? {
    if name.hasPrefix("#"), let id = Int(name.dropFirst()) { return frontends.first { $0.id == id } }
    return frontendsByName[Bytes(name)]
  }
}

extension Backend {
  /// The server of a name, or of `#<id>`.
  func server(_ name: String) -> Server? {
    if name.hasPrefix("#"), let id = Int(name.dropFirst()) { return servers.first { $0.id == id } }
    return serversByName[name]
  }
}
