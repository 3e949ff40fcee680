import Base
import Config
import Synchronization

/// What resolvers find out about servers. Texts are HAProxy's.
extension ServerControl {
  /// The server's name has an address, and its service perhaps another port. True when the address is a new one.
  @discardableResult
  func nameResolved(
    _ server: Server, to ip: IPAddress, port: UInt16? = nil, by updater: String, at now: Now
  ) -> Bool {
    exclusively {
      let entry = entry(server)
      let old = server.snapshot()
      let port = port ?? old.servicePort
      var parts: [String] = []
      let before = old.knownAddress.ip
      if before != ip { parts.append("IP changed from '\(before.map { "\($0)" } ?? "(none)")' to '\(ip)'") }
      if port != old.servicePort {
        // A server line without a port means the client's: "+0" in HAProxy's notation.
        let sign = server.settings.port == nil && old.address == .none ? "+" : ""
        parts.append("port changed from '\(sign)\(old.servicePort)' to '\(port)'")
      }
      if !parts.isEmpty {
        server.state.withLock { state in
          state.address = .ip(ip, port: state.portOffset == nil ? port : 0)
          state.servicePort = port
        }
        dropIdleConnections(to: server)
        let text = parts.joined(separator: ", ") + " by '\(updater)'"
        announcer.note(entry.backend, "\(entry.backend.name)/\(server.name): \(text)", at: now)
      }
      if old.administration.contains(.unresolved) {
        remove(.unresolved, entry, at: now)
        announcer.note(
          entry.backend,
          "Server \(entry.backend.name)/\(server.name) administratively READY thanks to valid DNS answer",
          at: now)
      }
      return before != ip
    }
  }

  /// The name has no address: the server waits in maintenance for one. False when it does that already.
  func nameUnresolved(_ server: Server, _ cause: StateCause, at now: Now) -> Bool {
    exclusively {
      guard !server.snapshot().administration.contains(.unresolved) else { return false }
      // The old address stays until there is a new one, for those that were just about to connect to it.
      insert(.unresolved, entry(server), cause, at: now)
      return true
    }
  }

  /// An SRV record's port, for a server whose address is resolved by itself.
  func setServicePort(_ server: Server, _ port: UInt16) {
    exclusively {
      let changes = server.state.withLock { state -> Bool in
        guard state.servicePort != port else { return false }
        state.servicePort = port
        if let ip = state.address.ip { state.address = .ip(ip, port: port) }
        return true
      }
      if changes { dropIdleConnections(to: server) }
    }
  }

  /// An SRV record's weight, from 0 to 256.
  func setServiceWeight(_ server: Server, _ weight: Int, at now: Now) {
    guard server.snapshot().weight != weight else { return }
    _ = setWeight(server, String(weight), at: now)
  }

  /// The server has another name, and the message about it.
  func changeName(_ server: Server, _ name: String, by updater: String) -> String {
    exclusively {
      let old = server.state.withLock { state -> String? in
        let old = state.hostName
        state.hostName = name
        state.isNameChanged = true
        return old
      }
      return
        "\(server.backendName)/\(server.name) changed its FQDN from \(old ?? "(null)") to \(name) by '\(updater)'"
    }
  }

  /// The same for the logs.
  func announceName(_ server: Server, _ name: String, by updater: String, at now: Now) {
    let text = changeName(server, name, by: updater)
    entry(server).backend.log.send(level: 5, text, at: now.wall)
  }

  /// The record is gone that the server stood for.
  func forgetName(_ server: Server, at now: Now) {
    _ = nameUnresolved(server, .unresolved("entry removed from SRV record"), at: now)
    exclusively {
      server.state.withLock { state in
        state.hostName = nil
        state.servicePort = 0
      }
    }
  }
}
