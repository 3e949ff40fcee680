public import Base
import COpenSSL

/// What a listener with `ssl` serves: certificates chosen by name, and the rules of its handshakes.
///
/// Immutable after `init` and shared by all threads; sessions keep the context that they began with.
public final class TLSServerContext: @unchecked Sendable {
  public struct Settings: Sendable {
    public var policy = TLSPolicy()
    /// In order; the first is served when no name matches, unless one is marked as default.
    public var certificates: [TLSCertificateSource] = []
    /// Refuses handshakes without a matching name.
    public var strictSNI = false
    /// `generate-certificates`: the file of the authority that signs certificates for unknown names.
    public var signer: String?
    /// Octets of what each ClientHello lists that are kept (`tune.ssl.capture-buffer-size`).
    public var helloCapture = 0
    public init() {}
  }

  /// A name that is served, for listings; `*` for the default.
  public struct Name: Sendable {
    public var name: Bytes
    public var except: [Bytes]
    public var bundle: CertificateBundle
  }

  /// A certificate that may be served for a name.
  private struct Candidate {
    var identity: ServerIdentity
    /// Its parameters are not the listener's.
    var overrides: Bool
    /// Names that a wildcard does not mean.
    var except: Set<Bytes> = []
  }

  private let base: ServerIdentity
  private var exact: [Bytes: [Candidate]] = [:]
  private var wildcards: [Bytes: [Candidate]] = [:]
  private var defaults: [Candidate] = []
  private var identities: [ServerIdentity.Key: ServerIdentity] = [:]
  private let generator: CertificateGenerator?
  private let strictSNI: Bool
  private let hasNamedDefaults: Bool
  public private(set) var names: [Name] = []
  var baseContext: OpaquePointer { base.context }
  var baseIdentity: ServerIdentity { base }
  private let helloCapture: Int
  var basePolicy: TLSPolicy { base.policy }

  /// The certificates that are served when no name matches, unless filters name them.
  public var impliedDefaults: [CertificateBundle] {
    strictSNI || hasNamedDefaults ? [] : defaults.compactMap(\.identity.bundle)
  }
  /// Every certificate in use.
  public var bundles: [CertificateBundle] { identities.values.compactMap(\.bundle) }

  /// With what `files` has or can read. What `previous` made of the same parts is used again.
  public init(
    _ settings: Settings, files: inout CertificateFiles, previous: TLSServerContext? = nil
  ) throws(TLSError) {
    strictSNI = settings.strictSNI
    helloCapture = settings.helloCapture
    var builder = ContextBuilder(files: files)
    var made: [ServerIdentity.Key: ServerIdentity] = [:]
    func identity(_ bundle: CertificateBundle?, _ policy: TLSPolicy) throws(TLSError) -> ServerIdentity {
      let (key, used) = try ServerIdentity.key(bundle, policy, &builder)
      if let known = made[key] ?? previous?.identities[key] {
        made[key] = known
        return known
      }
      let new = try ServerIdentity(bundle, policy: policy, authorities: used, builder: &builder)
      made[key] = new
      return new
    }
    var served: [(source: TLSCertificateSource, bundle: CertificateBundle)] = []
    var first: [CertificateBundle] = []
    var chosen: [CertificateBundle] = []
    var defaultPolicy = settings.policy
    for source in try TLSServerContext.expand(settings, &builder.files) {
      let isDirectory = builder.files.names(in: source.path) != nil
      let bundles = try builder.files.bundles(at: source.path, updatesOCSP: source.updatesOCSP)
        .filter { !$0.isEmpty }
      for bundle in bundles {
        try builder.files.noteOCSPUpdate(of: bundle, source.updatesOCSP ?? builder.files.updatesOCSP)
        served.append((source, bundle))
      }
      // Files of one base name are one certificate in several algorithms; a directory is not.
      let together = isDirectory ? Array(bundles.prefix(1)) : bundles
      if source.isDefault {
        if chosen.isEmpty { defaultPolicy = source.policy ?? settings.policy }
        chosen += together
      } else if first.isEmpty, chosen.isEmpty {
        defaultPolicy = source.policy ?? settings.policy
        first = together
      }
    }
    let serving = chosen.isEmpty ? first : chosen
    if serving.isEmpty, !settings.strictSNI { throw TLSError(.noCertificate, "bind") }
    base = try identity(serving.first, defaultPolicy)
    if let path = settings.signer {
      generator = try CertificateGenerator(path, &builder, policy: settings.policy, model: serving.first)
    } else {
      generator = nil
    }
    // A filter `*` says which are the defaults; else those are that came first.
    hasNamedDefaults = served.contains { $0.source.filters.contains("*") }
    if !hasNamedDefaults {
      for bundle in serving {
        defaults.append(Candidate(identity: try identity(bundle, defaultPolicy), overrides: false))
        if !settings.strictSNI { names.append(Name(name: "*", except: [], bundle: bundle)) }
      }
    }
    for (source, bundle) in served {
      let policy = source.policy ?? settings.policy
      let identity = try identity(bundle, policy)
      add(source, bundle, Candidate(identity: identity, overrides: policy != defaultPolicy))
    }
    identities = made
    files = builder.files
    if helloCapture > 0 { SSL_CTX_set_msg_callback(base.context, TLSServerContext.captureHello) }
  }

