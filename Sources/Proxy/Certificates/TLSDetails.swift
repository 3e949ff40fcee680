import Base
import Config
import Glibc
import Rules
import TLS

/// Which costly facts of TLS sessions any expression of the configuration asks for.
///
/// Reading a certificate or a session key takes longer than the rest of a small request, so it is done only for
/// configurations whose rules or log formats name such a fetch.
struct TLSDetails: OptionSet, Sendable {
  let rawValue: Int
  static let ownCertificate = TLSDetails(rawValue: 1)
  static let peerCertificate = TLSDetails(rawValue: 2)
  static let secrets = TLSDetails(rawValue: 4)
  static let server = TLSDetails(rawValue: 8)
  /// Our own address on connections to servers: `bc_src`, `bc_src_port`, `%bi`, `%bp`.
  static let serverSource = TLSDetails(rawValue: 16)

  init(rawValue: Int) { self.rawValue = rawValue }

  /// Looks for the names of fetches in every rule, log format and server line.
  init(_ configuration: Configuration) {
    self = []
    for proxy in configuration.proxies {
      for directive in proxy.rules + proxy.acls { note(directive) }
      for directive in [proxy.logFormatSD, proxy.errorLogFormat, proxy.uniqueIDFormat] {
        directive.map { note($0) }
      }
      if case .format(let directive) = proxy.logStyle { note(directive) }
      for server in proxy.servers {
        if !server.proxyV2Options.isEmpty { formUnion([.ownCertificate, .peerCertificate]) }
        server.sni.map { note($0) }
      }
      for reference in proxy.errorFiles { if case .reply(let directive) = reference { note(directive) } }
    }
  }

  private mutating func note(_ directive: Directive) {
    for word in directive.words where Self.serverSourceNames.contains(where: { Self.find($0, in: word) }) {
      insert(.serverSource)
    }
    for word in directive.words where Self.find("ssl_", in: word) {
      if Self.find("ssl_f_", in: word) { insert(.ownCertificate) }
      if Self.find("ssl_c_", in: word) { insert(.peerCertificate) }
      if ["session_", "random", "unique_id", "secret"].contains(where: { Self.find($0, in: word) }) {
        insert(.secrets)
      }
      if Self.find("ssl_s_", in: word) || Self.find("ssl_bc", in: word) { insert(.server) }
    }
  }

  private static let serverSourceNames: [StaticString] = ["bc_src", "%bi", "%bp", "}bi", "}bp"]

  /// `String.contains` takes ten times as long, which a configuration of 100,000 lines shows.
  private static func find(_ name: StaticString, in word: Word) -> Bool {
    var text = word.text
    let length = name.utf8CodeUnitCount
    return text.withUTF8 { text in
      guard let start = text.baseAddress, text.count >= length else { return false }
      return (0...(text.count - length)).contains {
        start[$0] == name.utf8Start[0] && memcmp(start + $0, name.utf8Start, length) == 0
      }
    }
  }
}

extension TLSFacts {
  /// What samples and logs say of an established session.
  convenience init(_ session: TLSSession, _ details: TLSDetails) {
    self.init()
    version = Bytes(session.version)
    cipher = Bytes(session.cipher ?? "")
    cipherBits = session.keySize?.used ?? 0
    cipherAlgorithmBits = session.keySize?.algorithm ?? 0
    serverName = session.serverName
    alpn = session.alpn
    curve = session.group.map { Bytes($0) }
    isResumed = session.isResumed
    verifyResult = session.verifyResult
    caVerifyError = Int(session.caError)
    caVerifyDepth = Int(session.caErrorDepth)
    clientCertificateError = Int(session.certificateError)
    if details.contains(.secrets) {
      sessionID = Bytes(session.sessionID)
      sessionKey = Bytes(session.sessionKey)
      clientRandom = Bytes(session.clientRandom)
      serverRandom = Bytes(session.serverRandom)
      uniqueID = Bytes(session.uniqueID)
    }
    if details.contains(.ownCertificate) {
      localCertificate = session.ownCertificate.map(CertificateFacts.init)
    }
    if details.contains(.peerCertificate), let certificate = session.peerCertificate {
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
  convenience init(failed session: TLSSession, _ details: TLSDetails) {
    self.init(session, details)
    if cipher.isEmpty { cipher = "(NONE)" }
    errorCode = session.failureCode
    errorText = Bytes(session.failureText)
  }
}
