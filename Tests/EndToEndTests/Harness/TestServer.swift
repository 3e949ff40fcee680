import Foundation
import Synchronization

/// A TCP server in the test process: one thread a connection, a handler that speaks whatever protocol it likes.
final class TestServer: @unchecked Sendable {
  let port: Int
  private let descriptor: Int32
  private let open = Mutex<[Connection]>([])
  private let accepted = Mutex(0)
  private let isStopped = Mutex(false)

  /// How many connections came in.
  var connectionCount: Int { accepted.withLock { $0 } }

  init(
    port: Int? = nil, host: String = "127.0.0.1", _ handler: @escaping @Sendable (Connection) throws -> Void
  ) throws {
    descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    guard descriptor >= 0 else { throw Failure.system("socket") }
    var on: Int32 = 1
    setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, socklen_t(MemoryLayout<Int32>.size))
    self.port = try port ?? Ports.free()
    var address = IPv4.address(host, self.port)
    guard IPv4.with(&address, { [descriptor] in bind(descriptor, $0, $1) }) == 0 else {
      throw Failure.system("bind")
    }
    guard listen(descriptor, 1024) == 0 else { throw Failure.system("listen") }
    Thread.detachNewThread { [self] in
      while true {
        let fd = accept(descriptor, nil, nil)
        if fd < 0, errno == EINTR || errno == ECONNABORTED { continue }
        guard fd >= 0 else { return }
        _ = fcntl(fd, F_SETFD, FD_CLOEXEC)
        accepted.withLock { $0 += 1 }
        let connection = Connection(adopting: fd)
        open.withLock { $0.append(connection) }
        Thread.detachNewThread { [self] in
          try? handler(connection)
          connection.close()
          open.withLock { $0.removeAll { $0 === connection } }
        }
      }
    }
  }

  /// No longer listens: what connects is refused, as after a crash; connections that stand go on.
  func stop() {
    let first = isStopped.withLock { stopped -> Bool in
      defer { stopped = true }
      return !stopped
    }
    guard first else { return }
    shutdown(descriptor, Int32(SHUT_RDWR))
    close(descriptor)
  }
}

/// A request as the servers of the tests saw it.
struct SeenRequest: Sendable {
  var line = ""
  var fields: [(name: String, value: String)] = []
  var body: [UInt8] = []

  /// The values of a field, in order; names compare without case.
  func values(_ name: String) -> [String] {
    fields.filter { $0.name.lowercased() == name.lowercased() }.map(\.value)
  }
  func value(_ name: String) -> String? { values(name).first }
  var path: String { line.split(separator: " ").dropFirst().first.map(String.init) ?? "" }
}

/// An HTTP/1.1 server on top of `TestServer` that remembers what it was asked.
final class TestOrigin: @unchecked Sendable {
  typealias Reply = @Sendable (SeenRequest) -> String
  private let seen: Seen
  private let server: TestServer
  var port: Int { server.port }
  var requests: [SeenRequest] { seen.all.withLock { $0 } }
  var connectionCount: Int { server.connectionCount }

  private final class Seen: Sendable { let all = Mutex<[SeenRequest]>([]) }

  /// Answers 200 with `name` as the body, unless `reply` makes something else of a request.
  init(_ name: String, port: Int? = nil, reply: Reply? = nil) throws {
    let seen = Seen()
    self.seen = seen
    server = try TestServer(port: port) { connection in
      while let request = try TestOrigin.read(connection) {
        seen.all.withLock { $0.append(request) }
        try connection.send(reply?(request) ?? TestOrigin.ok(name))
        if request.value("connection")?.lowercased() == "close" { return }
      }
    }
  }

  func stop() { server.stop() }

  static func ok(_ body: String, _ fields: String = "") -> String {
    "HTTP/1.1 200 OK\r\nContent-Length: \(body.utf8.count)\r\n\(fields)\r\n\(body)"
  }

  /// The next request with its body; nil at the end of the connection.
  static func read(_ connection: Connection) throws -> SeenRequest? {
    guard let head = try? connection.receive(through: "\r\n\r\n") else { return nil }
    var lines = head.components(separatedBy: "\r\n")
    var request = SeenRequest(line: lines.removeFirst())
    for line in lines where !line.isEmpty {
      let parts = line.split(separator: ":", maxSplits: 1)
      request.fields.append(
        (String(parts[0]), parts.count > 1 ? parts[1].trimmingCharacters(in: .whitespaces) : ""))
    }
    if request.value("expect")?.lowercased() == "100-continue" {
      try connection.send("HTTP/1.1 100 Continue\r\n\r\n")
    }
    if let length = request.value("content-length").flatMap({ Int($0) }) {
      request.body = try connection.receive(count: length)
    } else if request.value("transfer-encoding") != nil {
      request.body = try readChunks(connection)
    }
    return request
  }

  private static func readChunks(_ connection: Connection) throws -> [UInt8] {
    var body: [UInt8] = []
    while true {
      let line = try connection.receive(through: "\r\n").trimmingCharacters(in: .whitespacesAndNewlines)
      guard let size = Int(line, radix: 16) else { throw Failure("not a chunk size: \(line)") }
      if size == 0 {
        _ = try connection.receive(through: "\r\n")
        return body
      }
      body += try connection.receive(count: size)
      _ = try connection.receive(count: 2)
    }
  }
}
