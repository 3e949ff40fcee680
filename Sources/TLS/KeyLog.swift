import Base
import COpenSSL

/// A secret of a TLS 1.3 session, by the label that key logs give it (`ssl_fc_client_traffic_secret_0`, ...).
public enum TLSSecret: String, CaseIterable, Sendable {
  case clientEarlyTraffic = "CLIENT_EARLY_TRAFFIC_SECRET"
  case clientHandshakeTraffic = "CLIENT_HANDSHAKE_TRAFFIC_SECRET"
  case serverHandshakeTraffic = "SERVER_HANDSHAKE_TRAFFIC_SECRET"
  case clientTraffic = "CLIENT_TRAFFIC_SECRET_0"
  case serverTraffic = "SERVER_TRAFFIC_SECRET_0"
  case exporter = "EXPORTER_SECRET"
  case earlyExporter = "EARLY_EXPORTER_SECRET"
}

/// `tune.ssl.keylog`: keeps the secrets of sessions.
enum KeyLog {
  /// A line is a label, the client's random and the secret, in hexadecimal.
  static let keep: @convention(c) (OpaquePointer?, UnsafePointer<CChar>?) -> Void = { ssl, line in
    guard let ssl, let line, let owner = gh_owner(ssl) else { return }
    let session = Unmanaged<TLSSession>.fromOpaque(owner).takeUnretainedValue()
    let words = String(cString: line).split(separator: " ")
    guard words.count == 3, let secret = TLSSecret(rawValue: String(words[0])) else { return }
    session.note(secret, Bytes(words[2]))
  }
}
