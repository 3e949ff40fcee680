import Base
import CNghttp2

/// What comes from the peer, as the library tells it.
extension H2Session {
  func didBeginSection(of stream: H2Stream) {
    let section = self.section ?? workspace.take()
    section.begin(ofRequest: isServer, isTrailers: stream.state != .head)
    self.section = section
    sectionStream = stream
  }

  /// A field section has ended: a head, or trailers.
  func didReceiveSection(endsHere: Bool) {
    guard let section = section.take() else { return }
    defer { workspace.give(section) }
    guard let stream = sectionStream else { return }
    sectionStream = nil
    switch stream.state {
    case .refused, .ended: return
    case .head: break
    case .held, .body:
      if let fault = section.fault { return refuse(stream, fault) }
      // Trailers end the message (RFC 9113 section 8.1).
      return endsHere ? didReceiveEnd(stream, trailers: section.head) : refuse(stream, .badTrailer)
    }
    let result =
      isServer
      ? section.finishRequest(endsHere: endsHere)
      : section.finishResponse(answering: stream.answered, endsHere: endsHere)
    switch result {
    case .success(let info): didReceiveHead(stream, section.head, info, endsHere: endsHere)
    case .failure(let fault): refuse(stream, fault)
    }
  }

  private func didReceiveHead(_ stream: H2Stream, _ head: MessageHead, _ info: H1MessageInfo, endsHere: Bool) {
    if info.isInterim {
      stream.interims += 1
      if stream.interims > H2Stream.interimBound { return refuse(stream, .badPseudoField) }
      stream.owner?.headReceived(head, info, isWhole: false)
      return
    }
    stream.expectBody(info)
    if isServer, !endsHere, info.framing == .none, !info.isExtendedConnect {
      // An announced length of zero: the request is complete only when its end has come.
      let kept = MessageHead()
      kept.swapContents(with: head)
      stream.held = (kept, info)
      stream.state = .held
      return
    }
    deliver(stream, head, info, isWhole: endsHere)
    if isServer, endsHere, info.framing != .none || info.isExtendedConnect { stream.owner?.bodyEnd(trailers: nil) }
  }

  private func deliver(_ stream: H2Stream, _ head: MessageHead, _ info: H1MessageInfo, isWhole: Bool) {
    stream.state = isWhole ? .ended : .body
    if isServer {
      if info.framing != .none || info.isExtendedConnect {
        openConnectionWindow()
        openWindow(stream, info.framing)
      }
      noteRequest()
      stream.owner = delegate?.requestOpened(stream: stream.id, info: info)
    }
    stream.owner?.headReceived(head, info, isWhole: isWhole)
  }

  /// Retires when there were enough requests; those that may be on their way then are all that still come.
  private func noteRequest() {
    let bound = settings.maxTotalStreams
    guard bound > 0, requestCount >= bound else { return }
    retire()
    if requestCount >= bound &+ Int(settings.maxConcurrentStreams) { goAway() }
  }

  private func noteGlitch() {
    glitches += 1
    let bound = settings.glitchesThreshold
    guard bound > 0 else { return }
    if glitches >= bound { terminate(H2Error.enhanceYourCalm) } else if glitches >= (bound * 3 + 1) / 4 { retire() }
  }

  private func refuse(_ stream: H2Stream, _ reason: HTTPFault.Reason) {
    refuse(stream, HTTPFault(isServer ? 400 : 502, reason, at: 0))
  }

  private func refuse(_ stream: H2Stream, _ fault: HTTPFault) {
    let isAnswered = isServer && stream.owner == nil && fault.isRequest
    stream.state = .refused
    stream.held = nil
    if isAnswered {
      let head = MessageHead()
      head.status = fault.status
      submitResponse(stream: stream.id, head: head, hasBody: false)
    } else {
      noteGlitch()
      reset(stream: stream.id, code: H2Error.protocolError)
    }
    if isServer {
      delegate?.requestRefused(stream: stream.id, fault: fault, isAnswered: isAnswered)
    } else {
      stream.owner?.responseRefused(fault)
    }
  }

  func didReceiveData(_ stream: H2Stream, _ octets: UnsafeRawBufferPointer) {
    guard let session else { return }
    if !isServer {
      // Each stream's window bounds what is held for it; the connection's is opened at once, so that a stream whose
      // client is slow does not hold up the others.
      openConnectionWindow()
      _ = nghttp2_session_consume_connection(session, octets.count)
    }
    switch stream.state {
    case .body:
      if stream.bodyArrived(octets.count) {
        abuse.progressed()
        if isServer { stream.unconsumed += octets.count }
        stream.owner?.bodyData(octets)
        return
      }
      refuse(stream, .lengthMismatch)
    case .held: refuse(stream, .lengthMismatch)
    case .head: refuse(stream, .bodyNotAllowed)
    case .ended, .refused: break
    }
    if isServer { _ = nghttp2_session_consume(session, stream.id, octets.count) }
  }

  /// Octets for a stream that is gone already.
  func didReceiveStrayData(_ n: Int) { if let session { _ = nghttp2_session_consume_connection(session, n) } }

  func didReceiveEnd(_ stream: H2Stream, trailers: MessageHead? = nil) {
    switch stream.state {
    case .ended, .refused: return
    case .head: return refuse(stream, .badPseudoField)
    case .held:
      if let (head, info) = stream.held.take() { deliver(stream, head, info, isWhole: true) }
    case .body:
      guard stream.bodyIsWhole else { return refuse(stream, .lengthMismatch) }
      stream.state = .ended
      stream.owner?.bodyEnd(trailers: trailers.flatMap(H2Session.kept))
    }
  }

  private static func kept(_ trailers: MessageHead) -> MessageHead? {
    TrailerRules.removeForbidden(trailers)
    guard trailers.count > 0 else { return nil }
    let kept = MessageHead()
    kept.swapContents(with: trailers)
    return kept
  }

  func didClose(_ stream: H2Stream, error: UInt32) {
    forget(stream)
    if stream.unconsumed > 0, let session {
      _ = nghttp2_session_consume_connection(session, stream.unconsumed)
      stream.unconsumed = 0
    }
    // What a peer has done to the end forgives what it cost before.
    if isServer ? error == 0 && stream.isAnswered : stream.state == .ended { abuse.requestCompleted() }
    stream.owner.take()?.streamClosed(error: error)
    if isServer, isRetiring, activeStreams == 0 { goAway() }
  }

  /// The answer to a PING; one that was not asked for is as idle as a PING.
  func didReceivePong() { awaitsPong = false }

  func didReceiveSettings() { knowsPeer = true }
  func didReceiveGoAway() { peerIsLeaving = true }

  /// Octets of a body went out.
  func didSendData() { abuse.progressed() }

  /// Notes a frame that costs work and brings nothing; ends the session when there are too many.
  func didReceiveIdleFrame(cost: Int = 1) {
    if abuse.idleFrame(cost: cost) { terminate(H2Error.enhanceYourCalm) }
  }

  /// The library refused a frame; `stream` is that of a field section.
  func didReceiveInvalid(_ stream: H2Stream?) {
    noteGlitch()
    didReceiveIdleFrame(cost: 10)
    guard isServer, let stream, stream.owner == nil else { return }
    let fault = stream === sectionStream ? section?.fault : nil
    delegate?.requestRefused(
      stream: stream.id, fault: fault ?? HTTPFault(400, .badPseudoField, at: 0), isAnswered: false)
  }

  /// A client reset a stream, or made us reset one.
  func didReset() {
    resetsInTurn += 1
    if isServer, abuse.reset() { terminate(H2Error.enhanceYourCalm) }
  }
}
