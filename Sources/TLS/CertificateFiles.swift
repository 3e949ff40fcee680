import Base
import COpenSSL

/// What was read of certificates, authorities and lists, by the name that the configuration has for each.
///
/// A value: a change that fails part of the way is a copy that is thrown away. While the process starts, what is named
/// for the first time is read from disk; later nothing is (`isClosed`).
public struct CertificateFiles: Sendable {
  public private(set) var bundles: [String: CertificateBundle] = [:]
  public private(set) var authorities: [String: AuthorityFile] = [:]
  public private(set) var lists: [String: CertificateList] = [:]
  /// By the hexadecimal certificate ID.
  public private(set) var ocsp: [String: OCSPEntry] = [:]
  public var paths = CertificatePaths()
  /// `issuers-chain-path`: chains for certificates that come without.
  private var issuerChains: [IssuerChain] = []
  /// Certificates ask for OCSP responses unless their list says otherwise (`ocsp-update.mode`).
  public var updatesOCSP = false
  private let reader: any TLSFileReader
  public var isClosed = false

  public init(_ reader: any TLSFileReader) { self.reader = reader }

  struct IssuerChain: Sendable {
    var path: String
    var certificates: [X509Certificate]
  }

  func contents(of path: String) -> [UInt8]? { isClosed ? nil : reader.contents(of: path) }
  func names(in directory: String) -> [String]? { isClosed ? nil : reader.names(in: directory) }

  // MARK: Certificates

  /// Extensions of files that belong to another one and are no certificates by themselves.
  private static let companions = [".key", ".ocsp", ".issuer", ".sctl"]
  static let algorithms = [".rsa", ".dsa", ".ecdsa"]

  /// The certificate is served with `ocsp-update` on or off: everywhere the same.
  mutating func noteOCSPUpdate(of bundle: CertificateBundle, _ isOn: Bool) throws(TLSError) {
    if bundle.parts.updatesOCSP != isOn {
      throw TLSError(.badSetting, "'\(bundle.path)' is already in use with a different parameter 'ocsp-update'")
    }
  }

  /// Switches `ocsp-update` of a certificate that nothing uses yet.
  public mutating func setOCSPUpdate(of path: String, _ isOn: Bool) {
    guard var parts = bundles[path]?.parts, parts.updatesOCSP != isOn else { return }
    parts.updatesOCSP = isOn
    put(path, parts)
  }

  /// What a `crt` argument names: a file, a directory, or the base of `.rsa` and `.ecdsa` files.
  mutating func bundles(at path: String, updatesOCSP: Bool? = nil) throws(TLSError) -> [CertificateBundle] {
    let updates = updatesOCSP ?? self.updatesOCSP
    if let known = bundles[path] { return [known] }
    let parts = CertificateFiles.algorithms.compactMap { bundles[path + $0] }
    if !parts.isEmpty { return parts }
    if let names = names(in: path) {
      var found: [CertificateBundle] = []
      for name in names.sorted()
      where !name.hasPrefix(".") && !CertificateFiles.companions.contains(where: name.hasSuffix) {
        let file = path.hasSuffix("/") ? path + name : "\(path)/\(name)"
        if let known = bundles[file] { found.append(known) } else { found.append(try load(file, updates)) }
      }
      if found.isEmpty { throw TLSError(.noCertificate, path) }
      return found
    }
    if contents(of: path) != nil { return [try load(path, updates)] }
    var found: [CertificateBundle] = []
    for algorithm in CertificateFiles.algorithms where contents(of: path + algorithm) != nil {
      found.append(try load(path + algorithm, updates))
    }
    if found.isEmpty { throw TLSError(.unreadableFile, path) }
    return found
  }

  private mutating func load(_ path: String, _ updatesOCSP: Bool) throws(TLSError) -> CertificateBundle {
    guard let text = contents(of: path) else { throw TLSError(.unreadableFile, path) }
    var parts = CertificateParts()
    parts.certificatePath = path
    parts.keyPath = path
    parts.updatesOCSP = updatesOCSP
    try parts.takeCertificate(text, path: path)
    if parts.key == nil { try findKey(of: path, &parts) }
    parts.ocspResponse = contents(of: path + ".ocsp")
    if let issuer = contents(of: path + ".issuer") {
      try parts.takeIssuer(issuer, path: path + ".issuer")
      parts.issuerPath = path + ".issuer"
    }
    if let list = contents(of: path + ".sctl") { try parts.takeTimestamps(list, path: path + ".sctl") }
    _ = try CertificateBundle(path, parts, nil).check()
    return put(path, parts)
  }

