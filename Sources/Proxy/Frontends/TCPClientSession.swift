import Base
import Config
import HTTP
import NetIO
import Rules

/// The client's side of a TCP mode stream: octets both ways until both have ended.
final class TCPClientSession: TransportOwner, ClientEndpoint {
  let connection: ClientConnection
  private let transport: Transport
  private var stream: Stream?
  private var reader = H1BodyReader()
  private var isFlushing = false
  private var isLingering = false
  private var hasVanished = false
  private var lingered = 0

  /// Octets dropped, and time, before a client that no server was reached for is let go.
  private static let lingerLimit = 64 * 1024
  private static let lingerTime: Timespan = .seconds(1)

  init(_ connection: ClientConnection) {
    self.connection = connection
    transport = connection.transport
    transport.owner = self
    reader.begin(.tunnel)
  }

  /// Starts the stream; apart from `init` so that the stream can hold on to `self`.
  func start() {
    let worker = connection.worker
    let times = StreamTimes(
      accepted: connection.accepted, handshakeDone: connection.handshakeDone, idleSince: connection.handshakeDone,
      began: connection.handshakeDone)
    let stream = Stream(
      worker: worker, frontend: connection.frontend, client: self, storage: worker.takeStorage(facts), times: times,
      isHTTP: false)
    self.stream = stream
    stream.connectionReceived()
  }

  var facts: ConnectionFacts { connection.facts }
  var hasFailed: Bool { transport.hasFailed || transport.isClosed }
  var hasEnded: Bool { transport.sawEnd || transport.peerHungUp }
  var isBlocked: Bool { transport.isBlocked }
  var octetsIn: Int { transport.octetsIn }
  var octetsOut: Int { transport.octetsOut + transport.gathered }

  var endpointFacts: EndpointFacts { EndpointFacts(transport, id: 0, wasGivenUp: hasFailed) }

  func finishHandshake() { transport.finishHandshake() }

  func transportReady(_ transport: Transport) {
    if isLingering { return linger() }
    if isFlushing {
      if transport.flush() { close(reset: false) }
      return
    }
    stream?.advance()
  }

  func nextPiece() -> BodyPiece { reader.next(transport) }
  func consume(_ n: Int) { reader.consume(n, transport) }
  var passage: (transport: Transport, limit: Int)? {
    let limit = reader.passable(transport)
    return limit > 0 ? (transport, limit) : nil
  }
  func passed(_ n: Int) { reader.passed(n) }
  func beginTunnel() {}
  func gatherInput() { transport.gather() }
  func writeBody(_ bytes: UnsafeRawBufferPointer) -> Int { transport.write(bytes) }
  func splice(from source: Transport, upTo limit: Int) -> Transport.Spliced {
    let result = transport.splice(from: source, upTo: limit)
    _ = transport.flush()
    return result
  }
  func endBody(trailers: MessageHead?) { if transport.flush() { transport.shutdownWrite() } }
  func flushBody() { _ = transport.flush() }
  func beginResponse(_ head: MessageHead, body: ResponseBody) {}
  func sendInterim(_ head: MessageHead) {}
  func keep(_ server: ServerConnection) -> Bool { connection.kept.keep(server) }
  func takeKept(_ server: Server, key: UInt64) -> ServerConnection? { connection.kept.take(server, key: key) }

  /// `bind ... proto none` wants nothing but octets.
  var maySwitchToHTTP: Bool { connection.listener.bind.proto != "none" }

  func switchToHTTP(proto: String?, _ storage: StreamStorage) {
    stream = nil
    connection.switchToHTTP(proto: proto, storage)
  }

  func vanish() {
    hasVanished = true
    Socket.vanish(transport.descriptor)
  }

  func finish(reusable: Bool, aborted: Bool) {
    // Where no server was reached the client is hung up on, not reset: what it sent is read first.
    let wasConnected = stream.map { $0.times.connected != .never } ?? false
    stream = nil
    if aborted, !wasConnected, !hasVanished, !transport.hasFailed {
      if transport.sawEnd || transport.tls != nil { return close(reset: false) }
      isLingering = true
      transport.shutdownWrite()
      let loop = connection.worker.loop
      loop.timers.set(connection.timer, to: loop.now.instant + TCPClientSession.lingerTime, owner: self)
      return linger()
    }
    if !aborted, !transport.flush() {
      isFlushing = true
      return
    }
    close(reset: aborted && !transport.sawEnd)
  }

  /// Closing with octets unread would reset the connection.
  private func linger() {
    while true {
      lingered += transport.waiting.count
      transport.consume(transport.waiting.count)
      if lingered > TCPClientSession.lingerLimit { return close(reset: false) }
      switch transport.receive() {
      case .some: continue
      case .nothing: return
      case .end, .failed: return close(reset: false)
      }
    }
  }

  private func close(reset: Bool) {
    if isLingering { connection.worker.loop.timers.cancel(connection.timer) }
    isLingering = false
    transport.close(reset: reset)
    connection.closed()
  }
}

extension TCPClientSession: TimerOwner {
  func timerFired(_ timer: Timer) { if isLingering { close(reset: false) } }
}
