import Base
import Config
import NetIO
import Rules

extension Stream {
  /// Arms the timer for whichever deadline comes first; moving it later costs nothing.
  func setTimer() {
    let first = Swift.min(phaseDeadline, Swift.min(clientDeadline, serverDeadline))
    let timer = storage.timer
    if first == .distantFuture, !timer.isArmed { return }
    worker.loop.timers.set(timer, to: first, owner: storage)
  }

  func deadlinesReached() {
    if phase == .finished { return }
    context.now = worker.loop.now
    if phaseDeadline <= now {
      phaseDeadline = .distantFuture
      phaseExpired()
    } else if serverDeadline <= now {
      serverDeadline = .distantFuture
      serverExpired()
    } else if clientDeadline <= now {
      clientDeadline = .distantFuture
      clientExpired()
    }
    if phase != .finished {
      advance()
      setTimer()
    }
  }

  private func phaseExpired() {
    switch phase {
    case .inspectContent:
      context.payloadIsFinal = true
    case .exchange where responseState == .holding:
      heldResponseExpired()
    case .exchange:
      context.responsePayloadIsFinal = true
    case .waitForBody:
      bodyWaitExpired()
    case .pause:
      _ = enter(storage.phaseAfterName)
    case .waitInQueue:
      termination = Termination(cause: .serverTimeout, state: .queue)
      leaveQueue()
      backend?.counters.add(.connectErrors, worker: worker.index)
      refuse(503)
    case .connect:
      connectFailed(.timeout)
    case .waitBeforeRetry:
      _ = enter(.connect)
    case .tarpit:
      tarpitOver()
    default: break
    }
  }

  private func serverExpired() {
    guard phase == .exchange else { return }
    if responseState == .awaitingHead {
      termination = Termination(cause: .serverTimeout, state: requestIsComplete ? .headers : .data)
      server?.counters.add(.responseErrors, worker: worker.index)
      backend?.counters.add(.responseErrors, worker: worker.index)
      context.count(.failure)
      reportToServer(.timeout)
      dropServer(reset: true)
      refuse(504)
    } else {
      termination = Termination(cause: .serverTimeout, state: isTunnel ? .data : .data)
      dropServer(reset: true)
      end(aborted: true)
    }
  }

  private func clientExpired() {
    guard phase == .exchange || phase == .reply || phase == .waitForBody else { return }
    frontend.counters.add(.clientAborts, worker: worker.index)
    if phase == .exchange, isHTTP, responseState == .awaitingHead, !requestIsComplete {
      termination = Termination(cause: .clientTimeout, state: .data)
      dropServer(reset: true)
      refuse(408)
      return
    }
    termination = Termination(cause: .clientTimeout, state: .data)
    dropServer(reset: true)
    end(aborted: true)
  }

  /// Both sides' deadlines while octets are exchanged: each runs only while that side is waited for.
  func setExchangeDeadlines(clientWaits: Bool, serverWaits: Bool) {
    let settings = frontend.settings.timeouts
    let other = backend?.settings.timeouts
    let tunnel = isTunnel ? context.timeoutChanges.tunnel ?? other?.tunnel ?? settings.tunnel : nil
    let clientSpan =
      tunnel ?? (clientHalfClosed ? settings.clientFin : nil) ?? context.timeoutChanges.client
      ?? settings.client
    let serverSpan =
      tunnel ?? (serverHalfClosed ? other?.serverFin : nil) ?? context.timeoutChanges.server
      ?? other?.server
    clientDeadline = deadline(clientWaits, clientSpan)
    serverDeadline = deadline(serverWaits, serverSpan)
  }

  private func deadline(_ wanted: Bool, _ span: Timespan?) -> Instant {
    guard wanted, let span, span > .zero else { return .distantFuture }
    return now + span
  }
}
