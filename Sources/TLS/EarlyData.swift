import Base
import COpenSSL

/// Early data (RFC 8446 section 2.3): a session that carries octets while its handshake is under way.
enum EarlyData {
  /// There is none, or the handshake is complete.
  case none
  /// Of a server: what the client sends early is read, then its part of the handshake.
  case reading
  case finishing
  /// Of a client: so many octets may still be sent early.
  case writing(room: Int)
}

extension TLSSession {
  /// What a step of early data came to.
  enum EarlyStep {
    /// The handshake is complete: go on as usual.
    case complete
    case bytes(Int)
    case needsInput
    case failed(TLSError)
  }

  /// The session carries octets before its handshake is complete.
  public var isPending: Bool { if case .none = early { false } else { true } }

  /// A server begins by looking for early data. True when some came, so that the session is of use already.
  func lookForEarlyData() -> Handshake? {
    guard case .reading = early else { return nil }
    return withUnsafeTemporaryAllocation(byteCount: TLSSession.earlyBound, alignment: 1) { room in
      var n = 0
      switch SSL_read_early_data(ssl, room.baseAddress, room.count, &n) {
      case SSL_READ_EARLY_DATA_SUCCESS:
        guard n > 0 else { return .needsInput }
        earlyInput += room[0..<n]
        receivedEarlyData = true
        return .early
      case SSL_READ_EARLY_DATA_FINISH:
        early = .none
        return nil
      default:
        let code = SSL_get_error(ssl, 0)
        return code == SSL_ERROR_WANT_READ || code == SSL_ERROR_WANT_WRITE ? .needsInput : nil
      }
    }
  }

  /// Goes on with the handshake of a session that is in use already, reading what still comes early.
  func readEarly(into buffer: ByteBuffer) -> EarlyStep {
    if !earlyInput.isEmpty {
      let n = Swift.min(earlyInput.count, buffer.writableBytes.count)
      earlyInput.withUnsafeBytes { octets in
        buffer.writableBytes.copyMemory(from: UnsafeRawBufferPointer(rebasing: octets.prefix(n)))
      }
      buffer.produced(n)
      earlyInput.removeFirst(n)
      return .bytes(n)
    }
    while case .reading = early {
      let room = buffer.writableBytes
      guard room.count > 0 else { return .bytes(0) }
      var n = 0
      switch SSL_read_early_data(ssl, room.baseAddress, room.count, &n) {
      case SSL_READ_EARLY_DATA_SUCCESS:
        guard n > 0 else { return .needsInput }
        buffer.produced(n)
        return .bytes(n)
      case SSL_READ_EARLY_DATA_FINISH: early = .finishing
      default: return pendingOutcome(0)
      }
    }
    let result = SSL_do_handshake(ssl)
    guard result == 1 else { return pendingOutcome(result) }
    let wasClient = !isServer
    early = .none
    markEstablished()
    if wasClient, SSL_get_early_data_status(ssl) == SSL_EARLY_DATA_REJECTED {
      return .failed(TLSError(.earlyDataRefused))
    }
    return .complete
  }

  private func pendingOutcome(_ result: Int32) -> EarlyStep {
    switch SSL_get_error(ssl, result) {
    case SSL_ERROR_WANT_READ, SSL_ERROR_WANT_WRITE: return .needsInput
    default: return .failed(TLSError.fromQueue(.handshake))
    }
  }

  /// Sends before the handshake is complete: an answer to early data, or early data.
  func writeEarly(_ bytes: UnsafeRawBufferPointer) -> Write {
    var count = bytes.count
    if case .writing(let room) = early { count = Swift.min(count, room) }
    guard count > 0 else { return .needsInput }
    var n = 0
    guard SSL_write_early_data(ssl, bytes.baseAddress, count, &n) == 1 else {
      switch SSL_get_error(ssl, 0) {
      case SSL_ERROR_WANT_READ, SSL_ERROR_WANT_WRITE: return .needsInput
      default: return .failed(TLSError.fromQueue(.protocolViolation))
      }
    }
    if case .writing(let room) = early { early = .writing(room: room - n) }
    return .accepted(n)
  }

  /// A client may send early data when the session that it resumes allows it: true when it does from now on.
  /// With HTTP/2 nothing is sent early.
  public func beginEarlyData() -> Bool {
    guard !isServer, let session = SSL_get_session(ssl) else { return false }
    let room = Int(SSL_SESSION_get_max_early_data(session))
    var name: UnsafePointer<UInt8>?
    var length = 0
    SSL_SESSION_get0_alpn_selected(session, &name, &length)
    guard room > 0, !(length == 2 && name?[0] == 0x68 && name?[1] == 0x32) else { return false }
    early = .writing(room: room)
    return true
  }
}
