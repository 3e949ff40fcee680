public import Base
import CNghttp2

/// What we send: requests or responses, and what belongs to them.
extension H2Session {
  // MARK: Responses

  /// Sends a response head. With `hasBody` the stream's owner is asked for the body as windows allow.
  ///
  /// Connection-specific fields are left out; `content-length` goes out as it stands in the head.
  @discardableResult
  public func submitResponse(stream id: Int32, head: MessageHead, hasBody: Bool) -> Bool {
    guard let session, let stream = H2Callbacks.stream(session, id) else { return false }
    if !hasBody { stream.isAnswered = true }
    var provider = H2Callbacks.provider(for: stream)
    return H2Fields.withPairs(of: head, status: head.status) { pairs, count in
      if hasBody { return nghttp2_submit_response(session, id, pairs, count, &provider) }
      return nghttp2_submit_response(session, id, pairs, count, nil)
    } == 0
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

  // MARK: Requests

  /// How many requests may be submitted now. Before the peer's SETTINGS came this is our own limit.
  public var capacity: Int {
    guard let session, !isTerminating, !isRetiring, !peerIsLeaving,
      nghttp2_session_check_request_allowed(session) != 0
    else { return 0 }
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

  /// Sends a request; its stream's number, or nil when the session takes no more.
  ///
  /// The target may be in any form. Host, or an absolute target, becomes `:authority`; connection-specific fields stay
  /// behind. With `hasBody` the owner is asked for the body as windows allow.
  /// - Parameters:
  ///   - scheme: `http` or `https`, unless the target or the head names one.
  ///   - connectProtocol: makes the request an extended CONNECT to this protocol.
  public func submitRequest(
    _ head: MessageHead, scheme: StaticString = "https", connectProtocol: Bytes? = nil, hasBody: Bool,
    owner: any H2StreamOwner
  ) -> Int32? {
    guard let session, !isTerminating, !peerIsLeaving else { return nil }
    let stream = H2Stream(
      owner: owner, answered: connectProtocol != nil ? .connect : AnsweredMethod(of: head))
    var provider = H2Callbacks.provider(for: stream)
    let id = H2RequestFields.withPairs(of: head, scheme: scheme, connectProtocol: connectProtocol) { pairs, count in
      if hasBody { return nghttp2_submit_request(session, nil, pairs, count, &provider, provider.source.ptr) }
      return nghttp2_submit_request(session, nil, pairs, count, nil, provider.source.ptr)
    }
    guard id > 0 else { return nil }
    stream.id = id
    add(stream)
    return id
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

  // MARK: Bodies

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

  /// Opens the windows again by `n` octets of body that were passed on.
  public func consumed(stream id: Int32, _ n: Int) {
    // A closed stream gave its octets back to the connection when it closed.
    guard let session, n > 0, let stream = H2Callbacks.stream(session, id) else { return }
    if isServer {
      stream.unconsumed = Swift.max(0, stream.unconsumed - n)
      _ = nghttp2_session_consume(session, id, n)
    } else {
      _ = nghttp2_session_consume_stream(session, id, n)
    }
  }

  /// Resets a stream with an HTTP/2 error code.
  public func reset(stream: Int32, code: UInt32) {
    if let session {
      _ = nghttp2_submit_rst_stream(session, UInt8(NGHTTP2_FLAG_NONE.rawValue), stream, code)
    }
  }
}
