import Base
import Config
import Glibc
import NetIO

/// Rings that send to servers and `log-forward` sections, on the first worker's loop.
final class LogService: @unchecked Sendable {
  private unowned let gateway: Gateway
  private var pending: [(plan: LogForwardPlan, sockets: [Int32])] = []
  /// Touched on the loop's thread only.
  private var forwarders: [LogForwarder] = []
  private var connections: [RingConnection] = []

  init(_ gateway: Gateway) { self.gateway = gateway }

  /// Opens the sockets; what could not be opened, as messages.
  func listen() -> [String] {
    var problems: [String] = []
    for plan in gateway.runtime.logForwards {
      var sockets: [Int32] = []
      for listener in plan.listeners {
        do throws(ListeningSocket.Failure) {
          sockets.append(try LogService.open(listener, plan.settings))
        } catch let failure {
          problems.append(
            "Starting log-forward \(plan.settings.name.text): \(failure.text) [\(listener.address)]")
        }
      }
      pending.append((plan, sockets))
    }
    return problems
  }

  private static func open(_ listener: LogForwardPlan.Listener, _ settings: LogForwardSettings)
    throws(ListeningSocket.Failure) -> Int32
  {
    if let inherited = listener.inherited {
      guard Socket.adopt(inherited) else {
        throw ListeningSocket.Failure(call: "use inherited descriptor", code: errno)
      }
      return inherited
    }
    var options = ListeningSocket.Options()
    options.backlog = Int32(clamping: listener.bind.backlog ?? settings.backlog ?? settings.maxConnections)
    options.mode = listener.bind.mode
    options.uid = listener.bind.uid
    options.gid = listener.bind.gid
    options.interface = listener.bind.interface
    options.transparent = listener.bind.transparent
    options.isDatagram = listener.isDatagram
    return try ListeningSocket.open(listener.address, options)
  }

  /// Begins, on the loop's own thread.
  func start(on worker: Worker) {
    forwarders = pending.map { LogForwarder($0.plan, worker: worker, sockets: $0.sockets) }
    pending.removeAll()
    for forwarder in forwarders { forwarder.start() }
    for ring in gateway.runtime.rings {
      for target in ring.servers { connections.append(RingConnection(ring, target, on: worker)) }
    }
    for connection in connections { connection.start() }
  }

  /// A soft stop: nothing new is taken in.
  func stop() {
    for forwarder in forwarders { forwarder.stop() }
    for connection in connections { connection.stop() }
  }
}
