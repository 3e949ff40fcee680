import Base
import Config
import NetIO
import TLS

/// A `peers` section as the start made it ready: names resolved, certificates read, nothing opened.
struct PeersPlan: Sendable {
  struct Peer: Sendable {
    let name: String
    /// `.none` for a local peer that only listens on bind lines.
    let address: SocketAddress
    let tls: ClientTLS?
    /// The only shard of keys that it is told.
    let shard: Int?
  }

  struct Listener: Sendable {
    let address: SocketAddress
    let inherited: Int32?
    let bind: BindSettings?
    let tls: ListenerTLS?
  }

  let settings: PeersSettings
  let localName: String
  let peers: [Peer]
  let listeners: [Listener]
  let log: LogTargets
}

extension RuntimeBuilder {
  /// Makes a section ready; nil when it does not run: disabled, or without a peer of this process' name.
  mutating func plan(_ section: PeersSettings, localName: String, log: LogTargets) -> PeersPlan? {
    if section.isDisabled { return nil }
    guard let local = section.peers.first(where: { $0.name == localName }) else {
      diagnostics.warning(
        "Removing incomplete section 'peers \(section.name.text)' (no peer named '\(localName)')",
        at: section.name.location)
      return nil
    }
    var listeners: [PeersPlan.Listener] = []
    for bind in section.binds {
      let tls = contexts.server(for: bind, proxyName: section.name.text, isHTTP: false)
      for (address, inherited) in RuntimeBuilder.addresses(of: bind) {
        listeners.append(.init(address: address, inherited: inherited, bind: bind, tls: tls))
      }
    }
    if section.binds.isEmpty, let server = local.server, server.address != .none {
      if server.isTLS {
        diagnostics.error(
          "peers section '\(section.name.text)': the local peer with 'ssl' needs a 'bind' line with a certificate",
          at: local.location)
      }
      listeners.append(.init(address: server.address, inherited: nil, bind: nil, tls: nil))
    }
    // A stopping process reaches its successor where it listened itself.
    let ownAddress = listeners.first.map(\.address) ?? .none
    let peers = section.peers.map { peer in
      let isLocal = peer.name == localName
      let settings = peer.server
      return PeersPlan.Peer(
        name: peer.name, address: isLocal ? ownAddress : settings?.address ?? .none,
        tls: settings.flatMap { contexts.client(for: Boxed($0)) }, shard: settings?.shard)
    }
    return PeersPlan(
      settings: section, localName: localName, peers: peers, listeners: listeners, log: log)
  }
}
