import Base
import COpenSSL

/// What belongs to one certificate, whatever files it came from.
public struct CertificateParts: Sendable {
  public var certificate: X509Certificate?
  public var chain: [X509Certificate] = []
  public var key: PrivateKey?
  /// DER of Diffie-Hellman parameters.
  var dhParameters: [UInt8]?
  /// A DER OCSP response to staple, and who issued the certificate it is about.
  public var ocspResponse: [UInt8]?
  public var ocspIssuer: X509Certificate?
  /// Signed timestamps of certificate transparency (RFC 6962 section 3.3), as the extension has them.
  public private(set) var timestamps: [UInt8]?
  /// `ocsp-update on`.
  public var updatesOCSP = false
  /// `jwt on`: tokens may be checked and opened with it.
  public var servesTokens = false
  /// The files; nil for what came by the runtime API into an empty place.
  public var certificatePath: String?
  public var keyPath: String?
  public var issuerPath: String?

  public init() {}

  /// Takes what a PEM text has: a certificate with its chain, a key, parameters; what it lacks stays.
  public mutating func takeCertificate(_ pem: [UInt8], path: String) throws(TLSError) {
    let contents = try PEM.read(pem, path: path)
    guard let leaf = contents.certificates.first else { throw TLSError(.noCertificate, path) }
    certificate = leaf
    chain = Array(contents.certificates.dropFirst())
    if let found = contents.key { key = found }
    dhParameters = contents.dhParameters
  }

  public mutating func takeKey(_ pem: [UInt8], path: String) throws(TLSError) {
    guard let found = try PEM.read(pem, path: path).key else { throw TLSError(.noPrivateKey, path) }
    key = found
  }

  public mutating func takeIssuer(_ pem: [UInt8], path: String) throws(TLSError) {
    guard let found = try PEM.read(pem, path: path).certificates.first else { throw TLSError(.noCertificate, path) }
    ocspIssuer = found
  }

  /// Takes a SignedCertificateTimestampList, whose lengths must add up.
  public mutating func takeTimestamps(_ list: [UInt8], path: String) throws(TLSError) {
    let problem = TLSError(.badSetting, "\(path): no list of signed certificate timestamps")
    guard list.count >= 2, Int(list[0]) << 8 | Int(list[1]) == list.count - 2 else { throw problem }
    var at = 2
    while at < list.count {
      guard at + 2 <= list.count else { throw problem }
      at += 2 + (Int(list[at]) << 8 | Int(list[at + 1]))
    }
    guard at == list.count else { throw problem }
    timestamps = list
  }

  /// The certificate that signed this one, if it is at hand.
  var issuer: X509Certificate? {
    guard let certificate else { return nil }
    return ocspIssuer ?? chain.first { X509_check_issued($0.pointer, certificate.pointer) == X509_V_OK }
  }
}

/// A certificate with its chain, key and what lies beside it, as HAProxy's `crt` finds them; immutable.
public final class CertificateBundle: Sendable {
  /// What the configuration and the runtime API call it.
  public let path: String
  /// The same for samples.
  let name: Bytes
  public let parts: CertificateParts
  /// What is known of its revocation; nil when nobody asked for that.
  public let ocsp: OCSPEntry?

  init(_ path: String, _ parts: CertificateParts, _ ocsp: OCSPEntry?) {
    self.path = path
    name = Bytes(path)
    self.parts = parts
    self.ocsp = ocsp
  }

  /// Nothing was put in yet (`new ssl cert`).
  public var isEmpty: Bool { parts.certificate == nil && parts.key == nil }

  /// Throws when this cannot be served.
  public func checkIsWhole() throws(TLSError) { _ = try check() }

  /// What can be served needs a certificate and its key.
  func check() throws(TLSError) -> (leaf: X509Certificate, key: PrivateKey) {
    guard let leaf = parts.certificate else { throw TLSError(.noCertificate, path) }
    guard let key = parts.key else { throw TLSError(.noPrivateKey, path) }
    ERR_clear_error()
    guard X509_check_private_key(leaf.pointer, key.pointer) == 1 else {
      throw TLSError.fromQueue(.keyMismatch, path)
    }
    return (leaf, key)
  }
}
