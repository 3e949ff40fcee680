import Base
import Rules
import TLS

extension TLSFacts {
  /// What samples and logs say of an established session.
  convenience init(_ session: TLSSession, _ wanted: CostlyFacts) {
    self.init()
    version = session.version
    cipher = session.cipher ?? .empty
    cipherBits = session.keySize?.used ?? 0
    cipherAlgorithmBits = session.keySize?.algorithm ?? 0
    serverName = session.serverName
    alpn = session.alpn
    curve = session.group
    isResumed = session.isResumed
    receivedEarlyData = session.receivedEarlyData
    if session.isPending { pending = session }
    verifyResult = session.verifyResult
    caVerifyError = Int(session.caError)
    caVerifyDepth = Int(session.caErrorDepth)
    clientCertificateError = Int(session.certificateError)
    certificateName = session.certificateName ?? .empty
    nextProtocol = session.nextProtocol
    hello = session.capturedHello
    secrets = session.secrets
    if wanted.contains(.secrets) {
      identifiers = Boxed(
        Identifiers(
          sessionID: Bytes(session.sessionID), sessionKey: Bytes(session.sessionKey),
          clientRandom: Bytes(session.clientRandom), serverRandom: Bytes(session.serverRandom),
          uniqueID: Bytes(session.uniqueID)))
    }
    if wanted.contains(.ownCertificate) {
      localCertificate = session.ownCertificate.map(CertificateFacts.init)
    }
    if wanted.contains(.peerCertificate), let certificate = session.peerCertificate {
      hasClientCertificate = true
      isClientCertificateUsed = true
      let facts = CertificateFacts(certificate)
      facts.chainDER = Bytes(session.peerChain.flatMap(\.der))
      clientCertificate = facts
      rootSubject = session.rootCertificate?.subject.parts.map { (Bytes($0.type), $0.value) } ?? []
    }
  }
}

/// Why a TLS handshake failed, with HAProxy's number and words (`fc_err`, `bc_err`).
enum HandshakeFailure: Int {
  case closed = 24
  case timeout = 26
  case authorityRefused = 30
  case certificateRefused = 31
  case nameMismatch = 33
  case failed = 34

  /// X509_V_ERR_HOSTNAME_MISMATCH and X509_V_ERR_IP_ADDRESS_MISMATCH
  private static let mismatches: [Int32] = [62, 64]

  /// Of the client's side.
  init(ofClient session: TLSSession, wasClosed: Bool) {
    if session.refusal.error != 0 {
      self = session.refusal.isOfLeaf ? .certificateRefused : .authorityRefused
    } else {
      self = wasClosed ? .closed : .failed
    }
  }

  init(ofServer session: TLSSession) {
    self = HandshakeFailure.mismatches.contains(session.refusal.error) ? .nameMismatch : .failed
  }

  var text: String {
    switch self {
    case .closed: "Connection closed during SSL handshake"
    case .timeout: "Timeout during SSL handshake"
    case .authorityRefused: "SSL client CA chain cannot be verified"
    case .certificateRefused: "SSL client certificate not trusted"
    case .nameMismatch: "Server presented an SSL certificate different from the expected one"
    case .failed: "SSL handshake failure"
    }
  }
}

extension TLSFacts {
  /// Of a session whose handshake failed.
  convenience init(failed session: TLSSession, _ wanted: CostlyFacts) {
    self.init(session, wanted)
    if cipher.isEmpty { cipher = "(NONE)" }
    errorCode = session.failureCode
    errorText = Bytes(session.failureText)
  }
}