  public convenience init(_ settings: Settings, files: any TLSFileReader) throws(TLSError) {
    var files = CertificateFiles(files)
    try self.init(settings, files: &files)
  }

  /// The sources with the entries of lists in their place.
  private static func expand(
    _ settings: Settings, _ files: inout CertificateFiles
  ) throws(TLSError) -> [TLSCertificateSource] {
    var sources: [TLSCertificateSource] = []
    for source in settings.certificates {
      guard source.isList else {
        sources.append(source)
        continue
      }
      let list = try files.list(at: source.path)
      sources += try list.sources(source.policy ?? settings.policy, files.paths)
    }
    return sources
  }

  private func add(_ source: TLSCertificateSource, _ bundle: CertificateBundle, _ candidate: Candidate) {
    var candidate = candidate
    let except = source.filters.filter { $0.hasPrefix("!") }.map { Bytes($0.dropFirst()).lowercased }
    candidate.except = Set(except)
    let own = bundle.parts.certificate?.dnsNames ?? []
    let wanted = source.filters.isEmpty ? own : source.filters.filter { !$0.hasPrefix("!") }
    for text in wanted {
      let name = Bytes(text).lowercased
      names.append(Name(name: name, except: except, bundle: bundle))
      if name.starts(with: "*.") {
        wildcards[name.dropFirst(1), default: []].append(candidate)
      } else if name == "*" {
        defaults.append(candidate)
      } else {
        exact[name, default: []].append(candidate)
      }
    }
  }

  // MARK: Handshake

  /// The certificate for a server name: of those that bear it, the first that the client can verify, the one with an
  /// elliptic curve before the others. nil when there is none.
  private func candidate(for name: Bytes?, _ client: ClientAbilities) -> Candidate? {
    var (ecdsa, rsa, other): (Candidate?, Candidate?, Candidate?)
    func look(_ candidates: [Candidate]?, _ name: Bytes) {
      for candidate in candidates ?? [] where !candidate.except.contains(name) {
        switch candidate.identity.bundle?.parts.key?.kind {
        case .ecdsa: ecdsa = ecdsa ?? candidate
        case .rsa: rsa = rsa ?? candidate
        default: other = other ?? candidate
        }
      }
    }
    if let name, !name.isEmpty {
      look(exact[name], name)
      if let dot = name.firstIndex(of: 0x2E), dot > 0 { look(wildcards[name.dropFirst(dot)], name) }
    }
    if ecdsa == nil, rsa == nil, other == nil, !strictSNI { look(defaults, name ?? .empty) }
    if let ecdsa, client.verifiesECDSA { return ecdsa }
    if let rsa, client.verifiesRSA { return rsa }
    return other ?? ecdsa ?? rsa
  }

  /// Whether `name` is one that a certificate was given for.
  private func isServed(_ name: Bytes) -> Bool {
    if exact[name] != nil { return true }
    guard let dot = name.firstIndex(of: 0x2E), dot > 0 else { return false }
    return wildcards[name.dropFirst(dot)]?.contains { !$0.except.contains(name) } ?? false
  }

