import Base
import Config
import Glibc
import NetIO

/// The stats sockets, served by the first worker's loop.
final class AdminServer: AdminHost, @unchecked Sendable {
  unowned let gateway: Gateway
  private var listeners: [AdminListener] = []
  private var connections: [ObjectIdentifier: AdminConnection] = [:]

  init(_ gateway: Gateway) { self.gateway = gateway }

  private var global: GlobalSettings { gateway.runtime.global }

  /// Opens the sockets of all `stats socket` lines; what could not be opened, as messages.
  func listen() -> [String] {
    var problems: [String] = []
    for bind in global.statsSockets {
      for (address, inherited) in RuntimeBuilder.addresses(of: bind) {
        do throws(ListeningSocket.Failure) {
          listeners.append(try AdminListener(bind, address, inherited, self))
        } catch let failure {
          problems.append("Starting proxy GLOBAL: \(failure.text) [\(address)]")
        }
      }
    }
    return problems
  }

  /// Starts to accept, on the loop's own thread.
  func start(on loop: EventLoop) {
    for listener in listeners { listener.start(on: loop) }
  }

  /// Stops accepting, on the loop's own thread; those who are connected may go on.
  func stop() {
    for listener in listeners { listener.stop() }
  }

  /// Sockets that only one process can open.
  var abstractSockets: [(name: SocketAddress, descriptor: Int32)] { listeners.compactMap(\.abstractSocket) }

  /// The lines of `show cli sockets`.
  var socketLines: [String] { listeners.map(\.line) }

  func commands(of line: [Bytes]) -> [Bytes] { line }

  func run(_ command: Bytes, payload: Bytes?, _ session: CommandSession) -> CommandAnswer {
    Commands.run(command, payload: payload, session, gateway, now: Now.read())
  }

  func prompt(_ session: CommandSession) -> String { session.showsTime ? "[\(uptimeText)]> " : "> " }

  private var uptimeText: String {
    let seconds = Swift.max(0, Int((Now.read().instant - gateway.runtime.started.instant).seconds))
    func two(_ n: Int) -> String { n < 10 ? "0\(n)" : "\(n)" }
    return "\(seconds / 86400):\(two(seconds / 3600 % 24)):\(two(seconds / 60 % 60)):\(two(seconds % 60))"
  }

  // MARK: Connections

  /// `stats maxconn`
  var hasRoom: Bool { connections.count < global.statsMaxConnections }

  func admit(_ descriptor: Int32, _ bind: BindSettings, on loop: EventLoop) {
    let session = CommandSession(
      level: AdminLevel(bind.level), timeout: global.statsTimeout,
      severityOutput: CommandSession.SeverityOutput(rawValue: bind.severityOutput) ?? .none)
    admit(descriptor, session, on: loop)
  }

  func admit(_ descriptor: Int32, _ session: CommandSession, on loop: EventLoop) {
    let connection = AdminConnection(descriptor, self, session, on: loop)
    connections[ObjectIdentifier(connection)] = connection
    if !connection.start() {
      connections[ObjectIdentifier(connection)] = nil
      close(descriptor)
    }
  }

  func connectionClosed(_ connection: AdminConnection) {
    connections[ObjectIdentifier(connection)] = nil
    for listener in listeners { listener.slotFreed() }
  }
}

/// One address of a `stats socket` line.
final class AdminListener: EventHandler {
  private let bind: BindSettings
  private let address: SocketAddress
  private let descriptor: Int32
  private unowned let host: any AdminHost
  private var loop: EventLoop?
  private var token: EventLoop.Token?

  init(_ bind: BindSettings, _ address: SocketAddress, _ inherited: Int32?, _ host: any AdminHost)
    throws(ListeningSocket.Failure)
  {
    self.bind = bind
    self.address = address
    self.host = host
    if let inherited {
      guard Socket.adopt(inherited) else {
        throw ListeningSocket.Failure(call: "use inherited descriptor", code: errno)
      }
      descriptor = inherited
      return
    }
    var options = ListeningSocket.Options()
    options.reusePort = false
    options.backlog = 128
    options.mode = bind.mode
    options.uid = bind.uid
    options.gid = bind.gid
    options.interface = bind.interface
    if let taken = InheritedSockets.take(address) {
      descriptor = taken
      return
    }
    descriptor = try ListeningSocket.open(address, options)
  }

  var abstractSocket: (name: SocketAddress, descriptor: Int32)? {
    address.abstractName == nil || loop == nil ? nil : (address, descriptor)
  }

  var line: String {
    let place =
      switch address {
      case .unix(let path):
        address.abstractName == nil ? "unix@\(path)" : "\(address)"
      case .ip(.v4, _): "ipv4@\(address)"
      case .ip(.v6, _): "ipv6@\(address)"
      case .none: "unknown"
      }
    return "\(place) \(AdminLevel(bind.level).name) all\n"
  }

  func start(on loop: EventLoop) {
    self.loop = loop
    slotFreed()
  }

  func slotFreed() {
    guard let loop, token == nil, host.hasRoom else { return }
    token = loop.registerListener(descriptor, self)
  }

  private func pause() {
    if let token { loop?.deregister(token, descriptor, closing: false) }
    token = nil
  }

  func stop() {
    guard loop != nil else { return }
    pause()
    loop = nil
    close(descriptor)
  }

  func descriptorReady(_ readiness: Readiness) {
    guard let loop else { return }
    while host.hasRoom {
      let (result, accepted, _) = Socket.accept(descriptor)
      guard case .bytes = result else { return }
      host.admit(accepted, bind, on: loop)
    }
    pause()
  }
}
