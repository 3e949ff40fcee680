import Base
import COpenSSL

/// What a certificate is served with: a context of the library for one certificate under one policy. Immutable.
final class ServerIdentity: @unchecked Sendable {
  let context: OpaquePointer
  let policy: TLSPolicy
  /// nil for the context of a listener that has no certificate of its own (`strict-sni`).
  let bundle: CertificateBundle?
  /// Sessions resume only under the policy that made them.
  let sessionContext: [UInt8]
  private let alpn: [UInt8]
  let verifyMode: Int32
  /// The authorities that this was made with: as long as they are the same, so is the context.
  private let authorities: [AuthorityFile]
  private var timestamps: SignedTimestamps?

  /// Contexts with the same key are the same.
  struct Key: Hashable {
    var bundle: ObjectIdentifier?
    var policy: TLSPolicy
    var authorities: [ObjectIdentifier]
  }

  static func key(
    _ bundle: CertificateBundle?, _ policy: TLSPolicy, _ builder: inout ContextBuilder
  ) throws(TLSError) -> (Key, [AuthorityFile]) {
    var used: [AuthorityFile] = []
    // What is named must be there even when nothing is verified.
    for path in [policy.caFile, policy.caVerifyFile, policy.crlFile] {
      if let file = try builder.authority(path) { used.append(file) }
    }
    return (
      Key(
        bundle: bundle.map { ObjectIdentifier($0) }, policy: policy, authorities: used.map { ObjectIdentifier($0) }),
      used
    )
  }

  init(
    _ bundle: CertificateBundle?, policy: TLSPolicy, authorities: [AuthorityFile], builder: inout ContextBuilder
  ) throws(TLSError) {
    ERR_clear_error()
    guard let context = SSL_CTX_new(TLS_server_method()) else { throw TLSError.fromQueue(.library) }
    self.context = context
    self.policy = policy
    self.bundle = bundle
    self.authorities = authorities
    alpn = try ALPN.encode(policy.alpn)
    verifyMode =
      switch policy.verification {
      case .none: SSL_VERIFY_NONE
      case .optional: SSL_VERIFY_PEER
      case .required: SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT
      }
    sessionContext = Array(
      Digest.sha256.hash(
        Bytes(
          "\(policy.verification) \(policy.caFile ?? "") \(policy.caVerifyFile ?? "") \(policy.crlFile ?? "") "
            + "\(policy.ignoredCAErrors.all) \(policy.ignoredCAErrors.numbers.sorted()) "
            + "\(policy.ignoredCertificateErrors.all) \(policy.ignoredCertificateErrors.numbers.sorted())")))
    try builder.applyParameters(policy, to: context)
    _ = SSL_CTX_set_options(
      context, gh_server_options(policy.prefersClientCiphers ? 1 : 0, policy.noTickets ? 1 : 0))
    _ = gh_ctx_set_dh_auto(context)
    if let bundle { try builder.use(bundle, in: context) }
    try setVerification(&builder)
    _ = SSL_CTX_set_session_id_context(context, sessionContext, UInt32(sessionContext.count))
    _ = gh_ctx_set_cache_mode(context, Int(SSL_SESS_CACHE_SERVER))
    _ = gh_ctx_set_cache_size(context, 20000)
    _ = SSL_CTX_set_num_tickets(context, 1)
    let me = Unmanaged.passUnretained(self).toOpaque()
    if !alpn.isEmpty { SSL_CTX_set_alpn_select_cb(context, Self.selectProtocol, me) }
    // As HAProxy has it: requests that matter wait for the handshake (`wait-for-handshake`).
    if policy.earlyData > 0 { _ = SSL_CTX_set_options(context, gh_no_anti_replay()) }
    if policy.logsKeys { SSL_CTX_set_keylog_callback(context, KeyLog.keep) }
    if bundle?.ocsp != nil {
      _ = gh_ctx_set_owner(context, me)
      _ = gh_ctx_set_status_cb(context, Self.staple)
    }
    if let list = bundle?.parts.timestamps { timestamps = SignedTimestamps(list, in: context) }
    SSL_CTX_set_client_hello_cb(context, TLSServerContext.chooseIdentity, nil)
  }

  deinit { SSL_CTX_free(context) }

  private func setVerification(_ builder: inout ContextBuilder) throws(TLSError) {
    SSL_CTX_set_verify(context, verifyMode, verifyMode == SSL_VERIFY_NONE ? nil : VerifyCallback.function)
    guard policy.verification != .none else { return }
    guard let path = policy.caFile ?? policy.caVerifyFile else {
      throw TLSError(.missingCA, "verify")
    }
    // Those of `ca-file` verify too, but only they are named to clients.
    let verifying = try builder.trustStore(
      ca: policy.caVerifyFile.map { verify in policy.caFile.map { [verify, $0] } ?? [verify] } ?? [path],
      crl: policy.crlFile)
    guard gh_ctx_set1_verify_store(context, verifying.pointer) == 1 else {
      throw TLSError.fromQueue(.library)
    }
    if let path = policy.caFile, !policy.hidesAuthorities {
      let named = try builder.authority(path)?.certificates ?? []
      if let stack = builder.nameStack(named) { SSL_CTX_set_client_CA_list(context, stack) }
    }
  }

