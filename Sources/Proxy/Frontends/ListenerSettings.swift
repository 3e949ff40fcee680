import Base
import Config
import Synchronization
import TLS

/// One address of a `bind` line, as all workers share it.
final class ListenerSettings: Sendable {
  let frontend: Frontend
  let bind: BindSettings
  let address: SocketAddress
  /// The number of an inherited descriptor (`fd@`).
  let inheritedDescriptor: Int32?
  /// HAProxy's `so_id`.
  let id: Int
  let name: String
  let nameBytes: Bytes
  let tls: ListenerTLS?
  let sessions = Gauge()
  let counters: Counters
  /// The process-wide socket when workers cannot each open their own (unix, `fd@`): set before they start.
  let sharedDescriptor = Atomic<Int32>(-1)

  init(
    frontend: Frontend, bind: BindSettings, address: SocketAddress, inheritedDescriptor: Int32?, id: Int,
    name: String, tls: ListenerTLS?, workers: Int
  ) {
    self.frontend = frontend
    self.bind = bind
    self.address = address
    self.inheritedDescriptor = inheritedDescriptor
    self.id = id
    self.name = name
    nameBytes = Bytes(name.isEmpty ? String(id) : name)
    self.tls = tls
    counters = Counters(workers: workers)
  }

  /// Which protocol a connection speaks when nothing on the wire says so.
  var forcedProtocol: String? { bind.proto == "none" ? nil : bind.proto }
}
