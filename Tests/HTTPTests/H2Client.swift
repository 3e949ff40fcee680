import Base
import CNghttp2
import HTTP

/// An nghttp2 client that checks nothing it sends, so that it can misbehave.
final class H2Client {
  struct Answer: Equatable {
    var status = ""
    var interim: [String] = []
    var fields: [String] = []
    var body: [UInt8] = []
    var trailers: [String] = []
    var ended = false
    var error: UInt32?
  }

  private var session: OpaquePointer?
  var answers: [Int32: Answer] = [:]
  var goAway: UInt32?
  private var bodies: [Int32: [UInt8]] = [:]
  private var trailers: [Int32: [(String, String)]] = [:]

  init(initialWindow: UInt32 = 65535) {
    var callbacks: OpaquePointer?
    var option: OpaquePointer?
    nghttp2_session_callbacks_new(&callbacks)
    nghttp2_option_new(&option)
    nghttp2_option_set_no_http_messaging(option, 1)
    nghttp2_session_callbacks_set_on_header_callback(callbacks) { _, frame, name, n, value, m, _, data in
      guard let frame, let data else { return 0 }
      let me = Unmanaged<H2Client>.fromOpaque(data).takeUnretainedValue()
      let name = String(decoding: UnsafeBufferPointer(start: name, count: n), as: UTF8.self)
      let value = String(decoding: UnsafeBufferPointer(start: value, count: m), as: UTF8.self)
      me.note(frame.pointee.hd.stream_id, name, value)
      return 0
    }
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks) { _, _, id, octets, n, data in
      guard let data else { return 0 }
      let me = Unmanaged<H2Client>.fromOpaque(data).takeUnretainedValue()
      me.answers[id, default: Answer()].body += Array(UnsafeBufferPointer(start: octets, count: n))
      return 0
    }
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks) { _, frame, data in
      guard let frame, let data else { return 0 }
      let me = Unmanaged<H2Client>.fromOpaque(data).takeUnretainedValue()
      let id = frame.pointee.hd.stream_id
      switch UInt32(frame.pointee.hd.type) {
      case NGHTTP2_HEADERS.rawValue, NGHTTP2_DATA.rawValue:
        if frame.pointee.hd.flags & 1 != 0 { me.answers[id, default: Answer()].ended = true }
      case NGHTTP2_RST_STREAM.rawValue:
        me.answers[id, default: Answer()].error = frame.pointee.rst_stream.error_code
      case NGHTTP2_GOAWAY.rawValue: me.goAway = frame.pointee.goaway.error_code
      default: break
      }
      return 0
    }
    nghttp2_session_client_new2(&session, callbacks, Unmanaged.passUnretained(self).toOpaque(), option)
    nghttp2_session_callbacks_del(callbacks)
    nghttp2_option_del(option)
    let window = nghttp2_settings_entry(
      settings_id: Int32(NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE.rawValue), value: initialWindow)
    nghttp2_submit_settings(session, 0, [window], 1)
    if initialWindow > 65535 { nghttp2_session_set_local_window_size(session, 0, 0, Int32(initialWindow)) }
  }

  deinit { nghttp2_session_del(session) }

  private func note(_ id: Int32, _ name: String, _ value: String) {
    var answer = answers[id, default: Answer()]
    if name == ":status" {
      if !answer.status.isEmpty { answer.interim.append(answer.status) }
      answer.status = value
    } else if answer.body.isEmpty {
      answer.fields.append("\(name): \(value)")
    } else {
      answer.trailers.append("\(name): \(value)")
    }
    answers[id] = answer
  }

  static let get = [(":method", "GET"), (":scheme", "https"), (":path", "/"), (":authority", "h")]
  static let post = [(":method", "POST"), (":scheme", "https"), (":path", "/p"), (":authority", "h")]

  @discardableResult
  func request(
    _ fields: [(String, String)], body: [UInt8]? = nil, trailers: [(String, String)]? = nil
  ) -> Int32 {
    var provider = nghttp2_data_provider()
    provider.read_callback = { session, id, to, limit, flags, _, data in
      guard let data, let to, let flags else { return 0 }
      let me = Unmanaged<H2Client>.fromOpaque(data).takeUnretainedValue()
      let n = Swift.min(limit, me.bodies[id]?.count ?? 0)
      for i in 0..<n { to[i] = me.bodies[id]?[i] ?? 0 }
      me.bodies[id]?.removeFirst(n)
      if me.bodies[id]?.isEmpty ?? true {
        flags.pointee |= NGHTTP2_DATA_FLAG_EOF.rawValue
        if let trailers = me.trailers[id] {
          flags.pointee |= NGHTTP2_DATA_FLAG_NO_END_STREAM.rawValue
          _ = H2Client.withPairs(trailers) { nghttp2_submit_trailer(session, id, $0, $1) }
        }
      }
      return n
    }
    let id = Self.withPairs(fields) { pairs, count in
      body == nil
        ? nghttp2_submit_request(session, nil, pairs, count, nil, nil)
        : nghttp2_submit_request(session, nil, pairs, count, &provider, nil)
    }
    bodies[id] = body
    self.trailers[id] = trailers
    return id
  }

  func reset(_ id: Int32) { nghttp2_submit_rst_stream(session, 0, id, 8) }
  func ping() { nghttp2_submit_ping(session, 0, nil) }

  private static func withPairs<R>(
    _ fields: [(String, String)], _ body: (UnsafePointer<nghttp2_nv>?, Int) -> R
  ) -> R {
    var octets: [UInt8] = []
    var ranges: [(Range<Int>, Range<Int>)] = []
    for (name, value) in fields {
      let a = octets.count
      octets += Array(name.utf8)
      let b = octets.count
      octets += Array(value.utf8)
      ranges.append((a..<b, b..<octets.count))
    }
    octets.append(0)
    return octets.withUnsafeMutableBufferPointer { buffer in
      let base = buffer.baseAddress
      let pairs = ranges.map {
        nghttp2_nv(
          name: base.map { b in b + 0 }.map { b in b + 0 }, value: base, namelen: $0.0.count,
          valuelen: $0.1.count, flags: 0)
      }
      let placed = zip(pairs, ranges).map { pair, range in
        var pair = pair
        pair.name = base.map { $0 + range.0.lowerBound }
        pair.value = base.map { $0 + range.1.lowerBound }
        return pair
      }
      return placed.withUnsafeBufferPointer { body($0.baseAddress, $0.count) }
    }
  }

  /// What it has to send now.
  func output() -> [UInt8] {
    var all: [UInt8] = []
    while true {
      var data: UnsafePointer<UInt8>?
      let n = nghttp2_session_mem_send(session, &data)
      guard n > 0, let data else { return all }
      all += Array(UnsafeBufferPointer(start: data, count: n))
    }
  }

  func input(_ octets: UnsafeRawBufferPointer) {
    nghttp2_session_mem_recv(session, octets.baseAddress?.assumingMemoryBound(to: UInt8.self), octets.count)
  }
}

