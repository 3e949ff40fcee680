public import Base
import CNghttp2

/// The client side of an HTTP/2 connection, on nghttp2: requests and octets in, responses and octets out.
///
/// Give what the peer sent to `receive`, take what is to be sent from `pull`, and repeat `pull` after any submission.
/// Must not be released from inside a call to an owner.
public final class H2Requester {
  private var session: OpaquePointer?
  let settings: H2Settings
  private var abuse = H2Abuse()
  private var isTerminating = false
  private var hasWideWindow = false
  /// Where body octets go while `pull` runs, and how many at most.
  private(set) var output: ByteBuffer?
  private(set) var outputLimit = 0
  /// The streams that the library points to, in a list.
  private var streams: H2RequestStream?
  /// Requests whose streams are open, or wait to be.
  public private(set) var activeStreams = 0
  /// Requests submitted since the start.
  public private(set) var requestCount = 0
  /// Frames and fields of the peer that were wrong or of no use.
  public private(set) var glitches = 0
  /// The peer's SETTINGS have come: what it allows is known.
  public private(set) var knowsPeer = false
  /// The peer has sent GOAWAY: it takes no more requests.
  public private(set) var peerIsLeaving = false
  /// Where a head is gathered as it arrives: its frames are contiguous (RFC 9113 section 4.3).
  private(set) var incoming = MessageHead()

