import Base
import Config
import Glibc
import Rules
import TLS

/// Makes the TLS contexts of `bind` and `server` lines, with the defaults of `global` filled in.
struct TLSContexts {
  private let global: GlobalSettings
  private let diagnostics: Diagnostics
  let store: CertificateStore
  private let retirement: Retirement

  /// For a process that starts.
  init(_ global: GlobalSettings, _ retirement: Retirement, _ diagnostics: Diagnostics) {
    self.init(global, CertificateStore(DiskFiles()), retirement, diagnostics)
    var paths = CertificatePaths()
    paths.certificateBase = global.certificateBase
    paths.authorityBase = global.caBase
    do throws(TLSError) {
      try store.edit { files throws(TLSError) in
        files.paths = paths
        files.updatesOCSP = global.updatesOCSP
        if let directory = global.issuersChainPath { try files.loadIssuerChains(directory) }
      }
    } catch {
      diagnostics.error("'issuers-chain-path' : \(error)", at: .none)
    }
  }

  /// `crt-store` sections, and certificates that rules check tokens with.
  func load(_ loads: [CertificateLoad], forTokens: Set<String>) {
    for load in loads {
      var source = CertificateFiles.Load(
        name: load.name, certificate: load.certificate, servesTokens: load.servesTokens)
      (source.key, source.ocspResponse) = (load.key, load.ocspResponse)
      (source.issuer, source.timestamps) = (load.issuer, load.timestamps)
      source.updatesOCSP = load.updatesOCSP
      do throws(TLSError) {
        try store.edit { files throws(TLSError) in try files.load(source) }
      } catch {
        diagnostics.error("'load' : \(error)", at: load.location)
      }
    }
    for path in forTokens.sorted() {
      // Where it is no certificate with its key, the key that was read for the rule does by itself.
      _ = try? store.edit { files throws(TLSError) in try files.loadForTokens(path) }
    }
  }

  /// For servers that are added to a process that runs.
  init(
    _ global: GlobalSettings, _ store: CertificateStore, _ retirement: Retirement, _ diagnostics: Diagnostics
  ) {
    self.global = global
    self.store = store
    self.retirement = retirement
    self.diagnostics = diagnostics
  }

  // MARK: Server side

  /// The context of a `bind ... ssl` line; nil for a clear one, and when it cannot be made.
  ///
  /// `certificates` are those of the frontend's `ssl-f-use` lines, a list by the name of `@<frontend>`.
  func server(
    for bind: BindSettings, proxyName: String, isHTTP: Bool, certificates: [FrontendCertificate] = []
  ) -> ListenerTLS? {
    guard bind.isTLS else { return nil }
    let shared = bind.tlsDefaults ?? global.bindTLS
    var settings = TLSServerContext.Settings()
    settings.policy = policy(bind.tls, shared)
    if bind.tls.alpn == nil, shared.alpn == nil {
      settings.policy.alpn = isHTTP && bind.proto == nil ? ["h2", "http/1.1"] : []
    }
    settings.helloCapture = global.helloCapture
    if bind.tls.allowsEarlyData { settings.policy.earlyData = UInt32(clamping: global.bufferSize - global.maxRewrite) }
    settings.strictSNI = bind.strictSNI ?? shared.strictSNIByDefault
    if bind.generateCertificates { settings.signer = bind.signer.map { store.files.paths.certificate($0.text) } }
    for (word, kind) in bind.certificateSources {
      var source = TLSCertificateSource(path: store.files.paths.certificate(word.text))
      source.isDefault = kind == .byDefault
      source.isList = kind == .list
      if source.isList { source.path = word.text }
      settings.certificates.append(source)
    }
    if let source = frontendList(certificates, proxyName) { settings.certificates.append(source) }
    if settings.certificates.isEmpty, !settings.strictSNI {
      diagnostics.error(
        "Proxy: no SSL certificate specified for bind (use 'crt')", at: bind.location)
      return nil
    }
    do throws(TLSError) {
      let context = try store.edit { files throws(TLSError) in try TLSServerContext(settings, files: &files) }
      let listener = ListenerTLS(settings, context, proxyName: proxyName, place: bind.location, retirement)
      store.add(listener)
      return listener
    } catch {
      let place = bind.certificateSources.first { error.detail.contains($0.word.text) }?.word.location
      let isList = bind.certificateSources.contains { $0.kind == .list }
      diagnostics.error("'\(isList ? "crt-list" : "crt")' : \(error)", at: place ?? bind.location)
      return nil
    }
  }

  private func frontendList(_ certificates: [FrontendCertificate], _ proxyName: String) -> TLSCertificateSource? {
    if certificates.isEmpty { return nil }
    var list = CertificateList()
    for (index, certificate) in certificates.enumerated() {
      let options = certificate.options.isEmpty ? "" : " [\(certificate.options.joined(separator: " "))]"
      do throws(TLSError) {
        let text = certificate.path + options
        if let entry = try CertificateList.Entry(text[...], index + 1, store.files.paths) { list.entries.append(entry) }
      } catch {
        diagnostics.error("'ssl-f-use' : \(error)", at: certificate.location)
      }
    }
    var source = TLSCertificateSource(path: "@" + proxyName)
    source.isList = true
    do throws(TLSError) {
      let path = source.path
      try store.edit { files throws(TLSError) in files.put(list, at: path) }
    } catch {
      diagnostics.error("'ssl-f-use' : \(error)", at: certificates[0].location)
    }
    return source
  }

  // MARK: Client side

