public import Base
public import TLS

/// What is known about the TLS layer of a connection, in plain values; the owner fills it after the handshake.
///
/// An object, since most connections have none and all have a place for it.
public final class TLSFacts {
  /// As OpenSSL names it: `TLSv1.3`.
  public var version = Bytes.empty
  /// The cipher's OpenSSL name.
  public var cipher = Bytes.empty
  public var cipherBits = 0
  public var cipherAlgorithmBits = 0
  /// nil when the client sent none.
  public var serverName: Bytes?
  public var alpn: Bytes?
  public var curve: Bytes?
  public var isResumed = false
  /// Early data came, and the handshake is still under way.
  public var hasEarlyData: Bool { pending?.isPending ?? false }
  /// Early data came.
  public var receivedEarlyData = false
  /// The session of a handshake that is under way.
  public var pending: TLSSession?
  /// nil unless an expression asks for one of them.
  public var identifiers: Boxed<Identifiers>?
  /// The error code of a failed handshake, 0 without one.
  public var errorCode: UInt = 0
  public var errorText = Bytes.empty
  /// Whether the client presented a certificate in this session (also when resumed: `isCertificateUsed`).
  public var hasClientCertificate = false
  public var isClientCertificateUsed = false
  /// X509_V_ERR of the client certificate, of its CA, and the CA's depth.
  public var verifyResult = 0
  public var caVerifyError = 0
  public var caVerifyDepth = 0
  public var clientCertificateError = 0
  public var clientCertificate: CertificateFacts?
  /// Ours (on the client side) or the server's (on the server side).
  public var localCertificate: CertificateFacts?
  /// The subject of the last certificate of the verified chain.
  public var rootSubject: [(name: Bytes, value: Bytes)] = []
  /// The file of the certificate that was shown to the client.
  public var certificateName = Bytes.empty
  /// What NPN came to.
  public var nextProtocol: Bytes?
  /// What the client offered; nil unless hellos are captured.
  public var hello: CapturedHello?
  /// In hexadecimal; empty unless they are logged.
  public var secrets: [TLSSecret: Bytes] = [:]

  public init() {}

  /// What only this session has.
  public struct Identifiers: Sendable {
    public var sessionID: Bytes
    public var sessionKey: Bytes
    public var clientRandom: Bytes
    public var serverRandom: Bytes
    /// tls-unique of RFC 5929.
    public var uniqueID: Bytes

    public init(
      sessionID: Bytes = .empty, sessionKey: Bytes = .empty, clientRandom: Bytes = .empty,
      serverRandom: Bytes = .empty, uniqueID: Bytes = .empty
    ) {
      self.sessionID = sessionID
      self.sessionKey = sessionKey
      self.clientRandom = clientRandom
      self.serverRandom = serverRandom
      self.uniqueID = uniqueID
    }
  }
}

/// The parts of a certificate that `ssl_c_*` and `ssl_f_*` name.
public final class CertificateFacts {
  public var der = Bytes.empty
  public var chainDER = Bytes.empty
  /// One entry per attribute in the order of the certificate: short name (`CN`) and value.
  public var subject: [(name: Bytes, value: Bytes)] = []
  public var issuer: [(name: Bytes, value: Bytes)] = []
  public var serial = Bytes.empty
  public var sha1 = Bytes.empty
  /// ASN.1 UTC time as `YYMMDDhhmmss[Z]`.
  public var notBefore = Bytes.empty
  public var notAfter = Bytes.empty
  public var keyAlgorithm = Bytes.empty
  public var signatureAlgorithm = Bytes.empty
  public var version = 3
  /// Object identifiers of its policies.
  public var policies: [Bytes] = []
  /// `DNS:one, DNS:two`.
  public var alternativeNames = Bytes.empty
  public init() {}
}
