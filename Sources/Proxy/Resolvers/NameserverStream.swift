import Base
import Glibc
import NetIO

/// A TCP connection to a name server (RFC 7766): questions are pipelined, each message behind its length.
///
/// It connects when there is something to send and closes when it was idle for a while. What was asked on a
/// connection that breaks is asked again by whoever waits for the answer.
final class NameserverStream: EventHandler, TimerOwner {
  private let address: SocketAddress
  private let loop: EventLoop
  private let deliver: ([UInt8]) -> Void
  private var descriptor: Int32 = -1
  private var token: EventLoop.Token?
  private let timer = Timer()
  private var output: [UInt8] = []
  private var input: [UInt8] = []
  /// No connection has ever brought a message, and one has failed.
  private(set) var isUseless = false
  private var hasDelivered = false

  private static let idleTime = Timespan.seconds(5)
  /// Octets of questions that may wait for the connection.
  private static let outputBound = 64 * 1024

  init(_ address: SocketAddress, on loop: EventLoop, deliver: @escaping ([UInt8]) -> Void) {
    self.address = address
    self.loop = loop
    self.deliver = deliver
  }

  /// False when there is no connection and none can be made.
  func send(_ message: [UInt8]) -> Bool {
    guard message.count <= 65535, output.count < NameserverStream.outputBound, open() else { return false }
    output.append(UInt8(truncatingIfNeeded: message.count >> 8))
    output.append(UInt8(truncatingIfNeeded: message.count))
    output.append(contentsOf: message)
    touch()
    flush()
    return descriptor >= 0
  }

  private func touch() {
    loop.timers.set(timer, to: loop.now.instant + NameserverStream.idleTime, owner: self)
  }

  private func open() -> Bool {
    if descriptor >= 0 { return true }
    guard let fd = Socket.stream(for: address) else { return false }
    guard Socket.connect(fd, to: address) == nil, let token = loop.register(fd, self) else {
      Glibc.close(fd)
      return false
    }
    descriptor = fd
    self.token = token
    return true
  }

  func descriptorReady(_ readiness: Readiness) {
    flush()
    receive()
  }

  private func flush() {
    while !output.isEmpty, descriptor >= 0 {
      switch output.withUnsafeBytes({ Socket.send(descriptor, $0) }) {
      case .bytes(let n): output.removeFirst(n)
      case .wouldBlock: return
      case .failed(ENOTCONN): return
      case .endOfStream, .failed: return lose()
      }
    }
  }

  private func receive() {
    while descriptor >= 0 {
      let result = withUnsafeTemporaryAllocation(byteCount: 16 * 1024, alignment: 8) { room -> IOResult in
        let result = Socket.receive(descriptor, into: room)
        if case .bytes(let n) = result { input.append(contentsOf: room[0..<n]) }
        return result
      }
      switch result {
      case .bytes: takeMessages()
      case .wouldBlock, .failed(ENOTCONN): return
      case .endOfStream, .failed: return lose()
      }
    }
  }

  private func takeMessages() {
    touch()
    var start = 0
    while input.count - start >= 2 {
      let length = Int(input[start]) << 8 | Int(input[start + 1])
      guard input.count - start - 2 >= length else { break }
      let message = Array(input[(start + 2)..<(start + 2 + length)])
      start += 2 + length
      hasDelivered = true
      isUseless = false
      deliver(message)
    }
    if start > 0, start <= input.count { input.removeFirst(start) }
  }

  func timerFired(_ timer: Timer) {
    if hasDelivered { close() } else { lose() }
  }

  private func lose() {
    isUseless = !hasDelivered
    close()
  }

  func close() {
    loop.timers.cancel(timer)
    if let token { loop.deregister(token, descriptor) }
    if descriptor >= 0 { Glibc.close(descriptor) }
    token = nil
    descriptor = -1
    output = []
    input = []
  }
}