/// Records what a session says, and answers as told.
final class H2Recorder: H2SessionDelegate {
  struct Request {
    var head: MessageHead
    var info: H1MessageInfo
    var body: [UInt8] = []
    var trailers: [String]?
    var ended = false
    var closed: UInt32?
  }
  var requests: [Int32: Request] = [:]
  /// How often the end of a body was told.
  var ends: [Int32: Int] = [:]
  var refused: [Int32: HTTPFault] = [:]
  weak var session: H2Session?
  /// Response bodies still to send; a stream that is not in here waits.
  var sources: [Int32: [UInt8]] = [:]
  var responseTrailers: MessageHead?
  var consumes = true
  var answersAtOnce = true

  /// One stream's events, with its number.
  private final class Owner: H2StreamOwner {
    let recorder: H2Recorder
    let id: Int32
    init(_ recorder: H2Recorder, _ id: Int32) {
      self.recorder = recorder
      self.id = id
    }
    func headReceived(_ head: MessageHead, _ info: H1MessageInfo, isWhole: Bool) {
      recorder.requestHead(stream: id, head: head, info: info)
    }
    func responseRefused(_ fault: HTTPFault) {}
    func bodyData(_ octets: UnsafeRawBufferPointer) { recorder.bodyData(stream: id, octets) }
    func bodyEnd(trailers: MessageHead?) { recorder.bodyEnd(stream: id, trailers: trailers) }
    func streamClosed(error: UInt32) { recorder.streamClosed(stream: id, error: error) }
    func offerBody(upTo limit: Int) -> H2BodyOffer { recorder.offerBody(stream: id, upTo: limit) }
    func writeBody(count: Int, into output: ByteBuffer) {
      recorder.writeBody(stream: id, count: count, into: output)
    }
  }

