public import Base
import COpenSSL
import Glibc

/// What samples read of a session (`ssl_fc_*`, `ssl_bc_*`, `ssl_c_*`, `ssl_f_*`).
extension TLSSession {
  /// `TLSv1.3`.
  public var version: Bytes { SSL_get_version(ssl).map(KnownWords.shared) ?? .empty }

  /// `TLS_AES_256_GCM_SHA384`.
  public var cipher: Bytes? {
    SSL_get_current_cipher(ssl) == nil ? nil : gh_cipher_name(ssl).map(KnownWords.shared)
  }

  /// Bits of the cipher in use (`ssl_fc_use_keysize`) and of its algorithm (`ssl_fc_alg_keysize`).
  public var keySize: (used: Int, algorithm: Int)? {
    guard let cipher = SSL_get_current_cipher(ssl) else { return nil }
    var algorithm: Int32 = 0
    let used = SSL_CIPHER_get_bits(cipher, &algorithm)
    return (Int(used), Int(algorithm))
  }

  /// The name that the client asked for, in its own letters.
  public var serverName: Bytes? {
    SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name).map {
      Bytes(Array(UnsafeRawBufferPointer(start: $0, count: strlen($0))))
    }
  }

  public var alpn: Bytes? {
    var data: UnsafePointer<UInt8>?
    var length: UInt32 = 0
    SSL_get0_alpn_selected(ssl, &data, &length)
    guard let data, length > 0 else { return nil }
    return KnownWords.shared(UnsafeRawBufferPointer(start: data, count: Int(length)))
  }

  /// What NPN, the forerunner of ALPN, came to.
  public var nextProtocol: Bytes? {
    var data: UnsafePointer<UInt8>?
    var length: UInt32 = 0
    SSL_get0_next_proto_negotiated(ssl, &data, &length)
    guard let data, length > 0 else { return nil }
    return Bytes(Array(UnsafeBufferPointer(start: data, count: Int(length))))
  }

  /// The file of the certificate that this side shows to clients (`ssl_fc_crtname`).
  public var certificateName: Bytes? { (identity ?? server?.baseIdentity)?.bundle?.name }

  public var isResumed: Bool { SSL_session_reused(ssl) == 1 }

  public var sessionID: [UInt8] {
    guard let session = SSL_get_session(ssl) else { return [] }
    var length: UInt32 = 0
    guard let data = SSL_SESSION_get_id(session, &length) else { return [] }
    return Array(UnsafeBufferPointer(start: data, count: Int(length)))
  }

  /// The master secret (`ssl_fc_session_key`).
  public var sessionKey: [UInt8] {
    guard let session = SSL_get_session(ssl) else { return [] }
    var out = [UInt8](repeating: 0, count: 64)
    let length = SSL_SESSION_get_master_key(session, &out, out.count)
    return Array(out.prefix(length))
  }

  public var clientRandom: [UInt8] {
    var out = [UInt8](repeating: 0, count: 32)
    let length = SSL_get_client_random(ssl, &out, out.count)
    return Array(out.prefix(length))
  }

  public var serverRandom: [UInt8] {
    var out = [UInt8](repeating: 0, count: 32)
    let length = SSL_get_server_random(ssl, &out, out.count)
    return Array(out.prefix(length))
  }

  /// The finished message sent, as `ssl_fc_unique_id` has it: tls-unique of RFC 5929.
  public var uniqueID: [UInt8] {
    var out = [UInt8](repeating: 0, count: 64)
    let resumed = SSL_session_reused(ssl) == 1
    let mine = resumed != isServer
    let length = mine ? SSL_get_finished(ssl, &out, out.count) : SSL_get_peer_finished(ssl, &out, out.count)
    return Array(out.prefix(length))
  }

  /// The group of the key exchange, `prime256v1`.
  public var group: Bytes? { gh_group_name(ssl).map(KnownWords.shared) }

  /// 0, or the X.509 error of the peer's chain (`ssl_c_verify`).
  public var verifyResult: Int { SSL_get_verify_result(ssl) }

  public var peerCertificate: X509Certificate? {
    SSL_get1_peer_certificate(ssl).map { X509Certificate(owning: $0) } ?? refusedCertificate
  }

  /// The peer's chain as it was sent, the leaf included on the client's side only.
  public var peerChain: [X509Certificate] {
    guard let chain = SSL_get_peer_cert_chain(ssl) else { return [] }
    return (0..<gh_x509_count(chain)).compactMap { i in
      guard let certificate = gh_x509_at(chain, i), X509_up_ref(certificate) == 1 else { return nil }
      return X509Certificate(owning: certificate)
    }
  }

  /// The last certificate of the chain as it was verified.
  public var rootCertificate: X509Certificate? {
    guard let chain = SSL_get0_verified_chain(ssl), gh_x509_count(chain) > 0,
      let certificate = gh_x509_at(chain, Int32(gh_x509_count(chain) - 1)), X509_up_ref(certificate) == 1
    else { return nil }
    return X509Certificate(owning: certificate)
  }

  /// The certificate that this side showed.
  public var ownCertificate: X509Certificate? {
    guard let certificate = SSL_get_certificate(ssl), X509_up_ref(certificate) == 1 else { return nil }
    return X509Certificate(owning: certificate)
  }
}
