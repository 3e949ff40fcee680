/// TLS versions that can be asked for.
public enum TLSVersion: Int, Comparable, Sendable {
  case tls10 = 0x0301
  case tls11 = 0x0302
  case tls12 = 0x0303
  case tls13 = 0x0304
  public static func < (a: TLSVersion, b: TLSVersion) -> Bool { a.rawValue < b.rawValue }

  /// HAProxy's spelling: `TLSv1.2`.
  public init?(keyword: String) {
    switch keyword {
    case "TLSv1.0": self = .tls10
    case "TLSv1.1": self = .tls11
    case "TLSv1.2": self = .tls12
    case "TLSv1.3": self = .tls13
    default: return nil
    }
  }
}

/// Parameters of handshakes, for either side; nil means the library's default.
public struct TLSPolicy: Hashable, Sendable {
  public enum Verification: Sendable { case none, optional, required }

  /// TLS 1.2 unless said otherwise, as HAProxy has it.
  public var minimumVersion: TLSVersion? = .tls12
  public var maximumVersion: TLSVersion?
  /// OpenSSL cipher list for TLS 1.2 and below (`ciphers`).
  public var ciphers: String?
  /// Colon-separated TLS 1.3 suites (`ciphersuites`).
  public var ciphersuites: String?
  /// Colon-separated groups (`curves`, `ecdhe`).
  public var curves: String?
  public var signatureAlgorithms: String?
  public var clientSignatureAlgorithms: String?
  /// Protocols in order of preference; each 1 to 255 octets.
  public var alpn: [String] = []
  public var verification = Verification.none
  /// Path of a PEM file with CA certificates; `@system-ca` means the system's store.
  public var caFile: String?
  /// CA certificates that verify but are not named to the client (`ca-verify-file`).
  public var caVerifyFile: String?
  public var crlFile: String?
  public var noTickets = false
  /// Servers may renegotiate (`renegotiate`).
  public var allowsRenegotiation = false
  /// OpenSSL's security level, 0 to 5 (`ssl-security-level`).
  public var securityLevel: Int32?
  /// `no-ca-names`: clients are not told which authorities are accepted.
  public var hidesAuthorities = false
  public var prefersClientCiphers = false
  /// `tune.ssl.keylog`: sessions keep their secrets for samples.
  public var logsKeys = false
  /// `allow-0rtt`: octets of early data that a client may send; 0 for none.
  public var earlyData: UInt32 = 0
  /// X.509 error numbers that do not fail the handshake, above the leaf and at the leaf.
  public var ignoredCAErrors = IgnoredErrors()
  public var ignoredCertificateErrors = IgnoredErrors()

  public init() {}
}

/// The numbers of `ca-ignore-err` and `crt-ignore-err`.
public struct IgnoredErrors: Hashable, Sendable {
  public var all = false
  public var numbers: Set<Int32> = []

  public init() {}

  /// Reads `all` or a comma-separated list of numbers or of X509_V_ERR names; nil when it is neither.
  public init?(_ text: String) {
    if text == "all" {
      all = true
      return
    }
    for part in text.split(separator: ",", omittingEmptySubsequences: false) {
      guard let number = Int32(part) ?? VerifyErrorNames.number(of: String(part)) else { return nil }
      numbers.insert(number)
    }
  }

  func contains(_ number: Int32) -> Bool { all || numbers.contains(number) }
}
