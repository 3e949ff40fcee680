import Base
import Config
import NetIO
import Synchronization

/// All resolvers of the process, and the servers that follow names. It works on the first worker's loop; the
/// methods that say so may be called from any thread.
final class NameService: @unchecked Sendable {
  private let configuration: Configuration
  private let control: ServerControl
  private let loop = Mutex<EventLoop?>(nil)

  // From here on, only on that loop.
  private let made = Mutex(Confined<[Resolvers]>([]))
  private var servers: [Int: ServerName] = [:]
  private var services: [ServiceKey: ServiceName] = [:]

  private struct ServiceKey: Hashable {
    var backend: String
    var resolvers: String
    var name: DNSName
  }

  /// What runs in them does so on the first worker's loop; others may read names and counters.
  var sections: [Resolvers] { made.withLock { $0.value } }

  init(_ configuration: Configuration, _ control: ServerControl) {
    self.configuration = configuration
    self.control = control
  }

  /// Starts on a worker's own thread.
  func start(on worker: Worker) {
    let families = DNSFamilies(configuration.global.dnsFamilies)
    let log = worker.runtime.processLog
    let sections = Confined(
      configuration.resolvers.map { settings in
        Resolvers(settings, families, on: worker.loop) { log.send(level: 4, $0, at: worker.loop.now.wall) }
      })
    made.withLock { $0 = sections }
    loop.withLock { $0 = worker.loop }
    for entry in control.entries { add(entry) }
    for service in services.values { service.start() }
  }

  func section(_ name: String) -> Resolvers? { sections.first { $0.name == name } }

  // MARK: Servers

  /// A server that follows a name: from the configuration, or added later.
  func add(_ entry: ServerControl.Entry) {
    let settings = entry.server.settings
    guard let name = settings.resolvers, let resolvers = section(name) else { return }
    let server = ServerName(entry, control, resolvers)
    servers[entry.server.number] = server
    if settings.isService {
      guard let name = DNSName(settings.host) else { return }
      let key = ServiceKey(backend: entry.backend.name, resolvers: resolvers.name, name: name)
      let service = services[key] ?? ServiceName(name, resolvers)
      services[key] = service
      service.add(server)
    } else if let host = entry.server.snapshot().hostName {
      server.follow(DNSName(host))
    }
  }

  /// A server that is deleted. On any thread.
  func remove(_ server: Server) {
    onLoop { [self] in
      guard let name = servers.removeValue(forKey: server.number) else { return }
      name.service?.remove(name)
      name.follow(nil)
    }
  }

  /// `set server ... fqdn`: what to tell the administrator. On the loop's thread.
  func setName(of server: Server, to text: String, at now: Now) -> String {
    guard let follower = servers[server.number] else {
      return "could not update \(server.backendName)/\(server.name) FQDN"
    }
    if server.snapshot().hostName == text { return "no need to change the FDQN by 'stats socket command'" }
    guard let name = DNSName(text) else { return "invalid fqdn '\(text)' by 'stats socket command'" }
    let message = control.changeName(server, text, by: "stats socket command")
    follower.follow(name)
    return message
  }

  /// A check of the server could not connect in time: its address may have changed. On any thread.
  func refresh(_ server: Server) {
    guard server.settings.resolvers != nil else { return }
    onLoop { [self] in servers[server.number]?.refresh() }
  }

  // MARK: Questions of streams

  /// Resolves a name for somebody on `worker`, who is told there: nil when the name has no address. On any
  /// thread.
  func resolve(
    _ host: Bytes, in section: String, prefersFour: Bool, for worker: Worker,
    then: @escaping (IPAddress?) -> Void
  ) {
    let answer = Confined(then)
    let home = worker.loop
    onLoop { [self] in
      guard let resolvers = self.section(section), resolvers.hasRoom, let name = DNSName(host) else {
        return home.enqueue { answer.value(nil) }
      }
      NameQuestion(AddressChoice(prefersFour: prefersFour), resolvers) { ip in
        home.enqueue { answer.value(ip) }
      }.start(name)
    }
  }

  private func onLoop(_ work: @escaping @Sendable () -> Void) { loop.withLock { $0 }?.enqueue(work) }
}

/// One question of a stream (`do-resolve`).
private final class NameQuestion: ResolutionRequester {
  private let choice: AddressChoice
  private let resolvers: Resolvers
  private let finish: (IPAddress?) -> Void
  private var resolution: Resolution?

  init(_ choice: AddressChoice, _ resolvers: Resolvers, finish: @escaping (IPAddress?) -> Void) {
    self.choice = choice
    self.resolvers = resolvers
    self.finish = finish
  }

  func start(_ name: DNSName) {
    let resolution = resolvers.add(self, name, resolvers.addressType(prefersFour: choice.prefersFour))
    self.resolution = resolution
    if resolvers.isFresh(resolution) { return answered(resolution, by: nil) }
    resolvers.trigger(resolution)
  }

  func answered(_ resolution: Resolution, by nameserver: Nameserver?) {
    guard self.resolution != nil else { return }
    var address: IPAddress?
    if case .address(let ip)? = choice.choose(in: resolution, for: nil)?.record { address = ip }
    conclude(address)
  }

  func failed(_ resolution: Resolution) -> Bool {
    conclude(nil)
    return false
  }

  private func conclude(_ address: IPAddress?) {
    guard let resolution else { return }
    self.resolution = nil
    resolvers.remove(self, from: resolution)
    finish(address)
  }
}
