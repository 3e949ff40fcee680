import Base
import CNghttp2

/// The C side of `H2Requester`: nghttp2's callbacks, translated into calls of the session.
enum H2RequesterCallbacks {
  /// The tables that all sessions share; never freed.
  private struct Tables: @unchecked Sendable {
    let callbacks: OpaquePointer?
    let options: OpaquePointer?

    init() {
      var callbacks: OpaquePointer?
      var options: OpaquePointer?
      nghttp2_session_callbacks_new(&callbacks)
      nghttp2_option_new(&options)
      if let callbacks {
        nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, beginHeaders)
        nghttp2_session_callbacks_set_on_header_callback(callbacks, header)
        nghttp2_session_callbacks_set_on_invalid_header_callback(callbacks, invalidHeader)
        nghttp2_session_callbacks_set_on_begin_frame_callback(callbacks, beginFrame)
        nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, frameReceived)
        nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(callbacks, invalidFrame)
        nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, dataReceived)
        nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, streamClosed)
        nghttp2_session_callbacks_set_on_frame_not_send_callback(callbacks, frameNotSent)
        nghttp2_session_callbacks_set_send_data_callback(callbacks, sendData)
      }
      if let options {
        nghttp2_option_set_no_auto_window_update(options, 1)
        nghttp2_option_set_no_closed_streams(options, 1)
        // `H2FieldRules` and `H2ResponseRules` check messages instead.
        nghttp2_option_set_no_http_messaging(options, 1)
        // Acknowledgements that may queue up unsent before the peer is cut off.
        nghttp2_option_set_max_outbound_ack(options, 100)
      }
      self.callbacks = callbacks
      self.options = options
    }
  }

  private static let tables = Tables()
  private static let failure = Int32(NGHTTP2_ERR_CALLBACK_FAILURE.rawValue)
  private static let streamFailure = Int32(NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE.rawValue)

  static func makeSession(for owner: H2Requester) -> OpaquePointer? {
    var session: OpaquePointer?
    let result = H2Memory.withFunctions {
      nghttp2_session_client_new3(
        &session, tables.callbacks, Unmanaged.passUnretained(owner).toOpaque(), tables.options, $0)
    }
    return result == 0 ? session : nil
  }

  // MARK: Streams

  static func stream(_ session: OpaquePointer, _ id: Int32) -> H2RequestStream? {
    nghttp2_session_get_stream_user_data(session, id).map {
      Unmanaged<H2RequestStream>.fromOpaque($0).takeUnretainedValue()
    }
  }

  @inline(__always)
  private static func owner(_ pointer: UnsafeMutableRawPointer?) -> H2Requester? {
    pointer.map { Unmanaged<H2Requester>.fromOpaque($0).takeUnretainedValue() }
  }

  // MARK: Input

  private static let beginHeaders:
    @convention(c) (OpaquePointer?, UnsafePointer<nghttp2_frame>?, UnsafeMutableRawPointer?) -> Int32 = {
      session, frame, data in
      guard let session, let frame, let owner = owner(data) else { return failure }
      // A push was not allowed: its stream is reset.
      guard UInt32(frame.pointee.hd.type) == NGHTTP2_HEADERS.rawValue,
        let stream = stream(session, frame.pointee.hd.stream_id)
      else { return streamFailure }
      owner.didBeginHead(stream)
      return 0
    }

  private static let header:
    @convention(c) (
      OpaquePointer?, UnsafePointer<nghttp2_frame>?, UnsafePointer<UInt8>?, Int, UnsafePointer<UInt8>?, Int,
      UInt8, UnsafeMutableRawPointer?
    ) -> Int32 = { session, frame, name, nameLength, value, valueLength, _, data in
      guard let session, let frame, let owner = owner(data),
        let stream = stream(session, frame.pointee.hd.stream_id)
      else { return streamFailure }
      stream.add(
        UnsafeRawBufferPointer(start: name, count: nameLength),
        UnsafeRawBufferPointer(start: value, count: valueLength), to: owner.incoming, settings: owner.settings)
      return 0
    }

  /// The library would drop the field and go on; a response with one is malformed.
  private static let invalidHeader:
    @convention(c) (
      OpaquePointer?, UnsafePointer<nghttp2_frame>?, UnsafePointer<UInt8>?, Int, UnsafePointer<UInt8>?, Int,
      UInt8, UnsafeMutableRawPointer?
    ) -> Int32 = { session, frame, _, _, _, _, _, _ in
      if let session, let frame, let stream = stream(session, frame.pointee.hd.stream_id) {
        stream.refuse(HTTPFault(502, .badFieldValue, at: 0))
      }
      return 0
    }

  private static let beginFrame:
    @convention(c) (OpaquePointer?, UnsafePointer<nghttp2_frame_hd>?, UnsafeMutableRawPointer?) -> Int32 = {
      _, header, data in
      guard let header, let owner = owner(data) else { return failure }
      switch UInt32(header.pointee.type) {
      case NGHTTP2_HEADERS.rawValue, NGHTTP2_WINDOW_UPDATE.rawValue: break
      case NGHTTP2_DATA.rawValue:
        let ends = header.pointee.flags & UInt8(NGHTTP2_FLAG_END_STREAM.rawValue) != 0
        if header.pointee.length == 0, !ends { owner.didReceiveIdleFrame(cost: 20) }
      case NGHTTP2_SETTINGS.rawValue, NGHTTP2_PING.rawValue: owner.didReceiveIdleFrame(cost: 4)
      default: owner.didReceiveIdleFrame()
      }
      return 0
    }

  private static let frameReceived:
    @convention(c) (OpaquePointer?, UnsafePointer<nghttp2_frame>?, UnsafeMutableRawPointer?) -> Int32 = {
      session, frame, data in
      guard let session, let frame, let owner = owner(data) else { return failure }
      let ends = frame.pointee.hd.flags & UInt8(NGHTTP2_FLAG_END_STREAM.rawValue) != 0
      switch UInt32(frame.pointee.hd.type) {
      case NGHTTP2_HEADERS.rawValue:
        if let stream = stream(session, frame.pointee.hd.stream_id) { owner.didReceiveHead(stream, endsHere: ends) }
      case NGHTTP2_DATA.rawValue:
        if ends, let stream = stream(session, frame.pointee.hd.stream_id) { owner.didReceiveEnd(stream) }
      case NGHTTP2_SETTINGS.rawValue:
        if frame.pointee.hd.flags & UInt8(NGHTTP2_FLAG_ACK.rawValue) == 0 { owner.didReceiveSettings() }
      case NGHTTP2_GOAWAY.rawValue: owner.didReceiveGoAway()
      default: break
      }
      return 0
    }

  private static let invalidFrame:
    @convention(c) (OpaquePointer?, UnsafePointer<nghttp2_frame>?, Int32, UnsafeMutableRawPointer?) -> Int32 = {
      _, _, _, data in
      guard let owner = owner(data) else { return failure }
      owner.didReceiveInvalid()
      return 0
    }

  private static let dataReceived:
    @convention(c) (
      OpaquePointer?, UInt8, Int32, UnsafePointer<UInt8>?, Int, UnsafeMutableRawPointer?
    ) -> Int32 = { session, _, id, octets, length, data in
      guard let session, let owner = owner(data) else { return failure }
      guard let stream = stream(session, id) else {
        _ = nghttp2_session_consume_connection(session, length)
        return 0
      }
      owner.didReceiveData(stream, UnsafeRawBufferPointer(start: octets, count: length))
      return 0
    }

  private static let streamClosed: @convention(c) (OpaquePointer?, Int32, UInt32, UnsafeMutableRawPointer?) -> Int32 = {
    session, id, error, data in
    guard let session, let owner = owner(data) else { return failure }
    guard let stream = stream(session, id) else { return 0 }
    owner.didClose(stream, error: error)
    return 0
  }

  // MARK: Output

  /// A request that could not leave: the peer said GOAWAY before its turn came.
  private static let frameNotSent:
    @convention(c) (OpaquePointer?, UnsafePointer<nghttp2_frame>?, Int32, UnsafeMutableRawPointer?) -> Int32 = {
      session, frame, _, data in
      guard let session, let frame, let owner = owner(data) else { return failure }
      let id = frame.pointee.hd.stream_id
      guard UInt32(frame.pointee.hd.type) == NGHTTP2_HEADERS.rawValue, stream(session, id) == nil,
        let unsent = owner.find(id)
      else { return 0 }
      owner.didClose(unsent, error: H2Error.refusedStream)
      return 0
    }

  static let readBody:
    @convention(c) (
      OpaquePointer?, Int32, UnsafeMutablePointer<UInt8>?, Int, UnsafeMutablePointer<UInt32>?,
      UnsafeMutablePointer<nghttp2_data_source>?, UnsafeMutableRawPointer?
    ) -> Int = { session, id, _, limit, flags, _, data in
      guard let session, let flags, let owner = owner(data), let body = stream(session, id)?.owner else {
        return Int(streamFailure)
      }
      switch body.offerBody(upTo: limit) {
      case .wait: return Int(NGHTTP2_ERR_DEFERRED.rawValue)
      case .failed: return Int(streamFailure)
      case .octets(let n, let isEnd, let trailers):
        guard n >= 0, n <= limit else { return Int(streamFailure) }
        flags.pointee |= NGHTTP2_DATA_FLAG_NO_COPY.rawValue
        if isEnd {
          flags.pointee |= NGHTTP2_DATA_FLAG_EOF.rawValue
          if let trailers {
            flags.pointee |= NGHTTP2_DATA_FLAG_NO_END_STREAM.rawValue
            owner.submitTrailers(stream: id, trailers)
          }
        }
        return n
      }
    }

  private static let sendData:
    @convention(c) (
      OpaquePointer?, UnsafeMutablePointer<nghttp2_frame>?, UnsafePointer<UInt8>?, Int,
      UnsafeMutablePointer<nghttp2_data_source>?, UnsafeMutableRawPointer?
    ) -> Int32 = { session, frame, header, length, _, data in
      guard let session, let frame, let header, let owner = owner(data), let output = owner.output else {
        return failure
      }
      // The library sends one DATA frame after the other without returning: this is where it is stopped.
      if output.count >= owner.outputLimit { return Int32(NGHTTP2_ERR_WOULDBLOCK.rawValue) }
      output.ensureRoom(9 + length)
      output.appendGrowing(UnsafeRawBufferPointer(start: header, count: 9))
      if length > 0 {
        let before = output.count
        stream(session, frame.pointee.hd.stream_id)?.owner?.writeBody(count: length, into: output)
        // The frame header is out: fewer octets would shift every frame that follows.
        guard output.count == before + length else { return failure }
      }
      return 0
    }
}
