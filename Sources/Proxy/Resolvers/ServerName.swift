import Base
import Config
import NetIO

/// A server whose address a resolver finds, by its name or through a service's records.
final class ServerName: ResolutionRequester {
  let entry: ServerControl.Entry
  let resolvers: Resolvers
  private let control: ServerControl
  private let choice: AddressChoice
  private(set) var name: DNSName?
  private(set) var resolution: Resolution?
  /// The record that the server's address comes from.
  private(set) var record: SeenRecord?

  /// Set when the name on the server's line is one of SRV records.
  var service: ServiceName?
  /// The service's record that this server stands for.
  var serviceRecord: SeenRecord?
  /// The service's answer brought the address along: the name is not resolved.
  private var hasServiceAddress = false

  init(_ entry: ServerControl.Entry, _ control: ServerControl, _ resolvers: Resolvers) {
    self.entry = entry
    self.control = control
    self.resolvers = resolvers
    choice = AddressChoice(entry.server.settings)
  }

  var server: Server { entry.server }
  private var now: Now { resolvers.loop.now }

  // MARK: The name

  /// Follows `name` from now on; nil follows none.
  func follow(_ name: DNSName?) {
    leave()
    self.name = name
    guard let name, !hasServiceAddress else { return }
    let type = resolvers.addressType(prefersFour: choice.prefersFour)
    let resolution = resolvers.add(self, name, type)
    self.resolution = resolution
    if resolvers.isFresh(resolution) {
      answered(resolution, by: nil)
    } else {
      resolvers.trigger(resolution)
    }
  }

  private func leave() {
    release()
    guard let resolution else { return }
    self.resolution = nil
    resolvers.remove(self, from: resolution)
  }

  private func release() {
    record?.servers.removeAll { $0 === self }
    record = nil
  }

  /// Something suggests that the address has changed.
  func refresh() {
    guard let resolution, !resolvers.isFresh(resolution) else { return }
    resolvers.trigger(resolution)
  }

  // MARK: Answers

  func answered(_ resolution: Resolution, by nameserver: Nameserver?) {
    guard resolution === self.resolution, record == nil else { return }
    guard let chosen = choice.choose(in: resolution, for: self), case .address(let ip) = chosen.record else {
      _ = goDown()
      return
    }
    record = chosen
    chosen.servers.append(self)
    let updater = nameserver.map { "\(resolvers.name)/\($0.name)" } ?? "DNS cache"
    if control.nameResolved(server, to: ip, by: updater, at: now) { nameserver?.counters.update += 1 }
  }

  func failed(_ resolution: Resolution) -> Bool {
    guard resolution === self.resolution else { return false }
    guard goDown() else { return true }
    release()
    return false
  }

  /// The record is gone that the server's address came from, or that stood for the server itself.
  func lost(_ gone: SeenRecord) {
    if gone === record { record = nil }
    if gone === serviceRecord { leaveService() }
  }

  /// False when the server stays as it is.
  private func goDown() -> Bool {
    guard let resolution else { return false }
    switch resolution.status {
    case .none: return false
    case .valid: return control.nameUnresolved(server, .unresolved("No IP for server "), at: now)
    default:
      guard resolution.isBeyondHold(at: now.instant) else { return false }
      return control.nameUnresolved(server, .unresolved(resolution.status.reason), at: now)
    }
  }

  // MARK: Services

  /// The server stands for a service's record, which may have an address with it.
  func take(_ service: DNSService) {
    let ignoresWeight = server.settings.ignoresServiceWeight
    hasServiceAddress = service.address != nil
    let isNew = name != service.target
    if isNew, server.snapshot().hostName != service.target.text {
      control.announceName(server, service.target.text, by: "SRV record", at: now)
    }
    if let ip = service.address {
      leave()
      name = service.target
      control.nameResolved(server, to: ip, port: service.port, by: "DNS additional record", at: now)
    } else {
      control.setServicePort(server, service.port)
      if isNew || resolution == nil { follow(service.target) }
    }
    if !ignoresWeight { control.setServiceWeight(server, (Int(service.weight) + 255) / 256, at: now) }
  }

  /// A server that stands for no record, but was restored as if it did, has nothing to serve.
  func forgetSaved() {
    if server.snapshot().hostName != nil { control.forgetName(server, at: now) }
  }

  /// The server stands for nothing, and is free for another record.
  func leaveService() {
    serviceRecord = nil
    leave()
    name = nil
    hasServiceAddress = false
    control.forgetName(server, at: now)
    service?.isFree(self)
  }
}

extension Resolution.Status {
  /// Why a server goes into maintenance, in HAProxy's words.
  fileprivate var reason: String {
    switch self {
    case .noSuchName: "DNS NX status"
    case .timeout: "DNS timeout status"
    case .refused: "DNS refused status"
    case .none, .valid, .other: "unspecified DNS error"
    }
  }
}

/// Which of a name's addresses is taken: `resolve-prefer`, `resolve-net`, `resolve-opts`.
struct AddressChoice {
  let prefersFour: Bool
  private let networks: [Subnet]
  private let allowsDuplicates: Bool

  init(_ settings: ServerSettings) {
    prefersFour = settings.resolvePrefer == "ipv4"
    networks = settings.resolveNetworks.compactMap { Subnet($0) }
    allowsDuplicates = settings.allowsDuplicateAddress
  }

  /// For somebody who is no server.
  init(prefersFour: Bool) {
    self.prefersFour = prefersFour
    networks = []
    allowsDuplicates = true
  }

  /// The best address: of the preferred family, then of a preferred network, then one that no other server of the
  /// backend has, then the one in use. Equal ones are taken in turn.
  func choose(in resolution: Resolution, for owner: ServerName?) -> SeenRecord? {
    let records = resolution.records
    let current = owner.flatMap { owner -> IPAddress? in
      let state = owner.server.snapshot()
      return state.administration.contains(.unresolved) ? nil : state.address.ip
    }
    var best: SeenRecord?
    var bestScore = -1
    for offset in 0..<records.count {
      let index = (resolution.nextChoice + offset) % records.count
      let candidate = records[index]
      guard case .address(let ip) = candidate.record, resolution.resolvers.accepts(ip) else { continue }
      let isShared = owner.map { isUsed(candidate, beside: $0) } ?? false
      if isShared, !allowsDuplicates { continue }
      var score = isShared ? 0 : 2
      if case .v4 = ip { score += prefersFour ? 8 : 0 } else { score += prefersFour ? 0 : 8 }
      if networks.contains(where: { $0.contains(ip) }) { score += 4 }
      if ip == current { score += 1 }
      if score > bestScore {
        best = candidate
        bestScore = score
        resolution.nextChoice = (index + 1) % records.count
      }
    }
    return best
  }

  private func isUsed(_ record: SeenRecord, beside owner: ServerName) -> Bool {
    record.servers.contains { $0 !== owner && $0.entry.backend === owner.entry.backend }
  }
}