  /// The context of a `server ... ssl` line; nil for a clear one, and when it cannot be made.
  func client(for server: Boxed<ServerSettings>) -> ClientTLS? {
    guard server.isTLS || server.preparesTLS else { return nil }
    return client(server, alpn: server.tls.alpn ?? [])
  }

  /// For health checks over TLS: the same trust, with the check's own ALPN.
  func check(for server: Boxed<ServerSettings>, alpn: [String]) -> ClientTLS? { client(server, alpn: alpn) }

  private func client(_ server: Boxed<ServerSettings>, alpn: [String]) -> ClientTLS? {
    var settings = TLSClientContext.Settings()
    let shared = server.tlsDefaults ?? global.serverTLS
    settings.policy = policy(server.tls, shared)
    settings.policy.alpn = alpn
    let wanted = server.tls.verification ?? shared.verification
    let verifies = wanted == nil ? global.verifyServers : wanted != TLSSettings.Verification.none
    settings.policy.verification = verifies ? .required : .none
    if verifies, settings.policy.caFile == nil { settings.policy.caFile = "@system-ca" }
    settings.verifyHost = server.verifyHost
    settings.certificate = server.certificate.map { store.files.paths.certificate($0.text) }
    settings.reusesSessions = !server.tls.noReuse
    do throws(TLSError) {
      let context = try store.edit { files throws(TLSError) in try TLSClientContext(settings, files: &files) }
      let client = ClientTLS(settings, context, retirement)
      store.add(client)
      return client
    } catch {
      diagnostics.error("server \(server.name): \(error)", at: server.location)
      return nil
    }
  }

  // MARK: Shared

  private func policy(_ own: TLSSettings, _ shared: TLSSettings) -> TLSPolicy {
    var policy = TLSPolicy()
    let range = TLSVersionRange(own, shared)
    policy.minimumVersion = version(range.lowest)
    policy.maximumVersion = version(range.highest)
    policy.ciphers = own.ciphers ?? shared.ciphers
    policy.ciphersuites = own.ciphersuites ?? shared.ciphersuites
    policy.curves = own.curves ?? own.ecdhe ?? shared.curves ?? shared.ecdhe
    policy.signatureAlgorithms = own.signatureAlgorithms ?? shared.signatureAlgorithms
    policy.clientSignatureAlgorithms = own.clientSignatureAlgorithms ?? shared.clientSignatureAlgorithms
    policy.alpn = own.alpn ?? shared.alpn ?? []
    policy.caFile = (own.caFile ?? shared.caFile).map { store.files.paths.authority($0) }
    policy.caVerifyFile = (own.caVerifyFile ?? shared.caVerifyFile).map { store.files.paths.authority($0) }
    policy.crlFile = (own.crlFile ?? shared.crlFile).map { store.files.paths.authority($0) }
    policy.hidesAuthorities = own.noCANames
    policy.allowsRenegotiation = own.allowsRenegotiation || shared.allowsRenegotiation
    policy.securityLevel = global.securityLevel.map { Int32(clamping: $0) }
    policy.logsKeys = global.logsKeys
    policy.noTickets = own.noTickets || shared.noTickets
    policy.prefersClientCiphers = own.preferClientCiphers || shared.preferClientCiphers
    switch own.verification ?? shared.verification {
    case .required: policy.verification = .required
    case .optional: policy.verification = .optional
    case .some(TLSSettings.Verification.none), nil: policy.verification = .none
    }
    policy.ignoredCAErrors =
      (own.caIgnoreErrors ?? shared.caIgnoreErrors).flatMap(IgnoredErrors.init) ?? IgnoredErrors()
    policy.ignoredCertificateErrors =
      (own.crtIgnoreErrors ?? shared.crtIgnoreErrors).flatMap(IgnoredErrors.init) ?? IgnoredErrors()
    return policy
  }

  private func version(_ version: TLSSettings.Version?) -> TLSVersion? {
    switch version {
    case .sslv3, .tls10: .tls10
    case .tls11: .tls11
    case .tls12: .tls12
    case .tls13: .tls13
    case nil: nil
    }
  }
}

/// Certificate files of this machine.
private struct DiskFiles: TLSFileReader {
  func contents(of path: String) -> [UInt8]? {
    let fd = open(path, O_RDONLY | O_CLOEXEC)
    guard fd >= 0 else { return nil }
    defer { close(fd) }
    var content: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 65536)
    while true {
      let n = chunk.withUnsafeMutableBytes { read(fd, $0.baseAddress, $0.count) }
      if n < 0 { return nil }
      if n == 0 { return content }
      content.append(contentsOf: chunk[..<n])
    }
  }

  func names(in directory: String) -> [String]? {
    guard let handle = opendir(directory) else { return nil }
    defer { closedir(handle) }
    var names: [String] = []
    while let entry = readdir(handle) {
      let name = withUnsafeBytes(of: entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
      if name != ".", name != ".." { names.append(name) }
    }
    return names.sorted()
  }
}

extension CertificateFacts {
  convenience init(_ certificate: X509Certificate) {
    self.init()
    der = Bytes(certificate.der)
    subject = certificate.subject.parts.map { (Bytes($0.type), $0.value) }
    issuer = certificate.issuer.parts.map { (Bytes($0.type), $0.value) }
    serial = Bytes(certificate.serial)
    sha1 = Bytes(certificate.sha1)
    notBefore = certificate.notBefore
    notAfter = certificate.notAfter
    keyAlgorithm = Bytes(certificate.keyAlgorithm ?? "")
    signatureAlgorithm = Bytes(certificate.signatureAlgorithm ?? "")
    version = certificate.version
    policies = certificate.policies.map { Bytes($0) }
    alternativeNames = Bytes(certificate.alternativeNames)
  }
}
