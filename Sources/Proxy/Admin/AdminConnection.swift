import Base
import Glibc
import NetIO

/// One client of a stats socket.
///
/// It reads a request, runs its commands one after the other and sends each answer as fast as the client takes
/// it; nothing is read meanwhile. Without `prompt`, the connection ends after the first line.
final class AdminConnection: EventHandler, TimerOwner, @unchecked Sendable {
  private let descriptor: Int32
  private let host: any AdminHost
  private let loop: EventLoop
  private var token: EventLoop.Token?
  private let timer = Timer()
  private let session: CommandSession

  private var reader = CommandReader()
  private var commands: ArraySlice<Bytes> = []
  private var payload: Bytes?
  private var isRunningLine = false
  private var source: (() -> [UInt8]?)?
  private var feed: (any CommandFeed)?
  private var relay: AdminRelay?
  private var awaitsAnswer = false
  private var endsAfterOutput = false
  private var sawEnd = false
  private var isClosed = false
  private var isPumping = false
  private var output: [UInt8] = []
  private var sent = 0

  /// Pieces that are made before other events get their turn.
  private static let piecesATurn = 2

  init(_ descriptor: Int32, _ host: any AdminHost, _ session: CommandSession, on loop: EventLoop) {
    self.descriptor = descriptor
    self.host = host
    self.session = session
    self.loop = loop
  }

  /// False when the kernel refuses to watch the descriptor; the caller closes it then.
  func start() -> Bool {
    token = loop.register(descriptor, self)
    if token == nil { return false }
    touch()
    pump()
    return true
  }

  func descriptorReady(_ readiness: Readiness) { pump() }

  func timerFired(_ timer: Timer) { close() }

  private func touch() { loop.timers.set(timer, to: loop.now.instant + session.timeout, owner: self) }

  func close() {
    guard !isClosed else { return }
    isClosed = true
    source = nil
    feed?.end()
    feed = nil
    relay?.close()
    relay = nil
    loop.timers.cancel(timer)
    if let token { loop.deregister(token, descriptor) }
    Glibc.close(descriptor)
    host.connectionClosed(self)
  }

  // MARK: Progress

  private func pump() {
    guard !isPumping else { return }
    isPumping = true
    defer { isPumping = false }
    var pieces = 0
    while !isClosed {
      guard flush() else { return }
      if endsAfterOutput { return close() }
      if awaitsAnswer { return }
      if let relay {
        guard pass(relay) else { return }
      } else if let source {
        pieces += 1
        if pieces > AdminConnection.piecesATurn { return loop.enqueue { self.pump() } }
        if let piece = source() {
          output.append(contentsOf: piece)
        } else {
          self.source = nil
          finishCommand()
        }
      } else if let feed {
        guard follow(feed) else { return }
      } else if isRunningLine {
        runNext()
      } else if !takeRequest() {
        return
      }
    }
  }

  /// Moves what a relay has; false to wait for an event.
  private func pass(_ relay: AdminRelay) -> Bool {
    if relay.kind != .command { forwardInput(relay) }
    switch relay.take() {
    case .octets(let octets):
      output.append(contentsOf: octets)
      touch()
      return true
    case .nothing: return false
    case .end:
      relay.close()
      self.relay = nil
      // The worker's answer has its own end.
      if relay.kind == .session {
        endsAfterOutput = true
      } else if commands.isEmpty {
        endLine()
      }
      return true
    }
  }

  private func forwardInput(_ relay: AdminRelay) {
    guard !sawEnd else { return }
    withUnsafeTemporaryAllocation(byteCount: 16 * 1024, alignment: 1) { room in
      while true {
        switch Socket.receive(descriptor, into: room) {
        case .bytes(let n): relay.send(Array(room[0..<n]))
        case .wouldBlock: return
        case .endOfStream, .failed:
          sawEnd = true
          return relay.endInput()
        }
      }
    }
  }

