public import Base
import CNghttp2

/// The server side of an HTTP/2 connection, on nghttp2: octets in, events and octets out.
///
/// Give what the peer sent to `receive`, take what is to be sent from `pull`, and repeat `pull` after any
/// submission. Must not be released from inside a delegate call.
public final class H2Session {
  private var session: OpaquePointer?
  unowned let delegate: any H2SessionDelegate
  let settings: H2Settings
  private var abuse = H2Abuse()
  private var isTerminating = false
  /// Where body octets go while `pull` runs, and how many at most.
  private(set) var output: ByteBuffer?
  private(set) var outputLimit = 0
  /// The streams that the library points to, in a list.
  private var streams: H2Stream?
  /// Requests whose streams are open.
  public private(set) var activeStreams = 0
  /// Where a head is gathered as it arrives: its frames are contiguous (RFC 9113 section 4.3).
  private(set) var incoming = MessageHead()
  /// Requests received since the start.
  public private(set) var requestCount = 0

  public init(delegate: any H2SessionDelegate, settings: H2Settings = H2Settings()) {
    self.delegate = delegate
    self.settings = settings
    session = H2Callbacks.makeSession(for: self)
    submitSettings()
  }

  deinit {
    nghttp2_session_del(session)
    // One by one: a long list would be let go of recursively.
    while let stream = streams.take() { streams = stream.next.take() }
  }

  private func submitSettings() {
    guard let session else { return }
    var entries = [
      nghttp2_settings_entry(
        settings_id: Int32(NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS.rawValue),
        value: settings.maxConcurrentStreams),
      nghttp2_settings_entry(
        settings_id: Int32(NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE.rawValue),
        value: Swift.min(settings.initialWindow, 0x7FFF_FFFF)),
      nghttp2_settings_entry(
        settings_id: Int32(NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE.rawValue),
        value: UInt32(clamping: settings.maxHeadBytes + 32 * settings.maxFields)),
    ]
    if settings.headerTableSize != 4096 {
      entries.append(
        nghttp2_settings_entry(
          settings_id: Int32(NGHTTP2_SETTINGS_HEADER_TABLE_SIZE.rawValue), value: settings.headerTableSize))
    }
    if settings.allowsExtendedConnect {
      entries.append(
        nghttp2_settings_entry(
          settings_id: Int32(NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL.rawValue), value: 1))
    }
    _ = nghttp2_submit_settings(session, UInt8(NGHTTP2_FLAG_NONE.rawValue), entries, entries.count)
  }

  /// Widens the connection's window from the protocol's 65,535 octets to `settings.connectionWindow`: for the
  /// first request that brings a body, so that sessions without one say nothing of windows.
  public func openConnectionWindow() {
    guard let session else { return }
    _ = nghttp2_session_set_local_window_size(
      session, UInt8(NGHTTP2_FLAG_NONE.rawValue), 0,
      Int32(clamping: Swift.max(settings.connectionWindow, 65535)))
  }

  /// Lets a stream that has a body send `settings.streamWindow` octets ahead; the connection's window still
  /// bounds what all streams together make us hold.
  public func openWindow(stream: Int32) {
    guard let session, settings.streamWindow > settings.initialWindow else { return }
    _ = nghttp2_session_set_local_window_size(
      session, UInt8(NGHTTP2_FLAG_NONE.rawValue), stream, Int32(clamping: settings.streamWindow))
  }

  // MARK: Octets

  /// Takes octets from the peer, all of them.
  public func receive(_ input: borrowing Span<UInt8>) -> H2Outcome {
    guard let session else { return .failed }
    let used = input.withUnsafeBytes { bytes in
      nghttp2_session_mem_recv(session, bytes.baseAddress?.assumingMemoryBound(to: UInt8.self), bytes.count)
    }
    if used < 0 {
      // A connection error queued its GOAWAY; a bad preface or a flood has nothing to say.
      if !isTerminating {
        terminate(used == Int(NGHTTP2_ERR_FLOODED.rawValue) ? H2Error.enhanceYourCalm : H2Error.protocolError)
      }
      return .failed
    }
    return outcome
  }

