import Base
import Config
import TLS

extension Commands {
  /// Certificates that change while the process runs (management.txt chapter 9.3, `ssl cert`).
  static let certificates: [Command] = [
    Command(
      "show ssl cert", "[*][<certfile>]", level: .restricted,
      "display the SSL certificates used in memory, or the details of a file"
    ) {
      showCertificate($0)
    },
    Command("dump ssl cert", "<certfile>", level: .admin, "dump the SSL certificates in PEM format") { call in
      guard !call.argument(0).isEmpty else { return .error("'dump ssl cert' expects a filename") }
      guard let parts = found(call.argument(0), call.runtime.certificates)?.parts else { return .error(notFound) }
      return .text(
        (parts.key?.pem ?? []) + (parts.certificate?.pem ?? []) + parts.chain.flatMap(\.pem) + [ASCII.lf])
    },
    Command(
      "show tls-keys", "[id|*]", level: .admin,
      "show tls keys references or dump tls ticket keys when id specified"
    ) { call in
      // Keys of tickets are the process's own: there are no files of them to tell of.
      switch call.argument(0) {
      case "": .lines("# id (file)\n")
      case "*": .lines("# id secret\n")
      default: .error("'show tls-keys' unable to locate referenced filename")
      }
    },
    Command(
      "new ssl cert", "<certfile>", level: .admin,
      "create a new certificate file to be used in a crt-list or a directory"
    ) {
      call in
      let (path, store) = (call.argument(0), call.runtime.certificates)
      guard !path.isEmpty else { return .error("'new ssl cert' expects a filename") }
      if store.files.bundles[path] != nil { return .error("Certificate '\(path)' already exists!") }
      do throws(TLSError) {
        try store.edit { files throws(TLSError) in _ = files.put(path, CertificateParts()) }
      } catch { return .error("\(error)") }
      return .message("New empty certificate store '\(path)'!", severity: 5)
    },
    Command("set ssl cert", "<certfile> <payload>", level: .admin, "replace a certificate file") { setCertificate($0) },
    Command("commit ssl cert", "<certfile>", level: .admin, "commit a certificate file") { commitCertificate($0) },
    Command("abort ssl cert", "<certfile>", level: .admin, "abort a transaction for a certificate file") { call in
      let store = call.runtime.certificates
      guard !call.argument(0).isEmpty else { return .error("'abort ssl cert' expects a filename") }
      guard let change = store.certificateChange else { return .error("No ongoing transaction!") }
      guard change.path == call.argument(0) else {
        return .error(
          "The ongoing transaction is about '\(change.path)' but you are trying to abort a transaction for '\(call.argument(0))'"
        )
      }
      store.certificateChange = nil
      return .message("Transaction aborted for certificate '\(change.path)'!", severity: 5)
    },
    Command("del ssl cert", "<certfile>", level: .admin, "delete an unused certificate file") { call in
      let (path, store) = (call.argument(0), call.runtime.certificates)
      guard !path.isEmpty else { return .error("'del ssl cert' expects a certificate name") }
      let failure = "Can't remove the certificate: certificate '\(path)'"
      guard store.files.bundles[path] != nil else { return .error("\(failure) doesn't exist!") }
      if store.isUsed(.certificate(path)) { return .error("\(failure) in use, can't be deleted!") }
      do throws(TLSError) {
        try store.edit { files throws(TLSError) in files.removeBundle(path) }
      } catch { return .error("\(error)") }
      return .message("Certificate '\(path)' deleted!", severity: 5)
    },
    Command(
      "add ssl jwt", "<certfile>", level: .admin, "add certificate to list of certificates used for JWT validation"
    ) {
      setServesTokens($0, true)
    },
    Command(
      "del ssl jwt", "<certfile>", level: .admin, "remove certificate from list of certificates used for JWT validation"
    ) {
      setServesTokens($0, false)
    },
    Command("show ssl jwt", level: .restricted, "show list of certificates used for JWT validation") { call in
      let bundles = call.runtime.certificates.files.bundles
      let names = bundles.filter(\.value.parts.servesTokens).keys.sorted()
      return .lines("# filename\n" + names.map { "\($0)\n" }.joined())
    },
    Command(
      "show ssl sni", "[-f <frontend>] [-A] [-t <offset>]", level: .restricted,
      "display the list of SNI and their corresponding filename"
    ) {
      showNames($0)
    },
  ]

  private static let notFound = "Can't display the certificate: Not found or the certificate is a bundle!"

  private static func found(_ path: String, _ store: CertificateStore) -> CertificateBundle? {
    store.files.bundles[path] ?? store.files.bundles[store.files.paths.certificate(path)]
  }

