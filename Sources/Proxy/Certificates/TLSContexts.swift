import Base
import Config
import Glibc
import Rules
import TLS

/// Makes the TLS contexts of `bind` and `server` lines, with the defaults of `global` filled in.
struct TLSContexts {
  private let global: GlobalSettings
  private let diagnostics: Diagnostics
  private let files = DiskFiles()
  private let retirement: Retirement

  init(_ global: GlobalSettings, _ retirement: Retirement, _ diagnostics: Diagnostics) {
    self.retirement = retirement
    self.global = global
    self.diagnostics = diagnostics
  }

  // MARK: Server side

  /// The context of a `bind ... ssl` line; nil for a clear one, and when it cannot be made.
  func server(for bind: BindSettings, isHTTP: Bool) -> TLSServerContext? {
    guard bind.isTLS else { return nil }
    var settings = TLSServerContext.Settings()
    settings.policy = policy(bind.tls, global.bindTLS)
    if bind.tls.alpn == nil, global.bindTLS.alpn == nil {
      settings.policy.alpn = isHTTP && bind.proto == nil ? ["h2", "http/1.1"] : []
    }
    settings.strictSNI = bind.strictSNI || global.bindTLS.strictSNIByDefault
    for word in bind.certificates {
      settings.certificates.append(TLSCertificateSource(path: path(word.text, in: global.certificateBase)))
    }
    for word in bind.defaultCertificates {
      var source = TLSCertificateSource(path: path(word.text, in: global.certificateBase))
      source.isDefault = true
      settings.certificates.append(source)
    }
    for list in bind.certificateLists {
      guard let text = files.contents(of: list.text) else {
        diagnostics.error("unable to open the crt-list '\(list.text)'", at: list.location)
        return nil
      }
      do throws(TLSError) {
        settings.certificates += try TLSCertificateList.parse(
          text, policy: settings.policy, resolve: { path($0, in: global.certificateBase) })
      } catch {
        diagnostics.error("'crt-list' : \(error)", at: list.location)
        return nil
      }
    }
    if settings.certificates.isEmpty, !settings.strictSNI {
      diagnostics.error(
        "Proxy: no SSL certificate specified for bind (use 'crt')", at: bind.location)
      return nil
    }
    do throws(TLSError) { return try TLSServerContext(settings, files: files) } catch {
      let place = bind.certificates.first { error.detail.contains($0.text) }?.location ?? bind.location
      diagnostics.error("'crt' : \(error)", at: place)
      return nil
    }
  }

  // MARK: Client side

  /// The context of a `server ... ssl` line; nil for a clear one, and when it cannot be made.
  func client(for server: ServerSettings) -> ClientTLS? {
    guard server.isTLS || server.preparesTLS else { return nil }
    // Servers are spoken to in HTTP/1: HTTP/2 is not offered to them.
    return client(server, alpn: (server.tls.alpn ?? []).filter { $0 != "h2" })
  }

  /// For health checks over TLS: the same trust, with the check's own ALPN.
  func check(for server: ServerSettings, alpn: [String]) -> ClientTLS? { client(server, alpn: alpn) }

  private func client(_ server: ServerSettings, alpn: [String]) -> ClientTLS? {
    var settings = TLSClientContext.Settings()
    settings.policy = policy(server.tls, global.serverTLS)
    settings.policy.alpn = alpn
    let wanted = server.tls.verification ?? global.serverTLS.verification
    let verifies = wanted == nil ? global.verifyServers : wanted != TLSSettings.Verification.none
    settings.policy.verification = verifies ? .required : .none
    if verifies, settings.policy.caFile == nil { settings.policy.caFile = "@system-ca" }
    settings.verifyHost = server.verifyHost
    settings.certificate = server.certificate.map { path($0.text, in: global.certificateBase) }
    settings.reusesSessions = !server.tls.noReuse
    do throws(TLSError) {
      return ClientTLS(settings, try TLSClientContext(settings, files: files), retirement)
    } catch {
      diagnostics.error("server \(server.name): \(error)", at: server.location)
      return nil
    }
  }

  // MARK: Shared

  private func policy(_ own: TLSSettings, _ shared: TLSSettings) -> TLSPolicy {
    var policy = TLSPolicy()
    policy.minimumVersion = version(own.minimumVersion ?? shared.minimumVersion) ?? .tls12
    policy.maximumVersion = version(own.maximumVersion ?? shared.maximumVersion)
    policy.ciphers = own.ciphers ?? shared.ciphers
    policy.ciphersuites = own.ciphersuites ?? shared.ciphersuites
    policy.curves = own.curves ?? own.ecdhe ?? shared.curves ?? shared.ecdhe
    policy.signatureAlgorithms = own.signatureAlgorithms ?? shared.signatureAlgorithms
    policy.clientSignatureAlgorithms = own.clientSignatureAlgorithms ?? shared.clientSignatureAlgorithms
    policy.alpn = own.alpn ?? shared.alpn ?? []
    policy.caFile = (own.caFile ?? shared.caFile).map { path($0, in: global.caBase) }
    policy.caVerifyFile = (own.caVerifyFile ?? shared.caVerifyFile).map { path($0, in: global.caBase) }
    policy.crlFile = (own.crlFile ?? shared.crlFile).map { path($0, in: global.caBase) }
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

  private func path(_ name: String, in base: String?) -> String {
    guard let base, !name.hasPrefix("/"), !name.hasPrefix("@") else { return name }
    return base + "/" + name
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
  }
}
