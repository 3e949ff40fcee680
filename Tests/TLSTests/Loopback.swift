import Base
import TLS

/// Files that exist only in a test.
struct MemoryFiles: TLSFileReader {
  var files: [String: [UInt8]] = [:]

  func contents(of path: String) -> [UInt8]? { files[path] }

  func names(in directory: String) -> [String]? {
    let inside = files.keys.filter { $0.hasPrefix(directory + "/") }
    return inside.isEmpty ? nil : inside.map { String($0.dropFirst(directory.count + 1)) }
  }
}

/// Two sessions that talk to each other through memory.
final class Loopback {
  let client: TLSSession
  let server: TLSSession
  private let clientIO = TLSScratch()
  private let serverIO = TLSScratch()
  /// Octets handed over at a time; nil for all there are.
  var step: Int?

  init(
    client: TLSClientContext, server: TLSServerContext, name: String?, alpn: [String]? = nil
  ) throws {
    self.client = try TLSSession(connecting: client, serverName: name, alpn: alpn)
    self.server = try TLSSession(accepting: server)
  }

  private func move(_ from: TLSScratch, _ to: TLSScratch) {
    let n = Swift.min(step ?? .max, from.outgoing.count)
    to.incoming.appendGrowing(UnsafeRawBufferPointer(rebasing: from.outgoing.readableBytes[0..<n]))
    from.outgoing.consume(n)
  }

  /// Runs both handshakes until they end; the outcome of each side.
  func shake() -> (client: TLSSession.Handshake, server: TLSSession.Handshake) {
    var ours = TLSSession.Handshake.needsInput
    var theirs = TLSSession.Handshake.needsInput
    for _ in 0..<100_000 {
      if ours == .needsInput { ours = client.handshake(clientIO) }
      move(clientIO, serverIO)
      if theirs == .needsInput { theirs = server.handshake(serverIO) }
      move(serverIO, clientIO)
      if clientIO.outgoing.isEmpty, serverIO.outgoing.isEmpty {
        if case .failed = ours, theirs == .needsInput { break }
        if case .failed = theirs, ours == .needsInput, clientIO.incoming.isEmpty { break }
        if ours != .needsInput, theirs != .needsInput { break }
      }
    }
    return (ours, theirs)
  }

  /// Sends octets from one side and gives what the other read.
  func send(_ octets: [UInt8], fromClient: Bool) -> [UInt8] {
    let (from, fromIO) = fromClient ? (client, clientIO) : (server, serverIO)
    let (to, toIO) = fromClient ? (server, serverIO) : (client, clientIO)
    let plain = ByteBuffer(capacity: 20000)
    var sent = 0
    var got: [UInt8] = []
    for _ in 0..<1_000_000 {
      if sent < octets.count {
        let write = octets.withUnsafeBytes {
          from.write(UnsafeRawBufferPointer(rebasing: $0[sent...]), fromIO)
        }
        guard case .accepted(let n) = write else { return got }
        sent += n
      }
      move(fromIO, toIO)
      reading: while true {
        switch to.read(into: plain, toIO) {
        case .bytes:
          got += Array(plain.readableBytes)
          plain.removeAll()
        case .needsInput: break reading
        default: return got
        }
      }
      if sent == octets.count, fromIO.outgoing.isEmpty { break }
    }
    return got
  }

  /// Sends octets as early data; what the server reads of them while the handshake is under way.
  func sendEarly(_ octets: [UInt8]) -> [UInt8] {
    guard case .accepted = octets.withUnsafeBytes({ client.write($0, clientIO) }) else { return [] }
    move(clientIO, serverIO)
    let isEarly = server.handshake(serverIO) == .early
    move(serverIO, clientIO)
    guard isEarly else { return [] }
    let plain = ByteBuffer(capacity: 20000)
    guard case .bytes = server.read(into: plain, serverIO) else { return [] }
    return Array(plain.readableBytes)
  }

  /// What the client reads when it goes on.
  func clientOutcome() -> TLSSession.Read {
    let outcome = client.read(into: ByteBuffer(capacity: 100), clientIO)
    move(clientIO, serverIO)
    return outcome
  }

  func closeFromClient() -> TLSSession.Read {
    client.close(clientIO)
    move(clientIO, serverIO)
    return server.read(into: ByteBuffer(capacity: 100), serverIO)
  }

  /// What the client reads next, for alerts after its handshake ended.
  func clientRead() -> TLSSession.Read { client.read(into: ByteBuffer(capacity: 100), clientIO) }
}
