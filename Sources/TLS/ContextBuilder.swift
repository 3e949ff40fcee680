import Base
import COpenSSL

/// Sets a policy on OpenSSL contexts; keeps the stores that several contexts share.
struct ContextBuilder {
  var files: CertificateFiles
  private var stores: [StoreKey: TrustStore] = [:]

  private struct StoreKey: Hashable {
    var authorities: [ObjectIdentifier?]
    var revocations: ObjectIdentifier?
  }

  init(files: CertificateFiles) { self.files = files }

  /// Certificates of authorities and revocation lists; owns the library's object.
  final class TrustStore {
    let pointer: OpaquePointer
    fileprivate(set) var authorities: [X509Certificate] = []

    fileprivate init(_ pointer: OpaquePointer) { self.pointer = pointer }
    deinit { X509_STORE_free(pointer) }
  }

  /// Versions, ciphers, groups, signature algorithms: what both sides have.
  func applyParameters(_ policy: TLSPolicy, to context: OpaquePointer) throws(TLSError) {
    ERR_clear_error()
    _ = gh_ctx_set_mode(
      context,
      Int(SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER))
    if let level = policy.securityLevel { SSL_CTX_set_security_level(context, level) }
    // A minimum below 1.2 also needs the library's security level lowered; that is left to `ciphers`.
    let low = policy.minimumVersion.map { Int32($0.rawValue) } ?? 0
    let high = policy.maximumVersion.map { Int32($0.rawValue) } ?? 0
    guard gh_ctx_set_min_version(context, low) == 1, gh_ctx_set_max_version(context, high) == 1 else {
      throw TLSError.fromQueue(.badSetting, "version")
    }
    if let maximum = policy.maximumVersion, let minimum = policy.minimumVersion, maximum < minimum {
      throw TLSError(.badSetting, "ssl-max-ver is below ssl-min-ver")
    }
    if let list = policy.ciphers, SSL_CTX_set_cipher_list(context, list) != 1 {
      throw TLSError.fromQueue(.badSetting, "ciphers '\(list)'")
    }
    if let list = policy.ciphersuites, SSL_CTX_set_ciphersuites(context, list) != 1 {
      throw TLSError.fromQueue(.badSetting, "ciphersuites '\(list)'")
    }
    if let list = policy.curves, gh_ctx_set_curves(context, list) != 1 {
      throw TLSError.fromQueue(.badSetting, "curves '\(list)'")
    }
    if let list = policy.signatureAlgorithms, gh_ctx_set_sigalgs(context, list) != 1 {
      throw TLSError.fromQueue(.badSetting, "sigalgs '\(list)'")
    }
    if let list = policy.clientSignatureAlgorithms, gh_ctx_set_client_sigalgs(context, list) != 1 {
      throw TLSError.fromQueue(.badSetting, "client-sigalgs '\(list)'")
    }
  }

  func use(_ bundle: CertificateBundle, in context: OpaquePointer) throws(TLSError) {
    let (leaf, key) = try bundle.check()
    guard SSL_CTX_use_certificate(context, leaf.pointer) == 1, SSL_CTX_use_PrivateKey(context, key.pointer) == 1
    else { throw TLSError.fromQueue(.badCertificate, bundle.path) }
    for link in files.chain(of: bundle).certificates where gh_ctx_add1_chain(context, link.pointer) != 1 {
      throw TLSError.fromQueue(.badCertificate, bundle.path)
    }
    if let der = bundle.parts.dhParameters {
      let parameters = der.withUnsafeBufferPointer { gh_dh_parameters($0.baseAddress, der.count) }
      guard let parameters, SSL_CTX_set0_tmp_dh_pkey(context, parameters) == 1 else {
        throw TLSError.fromQueue(.badSetting, "\(bundle.path): DH parameters")
      }
    }
  }

  /// What a policy's `ca-file`, `ca-verify-file` and `crl-file` are now; nil for the system's authorities.
  mutating func authority(_ path: String?) throws(TLSError) -> AuthorityFile? {
    guard let path, path != "@system-ca" else { return nil }
    return try files.authority(at: path)
  }

  /// The store of CA files and a revocation list; `@system-ca` is the system's store.
  mutating func trustStore(ca paths: [String], crl: String?) throws(TLSError) -> TrustStore {
    var authorities: [AuthorityFile?] = []
    for path in paths { authorities.append(try authority(path)) }
    let revocation = try authority(crl)
    let key = StoreKey(
      authorities: authorities.map { $0.map { ObjectIdentifier($0) } },
      revocations: revocation.map { ObjectIdentifier($0) })
    if let known = stores[key] { return known }
    ERR_clear_error()
    guard let pointer = X509_STORE_new() else { throw TLSError.fromQueue(.library) }
    let store = TrustStore(pointer)
    for authority in authorities {
      guard let authority else {
        guard X509_STORE_set_default_paths(pointer) == 1 else { throw TLSError.fromQueue(.missingCA, "@system-ca") }
        continue
      }
      store.authorities += authority.certificates
      for certificate in authority.certificates where X509_STORE_add_cert(pointer, certificate.pointer) != 1 {
        throw TLSError.fromQueue(.badCertificate, authority.path)
      }
      for list in authority.revocationLists where X509_STORE_add_crl(pointer, list.pointer) != 1 {
        throw TLSError.fromQueue(.badCertificate, authority.path)
      }
    }
    if let revocation {
      for list in revocation.revocationLists where X509_STORE_add_crl(pointer, list.pointer) != 1 {
        throw TLSError.fromQueue(.badCertificate, revocation.path)
      }
      _ = X509_STORE_set_flags(pointer, UInt(X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL))
    }
    stores[key] = store
    return store
  }

  /// A new reference of the names that the server tells clients it trusts.
  func nameStack(_ authorities: [X509Certificate]) -> OpaquePointer? {
    guard let stack = gh_name_stack() else { return nil }
    for authority in authorities {
      if let name = X509_NAME_dup(X509_get_subject_name(authority.pointer)) {
        _ = gh_name_stack_push(stack, name)
      }
    }
    return stack
  }
}

/// Protocol names in the form of the TLS extension.
enum ALPN {
  static func encode(_ names: [String]) throws(TLSError) -> [UInt8] {
    var out: [UInt8] = []
    for name in names {
      guard let length = UInt8(exactly: name.utf8.count), length > 0 else {
        throw TLSError(.badSetting, "alpn '\(name)'")
      }
      out.append(length)
      out.append(contentsOf: name.utf8)
    }
    return out
  }
}
