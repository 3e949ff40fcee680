import Base
import HTTP

/// The body that a stream sends on an HTTP/2 connection: gathered in a buffer, or framed straight from where it was
/// received.
struct H2Outlet {
  fileprivate(set) var buffer: ByteBuffer?
  /// What the stream is writing just now; only while `buffer` is nil.
  fileprivate var lent: UnsafeRawBufferPointer?
  /// Octets of `lent` that the engine was offered and has not taken yet.
  fileprivate var promised = 0
  fileprivate var trailers: MessageHead?
  var isEnded = false
  var wantsRoom = false
  /// Octets sent, heads included.
  var total = 0

  /// From this size on a piece is lent to the engine; smaller ones are gathered.
  fileprivate static let lendingSize = 8 * 1024
  /// Octets held for one stream.
  fileprivate static let bound = 64 * 1024

  /// Whether octets that were lent still wait for the engine.
  var isLending: Bool { !(lent?.isEmpty ?? true) }
  /// Octets that wait for the engine.
  var held: Int { buffer?.count ?? 0 }
}

/// The body that a stream receives on an HTTP/2 connection.
struct H2Inlet {
  fileprivate var buffer: ByteBuffer?
  /// What the engine gives just now; only while `buffer` is nil.
  fileprivate var lent: UnsafeRawBufferPointer?
  var isEnded = false
  var trailers: MessageHead?
  /// Octets received, the head included.
  var total = 0

  /// The octets that wait for the stream; nil when there are none.
  var waiting: UnsafeRawBufferPointer? {
    if let lent { return lent }
    if let buffer, !buffer.isEmpty { return buffer.readableBytes }
    return nil
  }
}

/// One request and its response on an HTTP/2 connection, as one side of a stream: its bodies both ways.
protocol H2StreamEnd: H2StreamOwner, BodySource, BodySink {
  associatedtype Connection: H2Connection where Connection.Exchange == Self
  var session: Connection { get }
  /// The number of the stream; 0 before it has one.
  var id: Int32 { get }
  /// The place in the connection's list.
  var position: Int { get set }
  var stream: Stream? { get }
  var outlet: H2Outlet { get set }
  var inlet: H2Inlet { get set }
  /// Nothing that the stream still writes reaches the peer.
  var dropsOutput: Bool { get }
  /// What the peer sends is of no use any more.
  func discard(_ n: Int)
}

/// What the stream receives.
extension H2StreamEnd {
  var trailers: MessageHead? { inlet.trailers }

  func bodyData(_ octets: UnsafeRawBufferPointer) {
    inlet.total += octets.count
    guard let stream else { return discard(octets.count) }
    if let buffer = inlet.buffer { buffer.appendGrowing(octets) } else { inlet.lent = octets }
    stream.advance()
    guard let rest = inlet.lent.take(), !rest.isEmpty else { return }
    let buffer = session.worker.buffers.take()
    buffer.appendGrowing(rest)
    inlet.buffer = buffer
  }

  func bodyEnd(trailers: MessageHead?) {
    inlet.isEnded = true
    inlet.trailers = trailers
    stream?.advance()
  }

  func consume(_ n: Int) {
    if let lent = inlet.lent {
      inlet.lent = n < lent.count ? UnsafeRawBufferPointer(rebasing: lent.dropFirst(n)) : nil
    } else {
      guard let buffer = inlet.buffer else { return }
      buffer.consume(n)
      if buffer.isEmpty {
        session.worker.buffers.give(buffer)
        inlet.buffer = nil
      }
    }
    session.consumed(self, n)
  }

  func dropInput() {
    if let waiting = inlet.waiting { session.consumed(self, waiting.count) }
    inlet.lent = nil
    if let buffer = inlet.buffer.take() { session.worker.buffers.give(buffer) }
  }
}