  private static func setServesTokens(_ call: CommandCall, _ serves: Bool) -> CommandAnswer {
    let (path, store) = (call.argument(0), call.runtime.certificates)
    guard !path.isEmpty else { return .error("'\(serves ? "add" : "del") ssl jwt' expects a filename") }
    do throws(TLSError) {
      let isKnown = try store.edit { files throws(TLSError) in files.setServesTokens(path, serves) }
      return isKnown ? .lines("") : .error(notFound)
    } catch { return .error("\(error)") }
  }

  // MARK: Listings

  private static func showCertificate(_ call: CommandCall) -> CommandAnswer {
    let (name, store) = (call.argument(0), call.runtime.certificates)
    if name.isEmpty {
      var text = store.certificateChange.map { "# transaction\n*\($0.path)\n" } ?? ""
      text += "# filename\n" + store.files.bundles.keys.sorted().map { "\($0)\n" }.joined()
      return .lines(text)
    }
    if name.hasPrefix("*"), name.hasSuffix(".ocsp") {
      guard let change = store.certificateChange, name.dropFirst().dropLast(5) == change.path,
        let response = change.parts.ocspResponse
      else { return .error(notFound) }
      return .lines(OCSPText.withoutEmptyLines(OCSPEntry.text(of: response)))
    }
    if name.hasPrefix("*") {
      guard let change = store.certificateChange, name.dropFirst() == change.path else { return .error(notFound) }
      return .lines(report(change.path, change.parts, store, isUncommitted: true))
    }
    if name.hasSuffix(".ocsp"), let bundle = found(String(name.dropLast(5)), store),
      let response = bundle.ocsp?.response
    {
      return .lines(OCSPText.withoutEmptyLines(OCSPEntry.text(of: response)))
    }
    guard let bundle = found(name, store) else { return .error(notFound) }
    return .lines(report(bundle.path, bundle.parts, store, isUncommitted: false))
  }

  private static func report(
    _ path: String, _ parts: CertificateParts, _ store: CertificateStore, isUncommitted: Bool
  ) -> String {
    var text = "Filename: \(isUncommitted ? "*" : "")\(path)\n"
    if let file = parts.certificatePath {
      text += "Crt filename: \(file)\nKey filename: \(parts.keyPath ?? file)\nOCSP filename: \(file).ocsp\n"
      if let issuer = parts.issuerPath { text += "OCSP Issuer filename: \(issuer)\n" }
      text += "SCTL filename: \(file).sctl\n"
    }
    text += "Option: ocsp-update \(parts.updatesOCSP ? "on" : "off")\n"
    text += "Option: jwt \(parts.servesTokens ? "on" : "off")\n"
    let bundle = store.files.bundles[path]
    guard let certificate = parts.certificate else { return text + "Status: Empty\nOCSP Response Key: \n" }
    let status = isUncommitted ? "Uncommitted" : store.isUsed(.certificate(path)) ? "Used" : "Unused"
    text += "Status: \(status)\n"
    let chain = isUncommitted ? (parts.chain, nil) : bundle.map { store.files.chain(of: $0) } ?? ([], nil)
    if let file = chain.1 { text += "Chain Filename: \(file)\n" }
    text += certificate.report
    for link in chain.0 {
      text += "Chain Subject: \(link.subject.oneLine)\nChain Issuer: \(link.issuer.oneLine)\n"
    }
    return text + "OCSP Response Key: \(isUncommitted ? "" : bundle?.ocsp?.key ?? "")\n"
  }

  private static func showNames(_ call: CommandCall) -> CommandAnswer {
    var arguments = Array(call.arguments)[...]
    var proxy: String?
    var latest: Int64?
    while let option = arguments.popFirst() {
      switch option {
      case "-f":
        guard let name = arguments.popFirst() else { return .error("'-f' requires a frontend name!") }
        guard call.runtime.frontend(name) != nil else { return .error("Couldn't find the specified frontend!") }
        proxy = name
      case "-A": latest = 0
      case "-t":
        guard let text = arguments.popFirst() else { return .error("'-t' requires an offset argument!") }
        guard let offset = CommandNumber.milliseconds(text, unit: 1000) else {
          return .error("'-t' expects a positive value")
        }
        latest = Int64(offset / 1000)
      default: return .error("Invalid parameters, 'show ssl sni' only supports '-f', '-A' or '-t' options!")
      }
    }
    var listeners = call.runtime.certificates.allListeners.filter { proxy == nil || $0.proxyName == proxy }[...]
    let now = call.now.wall.seconds
    var isFirst = true
    return .pieces {
      guard isFirst || !listeners.isEmpty else { return nil }
      var text = isFirst ? "# Frontend/Bind\tSNI\tNegative Filter\tType\tFilename\tNotAfter\tNotBefore\n" : ""
      isFirst = false
      if let listener = listeners.popFirst() {
        for name in listener.with({ $0.names }) ?? [] {
          guard let certificate = name.bundle.parts.certificate else { continue }
          if let latest, (certificate.secondsLeft(now: now) ?? 0) > latest { continue }
          let except = name.except.map { "!\($0) " }.joined()
          text += "\(listener.proxyName)/\(listener.place.file):\(listener.place.line)\t\(name.name)\t"
          text += "\(except.isEmpty ? "-" : except)\t\(certificate.kindName)\t\(name.bundle.path)\t"
          text += "\(certificate.expiryText)\t\(certificate.startText)\n"
        }
      }
      return Array(text.utf8)
    }
  }