  func requestOpened(stream: Int32, info: H1MessageInfo) -> any H2StreamOwner { Owner(self, stream) }

  private func requestHead(stream: Int32, head: MessageHead, info: H1MessageInfo) {
    let copy = MessageHead()
    copy.copy(from: head)
    requests[stream] = Request(head: copy, info: info)
    if info.framing == .none {
      requests[stream]?.ended = true
      if answersAtOnce { answer(stream) }
    }
  }

  func answer(_ stream: Int32, body: [UInt8] = Array("ok".utf8)) {
    let head = MessageHead()
    head.status = 200
    head.append("x-a", "b")
    head.append("connection", "close")
    sources[stream] = body
    session?.submitResponse(stream: stream, head: head, hasBody: true)
  }

  func bodyData(stream: Int32, _ octets: UnsafeRawBufferPointer) {
    requests[stream]?.body += Array(octets)
    if consumes { session?.consumed(stream: stream, octets.count) }
  }

  func bodyEnd(stream: Int32, trailers: MessageHead?) {
    ends[stream, default: 0] += 1
    requests[stream]?.trailers = trailers?.lines
    requests[stream]?.ended = true
    if answersAtOnce { answer(stream) }
  }

  func streamClosed(stream: Int32, error: UInt32) { requests[stream]?.closed = error }
  func requestRefused(stream: Int32, fault: HTTPFault, isAnswered: Bool) { refused[stream] = fault }

  func offerBody(stream: Int32, upTo limit: Int) -> H2BodyOffer {
    guard let source = sources[stream] else { return .wait }
    let n = Swift.min(limit, source.count)
    return .octets(n, isEnd: n == source.count, trailers: responseTrailers)
  }

  func writeBody(stream: Int32, count: Int, into output: ByteBuffer) {
    guard let source = sources[stream] else { return }
    output.appendGrowing(Array(source[..<count]))
    sources[stream] = Array(source[count...])
  }
}

/// A client and a session joined in memory.
final class H2Pair {
  let recorder = H2Recorder()
  let session: H2Session
  let client: H2Client
  private(set) var outcome = H2Outcome.open
  /// The most octets that one pull brought.
  private(set) var largestPull = 0

  init(settings: H2Settings = H2Settings(), clientWindow: UInt32 = 65535) {
    session = H2Session(accepting: settings)
    session.delegate = recorder
    client = H2Client(initialWindow: clientWindow)
    recorder.session = session
  }

  /// Moves octets both ways until both are quiet; the client's in pieces of `step`.
  func run(step: Int = .max) {
    for _ in 0..<10_000 {
      let toServer = client.output()
      var at = 0
      while at < toServer.count {
        let end = at + Swift.min(step, toServer.count - at)
        outcome = session.receive(Bytes(toServer, in: at..<end).span)
        at = end
      }
      let buffer = ByteBuffer()
      let pulled = session.pull(into: buffer, upTo: 65536)
      if pulled != .open { outcome = pulled }
      largestPull = max(largestPull, buffer.count)
      if !buffer.isEmpty { client.input(buffer.readableBytes) }
      if toServer.isEmpty, buffer.isEmpty { return }
    }
  }

  /// Raw octets from the client's side.
  func inject(_ octets: [UInt8]) { outcome = session.receive(Bytes(octets).span) }
}
