import Base
import Config
import HTTP
import NetIO
import Rules

extension Stream {
  // MARK: Stickiness

  /// The server that a `stick` line holds the client to. Runs once: what is to be stored is gathered on the way.
  func chooseByStickTable(_ backend: Backend, isAssigned: Bool) -> Server? {
    let rules = backend.rules
    guard !rules.stick.isEmpty, avoidedServer == nil, !storage.hasMatchedSticks else { return nil }
    storage.hasMatchedSticks = true
    if backend.rules.ignorePersist.contains(where: { $0.holds(context) }) { return nil }
    var chosen: Server?
    rules.stickRequest(context, &storage.stores) { target in
      if isAssigned { return true }
      guard let server = backend.server(for: target), mayStick(to: server, backend) else { return false }
      chosen = server
      return true
    }
    if chosen != nil { serverIsForced = true }
    return chosen
  }

  /// `persist rdp-cookie`: the cookie is the server's address in decimal, its first octet lowest, a dot, its port with
  /// the octets exchanged, and a dot with more.
  func chooseByRDPCookie(_ backend: Backend) -> Server? {
    guard let expression = backend.rules.rdpCookie, avoidedServer == nil,
      let parts = expression.evaluateText(context)?.string.split(
        separator: ".", omittingEmptySubsequences: false),
      parts.count >= 3, let address = UInt32(parts[0]), let port = UInt16(parts[1])
    else { return nil }
    let wanted = SocketAddress.ip(.v4(address.byteSwapped), port: port.byteSwapped)
    guard let server = backend.servers.first(where: { $0.snapshot().address == wanted }),
      mayStick(to: server, backend)
    else { return nil }
    serverIsForced = true
    return server
  }

  private func mayStick(to server: Server, _ backend: Backend) -> Bool {
    server.snapshot().acceptsPersistent || backend.settings.persist
      || backend.rules.forcePersist.contains { $0.holds(context) }
  }

  /// A response (or in TCP mode the connection) is there: the server that answered is remembered.
  func storeStickiness() {
    guard let backend, !backend.rules.stick.isEmpty, let server else { return }
    if backend.rules.stick.hasResponseRules { backend.rules.stickResponse(context, &storage.stores) }
    guard !storage.stores.isEmpty else { return }
    if server.settings.nonStick { return storage.stores.removeAll() }
    storage.stores.write(
      server: server.facts.name, address: Bytes(server.snapshot().address.stickText), id: server.id,
      at: context.now)
  }

  /// TCP mode: `store-response` looks at the first octets that the server sends.
  func storeTunnelStickiness(_ end: ServerEndpoint) {
    guard !isHTTP, !storage.hasStoredSticks, let backend, !backend.rules.stick.isEmpty else { return }
    if backend.rules.stick.hasResponseRules {
      guard case .data(let octets) = end.source.nextPiece() else { return }
      context.responsePayload = Bytes(Array(octets))
      context.responsePayloadIsFinal = true
    }
    storage.hasStoredSticks = true
    storeStickiness()
  }

  // MARK: Counting

  /// Counts what the stream has moved since it was last asked.
  func countOctets() {
    guard context.isTracking else { return }
    let (received, sent) = (client.octetsIn, client.octetsOut)
    context.count(
      .octets(received: received - storage.countedOctets.received, sent: sent - storage.countedOctets.sent))
    storage.countedOctets = (received, sent)
  }

  /// Counts a status as a client's error, a server's failure, or neither.
  func countStatus(_ status: Int) {
    guard context.isTracking else { return }
    if context.statusClasses.errors.contains(status) { context.count(.error) }
    if context.statusClasses.failures.contains(status) { context.count(.failure) }
  }
}

extension Backend {
  /// The server that a stick table's entry names: by its key, else by its number.
  func server(for target: StickTarget) -> Server? {
    if let key = target.key {
      if !target.isAddress, let server = serversByName[key.string] { return server }
      if target.isAddress,
        let server = servers.first(where: { Bytes($0.snapshot().address.stickText) == key })
      {
        return server
      }
    }
    return target.id > 0 ? servers.first { $0.id == target.id } : nil
  }
}

extension SocketAddress {
  /// What `srvkey addr` stores.
  var stickText: String {
    switch self {
    case .ip(let address, let port): "\(address):\(port)"
    case .unix(let path): path
    case .none: ""
    }
  }
}
