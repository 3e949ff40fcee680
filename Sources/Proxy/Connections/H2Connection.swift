import Base
import HTTP
import NetIO

/// What a connection of HTTP/2 consists of, whichever end of it we are.
struct H2Link<Exchange: AnyObject> {
  let transport: Transport
  let engine: H2Session
  /// Those whose streams are open; each knows its place.
  var exchanges: [Exchange] = []
  /// Exchanges whose streams wait for room.
  var blocked: [Exchange] = []
  /// Those of them that are told of it just now.
  fileprivate var woken: [Exchange] = []
  fileprivate var flushIsDue = false
  /// What came has more frames than one turn may have.
  fileprivate var readIsDue = false
  fileprivate var isReceiving = false
  fileprivate var isPulling = false
  /// The engine could send more for an exchange that waits for room.
  fileprivate var roomWasAsked = false
  /// The last batch did not fit in a buffer of the usual size.
  fileprivate var sendsBulk = false
  /// Nothing is read any more; what the engine has to send still goes out.
  var isEnding = false
  /// All was said, and only the peer's end is waited for.
  var isLingering = false
  var isClosed = false
  fileprivate var awaitsRest = false

  init(_ transport: Transport, _ engine: H2Session) {
    self.transport = transport
    self.engine = engine
  }

  fileprivate mutating func beginWaking() { swap(&blocked, &woken) }
}

/// A connection of HTTP/2 with a client or a server: many exchanges at once, each with its stream.
///
/// Output is pulled from the engine once per batch of events, and only while the transport takes it: a peer that does
/// not read stops what is produced for it. The engine is not asked for frames from inside of its own calls.
protocol H2Connection: TransportOwner, DeferredWork, Restful {
  associatedtype Exchange: H2StreamEnd where Exchange.Connection == Self
  var worker: Worker { get }
  var link: H2Link<Exchange> { get set }
  /// The engine has taken what came.
  func inputTaken()
  /// The transport has taken what the engine had, as far as it goes now.
  func outputSettled(progressed: Bool)
  /// An exchange has left, the last one if `link.exchanges` is empty now.
  func exchangeLeft(_ exchange: Exchange)
  /// The connection is broken: nothing more comes for any exchange.
  func failAll()
  func close()
}

/// Octets that are taken from the engine before the transport is asked to send.
private let batch = 64 * 1024

extension H2Connection {
  // MARK: Input

  func readInput() {
    let (transport, engine) = (link.transport, link.engine)
    link.isReceiving = true
    defer { link.isReceiving = false }
    while !link.isClosed, !link.isEnding {
      if transport.hasInput {
        let (outcome, used) = transport.withWaiting { engine.receiveTurn($0) }
        transport.consume(outcome == .open ? used : transport.waiting.count)
        if outcome != .open { link.isEnding = true }
        inputTaken()
        scheduleFlush()
        if transport.hasInput {
          // Others have their turns first.
          link.readIsDue = true
          return
        }
      }
      switch transport.receive() {
      case .some: continue
      case .nothing: return
      case .end, .failed:
        link.isEnding = true
        failAll()
        scheduleFlush()
        return
      }
    }
  }

  // MARK: Exchanges

  func join(_ exchange: Exchange) {
    exchange.position = link.exchanges.count
    link.exchanges.append(exchange)
  }

  func leave(_ exchange: Exchange) {
    let position = exchange.position
    guard position < link.exchanges.count, link.exchanges[position] === exchange else { return }
    link.exchanges.swapAt(position, link.exchanges.count - 1)
    link.exchanges[position].position = position
    link.exchanges.removeLast()
    exchangeLeft(exchange)
  }

  func bodyIsReady(_ exchange: Exchange) {
    link.engine.resumeBody(stream: exchange.id)
    scheduleFlush()
  }

  func consumed(_ exchange: Exchange, _ n: Int) {
    link.engine.consumed(stream: exchange.id, n)
    scheduleFlush()
  }

  func reset(_ exchange: Exchange, _ code: UInt32) {
    link.engine.reset(stream: exchange.id, code: code)
    scheduleFlush()
  }

  func waitForRoom(_ exchange: Exchange) { link.blocked.append(exchange) }
  func roomIsAsked() { link.roomWasAsked = true }

  // MARK: Idling

  var awaitsRest: Bool {
    get { link.awaitsRest }
    set { link.awaitsRest = newValue }
  }

  func rest() { if !link.isClosed { link.engine.rest() } }

  // MARK: Output

  func scheduleFlush() {
    guard !link.flushIsDue, !link.isClosed else { return }
    link.flushIsDue = true
    worker.loop.afterEvents(self)
  }

  func runDeferred() {
    link.flushIsDue = false
    if link.readIsDue {
      link.readIsDue = false
      readInput()
    }
    flush()
  }

  /// Whether the engine may be asked for frames.
  var mayPull: Bool { !link.isClosed && !link.isReceiving && !link.isPulling && !link.isLingering }

  /// Takes one batch of frames from the engine and sends it; the octets that it came to.
  func pull() -> Int {
    let transport = link.transport
    link.isPulling = true
    let output = transport.assembly(bulk: link.sendsBulk)
    let before = output.count
    if link.engine.pull(into: output, upTo: batch) != .open { link.isEnding = true }
    let produced = output.count - before
    link.sendsBulk = produced > worker.buffers.bufferSize
    _ = transport.flush()
    link.isPulling = false
    return produced
  }

  /// Sends what `exchange` lends, as far as windows and the transport allow now.
  func pullBody(of exchange: Exchange) {
    guard mayPull else { return }
    let transport = link.transport
    link.engine.resumeBody(stream: exchange.id)
    while exchange.outlet.isLending, !transport.isBlocked, !transport.hasFailed {
      link.sendsBulk = true
      if pull() == 0 { break }
    }
    scheduleFlush()
  }

  func flush() {
    guard mayPull else { return }
    let transport = link.transport
    var progressed = false
    while !transport.isBlocked {
      link.roomWasAsked = false
      let produced = pull()
      if transport.hasFailed { return close() }
      if produced == 0, !link.roomWasAsked { break }
      progressed = true
      wakeBlocked()
    }
    outputSettled(progressed: progressed)
  }

  private func wakeBlocked() {
    guard !link.blocked.isEmpty else { return }
    link.beginWaking()
    for exchange in link.woken { exchange.roomCame() }
    link.woken.removeAll(keepingCapacity: true)
  }
}
