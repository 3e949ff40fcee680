/// The idle server connection of one client that no other may use: `http-reuse never`, NTLM, PROXY headers.
struct KeptServerConnection {
  private var connection: ServerConnection?

  /// Takes over `connection`, which must be idle-able; an older one is closed.
  mutating func keep(_ connection: ServerConnection) -> Bool {
    guard connection.becomeIdle() else { return false }
    close()
    self.connection = connection
    return true
  }

  mutating func take(_ server: Server) -> ServerConnection? {
    guard let kept = connection, kept.server === server else { return nil }
    connection = nil
    return kept.state == .idle ? kept : nil
  }

  mutating func close() {
    if connection?.state == .idle { connection?.close(reset: false) }
    connection = nil
  }
}
