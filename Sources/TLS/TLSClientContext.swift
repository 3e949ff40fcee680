import Base
import COpenSSL
import Synchronization

/// How a server line with `ssl` connects, with the sessions it may resume.
///
/// Immutable but for the sessions, which are behind a lock; shared by all threads.
public final class TLSClientContext: @unchecked Sendable {
  public struct Settings: Sendable {
    /// `verification` none or required. With required and no CA file the system's store is used.
    public var policy = TLSPolicy()
    /// A name that the certificate must bear whatever name was asked for (`verifyhost`).
    public var verifyHost: String?
    /// A client certificate (`crt`).
    public var certificate: String?
    /// `no-ssl-reuse` clears it.
    public var reusesSessions = true
    public init() {}
  }

  let context: OpaquePointer
  let settings: Settings
  /// The newest session for each server name; a handful, since a server line names few.
  private let sessions = Mutex<[Bytes: StoredSession]>([:])
  private static let sessionBound = 64

  /// The certificate that is shown, and the authorities that are believed.
  public let bundle: CertificateBundle?

  public convenience init(_ settings: Settings, files: any TLSFileReader) throws(TLSError) {
    var files = CertificateFiles(files)
    try self.init(settings, files: &files)
  }

  public init(_ settings: Settings, files: inout CertificateFiles) throws(TLSError) {
    ERR_clear_error()
    guard let context = SSL_CTX_new(TLS_client_method()) else { throw TLSError.fromQueue(.library) }
    self.context = context
    self.settings = settings
    var builder = ContextBuilder(files: files)
    let policy = settings.policy
    bundle = try settings.certificate.map { path throws(TLSError) in try builder.files.bundles(at: path) }?.first
    try builder.applyParameters(policy, to: context)
    _ = SSL_CTX_set_options(context, gh_client_options(policy.noTickets ? 1 : 0, policy.allowsRenegotiation ? 1 : 0))
    if let bundle { try builder.use(bundle, in: context) }
    // Named files must be there even when nothing is verified.
    if policy.verification == .none { _ = try builder.authority(policy.caFile) }
    if policy.verification == .none {
      SSL_CTX_set_verify(context, SSL_VERIFY_NONE, nil)
    } else {
      let store = try builder.trustStore(ca: [policy.caFile ?? "@system-ca"], crl: policy.crlFile)
      guard gh_ctx_set1_verify_store(context, store.pointer) == 1 else { throw TLSError.fromQueue(.library) }
      SSL_CTX_set_verify(context, SSL_VERIFY_PEER, VerifyCallback.function)
    }
    if !policy.alpn.isEmpty {
      let names = try ALPN.encode(policy.alpn)
      guard SSL_CTX_set_alpn_protos(context, names, UInt32(names.count)) == 0 else {
        throw TLSError.fromQueue(.badSetting, "alpn")
      }
    }
    if policy.logsKeys { SSL_CTX_set_keylog_callback(context, KeyLog.keep) }
    if settings.reusesSessions {
      _ = gh_ctx_set_cache_mode(context, Int(SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL))
      SSL_CTX_sess_set_new_cb(context, Self.keepSession)
    } else {
      _ = gh_ctx_set_cache_mode(context, Int(SSL_SESS_CACHE_OFF))
    }
    files = builder.files
  }

  deinit { SSL_CTX_free(context) }

  /// A session of the library, one reference of which is ours.
  private final class StoredSession: @unchecked Sendable {
    let pointer: OpaquePointer
    init(owning pointer: OpaquePointer) { self.pointer = pointer }
    deinit { SSL_SESSION_free(pointer) }
  }

  /// Offers the newest session for `name` to a connection that is about to start.
  func offerSession(to ssl: OpaquePointer, name: Bytes) {
    guard settings.reusesSessions else { return }
    let stored = sessions.withLock { $0[name] }
    if let stored, gh_is_resumable(stored.pointer) == 1 { _ = SSL_set_session(ssl, stored.pointer) }
  }

  func forgetSession(name: Bytes) {
    sessions.withLock { _ = $0.removeValue(forKey: name) }
  }

  private func keep(_ session: OpaquePointer, name: Bytes) {
    let stored = StoredSession(owning: session)
    sessions.withLock {
      if $0.count >= Self.sessionBound, $0[name] == nil { $0.removeAll(keepingCapacity: true) }
      $0[name] = stored
    }
  }

  /// Takes over the library's reference when it answers 1.
  private static let keepSession: @convention(c) (OpaquePointer?, OpaquePointer?) -> Int32 = { ssl, session in
    guard let ssl, let session, let owner = gh_owner(ssl) else { return 0 }
    let mine = Unmanaged<TLSSession>.fromOpaque(owner).takeUnretainedValue()
    guard let client = mine.client else { return 0 }
    client.keep(session, name: mine.sessionName)
    return 1
  }
}
