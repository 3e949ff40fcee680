import COpenSSL

/// Makes certificates for demonstrations and tests: P-256 or RSA keys, signed by themselves or by one
/// that was made before.
public struct SelfSigned: Sendable {
  /// The certificate alone, its key alone, and both in one file as `crt` takes it.
  public let certificatePEM: [UInt8]
  public let keyPEM: [UInt8]
  public var bundlePEM: [UInt8] { certificatePEM + keyPEM }
  private let certificate: X509Certificate
  private let key: PrivateKey

  public enum KeyKind: Sendable { case p256, rsa2048 }

  /// - Parameters:
  ///   - names: DNS names or addresses; the first also becomes the common name.
  ///   - days: how long it is valid from now.
  ///   - issuer: signs it; itself when nil.
  ///   - isAuthority: may sign others.
  public init(
    names: [String], days: Int = 365, kind: KeyKind = .p256, issuer: SelfSigned? = nil,
    isAuthority: Bool = false
  ) throws(TLSError) {
    ERR_clear_error()
    guard let made = kind == .p256 ? gh_ec_gen("P-256") : gh_rsa_gen(2048) else {
      throw TLSError.fromQueue(.library)
    }
    key = PrivateKey(owning: made)
    guard let blank = X509_new() else { throw TLSError.fromQueue(.library) }
    certificate = X509Certificate(owning: blank)
    try Self.fill(blank, key: made, names: names, days: days, issuer: issuer, isAuthority: isAuthority)
    let signer = issuer?.key.pointer ?? made
    guard X509_sign(blank, signer, EVP_sha256()) > 0 else { throw TLSError.fromQueue(.library) }
    certificatePEM = try Self.text { PEM_write_bio_X509($0, blank) }
    keyPEM = try Self.text { PEM_write_bio_PrivateKey($0, made, nil, nil, 0, nil, nil) }
  }

  private static func fill(
    _ x: OpaquePointer, key: OpaquePointer, names: [String], days: Int, issuer: SelfSigned?,
    isAuthority: Bool
  ) throws(TLSError) {
    guard let name = X509_get_subject_name(x), X509_set_version(x, 2) == 1, X509_set_pubkey(x, key) == 1,
      let serial = RandomOctets.make(7),
      ASN1_INTEGER_set_uint64(X509_get_serialNumber(x), serial.reduce(1) { $0 << 8 | UInt64($1) }) == 1,
      X509_gmtime_adj(X509_getm_notBefore(x), -3600) != nil,
      X509_time_adj_ex(X509_getm_notAfter(x), Int32(clamping: days), 0, nil) != nil
    else { throw TLSError.fromQueue(.library) }
    let common = Array((names.first ?? "localhost").utf8.prefix(64))
    guard X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, common, Int32(common.count), -1, 0) == 1,
      X509_set_issuer_name(x, issuer.map { X509_get_subject_name($0.certificate.pointer) } ?? name) == 1
    else { throw TLSError.fromQueue(.library) }
    let alternatives = names.map { isAddress($0) ? "IP:\($0)" : "DNS:\($0)" }.joined(separator: ",")
    if !alternatives.isEmpty { try add(NID_subject_alt_name, alternatives, to: x) }
    try add(NID_basic_constraints, isAuthority ? "critical,CA:TRUE" : "CA:FALSE", to: x)
  }

  private static func isAddress(_ name: String) -> Bool {
    name.contains(":") || name.allSatisfy { $0 == "." || ("0"..."9").contains($0) }
  }

  private static func add(_ nid: Int32, _ value: String, to x: OpaquePointer) throws(TLSError) {
    guard let made = X509V3_EXT_conf_nid(nil, nil, nid, value) else {
      throw TLSError.fromQueue(.badSetting, value)
    }
    defer { X509_EXTENSION_free(made) }
    guard X509_add_ext(x, made, -1) == 1 else { throw TLSError.fromQueue(.library) }
  }

  private static func text(_ write: (OpaquePointer) -> Int32) throws(TLSError) -> [UInt8] {
    guard let text = MemoryBIO.text(write) else { throw TLSError.fromQueue(.library) }
    return text
  }
}