  private var outcome: H2Outcome {
    guard let session else { return .failed }
    if nghttp2_session_want_read(session) == 0, nghttp2_session_want_write(session) == 0 { return .failed }
    return isTerminating ? .closing : .open
  }

  /// Appends frames to `output` until nothing is left to send or it holds `limit` octets; one frame of
  /// 16 KiB may exceed it.
  public func pull(into output: ByteBuffer, upTo limit: Int) -> H2Outcome {
    guard let session else { return .failed }
    self.output = output
    outputLimit = limit
    defer { self.output = nil }
    while output.count < limit {
      var data: UnsafePointer<UInt8>?
      let n = nghttp2_session_mem_send(session, &data)
      if n < 0 { return .failed }
      guard n > 0, let data else { break }
      output.appendGrowing(UnsafeRawBufferPointer(start: data, count: n))
    }
    return outcome
  }

  public var wantsRead: Bool { session.map { nghttp2_session_want_read($0) != 0 } ?? false }
  public var wantsWrite: Bool { session.map { nghttp2_session_want_write($0) != 0 } ?? false }

  // MARK: Responses

  /// Sends a response head. With `hasBody` the delegate is asked for the body as windows allow.
  ///
  /// Connection-specific fields are left out; `content-length` goes out as it stands in the head.
  @discardableResult
  public func submitResponse(stream: Int32, head: MessageHead, hasBody: Bool) -> Bool {
    guard let session, let state = H2Callbacks.stream(session, stream) else { return false }
    var provider = nghttp2_data_provider()
    provider.read_callback = H2Callbacks.readBody
    let result = H2Fields.withPairs(of: head, status: head.status) { pairs, count in
      if hasBody { return nghttp2_submit_response(session, stream, pairs, count, &provider) }
      return nghttp2_submit_response(session, stream, pairs, count, nil)
    }
    if !hasBody { state.responseEnded = true }
    return result == 0
  }

  /// Sends a 1xx head.
  @discardableResult
  public func submitInterim(stream: Int32, head: MessageHead) -> Bool {
    guard let session else { return false }
    return H2Fields.withPairs(of: head, status: head.status) { pairs, count in
      nghttp2_submit_headers(
        session, UInt8(NGHTTP2_FLAG_NONE.rawValue), stream, nil, pairs, count, nil)
    } >= 0
  }

  /// Asks the delegate again for the body of a stream that answered `wait`.
  public func resumeBody(stream: Int32) {
    if let session { _ = nghttp2_session_resume_data(session, stream) }
  }

  func submitTrailers(stream: Int32, _ trailers: MessageHead) {
    guard let session else { return }
    _ = H2Fields.withPairs(of: trailers, status: nil) { pairs, count in
      nghttp2_submit_trailer(session, stream, pairs, count)
    }
  }

  /// Resets a stream with an HTTP/2 error code.
  public func reset(stream: Int32, code: UInt32) {
    if let session {
      _ = nghttp2_submit_rst_stream(session, UInt8(NGHTTP2_FLAG_NONE.rawValue), stream, code)
    }
  }

  /// Opens the windows again by `n` octets of body that were passed on.
  public func consumed(stream: Int32, _ n: Int) {
    guard let session, n > 0 else { return }
    if let state = H2Callbacks.stream(session, stream) {
      state.unconsumed = Swift.max(0, state.unconsumed - n)
      _ = nghttp2_session_consume(session, stream, n)
    }
    // A closed stream gave its octets back to the connection when it closed.
  }

  /// Tells the peer to open no more streams; those in flight go on (RFC 9113 section 6.8).
  public func goAway() {
    guard let session, !isTerminating else { return }
    _ = nghttp2_submit_goaway(
      session, UInt8(NGHTTP2_FLAG_NONE.rawValue), nghttp2_session_get_last_proc_stream_id(session),
      H2Error.noError, nil, 0)
  }

  /// The first half of a graceful end: streams already on their way are still accepted.
  public func announceGoAway() {
    if let session, !isTerminating { _ = nghttp2_submit_shutdown_notice(session) }
  }

  /// Ends the session: queues a GOAWAY with `code` after which nothing is read.
  public func terminate(_ code: UInt32) {
    guard let session, !isTerminating else { return }
    isTerminating = true
    _ = nghttp2_session_terminate_session(session, code)
  }

