/// The idle server connections of one client that no other may use: `http-reuse never`, NTLM.
struct KeptServerConnections {
  private var connections: [ServerConnection] = []

  /// Idle connections of one client.
  private static let bound = 5

  /// Takes over `connection`, which must be idle-able; the oldest beyond the bound is closed.
  mutating func keep(_ connection: ServerConnection) -> Bool {
    guard connection.becomeIdle() else { return false }
    connections.removeAll { $0.state != .idle }
    if connections.count >= KeptServerConnections.bound { connections.removeFirst().close(reset: false) }
    connections.append(connection)
    return true
  }

  mutating func take(_ server: Server, key: UInt64) -> ServerConnection? {
    guard let at = connections.lastIndex(where: { $0.server === server && $0.key == key && $0.state == .idle }) else {
      return nil
    }
    return connections.remove(at: at)
  }

  mutating func close() {
    for connection in connections where connection.state == .idle { connection.close(reset: false) }
    connections = []
  }
}