/// What the stream sends.
extension H2StreamEnd {
  func writeBody(_ bytes: UnsafeRawBufferPointer) -> Int {
    if dropsOutput { return bytes.count }
    if bytes.count >= H2Outlet.lendingSize, outlet.buffer == nil, id != 0, session.mayPull,
      session.worker.lendsBodies
    {
      let n = lend(bytes)
      if n == 0 { waitForRoom() }
      return n
    }
    let buffer = outlet.buffer ?? session.worker.buffers.take()
    outlet.buffer = buffer
    let room = H2Outlet.bound - buffer.count
    guard room > 0 else {
      waitForRoom()
      return 0
    }
    let n = Swift.min(room, bytes.count)
    let wasEmpty = buffer.isEmpty
    buffer.appendGrowing(UnsafeRawBufferPointer(rebasing: bytes.prefix(n)))
    outlet.total += n
    if wasEmpty { session.bodyIsReady(self) }
    return n
  }

  private func waitForRoom() {
    guard !outlet.wantsRoom else { return }
    outlet.wantsRoom = true
    session.waitForRoom(self)
  }

  /// Lets the engine frame `bytes` where they are; the number that it took.
  private func lend(_ bytes: UnsafeRawBufferPointer) -> Int {
    outlet.lent = bytes
    session.pullBody(of: self)
    let taken = bytes.count - (outlet.lent?.count ?? bytes.count)
    let owed = outlet.promised
    if owed > 0, let rest = outlet.lent {
      // A frame of that length is under way already: its octets must stay.
      let buffer = session.worker.buffers.take()
      buffer.appendGrowing(UnsafeRawBufferPointer(rebasing: rest.prefix(owed)))
      outlet.buffer = buffer
    }
    outlet.lent = nil
    outlet.promised = 0
    outlet.total += taken + owed
    return taken + owed
  }

  func endBody(trailers: MessageHead?) {
    guard !outlet.isEnded else { return }
    outlet.isEnded = true
    outlet.trailers = trailers
    session.bodyIsReady(self)
  }

  func flushBody() { session.scheduleFlush() }

  /// What the engine may send now.
  func offerBody(upTo limit: Int) -> H2BodyOffer {
    if let lent = outlet.lent, !lent.isEmpty {
      outlet.promised = Swift.min(lent.count, limit)
      return outlet.promised > 0 ? .octets(outlet.promised, isEnd: false) : .wait
    }
    let waiting = outlet.held
    let n = Swift.min(waiting, limit)
    if n > 0 { return .octets(n, isEnd: outlet.isEnded && n == waiting, trailers: outlet.trailers) }
    if outlet.wantsRoom { session.roomIsAsked() }
    if outlet.isEnded, waiting == 0 { return .octets(0, isEnd: true, trailers: outlet.trailers) }
    return dropsOutput ? .failed : .wait
  }

  func writeBody(count: Int, into target: ByteBuffer) {
    if let octets = outlet.lent, outlet.promised == count {
      target.appendGrowing(UnsafeRawBufferPointer(rebasing: octets.prefix(count)))
      outlet.lent = UnsafeRawBufferPointer(rebasing: octets.dropFirst(count))
      outlet.promised = 0
      return
    }
    guard let buffer = outlet.buffer else { return }
    target.appendGrowing(UnsafeRawBufferPointer(rebasing: buffer.readableBytes.prefix(count)))
    buffer.consume(count)
    if buffer.isEmpty {
      session.worker.buffers.give(buffer)
      outlet.buffer = nil
    }
  }

  /// The engine took octets: the stream may go on.
  func roomCame() {
    guard outlet.wantsRoom else { return }
    if outlet.held >= H2Outlet.bound { return session.waitForRoom(self) }
    outlet.wantsRoom = false
    stream?.advance()
  }

  func dropOutput() {
    outlet.lent = nil
    outlet.promised = 0
    if let buffer = outlet.buffer.take() { session.worker.buffers.give(buffer) }
  }
}
