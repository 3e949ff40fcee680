import Base
import COpenSSL
import Synchronization

/// `generate-certificates`: makes a certificate for each name that none is there for, signed by an authority of ours.
///
/// The made ones bear the key of the listener's own certificate. The newest are kept; the lock protects them.
final class CertificateGenerator: @unchecked Sendable {
  private let authority: X509Certificate
  private let signingKey: PrivateKey
  private let key: PrivateKey
  private let policy: TLSPolicy
  private let files: CertificateFiles
  private let made = Mutex<[Bytes: ServerIdentity]>([:])
  /// When so many are kept, all are forgotten.
  private static let bound = 1000
  /// The longest common name (RFC 5280, ub-common-name).
  private static let longestCommonName = 64

  init(
    _ path: String, _ builder: inout ContextBuilder, policy: TLSPolicy, model: CertificateBundle?
  ) throws(TLSError) {
    guard let bundle = try builder.files.bundles(at: path).first else { throw TLSError(.noCertificate, path) }
    (authority, signingKey) = try bundle.check()
    guard let key = model?.parts.key else { throw TLSError(.noPrivateKey, "generate-certificates") }
    self.key = key
    self.policy = policy
    files = builder.files
  }

  /// nil when it cannot be made; the listener's own is served then.
  func identity(for name: Bytes) -> ServerIdentity? {
    if let known = made.withLock({ $0[name] }) { return known }
    guard let certificate = certificate(for: name) else { return nil }
    var parts = CertificateParts()
    parts.certificate = certificate
    parts.key = key
    let bundle = CertificateBundle("generated", parts, nil)
    var builder = ContextBuilder(files: files)
    guard let (_, used) = try? ServerIdentity.key(bundle, policy, &builder),
      let identity = try? ServerIdentity(bundle, policy: policy, authorities: used, builder: &builder)
    else { return nil }
    made.withLock {
      if $0.count >= CertificateGenerator.bound { $0.removeAll() }
      $0[name] = identity
    }
    return identity
  }

  private func certificate(for name: Bytes) -> X509Certificate? {
    // A name is all that an extension's text may hold.
    guard name.array.allSatisfy({ ASCII.isAlpha($0) || ASCII.isDigit($0) || [0x2D, 0x2E, 0x5F].contains($0) }) else {
      return nil
    }
    ERR_clear_error()
    defer { ERR_clear_error() }
    guard let x = X509_new() else { return nil }
    let certificate = X509Certificate(owning: x)
    guard let subject = X509_NAME_dup(X509_get_subject_name(authority.pointer)) else { return nil }
    defer { X509_NAME_free(subject) }
    let octets = name.array
    if octets.count <= CertificateGenerator.longestCommonName {
      _ = X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, octets, Int32(octets.count), -1, 0)
    }
    guard let serial = RandomOctets.make(7),
      ASN1_INTEGER_set_uint64(X509_get_serialNumber(x), serial.reduce(1) { $0 << 8 | UInt64($1) }) == 1,
      X509_set_version(x, 2) == 1, X509_set_pubkey(x, key.pointer) == 1, X509_set_subject_name(x, subject) == 1,
      X509_set_issuer_name(x, X509_get_subject_name(authority.pointer)) == 1,
      X509_set1_notBefore(x, X509_get0_notBefore(authority.pointer)) == 1,
      X509_set1_notAfter(x, X509_get0_notAfter(authority.pointer)) == 1,
      add(NID_basic_constraints, "CA:FALSE", to: x),
      add(NID_subject_alt_name, "DNS:\(name.string)", to: x),
      X509_sign(x, signingKey.pointer, EVP_sha256()) > 0
    else { return nil }
    return certificate
  }

  private func add(_ nid: Int32, _ value: String, to x: OpaquePointer) -> Bool {
    guard let made = X509V3_EXT_conf_nid(nil, nil, nid, value) else { return false }
    defer { X509_EXTENSION_free(made) }
    return X509_add_ext(x, made, -1) == 1
  }
}
