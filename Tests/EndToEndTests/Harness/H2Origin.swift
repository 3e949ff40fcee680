import Foundation
import Synchronization

/// An HTTP/2 server by hand, so that it can answer anything: frames of RFC 9113, field sections without compression.
final class H2Origin: @unchecked Sendable {
  private let server: TestServer
  private let heads: Heads
  var port: Int { server.port }
  var connectionCount: Int { server.connectionCount }
  /// Requests seen, as the numbers of their streams.
  var streams: [Int] { heads.all.withLock { $0 } }

  /// PINGs seen, and connections that the gateway has ended.
  var pings: Int { heads.pings.withLock { $0 } }
  var endedConnections: Int { heads.ended.withLock { $0 } }

  private final class Heads: Sendable {
    let all = Mutex<[Int]>([])
    let pings = Mutex(0)
    let ended = Mutex(0)
  }

  /// `answer` gives the octets to send for a request: its stream, and which of all requests it is, from 0. Nil closes.
  init(
    settings: [UInt8] = H2Frame.settings(), answersPings: Bool = false,
    answer: @escaping @Sendable (_ stream: Int, _ number: Int) -> [UInt8]?
  ) throws {
    let heads = Heads()
    self.heads = heads
    server = try TestServer { connection in
      _ = try connection.receive(count: 24)
      try connection.send(settings)
      while true {
        guard let head = try? connection.receive(count: 9) else {
          heads.ended.withLock { $0 += 1 }
          return
        }
        let length = Int(head[0]) << 16 | Int(head[1]) << 8 | Int(head[2])
        let payload = length > 0 ? try connection.receive(count: length) : []
        if head[3] == 6, head[4] & 1 == 0 {
          heads.pings.withLock { $0 += 1 }
          if answersPings { try connection.send(H2Frame.frame(6, flags: 1, payload)) }
        }
        let stream = Int(head[6]) << 8 | Int(head[7]) << 8 | Int(head[8])
        if head[3] == 4, head[4] & 1 == 0 { try connection.send(H2Frame.frame(4, flags: 1)) }
        guard head[3] == 1 else { continue }
        let number = heads.all.withLock { all -> Int in
          all.append(stream)
          return all.count - 1
        }
        guard let octets = answer(stream, number) else { return }
        try connection.send(octets)
      }
    }
  }

  func stop() { server.stop() }
}

enum H2Frame {
  static func frame(_ type: UInt8, flags: UInt8 = 0, stream: Int = 0, _ payload: [UInt8] = []) -> [UInt8] {
    [
      UInt8(payload.count >> 16 & 255), UInt8(payload.count >> 8 & 255), UInt8(payload.count & 255), type, flags, 0, 0,
      UInt8(stream >> 8 & 255), UInt8(stream & 255),
    ] + payload
  }

  static func settings(_ values: [(UInt8, UInt8)] = []) -> [UInt8] {
    frame(4, values.flatMap { [0, $0.0, 0, 0, 0, $0.1] })
  }

  static func headers(_ stream: Int, _ fields: [(String, String)], ends: Bool = false) -> [UInt8] {
    var block: [UInt8] = []
    for (name, value) in fields {
      block += [0, UInt8(name.utf8.count)] + Array(name.utf8) + [UInt8(value.utf8.count)] + Array(value.utf8)
    }
    return frame(1, flags: ends ? 5 : 4, stream: stream, block)
  }

  static func data(_ stream: Int, _ text: String, ends: Bool = true) -> [UInt8] {
    frame(0, flags: ends ? 1 : 0, stream: stream, Array(text.utf8))
  }

  static func reset(_ stream: Int, _ code: UInt8) -> [UInt8] { frame(3, stream: stream, [0, 0, 0, code]) }
  static func goAway(last: Int, _ code: UInt8 = 0) -> [UInt8] {
    frame(7, [0, 0, UInt8(last >> 8 & 255), UInt8(last & 255), 0, 0, 0, code])
  }

  /// A whole answer.
  static func ok(_ stream: Int, _ body: String) -> [UInt8] {
    headers(stream, [(":status", "200"), ("content-length", "\(body.utf8.count)")]) + data(stream, body)
  }
}
