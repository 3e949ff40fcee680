import Base
import Config
import HTTP
import NetIO
import Rules

/// The beginning of a response's body that `http-response wait-for-body` waits for.
final class HeldResponse {
  /// Where the rules go on.
  var place: (isFrontend: Bool, rule: Int)
  var wanted = 0
  var buffer: ByteBuffer?
  /// `pause`: nothing is gathered until the time is over.
  var isPaused = false
  /// The body has ended, or its end is known to be broken.
  var isComplete = false

  init(_ place: (isFrontend: Bool, rule: Int)) { self.place = place }
}

extension Stream {
  func noteHeld(_ place: (isFrontend: Bool, rule: Int)) {
    if let held = storage.heldResponse {
      held.place = place
    } else {
      serverEnd?.beginBody(responseInfo.framing)
      storage.heldResponse = HeldResponse(place)
    }
  }

  /// The rules have asked to wait; they go on in `gatherResponse`.
  func holdResponse(_ timeout: Timespan, _ atLeast: Int) -> Step {
    guard let serverEnd, let held = storage.heldResponse else { return refuse(502) }
    held.wanted = atLeast
    responseState = .holding
    phaseDeadline = now + timeout
    setExchangeDeadlines(clientWaits: false, serverWaits: true)
    return gatherResponse(of: serverEnd)
  }

  /// `pause`: the rules go on when the time is over.
  func pauseResponse(_ time: Timespan) -> Step {
    guard let held = storage.heldResponse else { return refuse(502) }
    held.isPaused = true
    responseState = .holding
    phaseDeadline = now + time
    setExchangeDeadlines(clientWaits: false, serverWaits: false)
    return .wait
  }

  /// Takes what has come of the body; when it is enough, or the buffer is full, the rules go on.
  func gatherResponse(of server: ServerEndpoint) -> Step {
    guard let held = storage.heldResponse else { return .proceed }
    if held.isPaused {
      if phaseDeadline != .distantFuture { return .wait }
      held.isPaused = false
      responseState = .awaitingHead
      return judgeResponse()
    }
    let limit = worker.runtime.global.bufferSize
    let buffer = held.buffer ?? worker.buffers.take()
    held.buffer = buffer
    var isOver = responseInfo.framing == .none || responseInfo.framing == .tunnel || requestInfo.isHead
    while !isOver, !held.isComplete {
      let wanted = held.wanted > 0 ? Swift.min(held.wanted, limit) : limit
      if buffer.count >= wanted { break }
      switch server.source.nextPiece() {
      case .data(let octets):
        let part = UnsafeRawBufferPointer(rebasing: octets.prefix(limit - buffer.count))
        buffer.appendGrowing(part)
        server.source.consume(part.count)
      case .wait: return .wait
      case .end:
        held.isComplete = true
      case .fault, .truncated: isOver = true
      }
    }
    context.responseBody = Bytes(copying: buffer.readable)
    // Nothing more can be waited for.
    context.responseBodyIsComplete = held.isComplete || isOver || buffer.count >= limit
    phaseDeadline = .distantFuture
    responseState = .awaitingHead
    return judgeResponse()
  }

  /// Sends what was held back, before the rest of the body.
  func sendHeld() -> Step {
    guard let held = storage.heldResponse, let buffer = held.buffer else { return .proceed }
    while !buffer.isEmpty {
      let n = storage.dropsBody ? buffer.count : clientSink.writeBody(buffer.readableBytes)
      if n == 0 { return .wait }
      buffer.consume(n)
    }
    worker.buffers.give(buffer)
    held.buffer = nil
    return .proceed
  }

  /// The server took too long for its body.
  func heldResponseExpired() {
    // The pause is over, which `gatherResponse` sees by the deadline.
    if storage.heldResponse?.isPaused ?? false { return }
    termination = Termination(cause: .serverTimeout, state: .headers)
    backend?.counters.add(.responseErrors, worker: worker.index)
    server?.counters.add(.responseErrors, worker: worker.index)
    responseState = .awaitingHead
    dropServer(reset: true)
    refuse(504)
  }
}
