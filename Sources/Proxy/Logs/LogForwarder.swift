import Base
import Config
import Glibc
import NetIO
import Synchronization
import TLS

/// A `log-forward` section as the start made it ready: certificates read, nothing opened.
struct LogForwardPlan: Sendable {
  struct Listener: Sendable {
    let address: SocketAddress
    let inherited: Int32?
    let bind: BindSettings
    /// nil for a clear one, and for datagrams.
    let context: ListenerTLS?
    let isDatagram: Bool
  }

  let settings: LogForwardSettings
  let listeners: [Listener]
  let targets: LogTargets
}

/// A running `log-forward` section: takes messages in over TCP, TLS and UDP and passes them on; on one worker's loop.
final class LogForwarder {
  let plan: LogForwardPlan
  private let listeners: [Listener]
  fileprivate let worker: Worker
  private var connections: [ObjectIdentifier: LogConnection] = [:]
  private(set) var isAccepting = true

  /// The longest message that is taken.
  var bound: Int { worker.runtime.global.bufferSize }

  init(_ plan: LogForwardPlan, worker: Worker, sockets: [Int32]) {
    self.plan = plan
    self.worker = worker
    listeners = zip(plan.listeners, sockets).map { Listener($0, descriptor: $1) }
  }

  var settings: LogForwardSettings { plan.settings }

  func start() {
    for listener in listeners { listener.start(self) }
  }

  func stop() {
    for listener in listeners { listener.stop(worker.loop) }
    for connection in connections.values { connection.close() }
  }

  fileprivate func process(_ octets: Bytes, from source: SocketAddress) {
    worker.runtime.receivedLogs.add(1, ordering: .relaxed)
    if settings.keepsMessages {
      let message = SyslogMessage(unparsed: octets)
      return plan.targets.forward(message, message.fields, at: worker.loop.now.wall)
    }
    let message = SyslogMessage(octets)
    var fields = message.fields
    if let ip = source.ip, settings.hostStrategy != .keep {
      let sender = Bytes(ip.description)
      switch settings.hostStrategy {
      case .replace: fields.hostName = sender
      case .fill where fields.hostName.isEmpty: fields.hostName = sender
      case .append:
        fields.hostName =
          fields.hostName.isEmpty ? sender : Bytes(fields.hostName.array + [0x2C] + sender.array)
      case .fill, .keep: break
      }
    }
    plan.targets.forward(message, fields, at: worker.loop.now.wall)
  }

  fileprivate func admit(_ descriptor: Int32, _ source: SocketAddress, _ context: ListenerTLS?) {
    guard connections.count < settings.maxConnections else {
      Glibc.close(descriptor)
      return
    }
    var tls: TLSSession?
    if let context {
      guard let session = context.session() else {
        Glibc.close(descriptor)
        return
      }
      tls = session
    }
    let connection = LogConnection(self, descriptor, source, tls)
    connections[ObjectIdentifier(connection)] = connection
    connection.start()
  }

  fileprivate func closed(_ connection: LogConnection) {
    connections[ObjectIdentifier(connection)] = nil
  }

  /// One address of the section.
  final class Listener: EventHandler {
    private let plan: LogForwardPlan.Listener
    private let descriptor: Int32
    private unowned var forwarder: LogForwarder?
    private var token: EventLoop.Token?
    /// Messages or connections taken before other events get their turn.
    private static let batch = 64

    init(_ plan: LogForwardPlan.Listener, descriptor: Int32) {
      self.plan = plan
      self.descriptor = descriptor
    }

    func start(_ forwarder: LogForwarder) {
      self.forwarder = forwarder
      token = forwarder.worker.loop.registerListener(descriptor, self)
    }

    func stop(_ loop: EventLoop) {
      guard let token else { return }
      loop.deregister(token, descriptor, closing: false)
      self.token = nil
      Glibc.close(descriptor)
    }

    func descriptorReady(_ readiness: Readiness) {
      if plan.isDatagram { receive() } else { accept() }
    }

    private func receive() {
      guard let forwarder else { return }
      var room = [UInt8](repeating: 0, count: forwarder.bound)
      for _ in 0..<Listener.batch {
        let (result, source) = room.withUnsafeMutableBytes { Socket.receiveDatagram(descriptor, into: $0) }
        guard case .bytes(let n) = result else { return }
        if n > 0 { forwarder.process(Bytes(Array(room[..<n])), from: source) }
      }
    }

    private func accept() {
      for _ in 0..<Listener.batch {
        let (result, accepted, source) = Socket.accept(descriptor)
        guard case .bytes = result else { return }
        forwarder?.admit(accepted, source, plan.context)
      }
    }
  }
}

/// One client of a `log-forward` section over TCP.
private final class LogConnection: TransportOwner, TimerOwner {
  private unowned let forwarder: LogForwarder
  private let transport: Transport
  private let source: SocketAddress
  private let tls: TLSSession?
  private var isHandshaking: Bool
  private var framing: SyslogFraming
  private let timer = Timer()
  private var isClosed = false

  init(_ forwarder: LogForwarder, _ descriptor: Int32, _ source: SocketAddress, _ tls: TLSSession?) {
    self.forwarder = forwarder
    self.source = source
    self.tls = tls
    isHandshaking = tls != nil
    transport = Transport(descriptor: descriptor, worker: forwarder.worker)
    framing = SyslogFraming(assumesLines: forwarder.settings.assumesLines, bound: forwarder.bound)
  }

  func start() {
    transport.owner = self
    guard transport.register() else { return close() }
    if let tls { transport.startTLS(tls) }
    touch()
    transportReady(transport)
  }

  private func touch() {
    guard let limit = forwarder.settings.clientTimeout else { return }
    let loop = forwarder.worker.loop
    loop.timers.set(timer, to: loop.now.instant + limit, owner: self)
  }

  func timerFired(_ timer: Timer) { close() }

  func transportReady(_ transport: Transport) {
    if isHandshaking {
      guard transport.continueHandshake() == .done else {
        if transport.hasFailed { close() }
        return
      }
      isHandshaking = false
    }
    while !isClosed {
      if transport.hasInput {
        touch()
        framing.feed(transport.waiting)
        transport.consume(transport.waiting.count)
        takeMessages()
        continue
      }
      switch transport.receive() {
      case .some: continue
      case .nothing: return
      case .end, .failed: return close()
      }
    }
  }

  private func takeMessages() {
    while true {
      switch framing.next() {
      case .message(let octets): if !octets.isEmpty { forwarder.process(octets, from: source) }
      case .needMore: return
      case .broken: return close()
      }
    }
  }

  func close() {
    guard !isClosed else { return }
    isClosed = true
    forwarder.worker.loop.timers.cancel(timer)
    transport.close()
    forwarder.closed(self)
  }
}