  private static let captureHello:
    @convention(c) (
      Int32, Int32, Int32, UnsafeRawPointer?, Int, OpaquePointer?, UnsafeMutableRawPointer?
    ) -> Void = { isWrite, _, type, octets, count, ssl, _ in
      guard isWrite == 0, type == SSL3_RT_HANDSHAKE, let octets, let ssl, let owner = gh_owner(ssl) else { return }
      let session = Unmanaged<TLSSession>.fromOpaque(owner).takeUnretainedValue()
      guard let bound = session.server?.helloCapture, count <= ClientHello.bound,
        let hello = ClientHello.read(message: Bytes(Array(UnsafeRawBufferPointer(start: octets, count: count))))
      else { return }
      session.capturedHello = CapturedHello(hello, bound: bound)
    }

  static let chooseIdentity:
    @convention(c) (OpaquePointer?, UnsafeMutablePointer<Int32>?, UnsafeMutableRawPointer?) -> Int32 = {
      ssl, alert, _ in
      guard let ssl, let owner = gh_owner(ssl) else { return Int32(GH_HELLO_ERROR) }
      let session = Unmanaged<TLSSession>.fromOpaque(owner).takeUnretainedValue()
      guard let context = session.server else { return Int32(GH_HELLO_ERROR) }
      var data: UnsafePointer<UInt8>?
      var length = 0
      var name: Bytes?
      if SSL_client_hello_get0_ext(ssl, UInt32(TLSEXT_TYPE_server_name), &data, &length) == 1, let data {
        name = ClientHello.serverName(in: UnsafeRawBufferPointer(start: data, count: length))?.lowercased
        if name == nil {
          alert?.pointee = SSL_AD_DECODE_ERROR
          return Int32(GH_HELLO_ERROR)
        }
      }
      return context.choose(name, session, ssl, alert)
    }

  private func choose(
    _ name: Bytes?, _ session: TLSSession, _ ssl: OpaquePointer, _ alert: UnsafeMutablePointer<Int32>?
  ) -> Int32 {
    if let generator, let name, !name.isEmpty, !isServed(name), let made = generator.identity(for: name) {
      session.identity = made
      if made.adopt(ssl, overrides: true) { return Int32(GH_HELLO_SUCCESS) }
    }
    guard let found = candidate(for: name, ClientAbilities(ssl)) else {
      alert?.pointee = SSL_AD_UNRECOGNIZED_NAME
      return Int32(GH_HELLO_ERROR)
    }
    session.identity = found.identity
    if found.identity === base { return Int32(GH_HELLO_SUCCESS) }
    if found.identity.adopt(ssl, overrides: found.overrides) { return Int32(GH_HELLO_SUCCESS) }
    alert?.pointee = SSL_AD_INTERNAL_ERROR
    return Int32(GH_HELLO_ERROR)
  }
}

/// Which certificates a client can verify, by its hello.
private struct ClientAbilities {
  var verifiesRSA = false
  var verifiesECDSA = false

  init(_ ssl: OpaquePointer) {
    var data: UnsafePointer<UInt8>?
    var length = 0
    guard SSL_client_hello_get0_ext(ssl, UInt32(TLSEXT_TYPE_signature_algorithms), &data, &length) == 1, let data
    else {
      // Before TLS 1.2 nobody says.
      verifiesRSA = true
      return
    }
    let list = UnsafeBufferPointer(start: data, count: length).dropFirst(2)
    var at = list.startIndex
    while at + 1 < list.endIndex {
      switch (list[at], list[at + 1]) {
      case (8, 4...6), (8, 9...11), (1...7, 1): verifiesRSA = true
      case (1...7, 3): verifiesECDSA = true
      default: break
      }
      at += 2
    }
    if verifiesECDSA { verifiesECDSA = ClientAbilities.hasSuite(ssl) }
  }

  /// A suite of TLS 1.3, or one with ECDSA, must be there as well.
  private static func hasSuite(_ ssl: OpaquePointer) -> Bool {
    var suites: UnsafePointer<UInt8>?
    let length = SSL_client_hello_get0_ciphers(ssl, &suites)
    guard let suites else { return false }
    var at = 0
    while at + 1 < length {
      if let cipher = SSL_CIPHER_find(ssl, suites + at) {
        // Suites of TLS 1.3 have numbers of their own.
        let isNew = SSL_CIPHER_get_id(cipher) >> 8 & 0xFF == 0x13
        if isNew || SSL_CIPHER_get_auth_nid(cipher) == NID_auth_ecdsa { return true }
      }
      at += 2
    }
    return false
  }
}