  /// Puts this identity in place of the listener's own on a session whose ClientHello was just read. `overrides`:
  /// parameters differ from the listener's and must be set on the session itself.
  func adopt(_ ssl: OpaquePointer, overrides: Bool) -> Bool {
    guard SSL_set_SSL_CTX(ssl, context) != nil,
      SSL_set_session_id_context(ssl, sessionContext, UInt32(sessionContext.count)) == 1
    else { return false }
    SSL_set_verify(ssl, verifyMode, verifyMode == SSL_VERIFY_NONE ? nil : VerifyCallback.function)
    guard overrides else { return true }
    _ = SSL_set_options(
      ssl, gh_server_options(policy.prefersClientCiphers ? 1 : 0, policy.noTickets ? 1 : 0))
    _ = gh_set_min_version(ssl, Int32(policy.minimumVersion?.rawValue ?? 0))
    _ = gh_set_max_version(ssl, Int32(policy.maximumVersion?.rawValue ?? 0))
    if let list = policy.curves { _ = gh_set_curves(ssl, list) }
    if let list = policy.ciphersuites { _ = SSL_set_ciphersuites(ssl, list) }
    return true
  }

  private static let selectProtocol:
    @convention(c) (
      OpaquePointer?, UnsafeMutablePointer<UnsafePointer<UInt8>?>?, UnsafeMutablePointer<UInt8>?,
      UnsafePointer<UInt8>?, UInt32, UnsafeMutableRawPointer?
    ) -> Int32 = { _, out, outLength, offered, offeredLength, argument in
      guard let argument, let out, let outLength, let offered else { return SSL_TLSEXT_ERR_NOACK }
      let mine = Unmanaged<ServerIdentity>.fromOpaque(argument).takeUnretainedValue().alpn
      // The answer points into the client's list, which outlives this call, and never into ours.
      let theirs = UnsafeBufferPointer(start: offered, count: Int(offeredLength))
      var i = 0
      while i < mine.count {
        let length = Int(mine[i])
        var j = 0
        while j < theirs.count, j + 1 + Int(theirs[j]) <= theirs.count {
          if Int(theirs[j]) == length,
            theirs[(j + 1)..<(j + 1 + length)].elementsEqual(mine[(i + 1)..<(i + 1 + length)])
          {
            out.pointee = offered + (j + 1)
            outLength.pointee = theirs[j]
            return SSL_TLSEXT_ERR_OK
          }
          j += 1 + Int(theirs[j])
        }
        i += 1 + length
      }
      return SSL_TLSEXT_ERR_NOACK
    }

  private static let staple: @convention(c) (OpaquePointer?, UnsafeMutableRawPointer?) -> Int32 = { ssl, _ in
    guard let ssl, let context = SSL_get_SSL_CTX(ssl), let owner = gh_ctx_owner(context) else {
      return SSL_TLSEXT_ERR_NOACK
    }
    let identity = Unmanaged<ServerIdentity>.fromOpaque(owner).takeUnretainedValue()
    let now = gh_owner(ssl).map { Unmanaged<TLSSession>.fromOpaque($0).takeUnretainedValue().now } ?? 0
    guard let response = identity.bundle?.ocsp?.response(at: now), let copy = gh_malloc(response.count) else {
      return SSL_TLSEXT_ERR_NOACK
    }
    response.withUnsafeBytes {
      copy.copyMemory(from: $0.baseAddress ?? UnsafeRawPointer(copy), byteCount: $0.count)
    }
    guard
      gh_set_status_response(ssl, copy.assumingMemoryBound(to: UInt8.self), Int32(response.count)) == 1
    else {
      gh_free(copy)
      return SSL_TLSEXT_ERR_NOACK
    }
    return SSL_TLSEXT_ERR_OK
  }
}

/// Lets through the verification errors that a policy ignores and remembers the first of each place.
enum VerifyCallback {
  static let function: @convention(c) (Int32, OpaquePointer?) -> Int32 = { ok, store in
    guard ok != 1, let store, let ssl = gh_store_ctx_ssl(store), let owner = gh_owner(ssl) else { return ok }
    let session = Unmanaged<TLSSession>.fromOpaque(owner).takeUnretainedValue()
    let error = X509_STORE_CTX_get_error(store)
    let depth = X509_STORE_CTX_get_error_depth(store)
    func leaf() -> X509Certificate? {
      guard let shown = X509_STORE_CTX_get0_cert(store), X509_up_ref(shown) == 1 else { return nil }
      return X509Certificate(owning: shown)
    }
    return session.noteVerification(error: error, depth: depth, leaf: leaf()) ? 1 : 0
  }
}