  // MARK: Events of the library

  func didOpen(_ stream: H2Stream) {
    streams?.previous = stream
    stream.next = streams.take()
    streams = stream
    activeStreams += 1
    requestCount += 1
    incoming.reset()
  }

  private func forget(_ stream: H2Stream) {
    let next = stream.next.take()
    next?.previous = stream.previous
    if let previous = stream.previous { previous.next = next } else { streams = next }
    stream.previous = nil
    activeStreams -= 1
  }

  func didReceiveHead(_ stream: H2Stream, endsHere: Bool) {
    switch stream.finishHead(incoming, endsHere: endsHere) {
    case .success(let info):
      if !endsHere, info.framing == .none, !info.isExtendedConnect {
        // An announced length of zero: the request is complete only when its end has come.
        stream.held = (incoming, info)
        incoming = MessageHead()
        return
      }
      deliver(stream, incoming, info, isWhole: endsHere)
      if endsHere, info.framing != .none { stream.owner?.bodyEnd(trailers: nil) }
    case .failure(let fault): refuse(stream, fault)
    }
  }

  private func deliver(_ stream: H2Stream, _ head: MessageHead, _ info: H1MessageInfo, isWhole: Bool) {
    stream.isDelivered = true
    stream.requestEnded = isWhole
    stream.owner = delegate.requestOpened(stream: stream.id, info: info)
    stream.owner?.requestReceived(head)
  }

  private func refuse(_ stream: H2Stream, _ fault: HTTPFault) {
    let isAnswered = !stream.isDelivered && fault.isRequest
    if isAnswered {
      let head = MessageHead()
      head.status = fault.status
      submitResponse(stream: stream.id, head: head, hasBody: false)
    } else {
      reset(stream: stream.id, code: H2Error.protocolError)
    }
    delegate.requestRefused(stream: stream.id, fault: fault, isAnswered: isAnswered)
  }

  func didReceiveData(_ stream: H2Stream, _ octets: UnsafeRawBufferPointer) {
    guard stream.isDelivered else {
      if stream.held != nil {
        stream.held = nil
        refuse(stream, HTTPFault(400, .lengthMismatch, at: 0))
      }
      if let session { _ = nghttp2_session_consume(session, stream.id, octets.count) }
      return
    }
    if !stream.bodyArrived(octets.count) {
      if let session { _ = nghttp2_session_consume(session, stream.id, octets.count) }
      return refuse(stream, HTTPFault(400, .lengthMismatch, at: 0))
    }
    abuse.progressed()
    stream.unconsumed += octets.count
    stream.owner?.bodyData(octets)
  }

  func didReceiveEnd(_ stream: H2Stream) {
    if let (head, info) = stream.held.take() { return deliver(stream, head, info, isWhole: true) }
    guard stream.isDelivered, !stream.requestEnded else { return }
    if let fault = stream.fault { return refuse(stream, fault) }
    if !stream.bodyIsWhole { return refuse(stream, HTTPFault(400, .lengthMismatch, at: 0)) }
    stream.requestEnded = true
    if let trailers = stream.trailers { TrailerRules.removeForbidden(trailers) }
    let trailers = (stream.trailers?.count ?? 0) > 0 ? stream.trailers : nil
    stream.owner?.bodyEnd(trailers: trailers)
  }

  func didClose(_ stream: H2Stream, error: UInt32) {
    forget(stream)
    if stream.unconsumed > 0, let session {
      _ = nghttp2_session_consume_connection(session, stream.unconsumed)
      stream.unconsumed = 0
    }
    if error == 0, stream.responseEnded { abuse.requestCompleted() }
    stream.owner.take()?.streamClosed(error: error)
  }

  /// Notes a frame that costs work and brings nothing; ends the session when there are too many.
  func didReceiveIdleFrame(cost: Int = 1) {
    if abuse.idleFrame(cost: cost) { terminate(H2Error.enhanceYourCalm) }
  }

  func didReset() {
    if abuse.reset() { terminate(H2Error.enhanceYourCalm) }
  }
}
