import COpenSSL

/// What went wrong with a certificate, a context or a session.
public struct TLSError: Error, Equatable, Sendable, CustomStringConvertible {
  public enum Reason: String, Sendable {
    case handshake = "SSL handshake failure"
    case certificateRefused = "SSL handshake failure: peer certificate refused"
    case protocolViolation = "SSL protocol violation"
    case unreadableFile = "unable to read the file"
    case noCertificate = "no certificate found"
    case noPrivateKey = "no private key found"
    case encryptedKey = "the private key is encrypted"
    case keyMismatch = "the private key does not match the certificate"
    case badCertificate = "invalid certificate"
    case badSetting = "invalid TLS setting"
    case earlyDataRefused = "the server refused early data"
    case missingCA = "verification is asked for without a CA file"
    case badCertificateList = "invalid certificate list"
    case library = "TLS library failure"
  }

  public var reason: Reason
  /// What it is about: a path, a setting, or OpenSSL's own words.
  public var detail: String

  public init(_ reason: Reason, _ detail: String = "") {
    self.reason = reason
    self.detail = detail
  }

  public var description: String { detail.isEmpty ? reason.rawValue : "\(reason.rawValue) (\(detail))" }

  /// Takes the newest entry of OpenSSL's error queue and empties it.
  static func fromQueue(_ reason: Reason, _ detail: String = "") -> TLSError {
    let code = ERR_peek_last_error()
    ERR_clear_error()
    guard code != 0, let text = ERR_reason_error_string(code) else { return TLSError(reason, detail) }
    let words = String(cString: text)
    return TLSError(reason, detail.isEmpty ? words : "\(detail): \(words)")
  }
}
