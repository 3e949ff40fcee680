public import Base
import COpenSSL
import Glibc

/// One TLS connection over memory: encrypted octets come from and go to the scratch of each call.
///
/// After every call the owner sends `scratch.outgoing`, keeps what the peer does not take, and keeps
/// what is left in `scratch.incoming`. Belongs to one thread.
public final class TLSSession {
  public enum Handshake: Equatable {
    case complete
    /// Early data came: the session is of use before it is complete.
    case early
    /// More octets from the peer are needed.
    case needsInput
    case failed(TLSError)
  }

  public enum Read: Equatable {
    /// So many octets were appended; zero means the buffer has no room.
    case bytes(Int)
    case needsInput
    /// The peer said that it sends no more.
    case closed
    case failed(TLSError)
  }

  public enum Write: Equatable {
    /// How much was taken; less than asked for when `outgoing` is full.
    case accepted(Int)
    case needsInput
    case failed(TLSError)
  }

  let ssl: OpaquePointer
  private let bio: OpaquePointer
  public let isServer: Bool
  /// Keeps the context alive: the library's callbacks point into it.
  let server: TLSServerContext?
  let client: TLSClientContext?
  /// That of the certificate that is shown, once it was chosen.
  var policy: TLSPolicy { identity?.policy ?? server?.basePolicy ?? client?.settings.policy ?? TLSPolicy() }
  /// Under which name the client keeps this session.
  let sessionName: Bytes
  private var isEstablished = false
  /// The peer's end, or an error, came behind octets and is still to be told.
  private var hasNews = false
  var early = EarlyData.none
  /// Early data that came with the ClientHello, until it is read.
  var earlyInput: [UInt8] = []
  /// The client sent early data.
  public internal(set) var receivedEarlyData = false
  /// Octets of early data that are looked at in one piece: those of a record.
  static let earlyBound = 16384
  /// The certificate that is shown, once it was chosen; kept for as long as the library may ask for it.
  var identity: ServerIdentity?
  /// The time of the call that is under way, in seconds since 1970.
  private(set) var now: Int64 = 0
  /// What the client offered, where the context captures it.
  public internal(set) var capturedHello: CapturedHello?
  /// What `tune.ssl.keylog` keeps: secrets in hexadecimal.
  public private(set) var secrets: [TLSSecret: Bytes] = [:]

  /// The first verification errors, above the leaf and at the leaf, ignored or not; 0 for none.
  public private(set) var caError: Int32 = 0
  public private(set) var caErrorDepth: Int32 = 0
  public private(set) var certificateError: Int32 = 0
  /// The error that the policy did not ignore, so that the handshake failed; 0 for none. It concerns the leaf, or an
  /// authority.
  public private(set) var refusal: (error: Int32, isOfLeaf: Bool) = (0, false)
  /// The library's error code of a handshake that failed, 0 without one, and its words.
  public private(set) var failureCode: UInt = 0
  public private(set) var failureText = ""
  /// The peer's certificate when its verification failed, after which the library has it no more.
  private(set) var refusedCertificate: X509Certificate?

  /// The server side of a connection.
  public init(accepting context: TLSServerContext) throws(TLSError) {
    (ssl, bio) = try Self.make(context.baseContext)
    isServer = true
    server = context
    client = nil
    sessionName = .empty
    SSL_set_accept_state(ssl)
    _ = gh_set_owner(ssl, Unmanaged.passUnretained(self).toOpaque())
    if policy.earlyData > 0 {
      _ = SSL_set_max_early_data(ssl, policy.earlyData)
      early = .reading
    }
  }

  /// The client side of a connection.
  ///
  /// - Parameters:
  ///   - serverName: sent as SNI when it is a DNS name; with verification the certificate must bear it,
  ///     unless the context names another (`verifyhost`).
  ///   - alpn: protocols to offer in place of the context's.
  public init(
    connecting context: TLSClientContext, serverName: String?, alpn: [String]? = nil
  ) throws(TLSError) {
    let names = try alpn.map { names throws(TLSError) in try ALPN.encode(names) }
    (ssl, bio) = try Self.make(context.context)
    isServer = false
    server = nil
    client = context
    sessionName = Bytes(serverName ?? "")
    SSL_set_connect_state(ssl)
    _ = gh_set_owner(ssl, Unmanaged.passUnretained(self).toOpaque())
    if let names { _ = SSL_set_alpn_protos(ssl, names, UInt32(names.count)) }
    if let serverName, !serverName.isEmpty, IPAddress(serverName) == nil {
      guard !serverName.utf8.contains(0), gh_set_host_name(ssl, serverName) == 1 else {
        throw TLSError.fromQueue(.badSetting, "server name")
      }
    }
    if policy.verification != .none, let wanted = context.settings.verifyHost ?? serverName, !wanted.isEmpty {
      try expectName(wanted)
    }
    context.offerSession(to: ssl, name: sessionName)
  }

  private static func make(
    _ context: OpaquePointer
  ) throws(TLSError) -> (ssl: OpaquePointer, bio: OpaquePointer) {
    ERR_clear_error()
    guard let ssl = SSL_new(context) else { throw TLSError.fromQueue(.library) }
    guard let bio = ScratchBIO.make() else {
      SSL_free(ssl)
      throw TLSError.fromQueue(.library)
    }
    SSL_set_bio(ssl, bio, bio)
    return (ssl, bio)
  }

