import Base
import Glibc
import NetIO

@testable import Proxy

/// A name server on loopback, on the loop of the test: answers as its script says, over UDP and TCP.
final class ScriptedNameserver: EventHandler {
  enum Reply {
    case addresses([String])
    case services([(target: String, port: UInt16, weight: UInt16, address: String?)])
    case code(UInt16)
    case truncated
    case silence
    /// Octets of the test's own making.
    case raw((UInt16, DNSQuestion) -> [UInt8])
  }

  let port: UInt16
  var script: (DNSQuestion, _ overStream: Bool) -> Reply
  private(set) var questions: [DNSQuestion] = []
  private let loop: EventLoop
  private let datagram: Int32
  private let listener: Int32
  private var connections: [StreamSide] = []

  init?(on loop: EventLoop, script: @escaping (DNSQuestion, Bool) -> Reply) {
    self.loop = loop
    self.script = script
    let kinds = Int32(SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
    var chosen: (UInt16, Int32, Int32)?
    // The same port must be free for both protocols.
    for _ in 0..<50 where chosen == nil {
      let udp = socket(AF_INET, Int32(SOCK_DGRAM.rawValue) | kinds, 0)
      let tcp = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | kinds, 0)
      let any = SocketAddress.ip(.v4(0x7F00_0001), port: 0)
      _ = any.withSockaddr { bind(udp, $0, $1) }
      let address = Socket.localAddress(udp)
      if address.withSockaddr({ bind(tcp, $0, $1) }) == 0, listen(tcp, 8) == 0, let port = address.port {
        chosen = (port, udp, tcp)
      } else {
        close(udp)
        close(tcp)
      }
    }
    guard let chosen else { return nil }
    (port, datagram, listener) = chosen
    guard loop.register(datagram, self) != nil else { return nil }
    let acceptor = Acceptor { [unowned self] in accept() }
    self.acceptor = acceptor
    guard loop.registerListener(listener, acceptor) != nil else { return nil }
  }

  private var acceptor: Acceptor?

  private final class Acceptor: EventHandler {
    let body: () -> Void
    init(_ body: @escaping () -> Void) { self.body = body }
    func descriptorReady(_ readiness: Readiness) { body() }
  }

  private func accept() {
    let (result, fd, _) = Socket.accept(listener)
    guard case .bytes = result else { return }
    let side = StreamSide(fd) { [unowned self] in answer($0, overStream: true) }
    connections.append(side)
    _ = loop.register(fd, side)
  }

  private final class StreamSide: EventHandler {
    let descriptor: Int32
    var input: [UInt8] = []
    let answer: ([UInt8]) -> [UInt8]?
    init(_ descriptor: Int32, _ answer: @escaping ([UInt8]) -> [UInt8]?) {
      self.descriptor = descriptor
      self.answer = answer
    }

    /// An answer without octets ends the connection.
    private func shutdown() { _ = Glibc.shutdown(descriptor, Int32(SHUT_RDWR)) }

    func descriptorReady(_ readiness: Readiness) {
      withUnsafeTemporaryAllocation(byteCount: 4096, alignment: 8) { room in
        while case .bytes(let n) = Socket.receive(descriptor, into: room) { input += Array(room[0..<n]) }
      }
      while input.count >= 2, input.count >= 2 + Int(input[0]) << 8 + Int(input[1]) {
        let length = Int(input[0]) << 8 | Int(input[1])
        let reply = answer(Array(input[2..<(2 + length)]))
        input.removeFirst(2 + length)
        guard let reply else { continue }
        if reply.isEmpty { return shutdown() }
        let framed = [UInt8(reply.count >> 8), UInt8(reply.count & 255)] + reply
        // Octet by octet, so that messages arrive in parts.
        for octet in framed { _ = [octet].withUnsafeBytes { Socket.send(descriptor, $0) } }
      }
    }
  }

  func descriptorReady(_ readiness: Readiness) {
    var room = [UInt8](repeating: 0, count: 2048)
    while true {
      var storage = sockaddr_storage()
      var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
      let n = withUnsafeMutablePointer(to: &storage) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
          recvfrom(datagram, &room, room.count, 0, $0, &length)
        }
      }
      guard n > 0 else { return }
      guard let reply = answer(Array(room[0..<n]), overStream: false) else { continue }
      withUnsafePointer(to: &storage) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
          _ = sendto(datagram, reply, reply.count, 0, $0, length)
        }
      }
    }
  }

  private func answer(_ message: [UInt8], overStream: Bool) -> [UInt8]? {
    var position = 12
    guard message.count > 16, let name = DNSName.read(message.span, at: &position),
      position + 2 <= message.count,
      let type = DNSRecordType(rawValue: UInt16(message[position]) << 8 | UInt16(message[position + 1]))
    else { return nil }
    let question = DNSQuestion(name: name, type: type)
    let id = UInt16(message[0]) << 8 | UInt16(message[1])
    questions.append(question)
    switch script(question, overStream) {
    case .silence: return nil
    case .raw(let make): return make(id, question)
    case .code(let code): return DNSBuilder(id, flags: 0x8180 | code, question).octets
    case .truncated: return DNSBuilder(id, flags: 0x8380, question).octets
    case .addresses(let list):
      var builder = DNSBuilder(id, question)
      for text in list {
        let octets = DNSBuilder.address(text)
        builder.add(DNSBuilder.sameName, octets.count == 4 ? 1 : 28, octets)
      }
      return builder.octets
    case .services(let list):
      var builder = DNSBuilder(id, question)
      for item in list {
        builder.add(
          DNSBuilder.sameName, 33, DNSBuilder.service(item.target, port: item.port, weight: item.weight))
      }
      for item in list {
        guard let address = item.address else { continue }
        builder.add(DNSBuilder.wire(item.target), 1, DNSBuilder.address(address), in: .additional)
      }
      return builder.octets
    }
  }
}
