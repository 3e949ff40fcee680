import Base
import CNghttp2

/// The C side of `H2Session`: nghttp2's callbacks, translated into calls of the session.
enum H2Callbacks {
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
        nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, frameSent)
        nghttp2_session_callbacks_set_on_frame_not_send_callback(callbacks, frameNotSent)
        nghttp2_session_callbacks_set_send_data_callback(callbacks, sendData)
      }
      if let options {
        nghttp2_option_set_no_auto_window_update(options, 1)
        nghttp2_option_set_no_closed_streams(options, 1)
        // `H2FieldRules`, `H2RequestRules` and `H2ResponseRules` check messages instead.
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

  static func makeSession(for owner: H2Session) -> OpaquePointer? {
    var session: OpaquePointer?
    let pointer = Unmanaged.passUnretained(owner).toOpaque()
    var functions = H2Memory.functions(owner.memory)
    let result =
      owner.isServer
      ? nghttp2_session_server_new3(&session, tables.callbacks, pointer, tables.options, &functions)
      : nghttp2_session_client_new3(&session, tables.callbacks, pointer, tables.options, &functions)
    return result == 0 ? session : nil
  }

  /// The body of what we send on a stream, which is alive for as long as the library has it.
  static func provider(for stream: H2Stream) -> nghttp2_data_provider {
    nghttp2_data_provider(
      source: nghttp2_data_source(ptr: Unmanaged.passUnretained(stream).toOpaque()), read_callback: readBody)
  }

  // MARK: Streams

  @inline(__always)
  static func stream(_ session: OpaquePointer, _ id: Int32) -> H2Stream? {
    nghttp2_session_get_stream_user_data(session, id).map(stream)
  }

  @inline(__always)
  private static func stream(_ pointer: UnsafeMutableRawPointer) -> H2Stream {
    Unmanaged<H2Stream>.fromOpaque(pointer).takeUnretainedValue()
  }

  @inline(__always)
  private static func owner(_ pointer: UnsafeMutableRawPointer?) -> H2Session? {
    pointer.map { Unmanaged<H2Session>.fromOpaque($0).takeUnretainedValue() }
  }

  // MARK: Input

  private static let beginHeaders:
    @convention(c) (OpaquePointer?, UnsafePointer<nghttp2_frame>?, UnsafeMutableRawPointer?) -> Int32 = {
      session, frame, data in
      guard let session, let frame, let owner = owner(data) else { return failure }
      // A push was not allowed: its stream is reset.
      guard UInt32(frame.pointee.hd.type) == NGHTTP2_HEADERS.rawValue else { return streamFailure }
      let id = frame.pointee.hd.stream_id
      if let known = stream(session, id) {
        owner.didBeginSection(of: known)
        return 0
      }
      guard owner.isServer else { return streamFailure }
      let made = H2Stream(id: id)
      let pointer = Unmanaged.passUnretained(made).toOpaque()
      guard nghttp2_session_set_stream_user_data(session, id, pointer) == 0 else { return streamFailure }
      owner.add(made)
      owner.didBeginSection(of: made)
      return 0
    }

  private static let header:
    @convention(c) (
      OpaquePointer?, UnsafePointer<nghttp2_frame>?, UnsafePointer<UInt8>?, Int, UnsafePointer<UInt8>?, Int,
      UInt8, UnsafeMutableRawPointer?
    ) -> Int32 = { _, _, name, nameLength, value, valueLength, _, data in
      guard let owner = owner(data), let section = owner.section else { return streamFailure }
      section.add(
        UnsafeRawBufferPointer(start: name, count: nameLength),
        UnsafeRawBufferPointer(start: value, count: valueLength), owner.settings)
      return 0
    }

  /// The library would drop the field and go on; a message with one is malformed.
  private static let invalidHeader:
    @convention(c) (
      OpaquePointer?, UnsafePointer<nghttp2_frame>?, UnsafePointer<UInt8>?, Int, UnsafePointer<UInt8>?, Int,
      UInt8, UnsafeMutableRawPointer?
    ) -> Int32 = { _, _, _, _, _, _, _, data in
      owner(data)?.section?.refuse(.badFieldValue)
      return 0
    }

  private static let beginFrame:
    @convention(c) (OpaquePointer?, UnsafePointer<nghttp2_frame_hd>?, UnsafeMutableRawPointer?) -> Int32 = {
      _, header, data in
      guard let header, let owner = owner(data) else { return failure }
      owner.framesInTurn &+= 1
      switch UInt32(header.pointee.type) {
      case NGHTTP2_HEADERS.rawValue: break
      case NGHTTP2_DATA.rawValue:
        let ends = header.pointee.flags & UInt8(NGHTTP2_FLAG_END_STREAM.rawValue) != 0
        if header.pointee.length == 0, !ends { owner.didReceiveIdleFrame(cost: 20) }
      case NGHTTP2_PING.rawValue where owner.awaitsPong: break
      case NGHTTP2_SETTINGS.rawValue, NGHTTP2_PING.rawValue: owner.didReceiveIdleFrame(cost: 4)
      default: owner.didReceiveIdleFrame()
      }
      return 0
    }

  private static let frameReceived:
    @convention(c) (OpaquePointer?, UnsafePointer<nghttp2_frame>?, UnsafeMutableRawPointer?) -> Int32 = {
      session, frame, data in
      guard let session, let frame, let owner = owner(data) else { return failure }
      let flags = frame.pointee.hd.flags
      switch UInt32(frame.pointee.hd.type) {
      case NGHTTP2_HEADERS.rawValue:
        owner.didReceiveSection(endsHere: flags & UInt8(NGHTTP2_FLAG_END_STREAM.rawValue) != 0)
      case NGHTTP2_DATA.rawValue:
        if flags & UInt8(NGHTTP2_FLAG_END_STREAM.rawValue) == 0 {
          // Nothing but padding is as little use as nothing.
          let length = frame.pointee.hd.length
          if length > 0, frame.pointee.data.padlen >= length { owner.didReceiveIdleFrame(cost: 20) }
        } else if let stream = stream(session, frame.pointee.hd.stream_id) {
          owner.didReceiveEnd(stream)
        }
      case NGHTTP2_RST_STREAM.rawValue: owner.didReset()
      case NGHTTP2_SETTINGS.rawValue:
        if flags & UInt8(NGHTTP2_FLAG_ACK.rawValue) == 0 { owner.didReceiveSettings() }
      case NGHTTP2_PING.rawValue: if flags & UInt8(NGHTTP2_FLAG_ACK.rawValue) != 0 { owner.didReceivePong() }
      case NGHTTP2_GOAWAY.rawValue: owner.didReceiveGoAway()
      default: break
      }
      return 0
    }

  private static let invalidFrame:
    @convention(c) (OpaquePointer?, UnsafePointer<nghttp2_frame>?, Int32, UnsafeMutableRawPointer?) -> Int32 = {
      session, frame, _, data in
      guard let session, let frame, let owner = owner(data) else { return failure }
      let isSection = UInt32(frame.pointee.hd.type) == NGHTTP2_HEADERS.rawValue
      owner.didReceiveInvalid(isSection ? stream(session, frame.pointee.hd.stream_id) : nil)
      return 0
    }

  private static let dataReceived:
    @convention(c) (
      OpaquePointer?, UInt8, Int32, UnsafePointer<UInt8>?, Int, UnsafeMutableRawPointer?
    ) -> Int32 = { session, _, id, octets, length, data in
      guard let session, let owner = owner(data) else { return failure }
      if let stream = stream(session, id) {
        owner.didReceiveData(stream, UnsafeRawBufferPointer(start: octets, count: length))
      } else {
        owner.didReceiveStrayData(length)
      }
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

  private static let frameSent:
    @convention(c) (OpaquePointer?, UnsafePointer<nghttp2_frame>?, UnsafeMutableRawPointer?) -> Int32 = {
      _, frame, data in
      guard let frame, let owner = owner(data) else { return failure }
      switch UInt32(frame.pointee.hd.type) {
      case NGHTTP2_RST_STREAM.rawValue:
        if frame.pointee.rst_stream.error_code != H2Error.noError { owner.didReset() }
      case NGHTTP2_GOAWAY.rawValue:
        if owner.connectionError == 0 { owner.connectionError = frame.pointee.goaway.error_code }
      default: break
      }
      return 0
    }

  /// A request that could not leave: the peer said GOAWAY before its turn came.
  private static let frameNotSent:
    @convention(c) (OpaquePointer?, UnsafePointer<nghttp2_frame>?, Int32, UnsafeMutableRawPointer?) -> Int32 = {
      session, frame, _, data in
      guard let session, let frame, let owner = owner(data) else { return failure }
      let id = frame.pointee.hd.stream_id
      guard !owner.isServer, UInt32(frame.pointee.hd.type) == NGHTTP2_HEADERS.rawValue, stream(session, id) == nil,
        let unsent = owner.find(id)
      else { return 0 }
      owner.didClose(unsent, error: H2Error.refusedStream)
      return 0
    }

  private static let readBody:
    @convention(c) (
      OpaquePointer?, Int32, UnsafeMutablePointer<UInt8>?, Int, UnsafeMutablePointer<UInt32>?,
      UnsafeMutablePointer<nghttp2_data_source>?, UnsafeMutableRawPointer?
    ) -> Int = { _, id, _, limit, flags, source, data in
      guard let flags, let owner = owner(data), let stream = source?.pointee.ptr.map(stream), let body = stream.owner
      else { return Int(streamFailure) }
      switch body.offerBody(upTo: limit) {
      case .wait: return Int(NGHTTP2_ERR_DEFERRED.rawValue)
      case .failed: return Int(streamFailure)
      case .octets(let n, let isEnd, let trailers):
        guard n >= 0, n <= limit else { return Int(streamFailure) }
        flags.pointee |= NGHTTP2_DATA_FLAG_NO_COPY.rawValue
        if isEnd {
          stream.isAnswered = true
          flags.pointee |= NGHTTP2_DATA_FLAG_EOF.rawValue
          if let trailers, trailers.count > 0 {
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
    ) -> Int32 = { _, _, header, length, source, data in
      guard let header, let owner = owner(data), let output = owner.output else { return failure }
      // The library sends one DATA frame after the other without returning: this is where it is stopped.
      if output.count >= owner.outputLimit { return Int32(NGHTTP2_ERR_WOULDBLOCK.rawValue) }
      output.ensureRoom(9 + length)
      output.appendGrowing(UnsafeRawBufferPointer(start: header, count: 9))
      if length > 0 {
        let before = output.count
        source?.pointee.ptr.map(stream)?.owner?.writeBody(count: length, into: output)
        // The frame header is out: fewer octets would shift every frame that follows.
        guard output.count == before + length else { return failure }
        owner.didSendData()
      }
      return 0
    }
}
