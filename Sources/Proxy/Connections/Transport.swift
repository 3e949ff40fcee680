import Base
import Glibc
import NetIO
import TLS

/// Who is told that a transport can make progress.
protocol TransportOwner: AnyObject {
  /// Octets may have arrived, room may have come, or the connection failed: look at the transport.
  func transportReady(_ transport: Transport)
}

/// One TCP or Unix connection, clear or TLS, as two streams of clear octets.
///
/// Input is pulled (`receive`) and output pushed (`write`, `flush`); what the kernel does not take stays
/// in `pending` (clear) or `sealed` (records), and `isBlocked` then asks the producer to pause. Buffers are
/// borrowed from the worker's pool only while octets wait in them.
final class Transport: EventHandler {
  enum Handshake { case none, running, done }
  /// What one call to `receive` came to.
  enum Received { case some, nothing, end, failed }

  let descriptor: Int32
  let worker: Worker
  private var token: EventLoop.Token?
  /// Told about events; cleared by `close()`, which breaks the cycle.
  var owner: (any TransportOwner)?
  private(set) var tls: TLSSession?
  var handshake = Handshake.none
  /// Why the transport failed: an errno, 0 for none.
  var failure: Int32 = 0
  var tlsFailure: TLSError?
  var sawEnd = false
  private(set) var isClosed = false
  private var saidEnd = false
  var mayRead: Bool
  var mayWrite: Bool
  /// A hang-up was announced, so a short read does not mean that nothing more comes.
  var hangupSeen = false

  var input: ByteBuffer?
  var pending: ByteBuffer?
  var sealed: ByteBuffer?
  var unopened: ByteBuffer?
  /// What passes through without being looked at; sent before `pending`.
  var pipe: SplicePipe?
  /// The peer sends faster than the usual buffer is emptied.
  var readsBulk = false

  /// Clear octets received and sent, for counters and logs.
  var octetsIn: Int = 0
  var octetsOut: Int = 0

  /// Above this many octets a write goes straight to the kernel, beside what is pending.
  static let directWriteSize = 8 * 1024
  /// Sealed octets gathered before they are sent.
  static let sealBatch = 128 * 1024

  /// Says what is known of `descriptor` so far: whatever is not yet so, an event will tell.
  init(descriptor: Int32, worker: Worker, isReadable: Bool = true, isConnected: Bool = true) {
    self.descriptor = descriptor
    self.worker = worker
    mayRead = isReadable
    mayWrite = isConnected
  }

  /// Whether a connect that was under way has come to an end.
  var isSettled: Bool { mayWrite || failure != 0 }

  /// Octets written but not yet handed to the kernel.
  var gathered: Int { (pending?.count ?? 0) + (pipe.map { $0.count + $0.prefix.count } ?? 0) }

  /// Starts to watch the descriptor; false when the kernel refuses.
  func register() -> Bool {
    token = worker.loop.register(descriptor, self)
    return token != nil
  }

  /// What has been read and not consumed, behind a PROXY header, belongs to the handshake.
  func startTLS(_ session: TLSSession) {
    if let rest = input.take() { unopened = rest }
    tls = session
    handshake = .running
  }

  /// Lets go of the socket for another worker; nil when octets wait on it, or it is broken.
  func detach() -> (descriptor: Int32, tls: TLSSession?)? {
    guard !isClosed, !hasFailed, !sawEnd, !hangupSeen, !hasInput, !hasOutput, unopened == nil, let token else {
      return nil
    }
    worker.loop.deregister(token, descriptor, closing: false)
    self.token = nil
    owner = nil
    isClosed = true
    return (descriptor, tls)
  }

  /// Goes on with a TLS session whose handshake is over.
  func resume(_ session: TLSSession) {
    tls = session
    handshake = .done
  }

  func descriptorReady(_ readiness: Readiness) {
    if !readiness.isDisjoint(with: [.readable, .readHangup, .hangup, .error]) { mayRead = true }
    if !readiness.isDisjoint(with: [.writable, .hangup, .error]) { mayWrite = true }
    if !readiness.isDisjoint(with: [.readHangup, .hangup, .error]) { hangupSeen = true }
    if readiness.contains(.error), failure == 0 { failure = Socket.pendingError(descriptor) }
    if readiness.contains(.writable), hasOutput { _ = flush() }
    if let tls, tls.isPending { finishHandshake() }
    owner?.transportReady(self)
  }

  /// Whether the peer has hung up, as far as the kernel has told without being read.
  var peerHungUp: Bool { hangupSeen }
  var hasFailed: Bool { failure != 0 || tlsFailure != nil }
  var hasInput: Bool { input.map { !$0.isEmpty } ?? false }
  var hasOutput: Bool { pending != nil || sealed != nil || pipe != nil }
  /// Output waits for the kernel; the producer should pause.
  var isBlocked: Bool { !mayWrite && hasOutput }

  /// Reads on, so that a session that carries early data becomes complete.
  func finishHandshake() {
    guard handshake == .done else { return }
    // A client sends first what it has to say early.
    if let tls, !tls.isServer, hasOutput { return }
    _ = receive()
  }

  // MARK: Input

  func consume(_ n: Int) {
    guard let buffer = input else { return }
    buffer.consume(n)
    if buffer.isEmpty { dropInput() }
  }

  func dropInput() {
    if let buffer = input.take() { worker.buffers.give(buffer) }
  }

