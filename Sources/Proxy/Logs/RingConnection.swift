import Base
import Config
import Glibc
import NetIO
import TLS

/// Sends a ring's messages to a server over TCP, and connects again when the connection is lost; on one worker's loop.
///
/// From the first connection on the ring keeps what was not sent yet.
final class RingConnection: TransportOwner, TimerOwner {
  private enum State { case idle, connecting, handshaking, sending }

  private let ring: Ring
  private let target: RingTarget
  private let worker: Worker
  private var state = State.idle
  private var transport: Transport?
  private var tls: TLSSession?
  /// nil before the first connection.
  private var reader: Int?
  private let timer = Timer()
  private var isStopped = false

  /// From one attempt to connect to the next.
  private static let pause = Timespan.seconds(1)
  /// Octets gathered before the socket is asked to take them.
  private static let batch = 64 * 1024

  init(_ ring: Ring, _ target: RingTarget, on worker: Worker) {
    self.ring = ring
    self.target = target
    self.worker = worker
  }

  private var now: Instant { worker.loop.now.instant }

  func start() {
    guard state == .idle, !isStopped else { return }
    let address = target.currentAddress
    guard address != .none, let fd = Socket.stream(for: address) else { return retry() }
    guard Socket.connect(fd, to: address) == nil else {
      Glibc.close(fd)
      return retry()
    }
    tls = nil
    if let context = target.tls {
      guard let session = context.session(serverName: nil) else {
        Glibc.close(fd)
        return retry()
      }
      tls = session
    }
    let transport = Transport(descriptor: fd, worker: worker)
    self.transport = transport
    transport.owner = self
    state = .connecting
    guard transport.register() else { return lose() }
    worker.loop.timers.set(timer, to: now + target.connectTimeout, owner: self)
  }

  private func retry() {
    state = .idle
    guard !isStopped else { return }
    worker.loop.timers.set(timer, to: now + RingConnection.pause, owner: self)
  }

  func timerFired(_ timer: Timer) {
    switch state {
    case .idle: start()
    case .connecting, .handshaking: lose()
    // Messages waited too long for the server.
    case .sending: if transport?.hasOutput ?? false { lose() }
    }
  }

  func transportReady(_ transport: Transport) {
    if state == .connecting {
      let code = transport.failure != 0 ? transport.failure : Socket.pendingError(transport.descriptor)
      if code != 0 { return lose() }
      Socket.setNoDelay(transport.descriptor)
      state = .handshaking
      if let tls { transport.startTLS(tls) }
    }
    if state == .handshaking {
      if tls != nil, transport.continueHandshake() != .done {
        if transport.hasFailed { lose() }
        return
      }
      state = .sending
      worker.loop.timers.cancel(timer)
      if reader == nil { reader = ring.attach(holds: true) }
    }
    guard state == .sending else { return }
    dropInput(transport)
    if state == .sending { send() }
  }

  /// A log server has nothing to say; that it closed is seen when reading.
  private func dropInput(_ transport: Transport) {
    while true {
      switch transport.receive() {
      case .some: transport.consume(transport.waiting.count)
      case .nothing: return
      case .end, .failed: return lose()
      }
    }
  }

  private func send() {
    guard let transport, let reader, state == .sending else { return }
    while !transport.isBlocked {
      let output = transport.assembly()
      while output.count < RingConnection.batch, let message = ring.peek(reader) {
        append(message, to: output)
        ring.advance(reader)
      }
      let isEmpty = output.isEmpty
      _ = transport.flush()
      if transport.hasFailed { return lose() }
      if isEmpty { break }
    }
    if transport.hasOutput {
      if !timer.isArmed { worker.loop.timers.set(timer, to: now + target.serverTimeout, owner: self) }
      return
    }
    worker.loop.timers.cancel(timer)
    let box = Confined(self)
    let loop = worker.loop
    if !ring.wait(reader, { loop.enqueue { box.value.send() } }) { loop.enqueue { box.value.send() } }
  }

  private func append(_ message: [UInt8], to output: ByteBuffer) {
    var framed: [UInt8] = []
    framed.reserveCapacity(message.count + 8)
    if target.countsOctets {
      framed.append(decimal: message.count)
      framed.append(ASCII.space)
      framed.append(contentsOf: message)
    } else {
      framed.append(contentsOf: message)
      framed.append(ASCII.lf)
    }
    framed.withUnsafeBytes { output.appendGrowing($0) }
  }

  private func lose() {
    transport?.close()
    transport = nil
    retry()
  }

  /// What is left to send is sent while the process drains; at its end the connection closes.
  func stop() {
    isStopped = true
    if state != .sending {
      worker.loop.timers.cancel(timer)
      transport?.close()
      transport = nil
      state = .idle
    }
  }
}
