import Base
import Config
import HTTP
import NetIO
import Rules
import Synchronization

/// The newest HTTP/1 message that broke a rule, for `show errors`: a request of a frontend, a response of a backend.
final class ErrorCapture: Sendable {
  private let last = Mutex<CapturedError?>(nil)

  var newest: CapturedError? { last.withLock { $0 } }

  /// Keeps a message; `octets` begin with it.
  func keep(_ error: CapturedError) { last.withLock { $0 = error } }
}

struct CapturedError: Sendable {
  /// A proxy or a server, as reports name it.
  struct Name: Sendable {
    var name: String
    var id: Int
    static let none = Name(name: "<NONE>", id: -1)
  }

  /// Counts from 0 over all proxies.
  var number: Int
  var time: WallTime
  var source: SocketAddress
  /// The backend of a request, the frontend of a response.
  var other = Name.none
  var server = Name.none
  var octets: [UInt8]
  var fault: HTTPFault

  /// HAProxy's report, without the inner states of its parser. `bufferSize` is `tune.bufsize`.
  func text(of proxy: Name, isResponse: Bool, bufferSize: Int) -> String {
    let kind = isResponse ? ("backend", "response", "frontend") : ("frontend", "request", "backend")
    var text = " \n[\(CalendarText.access(time))] \(kind.0) \(proxy.name) (#\(proxy.id)): invalid \(kind.1)\n"
    text += "  \(kind.2) \(other.name) (#\(other.id)), server \(server.name) (#\(server.id)), event #\(number), "
    text += "src \(source.logText)\n"
    text += "  buffer starts at 0 (including 0 out), \(Swift.max(0, bufferSize - octets.count)) free,\n"
    text += "  len \(octets.count), wraps at \(bufferSize), error at position \(fault.offset)\n"
    text += "  \(fault.reason.rawValue) :\n  \n"
    return text + CapturedError.dump(octets)
  }

  /// The octets in lines of 79 characters at most, each with the position of its first octet; a '+' marks one that
  /// goes on from the line before.
  static func dump(_ octets: [UInt8]) -> String {
    var out: [UInt8] = []
    var index = 0
    var isContinued = false
    while index < octets.count {
      let position = String(index)
      var line = Array("  \(String(repeating: "0", count: Swift.max(0, 5 - position.utf8.count)))\(position)".utf8)
      line.append(contentsOf: isContinued ? [0x2B, 0x20] : [0x20, 0x20])
      isContinued = true
      while index < octets.count, isContinued {
        let shown = escaped(octets[index])
        if line.count + shown.count > 79 { break }
        line += shown
        isContinued = octets[index] != ASCII.lf
        index += 1
      }
      out += line
      out.append(ASCII.lf)
    }
    return String(decoding: out, as: UTF8.self)
  }

  private static func escaped(_ octet: UInt8) -> [UInt8] {
    switch octet {
    case 0x09: return Array("\\t".utf8)
    case 0x0A: return Array("\\n".utf8)
    case 0x0D: return Array("\\r".utf8)
    case 0x1B: return Array("\\e".utf8)
    case 0x5C: return Array("\\\\".utf8)
    case 0x20...0x7E: return [octet]
    default: return Array((octet < 16 ? "\\x0" : "\\x").utf8) + Array(String(octet, radix: 16, uppercase: true).utf8)
    }
  }
}

extension Worker {
  /// A client's request broke a rule.
  func captureRequest(
    of frontend: Frontend, from source: SocketAddress, _ waiting: UnsafeRawBufferPointer, _ fault: HTTPFault
  ) {
    frontend.invalidRequest.keep(
      CapturedError(
        number: runtime.activity.nextError(), time: loop.now.wall, source: source, octets: capture(waiting),
        fault: fault))
  }

  /// A server's response broke a rule.
  func captureResponse(of stream: Stream, from server: Server, _ waiting: UnsafeRawBufferPointer, _ fault: HTTPFault) {
    stream.backend?.invalidResponse.keep(
      CapturedError(
        number: runtime.activity.nextError(), time: loop.now.wall, source: stream.client.facts.source,
        other: CapturedError.Name(name: stream.frontend.name, id: stream.frontend.id),
        server: CapturedError.Name(name: server.name, id: server.id), octets: capture(waiting), fault: fault))
  }

  private func capture(_ waiting: UnsafeRawBufferPointer) -> [UInt8] {
    Array(waiting.prefix(runtime.global.bufferSize))
  }
}
