import Base
import Config
import HTTP
import Rules

extension Stream {
  /// `tcp-response content` in TCP mode: the server's octets are held back until the rules have decided.
  func inspectResponse(of end: ServerEndpoint) -> Step {
    let proxies =
      backend === frontend.ownBackend ? [frontend.rules] : [backend?.rules, frontend.rules].compactMap { $0 }
    let sets = proxies.filter { !$0.tcpResponseContent.isEmpty }
    while let position = storage.responseInspection {
      guard position.set < sets.count else {
        endInspection()
        return .proceed
      }
      offerResponse(of: end, delay: sets[position.set].responseInspectDelay)
      var rule = position.rule
      let verdict = sets[position.set].tcpResponseContent.evaluate(context, resumingAt: &rule)
      switch verdict {
      case .needMoreData:
        storage.responseInspection = (position.set, rule)
        return .wait
      case .next: storage.responseInspection = (position.set + 1, 0)
      case .silentDrop:
        client.vanish()
        return refuseOctets()
      default: return refuseOctets()
      }
    }
    return .proceed
  }

  private func endInspection() {
    storage.responseInspection = nil
    if let serverEnd { limitTunnel(to: serverEnd) }
    context.responsePayload = .empty
    phaseDeadline = .distantFuture
  }

  /// Shows rules what the server has sent so far.
  private func offerResponse(of end: ServerEndpoint, delay: Timespan?) {
    if phaseDeadline == .distantFuture, !context.responsePayloadIsFinal {
      if let delay { phaseDeadline = now + delay } else { context.responsePayloadIsFinal = true }
    }
    end.gatherInput()
    switch end.source.nextPiece() {
    case .data(let octets): context.responsePayload = Bytes(Array(octets))
    case .end, .fault, .truncated: context.responsePayloadIsFinal = true
    case .wait: break
    }
    if context.responsePayload.count >= worker.runtime.global.bufferSize {
      context.responsePayloadIsFinal = true
    }
  }

  private func refuseOctets() -> Step {
    frontend.counters.add(.deniedResponses, worker: worker.index)
    backend?.counters.add(.deniedResponses, worker: worker.index)
    server?.counters.add(.deniedResponses, worker: worker.index)
    termination = Termination(cause: .proxy, state: .data)
    dropServer(reset: true)
    return end(aborted: true)
  }
}
