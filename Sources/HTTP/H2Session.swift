public import Base
import CNghttp2

/// One end of an HTTP/2 connection, on nghttp2: octets in, events and octets out.
///
/// Give what the peer sent to `receive`, take what is to be sent from `pull`, and repeat `pull` after any submission.
/// Must not be released from inside a call to its delegate or to an owner.
public final class H2Session {
  /// Whether the peer is a client, whose requests are answered; otherwise it is a server, of which requests are made.
  public let isServer: Bool
  /// Who is given the requests of clients.
  public unowned(unsafe) var delegate: (any H2SessionDelegate)?
  let settings: H2Settings
  let workspace: H2Workspace
  /// What the library has for the session; at a fixed address, since the library knows it.
  let memory: UnsafeMutablePointer<H2Memory>
  private(set) var session: OpaquePointer?
  var abuse = H2Abuse()
  private(set) var isTerminating = false
  /// It takes no more requests than those that may be on their way.
  private(set) var isRetiring = false
  private var hasWideWindow = false
  /// What came of the octets of this turn.
  var framesInTurn = 0
  var resetsInTurn = 0
  /// Where body octets go while `pull` runs, and how many at most.
  private(set) var output: ByteBuffer?
  private(set) var outputLimit = 0
  /// The streams that the library points to, in a list.
  private var streams: H2Stream?
  /// What arrives just now, and of which stream.
  var section: H2FieldSection?
  unowned(unsafe) var sectionStream: H2Stream?
  /// Requests whose streams are open, or wait to be.
  public private(set) var activeStreams = 0
  /// Requests since the start.
  public private(set) var requestCount = 0
  /// Frames and fields of the peer that were wrong or of no use.
  public internal(set) var glitches = 0
  /// The error with which the peer was sent away, 0 for none: what it did broke the connection.
  public internal(set) var connectionError: UInt32 = 0
  /// A PING of ours has no answer yet.
  public internal(set) var awaitsPong = false
  /// The peer's SETTINGS have come: what it allows is known.
  public internal(set) var knowsPeer = false
  /// The peer has sent GOAWAY: it takes no more requests.
  public internal(set) var peerIsLeaving = false

  /// The server's end, towards a client.
  public convenience init(accepting settings: H2Settings, workspace: H2Workspace = H2Workspace()) {
    self.init(isServer: true, settings, workspace)
  }

  /// The client's end, towards a server.
  public convenience init(connecting settings: H2Settings, workspace: H2Workspace = H2Workspace()) {
    self.init(isServer: false, settings, workspace)
  }

  private init(isServer: Bool, _ settings: H2Settings, _ workspace: H2Workspace) {
    self.isServer = isServer
    self.settings = settings
    self.workspace = workspace
    memory = .allocate(capacity: 1)
    memory.initialize(to: H2Memory())
    session = H2Callbacks.makeSession(for: self)
    submitSettings()
  }

  deinit {
    nghttp2_session_del(session)
    memory.deallocate()
    // One by one: a long list would be let go of recursively.
    while let stream = streams.take() { streams = stream.next.take() }
  }

  // MARK: Settings and windows

  private func submitSettings() {
    guard let session else { return }
    withUnsafeTemporaryAllocation(of: nghttp2_settings_entry.self, capacity: 6) { entries in
      var count = 0
      func add(_ id: nghttp2_settings_id, _ value: UInt32) {
        entries[count] = nghttp2_settings_entry(settings_id: Int32(id.rawValue), value: value)
        count += 1
      }
      if isServer {
        add(NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, settings.maxConcurrentStreams)
        add(
          NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE,
          UInt32(clamping: settings.maxHeadBytes + 32 * settings.maxFields))
        if settings.allowsExtendedConnect { add(NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL, 1) }
      } else {
        add(NGHTTP2_SETTINGS_ENABLE_PUSH, 0)
      }
      add(NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, Swift.min(settings.initialWindow, 0x7FFF_FFFF))
      if settings.headerTableSize != 4096 { add(NGHTTP2_SETTINGS_HEADER_TABLE_SIZE, settings.headerTableSize) }
      if settings.maxFrameSize > 16384 { add(NGHTTP2_SETTINGS_MAX_FRAME_SIZE, settings.maxFrameSize) }
      _ = nghttp2_submit_settings(session, UInt8(NGHTTP2_FLAG_NONE.rawValue), entries.baseAddress, count)
    }
  }

