import Base
import Config
import Glibc
import NetIO

/// Who answers on a command-line socket: a worker for itself, or the master for all processes.
protocol AdminHost: AnyObject {
  /// Whether one more client is taken.
  var hasRoom: Bool { get }

  func admit(_ descriptor: Int32, _ bind: BindSettings, on loop: EventLoop)

  /// Takes the request apart that a client sent, `@@` commands above all.
  func commands(of line: [Bytes]) -> [Bytes]

  func run(_ command: Bytes, payload: Bytes?, _ session: CommandSession) -> CommandAnswer

  /// What asks for the next line, with `prompt`.
  func prompt(_ session: CommandSession) -> String

  func connectionClosed(_ connection: AdminConnection)
}

/// What a worker answers to a command of the master's client, on its way there.
///
/// The client's connection reads it as fast as the client takes it.
final class AdminRelay: EventHandler {
  enum Piece {
    case octets([UInt8])
    case nothing
    case end
  }

  /// What the worker was given: one command, a line of them with all that the client says meanwhile, or the client for
  /// the rest of its connection.
  enum Kind { case command, line, session }

  private let descriptor: Int32
  private let loop: EventLoop
  let kind: Kind
  private var token: EventLoop.Token?
  private var pending: [UInt8]
  private var inputEnded = false
  private let wake: () -> Void

  init(_ descriptor: Int32, _ start: [UInt8], _ kind: Kind, on loop: EventLoop, wake: @escaping () -> Void) {
    self.descriptor = descriptor
    self.loop = loop
    self.kind = kind
    self.wake = wake
    pending = start
    Socket.setNonBlocking(descriptor)
    token = loop.register(descriptor, self)
    flush()
  }

  func descriptorReady(_ readiness: Readiness) {
    flush()
    wake()
  }

  /// More for the worker; it keeps what the worker does not take at once.
  func send(_ octets: [UInt8]) {
    pending += octets
    flush()
  }

  /// The client sends no more.
  func endInput() {
    inputEnded = true
    flush()
  }

  private func flush() {
    while !pending.isEmpty {
      guard case .bytes(let n) = pending.withUnsafeBytes({ Socket.send(descriptor, $0) }) else { return }
      pending.removeFirst(n)
    }
    if inputEnded { Socket.shutdownWrite(descriptor) }
  }

  func take() -> Piece {
    withUnsafeTemporaryAllocation(byteCount: 16 * 1024, alignment: 1) { room in
      switch Socket.receive(descriptor, into: room) {
      case .bytes(let n): .octets(Array(room[0..<n]))
      case .wouldBlock: .nothing
      case .endOfStream, .failed: .end
      }
    }
  }

  func close() {
    if let token { loop.deregister(token, descriptor) }
    token = nil
    Glibc.close(descriptor)
  }
}