  /// Reads once, as much as the buffer takes. `.nothing` means that an event will tell.
  func receive() -> Received {
    if isClosed { return .failed }
    if failure != 0 { return salvageInput() ? .some : .failed }
    if tls != nil { return receiveSealed() }
    if sawEnd { return .end }
    guard mayRead else { return .nothing }
    let buffer = inputBuffer()
    buffer.compact()
    guard buffer.room > 0 else { return .nothing }
    let room = buffer.writableBytes
    switch Socket.receive(descriptor, into: room) {
    case .bytes(let n):
      buffer.produced(n)
      octetsIn &+= n
      if n < room.count {
        if !hangupSeen { mayRead = false }
        if n < worker.buffers.bufferSize { readsBulk = false }
      } else {
        readsBulk = true
      }
      return .some
    case .wouldBlock:
      mayRead = false
      if buffer.isEmpty { dropInput() }
      return .nothing
    case .endOfStream:
      sawEnd = true
      if buffer.isEmpty { dropInput() }
      return .end
    case .failed(let code):
      failure = code
      if buffer.isEmpty { dropInput() }
      return .failed
    }
  }

  /// The input buffer with room for a read of the current size.
  func inputBuffer() -> ByteBuffer {
    if let buffer = input {
      return buffer
    }
    let buffer = readsBulk ? worker.buffers.takeBulk() : worker.buffers.take()
    input = buffer
    return buffer
  }

  // MARK: Output

  /// The buffer that heads and small pieces are assembled in; send it with `flush()`.
  func assembly(bulk: Bool = false) -> ByteBuffer {
    if let buffer = pending { return buffer }
    let buffer = bulk ? worker.buffers.takeBulk() : worker.buffers.take()
    pending = buffer
    return buffer
  }

  /// Takes as many of `bytes` as fit now and says how many.
  ///
  /// Small pieces are gathered until `flush()`; large ones go to the kernel at once.
  func write(_ bytes: UnsafeRawBufferPointer) -> Int {
    if isClosed || failure != 0 { return bytes.count }
    if isBlocked { return 0 }
    if bytes.count < Transport.directWriteSize {
      let buffer = assembly()
      if buffer.count + bytes.count > worker.buffers.bufferSize { _ = flush() }
      if isBlocked { return 0 }
      assembly().appendGrowing(bytes)
      return bytes.count
    }
    return tls == nil ? writeClear(bytes) : writeSealed(bytes)
  }

  private func writeClear(_ bytes: UnsafeRawBufferPointer) -> Int {
    if pipe != nil, !flush() || failure != 0 { return failure != 0 ? bytes.count : 0 }
    guard mayWrite else { return 0 }
    let waiting = pending?.readableBytes ?? UnsafeRawBufferPointer(start: nil, count: 0)
    let result =
      waiting.isEmpty ? Socket.send(descriptor, bytes) : Socket.send(descriptor, waiting, bytes)
    switch result {
    case .bytes(let n):
      octetsOut &+= n
      if n < waiting.count + bytes.count { mayWrite = false }
      dropPending(Swift.min(n, waiting.count))
      return Swift.max(0, n - waiting.count)
    case .wouldBlock:
      mayWrite = false
      return 0
    case .endOfStream: return 0
    case .failed(let code):
      failure = code
      return bytes.count
    }
  }

  /// Sends what is pending; true when nothing is left.
  func flush() -> Bool {
    if failure != 0 || isClosed {
      dropOutput()
      return true
    }
    guard hasOutput else { return true }
    guard mayWrite else { return false }
    if let records = sealed {
      switch Socket.send(descriptor, records.readableBytes) {
      case .bytes(let n):
        records.consume(n)
        if !records.isEmpty {
          mayWrite = false
          return false
        }
        worker.buffers.give(records)
        sealed = nil
      case .wouldBlock, .endOfStream:
        mayWrite = false
        return false
      case .failed(let code):
        failure = code
        dropOutput()
        return true
      }
    }
    if tls != nil { return sealPending() }
    if pipe != nil {
      guard drainPipe() else { return false }
      if failure != 0 {
        dropOutput()
        return true
      }
    }
    guard let clear = pending else { return true }
    if clear.isEmpty {
      dropPending(0)
      return true
    }
    switch Socket.send(descriptor, clear.readableBytes) {
    case .bytes(let n):
      octetsOut &+= n
      if n < clear.count { mayWrite = false }
      dropPending(n)
      return pending == nil
    case .wouldBlock, .endOfStream:
      mayWrite = false
      return false
    case .failed(let code):
      failure = code
      dropOutput()
      return true
    }
  }

  func dropPending(_ n: Int) {
    guard let buffer = pending.take() else { return }
    buffer.consume(n)
    if buffer.isEmpty { worker.buffers.give(buffer) } else { pending = buffer }
  }

  private func dropOutput() {
    dropPipe()
    if let buffer = pending.take() { worker.buffers.give(buffer) }
    if let buffer = sealed.take() { worker.buffers.give(buffer) }
  }

  // MARK: End

  /// Says that nothing more will be sent; call when all output is flushed.
  func shutdownWrite() {
    guard !isClosed, !saidEnd, failure == 0 else { return }
    saidEnd = true
    if let tls, handshake == .done {
      worker.scratch.outgoing.removeAll()
      tls.close(worker.scratch)
      sendSealed(worker.scratch)
    }
    Socket.shutdownWrite(descriptor)
  }

  /// Ends the connection. With `reset`, the peer sees a reset in place of an orderly end.
  func close(reset: Bool = false) {
    guard !isClosed else { return }
    isClosed = true
    if let tls, handshake == .done, failure == 0, !reset, sealed == nil {
      worker.scratch.outgoing.removeAll()
      tls.close(worker.scratch)
      sendSealed(worker.scratch)
    }
    owner = nil
    dropInput()
    dropOutput()
    if let kept = unopened { worker.buffers.give(kept) }
    unopened = nil
    if reset { Socket.setLingerZero(descriptor) }
    if let token { worker.loop.deregister(token, descriptor) }
    Glibc.close(descriptor)
  }
}