  /// Widens the connection's window from the protocol's 65,535 octets to `settings.connectionWindow`: for the first
  /// body that comes, so that sessions without one say nothing of windows.
  func openConnectionWindow() {
    guard let session, !hasWideWindow else { return }
    hasWideWindow = true
    _ = nghttp2_session_set_local_window_size(
      session, UInt8(NGHTTP2_FLAG_NONE.rawValue), 0, Int32(clamping: Swift.max(settings.connectionWindow, 65535)))
  }

  /// Lets a client send `settings.streamWindow` octets of a longer body ahead; the connection's window still bounds
  /// what all streams together make us hold.
  func openWindow(_ stream: H2Stream, _ framing: BodyFraming) {
    guard let session, settings.streamWindow > settings.initialWindow else { return }
    if case .length(let n) = framing, n <= UInt64(settings.initialWindow) { return }
    _ = nghttp2_session_set_local_window_size(
      session, UInt8(NGHTTP2_FLAG_NONE.rawValue), stream.id, Int32(clamping: settings.streamWindow))
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

  /// Takes octets from the peer: all of them, or those of as many frames as a turn may have.
  public func receiveTurn(_ input: borrowing Span<UInt8>) -> (outcome: H2Outcome, used: Int) {
    if settings.framesPerTurn == .max, settings.resetsPerTurn == .max { return (receive(input), input.count) }
    framesInTurn = 0
    resetsInTurn = 0
    var used = 0
    while used < input.count {
      let left = Swift.min(settings.framesPerTurn - framesInTurn, settings.resetsPerTurn - resetsInTurn)
      if left <= 0 { break }
      // No frame is shorter than its header.
      let n = Swift.min(9 * left, input.count - used)
      let outcome = receive(input.extracting(used..<(used + n)))
      used += n
      if outcome != .open { return (outcome, used) }
    }
    return (.open, used)
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

  public var wantsRead: Bool { session.map { nghttp2_session_want_read($0) != 0 } ?? false }
  public var wantsWrite: Bool { session.map { nghttp2_session_want_write($0) != 0 } ?? false }

  /// Gives back memory that the session has no use for until it is called again: where it has nothing to do.
  public func rest() { if activeStreams == 0, !wantsWrite { memory.pointee.rest() } }

  /// Asks the peer whether it is there (RFC 9113 section 6.7); `awaitsPong` says whether it has answered.
  public func ping() {
    guard let session, !isTerminating else { return }
    awaitsPong = nghttp2_submit_ping(session, UInt8(NGHTTP2_FLAG_NONE.rawValue), nil) == 0
  }

  // MARK: End

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

  /// Ends gently: a client is told that it should open another connection, and loses none of the requests that it sends
  /// before it knows; of a server no more is asked.
  func retire() {
    guard !isRetiring else { return }
    isRetiring = true
    if isServer { announceGoAway() }
  }

  /// Ends the session: queues a GOAWAY with `code` after which nothing is read.
  public func terminate(_ code: UInt32) {
    guard let session, !isTerminating else { return }
    isTerminating = true
    _ = nghttp2_session_terminate_session(session, code)
  }

  // MARK: Streams

  func add(_ stream: H2Stream) {
    streams?.previous = stream
    stream.next = streams.take()
    streams = stream
    activeStreams += 1
    requestCount += 1
  }

  func find(_ id: Int32) -> H2Stream? {
    var next = streams
    while let stream = next {
      if stream.id == id { return stream }
      next = stream.next
    }
    return nil
  }

  func forget(_ stream: H2Stream) {
    let next = stream.next.take()
    next?.previous = stream.previous
    if let previous = stream.previous { previous.next = next } else { streams = next }
    stream.previous = nil
    activeStreams -= 1
    if sectionStream === stream { sectionStream = nil }
  }
}