  public init(settings: H2Settings = H2Settings()) {
    self.settings = settings
    session = H2RequesterCallbacks.makeSession(for: self)
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
      nghttp2_settings_entry(settings_id: Int32(NGHTTP2_SETTINGS_ENABLE_PUSH.rawValue), value: 0),
      nghttp2_settings_entry(
        settings_id: Int32(NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE.rawValue),
        value: Swift.min(settings.initialWindow, 0x7FFF_FFFF)),
    ]
    if settings.headerTableSize != 4096 {
      entries.append(
        nghttp2_settings_entry(
          settings_id: Int32(NGHTTP2_SETTINGS_HEADER_TABLE_SIZE.rawValue), value: settings.headerTableSize))
    }
    _ = nghttp2_submit_settings(session, UInt8(NGHTTP2_FLAG_NONE.rawValue), entries, entries.count)
  }

  /// How many requests may be submitted now. Before the peer's SETTINGS came this is our own limit.
  public var capacity: Int {
    guard let session, !isTerminating, !peerIsLeaving, nghttp2_session_check_request_allowed(session) != 0 else {
      return 0
    }
    return Swift.max(0, streamLimit - activeStreams)
  }

  /// How many streams may be open at once: the lesser of what the peer and what we allow.
  public var streamLimit: Int {
    guard let session else { return 0 }
    let theirs = nghttp2_session_get_remote_settings(session, NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS)
    return Int(clamping: Swift.min(theirs, settings.maxConcurrentStreams))
  }

  /// Whether the peer takes extended CONNECT (RFC 8441); nil until its SETTINGS have come.
  public var allowsExtendedConnect: Bool? {
    guard let session, knowsPeer else { return nil }
    return nghttp2_session_get_remote_settings(session, NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL) == 1
  }

  // MARK: Octets

  /// Takes octets from the peer, all of them.
  public func receive(_ input: borrowing Span<UInt8>) -> H2Outcome {
    guard let session else { return .failed }
    let used = input.withUnsafeBytes { bytes in
      nghttp2_session_mem_recv(session, bytes.baseAddress?.assumingMemoryBound(to: UInt8.self), bytes.count)
    }
    if used < 0 {
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

  /// Appends frames to `output` until nothing is left to send or it holds `limit` octets; one frame of 16 KiB may
  /// exceed it.
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

  public var wantsWrite: Bool { session.map { nghttp2_session_want_write($0) != 0 } ?? false }

  // MARK: Requests

  /// Sends a request; its stream's number, or nil when the session takes no more.
  ///
  /// The target may be in any form. Host, or an absolute target, becomes `:authority`; connection-specific fields stay
  /// behind. With `hasBody` the owner is asked for the body as windows allow.
  /// - Parameters:
  ///   - scheme: `http` or `https`, unless the target or the head names one.
  ///   - connectProtocol: makes the request an extended CONNECT to this protocol.
  public func submit(
    _ head: MessageHead, scheme: StaticString = "https", connectProtocol: Bytes? = nil, hasBody: Bool,
    owner: any H2ResponseOwner
  ) -> Int32? {
    guard let session, !isTerminating, !peerIsLeaving else { return nil }
    let answered: AnsweredMethod = connectProtocol != nil ? .connect : AnsweredMethod(head.method)
    let stream = H2RequestStream(owner: owner, answered: answered)
    let pointer = Unmanaged.passUnretained(stream).toOpaque()
    var provider = nghttp2_data_provider()
    provider.read_callback = H2RequesterCallbacks.readBody
    let id = H2RequestFields.withPairs(of: head, scheme: scheme, connectProtocol: connectProtocol) { pairs, count in
      if hasBody { return nghttp2_submit_request(session, nil, pairs, count, &provider, pointer) }
      return nghttp2_submit_request(session, nil, pairs, count, nil, pointer)
    }
    guard id > 0 else { return nil }
    stream.id = id
    streams?.previous = stream
    stream.next = streams.take()
    streams = stream
    activeStreams += 1
    requestCount += 1
    return id
  }

  /// Asks the owner again for the body of a stream that answered `wait`.
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

  /// Gives up the number of the next stream without a request. The peer sees it reset, which it may take for an error of
  /// the connection: only for a session that ends.
  public func abandonNext() {
    guard let session, !isTerminating else { return }
    let next = nghttp2_session_get_next_stream_id(session)
    guard next < UInt32(Int32.max) - 2, nghttp2_session_set_next_stream_id(session, Int32(next) + 2) == 0 else {
      return
    }
    reset(stream: Int32(next), code: H2Error.cancel)
  }

  /// Opens a stream's window again by `n` octets of body that were passed on.
  public func consumed(stream: Int32, _ n: Int) {
    guard let session, n > 0, H2RequesterCallbacks.stream(session, stream) != nil else { return }
    _ = nghttp2_session_consume_stream(session, stream, n)
  }

  /// Ends the session: queues a GOAWAY with `code` after which nothing is read.
  public func terminate(_ code: UInt32) {
    guard let session, !isTerminating else { return }
    isTerminating = true
    _ = nghttp2_session_terminate_session(session, code)
  }

  // MARK: Events of the library

  func find(_ id: Int32) -> H2RequestStream? {
    var next = streams
    while let stream = next {
      if stream.id == id { return stream }
      next = stream.next
    }
    return nil
  }

  private func forget(_ stream: H2RequestStream) {
    let next = stream.next.take()
    next?.previous = stream.previous
    if let previous = stream.previous { previous.next = next } else { streams = next }
    stream.previous = nil
    activeStreams -= 1
  }

  func didBeginHead(_ stream: H2RequestStream) {
    incoming.reset()
    stream.beginHead()
  }

  /// A field section has ended.
  func didReceiveHead(_ stream: H2RequestStream, endsHere: Bool) {
    if stream.state == .refused { return }
    if stream.state == .body {
      if let fault = stream.fault { return refuse(stream, fault) }
      // Trailers end the message (RFC 9113 section 8.1).
      return endsHere ? didReceiveEnd(stream) : refuse(stream, HTTPFault(502, .badTrailer, at: 0))
    }
    switch stream.finishHead(incoming, endsHere: endsHere) {
    case .success(let info):
      if endsHere { abuse.requestCompleted() }
      stream.owner?.responseReceived(incoming, info, isWhole: endsHere)
    case .failure(let fault): refuse(stream, fault)
    }
  }

  private func refuse(_ stream: H2RequestStream, _ fault: HTTPFault) {
    guard stream.state != .refused else { return }
    stream.state = .refused
    glitches += 1
    reset(stream: stream.id, code: H2Error.protocolError)
    stream.owner?.responseRefused(fault)
  }

  func didReceiveData(_ stream: H2RequestStream, _ octets: UnsafeRawBufferPointer) {
    guard let session else { return }
    // Each stream's window bounds what is held for it; the connection's is opened at once, so that a stream whose
    // client is slow does not hold up the others.
    if !hasWideWindow {
      hasWideWindow = true
      _ = nghttp2_session_set_local_window_size(
        session, UInt8(NGHTTP2_FLAG_NONE.rawValue), 0, Int32(clamping: Swift.max(settings.connectionWindow, 65535)))
    }
    _ = nghttp2_session_consume_connection(session, octets.count)
    if stream.state == .refused { return }
    guard stream.state == .body, stream.bodyArrived(octets.count) else {
      return refuse(stream, HTTPFault(502, stream.state == .body ? .lengthMismatch : .bodyNotAllowed, at: 0))
    }
    abuse.progressed()
    stream.owner?.bodyData(octets)
  }

  func didReceiveEnd(_ stream: H2RequestStream) {
    if stream.state == .refused { return }
    guard stream.state == .body else { return refuse(stream, HTTPFault(502, .badPseudoField, at: 0)) }
    if !stream.bodyIsWhole { return refuse(stream, HTTPFault(502, .lengthMismatch, at: 0)) }
    stream.state = .ended
    abuse.requestCompleted()
    if let trailers = stream.trailers { TrailerRules.removeForbidden(trailers) }
    let trailers = (stream.trailers?.count ?? 0) > 0 ? stream.trailers : nil
    stream.owner?.bodyEnd(trailers: trailers)
  }

  func didReceiveSettings() { knowsPeer = true }
  func didReceiveGoAway() { peerIsLeaving = true }

  func didClose(_ stream: H2RequestStream, error: UInt32) {
    forget(stream)
    stream.owner.take()?.streamClosed(error: error)
  }

  /// Notes a frame that costs work and brings nothing; ends the session when there are too many.
  func didReceiveIdleFrame(cost: Int = 1) {
    if abuse.idleFrame(cost: cost) { terminate(H2Error.enhanceYourCalm) }
  }

  func didReceiveInvalid() {
    glitches += 1
    didReceiveIdleFrame(cost: 10)
  }
}