  private func expectName(_ name: String) throws(TLSError) {
    let accepted: Bool
    if IPAddress(name) != nil {
      accepted = X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), name) == 1
    } else {
      SSL_set_hostflags(ssl, UInt32(X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS))
      accepted = SSL_set1_host(ssl, name) == 1
    }
    if !accepted { throw TLSError.fromQueue(.badSetting, "name to verify") }
  }

  deinit {
    // Freed without a shutdown the library would call the session bad and not resume it.
    SSL_set_shutdown(ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN)
    SSL_free(ssl)
  }

  // MARK: Exchange

  private func attach(_ io: TLSScratch) {
    BIO_set_data(bio, Unmanaged.passUnretained(io).toOpaque())
    now = io.now
    // Clearing an empty queue takes several times as long as looking at it.
    if ERR_peek_error() != 0 { ERR_clear_error() }
  }

  /// Whether the last call stopped for want of octets.
  private var isStarved: Bool {
    let wanted = SSL_want(ssl)
    return wanted == SSL_READING || wanted == SSL_WRITING
  }

  /// Goes on with the handshake as far as the input allows.
  public func handshake(_ io: TLSScratch) -> Handshake {
    if isEstablished { return .complete }
    attach(io)
    if let outcome = lookForEarlyData() { return outcome }
    let result = SSL_do_handshake(ssl)
    if result == 1 {
      early = .none
      isEstablished = true
      return .complete
    }
    let code = SSL_get_error(ssl, result)
    if code == SSL_ERROR_WANT_READ || code == SSL_ERROR_WANT_WRITE { return .needsInput }
    client?.forgetSession(name: sessionName)
    failureCode = ERR_peek_error()
    if failureCode != 0 { failureText = TLSSession.text(of: failureCode) }
    let refused = SSL_get_verify_result(ssl) != Int(X509_V_OK)
    return .failed(TLSError.fromQueue(refused ? .certificateRefused : .handshake))
  }

  /// Decrypts into the room of `buffer` as many records as there are and fit.
  public func read(into buffer: ByteBuffer, _ io: TLSScratch) -> Read {
    attach(io)
    if isPending {
      switch readEarly(into: buffer) {
      case .complete: break
      case .bytes(let n): return .bytes(n)
      case .needsInput: return .needsInput
      case .failed(let error): return .failed(error)
      }
    }
    var total = 0
    while true {
      let room = buffer.writableBytes
      guard let to = room.baseAddress, room.count > 0 else { return .bytes(total) }
      let n = SSL_read(ssl, to, Int32(clamping: room.count))
      if n > 0 {
        buffer.produced(Int(n))
        total += Int(n)
        if io.incoming.isEmpty, !hasPending { return .bytes(total) }
        continue
      }
      // What was read goes first; the library says the rest again on the next call.
      let isStarved = isStarved
      hasNews = !isStarved
      if total > 0 { return .bytes(total) }
      if isStarved { return .needsInput }
      switch SSL_get_error(ssl, n) {
      case SSL_ERROR_WANT_READ, SSL_ERROR_WANT_WRITE: return .needsInput
      case SSL_ERROR_ZERO_RETURN: return .closed
      default: return .failed(TLSError.fromQueue(.protocolViolation))
      }
    }
  }

  /// Encrypts as much of `bytes` as `outgoing` has place for.
  public func write(_ bytes: UnsafeRawBufferPointer, _ io: TLSScratch) -> Write {
    attach(io)
    if isPending { return writeEarly(bytes) }
    var done = 0
    while done < bytes.count, io.outgoing.count < TLSScratch.outgoingBound {
      guard let from = bytes.baseAddress else { break }
      let n = SSL_write(ssl, from + done, Int32(clamping: bytes.count - done))
      if n > 0 {
        done += Int(n)
        continue
      }
      if done > 0 { return .accepted(done) }
      if isStarved { return .needsInput }
      switch SSL_get_error(ssl, n) {
      case SSL_ERROR_WANT_READ, SSL_ERROR_WANT_WRITE: return .needsInput
      default: return .failed(TLSError.fromQueue(.protocolViolation))
      }
    }
    return .accepted(done)
  }

  /// Tells the peer that nothing more is sent.
  public func close(_ io: TLSScratch) {
    guard isEstablished else { return }
    attach(io)
    _ = SSL_shutdown(ssl)
    ERR_clear_error()
  }

  /// Whether decrypted octets, or a part of a record, wait inside: read again before waiting for input.
  public var hasPending: Bool { SSL_has_pending(ssl) == 1 }
  public var isComplete: Bool { isEstablished }
  /// Whether a read can come to anything without more octets from the peer.
  public var mayHaveInput: Bool { hasNews || !isEstablished || isPending || hasPending }

  func markEstablished() { isEstablished = true }

  /// The first of each kind counts.
  func note(_ secret: TLSSecret, _ digits: Bytes) { if secrets[secret] == nil { secrets[secret] = digits } }

  /// Octets of a record from now on (`tune.ssl.maxrecord`); 512 to 16384.
  public func setMaximumRecord(_ octets: Int) {
    _ = gh_set_max_fragment(ssl, Swift.min(16384, Swift.max(512, octets)))
  }

  /// Notes a verification error of a peer that showed `leaf`; true when the policy ignores it.
  func noteVerification(error: Int32, depth: Int32, leaf: @autoclosure () -> X509Certificate?) -> Bool {
    let isIgnored: Bool
    if depth > 0 {
      if caError == 0 {
        caError = error
        caErrorDepth = depth
      }
      isIgnored = policy.ignoredCAErrors.contains(error)
    } else {
      if certificateError == 0 { certificateError = error }
      isIgnored = policy.ignoredCertificateErrors.contains(error)
    }
    if !isIgnored {
      refusal = (error, depth == 0)
      refusedCertificate = leaf()
    }
    return isIgnored
  }

  private static func text(of code: UInt) -> String {
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { room in
      guard let base = room.baseAddress else { return "" }
      ERR_error_string_n(code, base, room.count)
      return String(cString: base)
    }
  }
}
