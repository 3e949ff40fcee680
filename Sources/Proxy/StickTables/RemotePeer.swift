import Base
import Config
import NetIO
import TLS

/// A peer of a section, with what is remembered from session to session.
final class RemotePeer {
  let name: String
  /// The peer is this process, or an older or newer one in its place.
  let isLocal: Bool
  let address: SocketAddress
  let tls: ClientTLS?
  /// `shard`: it is told the keys of this one only.
  let shard: Int?
  var session: PeerSession?
  /// By table number: the last update that the peer has confirmed.
  var acknowledged: [UInt64: UInt32] = [:]
  /// When the next attempt to connect may be made.
  var nextAttempt: Instant
  /// It could not teach all there is: others are asked first.
  var isIncomplete = false

  // For `show peers`.
  var lastStatus = 0
  private(set) var lastHandshake: Instant?
  var protocolErrors = 0
  var heartbeatsSent = 0
  var heartbeatsReceived = 0
  var lostHeartbeats = 0
  private(set) var connections = 0
  var collisions = 0
  var updatesSent = 0
  var updatesReceived = 0

  init(name: String, isLocal: Bool, address: SocketAddress, tls: ClientTLS?, shard: Int?, now: Instant) {
    self.name = name
    self.isLocal = isLocal
    self.address = address
    self.tls = tls
    self.shard = shard
    nextAttempt = now
  }

  /// HAProxy's word for how the last attempt went.
  var statusWord: String {
    switch lastStatus {
    case 200: session?.state == .established ? "ESTA" : "CONN"
    case 300: "RETR"
    case 501: "PROT"
    case 502: "VERS"
    case 503: "NAME"
    case 504: "UNKN"
    default: session == nil ? "NONE" : "CONN"
    }
  }

  func sessionEstablished(at now: Instant) {
    lastHandshake = now
    lastStatus = PeerWire.Status.success.rawValue
    connections += 1
  }
}
