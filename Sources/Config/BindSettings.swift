public import Base

/// TLS parameters that `bind`, `server` and the global defaults share.
public struct TLSSettings: Sendable {
  public enum Version: Int, Comparable, Sendable {
    case sslv3, tls10, tls11, tls12, tls13
    public static func < (a: Version, b: Version) -> Bool { a.rawValue < b.rawValue }
  }
  public enum Verification: Sendable { case none, optional, required }

  public var minimumVersion: Version?
  public var maximumVersion: Version?
  /// `no-tlsv12` and the like.
  public var excludedVersions: Set<Version> = []
  public var ciphers: String?
  public var ciphersuites: String?
  public var curves: String?
  public var ecdhe: String?
  public var signatureAlgorithms: String?
  public var clientSignatureAlgorithms: String?
  public var alpn: [String]?
  public var verification: Verification?
  public var caFile: String?
  public var caVerifyFile: String?
  public var crlFile: String?
  public var noTickets = false
  /// `allow-0rtt`
  public var allowsEarlyData = false
  public var preferClientCiphers = false
  /// `no-ssl-reuse` of servers: sessions are not resumed.
  public var noReuse = false
  /// `no-ca-names`: clients are not told which authorities are accepted.
  public var noCANames = false
  /// `strict-sni` in `ssl-default-bind-options`.
  public var strictSNIByDefault = false
  /// `renegotiate` of servers.
  public var allowsRenegotiation = false
  public var caIgnoreErrors: String?
  public var crtIgnoreErrors: String?

  public init() {}
}

/// One `bind` line; each of its addresses becomes a listener.
public struct BindSettings: Sendable {
  public enum Address: Hashable, Sendable {
    /// A literal or unresolved host; nil means any IPv4 address; `v6only` and dual stack by flags below.
    case ip(IPAddress, ports: ClosedRange<UInt16>)
    case unix(String)
    case abstract(String, isPadded: Bool)
    case descriptor(Int32)
  }

  public var addresses: [Address] = []
  /// The addresses as written.
  public var addressText = ""
  public var location: SourceLocation
  public var name: String?
  public var id: Int?
  public var interface: String?
  public var isTLS = false
  public var tls = TLSSettings()
  /// What `ssl-default-bind-*` said when the line was read.
  public var tlsDefaults: TLSSettings?
  public enum CertificateKind: Sendable { case file, list, byDefault }
  /// `crt`, `crt-list` and `default-crt` arguments in order.
  public var certificateSources: [(word: Word, kind: CertificateKind)] = []
  /// nil leaves it to `ssl-default-bind-options`.
  public var strictSNI: Bool?
  /// `generate-certificates`, and the authority of `ca-sign-file` that signs them.
  public var generateCertificates = false
  public var signer: Word?
  /// `proto h2` and the like: forces the protocol in place of ALPN.
  public var proto: String?
  public var acceptProxy = false
  /// `accept-netscaler-cip`: the number that such headers begin with.
  public var netscalerMagic: UInt32?
  public var congestionControl: Word?
  public var segmentPassword: Bytes?
  public var maxConnections: Int?
  public var backlog: Int?
  public var mode: UInt32?
  public var uid: UInt32?
  public var gid: UInt32?
  /// Stats sockets: user, operator or admin.
  public var level = "operator"
  public var exposeListeners = false
  public var severityOutput = "none"
  public var transparent = false
  public var v4v6 = false
  public var v6only = false
  public var deferAccept = false
  public var tcpFastOpen = false
  public var tcpUserTimeout: Timespan?
  /// Between the PINGs of an idle HTTP/2 connection; zero for none.
  public var idlePing = Timespan.zero
  public var maxSegmentSize: Int?
  /// `tcp-ss`: which headers of SYN packets the kernel keeps.
  public var savedSYN: Int?
  public var guid: String?

  public init(location: SourceLocation) { self.location = location }
}