  /// True when a request was taken or the state changed, false to wait for an event.
  private func takeRequest() -> Bool {
    switch reader.next() {
    case .request(let commands, let payload):
      self.commands = host.commands(of: commands)[...]
      self.payload = payload
      isRunningLine = true
      return true
    case .tooLong:
      output.append(
        "The command line is too big for the buffer size. Please change 'tune.bufsize' in the configuration to use a bigger command.\n"
      )
      endsAfterOutput = true
      return true
    case .needMore:
      if sawEnd {
        close()
        return false
      }
      return receive()
    }
  }

  private func receive() -> Bool {
    withUnsafeTemporaryAllocation(byteCount: 16 * 1024, alignment: 1) { room in
      switch Socket.receive(descriptor, into: room) {
      case .bytes(let n):
        touch()
        let wanted = reader.wantsPayload
        reader.feed(UnsafeRawBufferPointer(rebasing: room[0..<n]))
        if session.mode == .prompt, wanted { output.append("+ ") }
        return true
      case .wouldBlock: return false
      case .endOfStream:
        sawEnd = true
        return true
      case .failed:
        close()
        return false
      }
    }
  }

  /// True when all output was sent.
  private func flush() -> Bool {
    while sent < output.count {
      let result = output.withUnsafeBytes {
        Socket.send(descriptor, UnsafeRawBufferPointer(rebasing: $0[sent...]))
      }
      switch result {
      case .bytes(let n):
        sent += n
        touch()
      case .wouldBlock: return false
      case .endOfStream, .failed:
        close()
        return false
      }
    }
    output.removeAll(keepingCapacity: output.capacity <= 64 * 1024)
    sent = 0
    return true
  }

  /// More of a feed; false when there is nothing to do until an event. Whatever the client sends ends it.
  private func follow(_ feed: any CommandFeed) -> Bool {
    if let piece = feed.next() {
      output.append(contentsOf: piece)
      return true
    }
    let isOver = withUnsafeTemporaryAllocation(byteCount: 1024, alignment: 1) { room in
      Socket.receive(descriptor, into: room) != .wouldBlock
    }
    if isOver {
      feed.end()
      self.feed = nil
      touch()
      finishCommand()
      return true
    }
    let loop = loop
    if !feed.wait({ loop.enqueue { self.pump() } }) { loop.enqueue { self.pump() } }
    return false
  }

  // MARK: Commands

  private func runNext() {
    guard let command = commands.popFirst() else { return finishLine() }
    let isLast = commands.isEmpty
    give(
      host.run(command, payload: isLast ? payload : nil, session))
  }

  private func give(_ answer: CommandAnswer) {
    switch answer {
    case .text(let text):
      output.append(contentsOf: text)
      finishCommand()
    case .message(let text, let severity):
      output.append(contentsOf: session.rendered(text, severity: severity))
      finishCommand()
    case .pieces(let source): self.source = source
    case .following(let feed):
      // It may be quiet for long.
      loop.timers.cancel(timer)
      self.feed = feed
    case .bare(let text):
      output.append(text)
      if session.isOver {
        endsAfterOutput = true
      } else if commands.isEmpty {
        endLine()
      }
    case .relay(let descriptor, let start, let kind):
      // What has arrived behind the command is the worker's already.
      let start = kind == .command ? start : start + reader.takeRest()
      relay = AdminRelay(descriptor, start, kind, on: loop) { [weak self] in self?.pump() }
    case .later(let start):
      awaitsAnswer = true
      start { [self] answer in
        guard !isClosed, awaitsAnswer else { return }
        awaitsAnswer = false
        give(answer)
        pump()
      }
    }
  }

  private func finishCommand() {
    if session.isOver {
      endsAfterOutput = true
      return
    }
    guard commands.isEmpty else { return output.append(ASCII.lf) }
    finishLine()
  }

  private func finishLine() {
    output.append(ASCII.lf)
    endLine()
  }

  private func endLine() {
    isRunningLine = false
    payload = nil
    switch session.mode {
    case .single: endsAfterOutput = true
    case .interactive: break
    case .prompt: output.append(host.prompt(session))
    }
  }
}