  /// A `load` line of a `crt-store`.
  public struct Load: Sendable {
    public var name: String
    public var certificate: String
    public var key, ocspResponse, issuer, timestamps: String?
    public var updatesOCSP: Bool?
    public var servesTokens: Bool

    public init(name: String, certificate: String, servesTokens: Bool) {
      self.name = name
      self.certificate = certificate
      self.servesTokens = servesTokens
    }
  }

  public mutating func load(_ source: Load) throws(TLSError) {
    var parts = CertificateParts()
    parts.certificatePath = source.certificate
    parts.keyPath = source.key ?? source.certificate
    parts.updatesOCSP = source.updatesOCSP ?? updatesOCSP
    parts.servesTokens = source.servesTokens
    try parts.takeCertificate(try required(source.certificate), path: source.certificate)
    if let key = source.key { try parts.takeKey(try required(key), path: key) }
    if parts.key == nil { try findKey(of: source.certificate, &parts) }
    if let path = source.ocspResponse { parts.ocspResponse = try required(path) }
    if let path = source.issuer {
      try parts.takeIssuer(try required(path), path: path)
      parts.issuerPath = path
    }
    if let path = source.timestamps { try parts.takeTimestamps(try required(path), path: path) }
    // To check tokens a certificate does without its key.
    if parts.key != nil || !parts.servesTokens { _ = try CertificateBundle(source.name, parts, nil).check() }
    put(source.name, parts)
  }

  private func required(_ path: String) throws(TLSError) -> [UInt8] {
    guard let text = contents(of: path) else { throw TLSError(.unreadableFile, path) }
    return text
  }

  private func findKey(of path: String, _ parts: inout CertificateParts) throws(TLSError) {
    for candidate in CertificateFiles.keyPaths(for: path) {
      guard let text = contents(of: candidate) else { continue }
      try parts.takeKey(text, path: candidate)
      parts.keyPath = candidate
      return
    }
  }

  /// Tokens may be checked and opened with a certificate from now on, or not any more; false when it is not loaded.
  public mutating func setServesTokens(_ path: String, _ serves: Bool) -> Bool {
    guard let bundle = bundles[path] else { return false }
    var parts = bundle.parts
    parts.servesTokens = serves
    bundles[path] = CertificateBundle(path, parts, bundle.ocsp)
    return true
  }

  /// Loads a certificate that tokens are checked with, unless it is there.
  public mutating func loadForTokens(_ path: String) throws(TLSError) {
    if setServesTokens(path, true) { return }
    try load(Load(name: path, certificate: path, servesTokens: true))
  }

  /// `site.pem.key`, then `site.key`.
  private static func keyPaths(for path: String) -> [String] {
    var paths = [path + ".key"]
    if let dot = path.lastIndex(of: "."), !path[dot...].contains("/") { paths.append(path[..<dot] + ".key") }
    return paths
  }

  /// Sets what a certificate consists of. What is known of its revocation stays while it is the same certificate.
  @discardableResult
  public mutating func put(_ path: String, _ parts: CertificateParts) -> CertificateBundle {
    let bundle = CertificateBundle(path, parts, entry(for: parts, path))
    bundles[path] = bundle
    return bundle
  }

  /// The same with what is known of its revocation given.
  public mutating func put(_ path: String, _ parts: CertificateParts, keeping entry: OCSPEntry) {
    bundles[path] = CertificateBundle(path, parts, entry)
  }

  public mutating func removeBundle(_ path: String) { bundles[path] = nil }

  private mutating func entry(for parts: CertificateParts, _ path: String) -> OCSPEntry? {
    guard parts.ocspResponse != nil || parts.updatesOCSP, let certificate = parts.certificate else { return nil }
    let issuer = parts.issuer ?? issuerChain(of: certificate)?.certificates.first
    guard let issuer, let entry = OCSPEntry(certificate, issuer: issuer, path: path) else { return nil }
    if let known = ocsp[entry.key] {
      if let response = parts.ocspResponse { known.set(response) }
      return known
    }
    if let response = parts.ocspResponse { entry.set(response) }
    if parts.updatesOCSP, entry.responders.isEmpty, parts.ocspResponse == nil { return nil }
    ocsp[entry.key] = entry
    return entry
  }

