import Base
import Config
import Glibc
import NetIO
import Synchronization

/// The worker's end of the socket on which its master gives orders.
///
/// A message is one octet that says what is wanted, further octets, and a descriptor: `C` opens a session of the
/// command line on it, `S` asks for the sockets that only one process can open. When the master is gone, so is the
/// reason to serve.
final class MasterChannel: EventHandler, @unchecked Sendable {
  private let descriptor: Int32
  private unowned let gateway: Gateway
  private var loop: EventLoop?
  private var token: EventLoop.Token?

  init(_ descriptor: Int32, _ gateway: Gateway) {
    self.descriptor = descriptor
    self.gateway = gateway
    _ = Socket.adopt(descriptor)
  }

  func start(on loop: EventLoop) {
    self.loop = loop
    token = loop.register(descriptor, self)
    descriptorReady([])
  }

  func descriptorReady(_ readiness: Readiness) {
    guard let loop, token != nil else { return }
    withUnsafeTemporaryAllocation(byteCount: 64, alignment: 1) { room in
      while true {
        var passed: Int32?
        switch Socket.receive(descriptor, into: room, passed: &passed) {
        case .bytes(let n):
          if let passed { obey(Array(room[0..<n]), passed, loop) }
        case .wouldBlock: return
        case .endOfStream, .failed: return masterIsGone(loop)
        }
      }
    }
  }

  private func masterIsGone(_ loop: EventLoop) {
    if let token { loop.deregister(token, descriptor) }
    token = nil
    close(descriptor)
    kill(getpid(), SIGTERM)
  }

  private func obey(_ order: [UInt8], _ passed: Int32, _ loop: EventLoop) {
    guard let kind = MasterOrder(order) else {
      close(passed)
      return
    }
    switch kind {
    case .session(let level, let modes):
      Socket.setNonBlocking(passed)
      let session = CommandSession(level: level, timeout: gateway.runtime.global.statsTimeout, severityOutput: .none)
      session.isExperimental = modes.contains(.experimental)
      session.isExpert = modes.contains(.expert)
      if modes.contains(.prompt) { session.mode = .prompt }
      if modes.contains(.interactive) { session.mode = .interactive }
      gateway.admin.admit(passed, session, on: loop)
    case .sockets:
      for listener in gateway.runtime.listeners where listener.address.abstractName != nil {
        let shared = listener.sharedDescriptor.load(ordering: .acquiring)
        if shared >= 0 { InheritedSockets.hand(listener.address, shared, over: passed) }
      }
      for (address, shared) in gateway.admin.abstractSockets {
        InheritedSockets.hand(address, shared, over: passed)
      }
      close(passed)
    }
  }
}

/// What a master asks of a worker, as octets.
enum MasterOrder {
  struct Modes: OptionSet {
    let rawValue: UInt8
    static let experimental = Modes(rawValue: 1)
    static let expert = Modes(rawValue: 2)
    static let prompt = Modes(rawValue: 4)
    static let interactive = Modes(rawValue: 8)
  }

  case session(AdminLevel, Modes)
  case sockets

  init?(_ octets: [UInt8]) {
    switch octets.first {
    case 0x43 where octets.count == 3:
      guard let level = AdminLevel(rawValue: Int(octets[1])) else { return nil }
      self = .session(level, Modes(rawValue: octets[2]))
    case 0x53 where octets.count == 1: self = .sockets
    default: return nil
    }
  }

  var octets: [UInt8] {
    switch self {
    case .session(let level, let modes): [0x43, UInt8(truncatingIfNeeded: level.rawValue), modes.rawValue]
    case .sockets: [0x53]
    }
  }
}

/// Listening sockets of the process that this one replaces: abstract addresses, which two processes cannot have at once.
public enum InheritedSockets {
  private static let waiting = Mutex<[SocketAddress: Int32]>([:])

  /// Takes in what the old process sends on `descriptor` until it closes that; it has two seconds.
  public static func receive(from descriptor: Int32) {
    var limit = timeval(tv_sec: 2, tv_usec: 0)
    setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    withUnsafeTemporaryAllocation(byteCount: 256, alignment: 1) { room in
      while true {
        var passed: Int32?
        guard case .bytes(let n) = Socket.receive(descriptor, into: room, passed: &passed) else { break }
        guard let passed else { continue }
        let path = String(decoding: room[0..<n], as: UTF8.self)
        let old = waiting.withLock { $0.updateValue(passed, forKey: .unix(path)) }
        if let old { close(old) }
      }
    }
    close(descriptor)
  }

  static func hand(_ address: SocketAddress, _ socket: Int32, over descriptor: Int32) {
    guard case .unix(let path) = address else { return }
    _ = Socket.send(descriptor, Array(path.utf8), passing: socket)
  }

  /// The socket of `address`, listening already; it is the caller's.
  static func take(_ address: SocketAddress) -> Int32? {
    guard address.abstractName != nil else { return nil }
    return waiting.withLock { $0.removeValue(forKey: address) }
  }
}
