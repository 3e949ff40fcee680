import Base
import Config
import NetIO

/// A service (`_http._tcp.example.com`) whose SRV records servers of one backend stand for.
final class ServiceName: ResolutionRequester {
  let name: DNSName
  private let resolvers: Resolvers
  private var resolution: Resolution?
  /// Servers without a record, in the order in which they get one.
  private var free: [ServerName] = []

  init(_ name: DNSName, _ resolvers: Resolvers) {
    self.name = name
    self.resolvers = resolvers
  }

  func add(_ server: ServerName) {
    server.service = self
    free.append(server)
  }

  func start() {
    guard resolution == nil else { return }
    let resolution = resolvers.add(self, name, .srv)
    self.resolution = resolution
    resolvers.trigger(resolution)
  }

  func remove(_ server: ServerName) {
    free.removeAll { $0 === server }
    server.serviceRecord?.servers.removeAll { $0 === server }
    server.serviceRecord = nil
  }

  /// A server's record is gone.
  func isFree(_ server: ServerName) { free.append(server) }

  func answered(_ resolution: Resolution, by nameserver: Nameserver?) {
    guard resolution === self.resolution else { return }
    for record in resolution.records {
      guard case .service(let service) = record.record else { continue }
      if let server = record.servers.first(where: { $0.service === self }) {
        server.take(service)
      } else if let server = takeFree(for: service) {
        record.servers.append(server)
        server.serviceRecord = record
        server.take(service)
      }
    }
    // Those that a state file gave a name which is no more.
    for server in free { server.forgetSaved() }
  }

  /// The server that had this record before a reload, or the first that has none.
  private func takeFree(for service: DNSService) -> ServerName? {
    if free.isEmpty { return nil }
    let known = free.firstIndex { server in
      let state = server.server.snapshot()
      return state.hostName == service.target.text && state.servicePort == service.port
    }
    return free.remove(at: known ?? 0)
  }

  func failed(_ resolution: Resolution) -> Bool {
    guard resolution === self.resolution, resolution.isBeyondHold(at: resolvers.loop.now.instant) else {
      return true
    }
    for record in resolution.records {
      for server in record.servers where server.service === self {
        record.servers.removeAll { $0 === server }
        server.leaveService()
      }
    }
    return false
  }
}