  /// `issuers-chain-path`: reads every file of the directory.
  public mutating func loadIssuerChains(_ directory: String) throws(TLSError) {
    for name in (names(in: directory) ?? []).sorted() {
      let path = directory.hasSuffix("/") ? directory + name : "\(directory)/\(name)"
      guard let text = contents(of: path) else { continue }
      let certificates = try PEM.read(text, path: path).certificates
      if !certificates.isEmpty { issuerChains.append(IssuerChain(path: path, certificates: certificates)) }
    }
  }

  func issuerChain(of certificate: X509Certificate) -> IssuerChain? {
    issuerChains.first { X509_check_issued($0.certificates[0].pointer, certificate.pointer) == X509_V_OK }
  }

  /// The chain that is sent with a certificate, and the file of `issuers-chain-path` that it came from.
  public func chain(of bundle: CertificateBundle) -> (certificates: [X509Certificate], path: String?) {
    if !bundle.parts.chain.isEmpty { return (bundle.parts.chain, nil) }
    guard let certificate = bundle.parts.certificate, let found = issuerChain(of: certificate) else { return ([], nil) }
    return (found.certificates, found.path)
  }

  // MARK: Authorities

  /// The certificates or revocation lists of a `ca-file` or `crl-file`.
  mutating func authority(at path: String) throws(TLSError) -> AuthorityFile {
    if let known = authorities[path] { return known }
    if isClosed { throw TLSError(.unreadableFile, "unable to load \(path)") }
    var contents = PEM.Contents()
    for file in names(in: path)?.sorted().map({ "\(path)/\($0)" }) ?? [path] {
      guard let text = self.contents(of: file) else { throw TLSError(.unreadableFile, file) }
      let more = try PEM.read(text, path: file)
      contents.certificates += more.certificates
      contents.revocationLists += more.revocationLists
    }
    if contents.certificates.isEmpty, contents.revocationLists.isEmpty { throw TLSError(.missingCA, path) }
    let file = AuthorityFile(path, contents)
    authorities[path] = file
    return file
  }

  public mutating func put(_ file: AuthorityFile) { authorities[file.path] = file }
  public mutating func removeAuthority(_ path: String) { authorities[path] = nil }

  // MARK: Lists

  mutating func list(at path: String) throws(TLSError) -> CertificateList {
    if let known = lists[path] { return known }
    guard let text = contents(of: path) else { throw TLSError(.unreadableFile, path) }
    let list = try CertificateList.parse(text, paths)
    lists[path] = list
    return list
  }

  public mutating func put(_ list: CertificateList, at path: String) { lists[path] = list }
}

/// Where relative names lead: `crt-base` and `ca-base`.
public struct CertificatePaths: Sendable {
  public var certificateBase: String?
  public var authorityBase: String?
  public init() {}

  public func certificate(_ name: String) -> String { CertificatePaths.join(certificateBase, name) }
  public func authority(_ name: String) -> String { CertificatePaths.join(authorityBase, name) }

  private static func join(_ base: String?, _ name: String) -> String {
    guard let base, !name.hasPrefix("/"), !name.hasPrefix("@") else { return name }
    return base + "/" + name
  }
}

/// The content of a `ca-file` or a `crl-file`; immutable.
public final class AuthorityFile: Sendable {
  public let path: String
  public let certificates: [X509Certificate]
  public let revocationLists: [RevocationList]
  /// Made for revocation lists (`new ssl crl-file`), while it is empty.
  private let wasMadeForLists: Bool

  init(_ path: String, _ contents: PEM.Contents) {
    self.path = path
    certificates = contents.certificates
    revocationLists = contents.revocationLists
    wasMadeForLists = false
  }

  /// An empty one, as the runtime API makes it.
  public init(empty path: String, isRevocation: Bool) {
    self.path = path
    certificates = []
    revocationLists = []
    wasMadeForLists = isRevocation
  }

  /// From the payload of the runtime API; `beside` is what it adds to.
  public init(_ path: String, pem: [UInt8], beside: AuthorityFile? = nil) throws(TLSError) {
    let contents = try PEM.read(pem, path: path)
    self.path = path
    certificates = (beside?.certificates ?? []) + contents.certificates
    revocationLists = (beside?.revocationLists ?? []) + contents.revocationLists
    wasMadeForLists = beside?.wasMadeForLists ?? false
  }

  public var isRevocation: Bool { wasMadeForLists || certificates.isEmpty && !revocationLists.isEmpty }
}

/// Gives certificate files to the loader, which opens nothing itself.
public protocol TLSFileReader: Sendable {
  /// The content, or nil when there is no such readable file.
  func contents(of path: String) -> [UInt8]?
  /// The names in a directory, or nil when the path is not a directory.
  func names(in directory: String) -> [String]?
}
