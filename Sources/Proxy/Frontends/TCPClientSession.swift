import Base
import Config
import HTTP
import NetIO
import Rules

/// The client's side of a TCP mode stream: octets both ways until both have ended.
final class TCPClientSession: TransportOwner, ClientEndpoint {
  private let connection: ClientConnection
  private let transport: Transport
  private var stream: Stream?
  private var reader = H1BodyReader()
  private var isFlushing = false

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

  func transportReady(_ transport: Transport) {
    if isFlushing {
      if transport.flush() { close(reset: false) }
      return
    }
    stream?.advance()
  }

  func nextPiece() -> BodyPiece { reader.next(transport) }
  func consume(_ n: Int) { reader.consume(n, transport) }
  func beginTunnel() {}
  func gatherInput() { transport.gather() }
  func writeBody(_ bytes: UnsafeRawBufferPointer) -> Int { transport.write(bytes) }
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

  func vanish() { Socket.vanish(transport.descriptor) }

  func finish(reusable: Bool, aborted: Bool) {
    // Where no server was reached the client is hung up on, not reset: what it sent is read first.
    let wasConnected = stream.map { $0.times.connected != .never } ?? false
    stream = nil
    if aborted, !wasConnected, !transport.hasFailed {
      _ = transport.receive()
      return close(reset: false)
    }
    if !aborted, !transport.flush() {
      isFlushing = true
      return
    }
    close(reset: aborted && !transport.sawEnd)
  }

  private func close(reset: Bool) {
    transport.close(reset: reset)
    connection.closed()
  }
}