  // MARK: Changes

  /// What a name of `set ssl cert` is about: a certificate, or a file beside one.
  private enum Part: String, CaseIterable {
    case key = ".key"
    case ocsp = ".ocsp"
    case issuer = ".issuer"
    case scts = ".sctl"
  }

  private static func setCertificate(_ call: CommandCall) -> CommandAnswer {
    let (name, store) = (call.argument(0), call.runtime.certificates)
    guard !name.isEmpty, let payload = call.payload else {
      return .error("'set ssl cert' expects a filename and a certificate as a payload")
    }
    func failure(_ text: String) -> CommandAnswer { .error("\(text)\nCan't update \(name)!") }
    guard let (path, part) = target(name, store) else {
      return failure("Can't replace a certificate which is not referenced by the configuration!")
    }
    if let change = store.certificateChange, change.path != path {
      return failure(
        "The ongoing transaction is about '\(change.path)' but you are trying to set '\(path)'")
    }
    var parts = store.certificateChange?.parts ?? store.files.bundles[path]?.parts ?? CertificateParts()
    do throws(TLSError) {
      switch part {
      case nil: try parts.takeCertificate(payload.array, path: path)
      case .key: try parts.takeKey(payload.array, path: path)
      case .issuer: try parts.takeIssuer(payload.array, path: path)
      case .ocsp:
        guard let der = Base64.decode(payload.withoutBlanks), OCSPEntry.facts(of: der) != nil else {
          return failure("Unable to parse OCSP response.")
        }
        parts.ocspResponse = der
      case .scts:
        guard let list = Base64.decode(payload.withoutBlanks) else { return failure("Unable to parse SCTL.") }
        try parts.takeTimestamps(list, path: path)
      }
    } catch {
      return failure("unable to load certificate from file '\(name)': \(error).\nCan't load the payload")
    }
    let isNew = store.certificateChange == nil
    store.certificateChange = (path, parts)
    return .message("Transaction \(isNew ? "created" : "updated") for certificate \(path)!", severity: 5)
  }

  /// The certificate that a file name belongs to; `site.key` belongs to `site`, or to `site.crt`.
  private static func target(_ name: String, _ store: CertificateStore) -> (String, Part?)? {
    func known(_ path: String) -> String? {
      if store.certificateChange?.path == path { return path }
      return found(path, store)?.path
    }
    if let path = known(name) { return (path, nil) }
    for part in Part.allCases where name.hasSuffix(part.rawValue) {
      let base = String(name.dropLast(part.rawValue.utf8.count))
      if let path = known(base) ?? known(base + ".crt") ?? known(base + ".pem") { return (path, part) }
    }
    return nil
  }

  private static func commitCertificate(_ call: CommandCall) -> CommandAnswer {
    let (path, store) = (call.argument(0), call.runtime.certificates)
    guard !path.isEmpty else { return .error("'commit ssl cert' expects a filename") }
    guard let change = store.certificateChange else {
      return .error("No ongoing transaction! !\nCan't commit \(path)!")
    }
    guard change.path == path else {
      return .error(
        "The ongoing transaction is about '\(change.path)' but you are trying to set '\(path)'\nCan't commit \(path)!")
    }
    let isUsed = store.isUsed(.certificate(path))
    do throws(TLSError) {
      let made = try store.change(.certificate(path)) { files throws(TLSError) in
        let bundle = files.put(path, change.parts)
        // What only tokens are checked with needs no key.
        if change.parts.key != nil || isUsed { try bundle.checkIsWhole() }
      }
      store.certificateChange = nil
      return done(path, made)
    } catch {
      return .error("Committing \(path)\n\(error)\nFailed!")
    }
  }

  static func done(_ path: String, _ made: Int) -> CommandAnswer {
    .lines("Committing \(path)\(String(repeating: ".", count: made))\nSuccess!\n")
  }
}

/// Text of the library in an answer, which ends at an empty line.
enum OCSPText {
  static func withoutEmptyLines(_ text: [UInt8]) -> String {
    String(decoding: text, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false).dropLast()
      .map { $0.isEmpty ? " \n" : "\($0)\n" }.joined()
  }
}

extension Bytes {
  /// For payloads that come in lines.
  var withoutBlanks: Bytes { Bytes(array.filter { !ASCII.isBlank($0) && $0 != ASCII.lf && $0 != ASCII.cr }) }
}
