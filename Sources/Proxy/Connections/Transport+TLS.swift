import Base
import Glibc
import NetIO
import TLS

/// Records in and out of a TLS session, which knows nothing of sockets.
extension Transport {
  // MARK: Input

  /// Opens records from the socket until the input buffer is full or nothing is left.
  func receiveSealed() -> Received {
    guard let tls else { return .failed }
    if sawEnd { return .end }
    let scratch = worker.scratch
    let buffer = inputBuffer()
    buffer.compact()
    var opened = 0
    var socketEnded = false
    restoreUnopened(scratch)
    var isStarved = scratch.incoming.isEmpty && !tls.mayHaveInput
    loop: while buffer.room > 0 {
      if isStarved {
        if !mayRead { break }
        switch receiveInto(scratch.incoming) {
        case .bytes: isStarved = false
        case .wouldBlock: break loop
        case .endOfStream:
          socketEnded = true
          break loop
        case .failed(let code):
          failure = code
          break loop
        }
      }
      switch tls.read(into: buffer, scratch) {
      case .bytes(let n):
        opened += n
        isStarved = scratch.incoming.isEmpty && !tls.mayHaveInput
      case .needsInput: isStarved = true
      case .closed:
        socketEnded = true
        break loop
      case .failed(let error):
        tlsFailure = error
        failure = EPROTO
        break loop
      }
    }
    keepUnopened(scratch)
    sendSealed(scratch)
    octetsIn &+= opened
    readsBulk = opened >= worker.buffers.bufferSize / 2
    if buffer.isEmpty { dropInput() }
    if socketEnded { sawEnd = true }
    if opened > 0 { return .some }
    if failure != 0 { return .failed }
    return sawEnd ? .end : .nothing
  }

  private func receiveInto(_ buffer: ByteBuffer) -> IOResult {
    buffer.compact()
    buffer.ensureRoom(17 * 1024)
    let room = buffer.writableBytes
    let result = Socket.receive(descriptor, into: room)
    switch result {
    case .bytes(let n):
      buffer.produced(n)
      if n < room.count, !hangupSeen { mayRead = false }
    case .wouldBlock: mayRead = false
    default: break
    }
    return result
  }

  private func restoreUnopened(_ scratch: TLSScratch) {
    scratch.incoming.removeAll()
    scratch.outgoing.removeAll()
    if let kept = unopened {
      scratch.incoming.appendGrowing(kept.readableBytes)
      worker.buffers.give(kept)
      unopened = nil
    }
  }

  private func keepUnopened(_ scratch: TLSScratch) {
    guard !scratch.incoming.isEmpty else { return }
    let kept = worker.buffers.take()
    kept.appendGrowing(scratch.incoming.readableBytes)
    unopened = kept
    scratch.incoming.removeAll()
  }

  // MARK: Handshake

  /// Drives the TLS handshake; `.running` until an event brings more.
  func continueHandshake() -> Handshake {
    guard handshake == .running, let tls else { return handshake }
    let scratch = worker.scratch
    scratch.now = worker.loop.now.wall.seconds
    restoreUnopened(scratch)
    while true {
      let step = tls.handshake(scratch)
      sendSealed(scratch)
      switch step {
      case .complete, .early:
        handshake = .done
        keepUnopened(scratch)
        return .done
      case .failed(let error):
        tlsFailure = error
        failure = EPROTO
        return .running
      case .needsInput: break
      }
      if failure != 0 { return .running }
      guard mayRead else { break }
      switch receiveInto(scratch.incoming) {
      case .bytes: continue
      case .wouldBlock: break
      case .endOfStream:
        sawEnd = true
        failure = ECONNRESET
        return .running
      case .failed(let code):
        failure = code
        return .running
      }
      break
    }
    keepUnopened(scratch)
    return .running
  }

  // MARK: Output

  func writeSealed(_ bytes: UnsafeRawBufferPointer) -> Int {
    guard flush() else { return failure != 0 ? bytes.count : 0 }
    var taken = 0
    while taken < bytes.count, sealed == nil, failure == 0 {
      let batch = Swift.min(bytes.count - taken, Transport.sealBatch)
      let n = seal(UnsafeRawBufferPointer(rebasing: bytes[taken..<(taken + batch)]))
      if n == 0 { break }
      taken += n
    }
    return failure != 0 ? bytes.count : taken
  }

  /// Encrypts `bytes` and sends the records; the number of clear octets taken.
  private func seal(_ bytes: UnsafeRawBufferPointer) -> Int {
    guard let tls else { return 0 }
    let scratch = worker.scratch
    scratch.outgoing.removeAll()
    scratch.incoming.removeAll()
    var taken = 0
    loop: while taken < bytes.count {
      switch tls.write(UnsafeRawBufferPointer(rebasing: bytes[taken...]), scratch) {
      case .accepted(0): break loop
      case .accepted(let n): taken += n
      case .needsInput: break loop
      case .failed(let error):
        tlsFailure = error
        failure = EPROTO
        break loop
      }
    }
    octetsOut &+= taken
    sendSealed(scratch)
    return taken
  }

  /// Sends what TLS produced; what the kernel does not take is kept as `sealed`.
  func sendSealed(_ scratch: TLSScratch) {
    let records = scratch.outgoing
    if records.isEmpty { return }
    if sealed == nil, mayWrite {
      switch Socket.send(descriptor, records.readableBytes) {
      case .bytes(let n):
        records.consume(n)
        if !records.isEmpty { mayWrite = false }
      case .wouldBlock: mayWrite = false
      case .endOfStream: break
      case .failed(let code): failure = code
      }
    }
    if !records.isEmpty {
      let kept = sealed ?? worker.buffers.take()
      kept.appendGrowing(records.readableBytes)
      sealed = kept
      records.removeAll()
    }
  }

  /// Seals and sends what is pending, batch by batch, until nothing is left or the kernel takes no more.
  func sealPending() -> Bool {
    if let empty = pending, empty.isEmpty { dropPending(0) }
    guard handshake == .done else { return !hasOutput }
    while let clear = pending, sealed == nil, failure == 0 {
      let n = seal(clear.readableBytes)
      if n == 0 { break }
      dropPending(n)
    }
    return !hasOutput
  }
}
