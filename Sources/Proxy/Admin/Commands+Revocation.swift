import Base
import TLS

extension Commands {
  /// OCSP responses while the process runs.
  static let revocation: [Command] = [
    Command("show ssl providers", "", "show loaded SSL providers") { _ in
      .lines("Loaded providers : \n" + cryptographicProviders().map { "\t- \($0)\n" }.joined())
    },
    Command(
      "show ssl ocsp-response", "[[text|base64] <id|path>]", level: .admin,
      "display the IDs of the OCSP responses used in memory, or the details of a single OCSP response"
    ) {
      showResponse($0)
    },
    Command(
      "set ssl ocsp-response", "<resp|payload>", level: .admin,
      "update a certificate's OCSP response from a base64-encoded DER"
    ) {
      call in
      guard let text = call.payload ?? call.arguments.first.map({ Bytes($0) }) else {
        return .error("'set ssl ocsp-response' expects response in base64 encoding.")
      }
      guard let der = Base64.decode(text.withoutBlanks) else {
        return .error("'set ssl ocsp-response' received invalid base64 encoded response.")
      }
      guard let facts = OCSPEntry.facts(of: der) else { return .error("Unable to parse OCSP response.") }
      guard let entry = call.runtime.certificates.files.ocsp[facts.key], entry.update(der) else {
        return .error("OCSP single response: Certificate ID does not match any certificate or issuer")
      }
      return .message("OCSP Response updated!", severity: 6)
    },
    Command(
      "show ssl ocsp-updates", "", level: .admin,
      "display information about the next 'nb' ocsp responses that will be updated automatically"
    ) {
      call in
      .lines(call.gateway.ocsp.listing(at: call.now))
    },
    Command(
      "update ssl ocsp-response", "<certfile>", level: .admin, "send ocsp request and update stored ocsp response"
    ) {
      call in
      let path = call.argument(0)
      guard !path.isEmpty else { return .error("'update ssl ocsp-response' expects a filename") }
      let store = call.runtime.certificates
      guard let bundle = store.files.bundles[path] ?? store.files.bundles[store.files.paths.certificate(path)] else {
        return .error(
          "Unknown certificate! 'update ssl ocsp-response' expects an already known certificate file name.\n"
            + "Can't send ocsp request for \(path)!")
      }
      guard let entry = bundle.ocsp ?? store.addOCSP(of: bundle) else {
        return .error(
          "'update ssl ocsp-response' only works on certificates that already have a known OCSP response.\nCan't send ocsp request for \(path)!"
        )
      }
      if !call.gateway.ocsp.update(entry) { return .error("Can't send ocsp request for \(path)!") }
      return .done
    },
  ]

  private static func showResponse(_ call: CommandCall) -> CommandAnswer {
    let store = call.runtime.certificates
    var arguments = call.arguments
    if arguments.isEmpty { return .lines(identifiers(store)) }
    var isBase64 = false
    if arguments.first == "text" || arguments.first == "base64" {
      isBase64 = arguments.first == "base64"
      arguments = arguments.dropFirst()
    }
    guard let name = arguments.first else {
      return .error("'show ssl ocsp-response [text|base64]' expects an id or a path")
    }
    let bundle = store.files.bundles[name] ?? store.files.bundles[store.files.paths.certificate(name)]
    guard let entry = store.files.ocsp[name] ?? bundle?.ocsp else {
      return .error("'show ssl ocsp-response' expects a valid certid or certificate path.")
    }
    guard let response = entry.response else { return .error("OCSP response not available") }
    if isBase64 { return .text(Base64.encode(Bytes(response)) + [ASCII.lf]) }
    return .lines(OCSPText.withoutEmptyLines(OCSPEntry.text(of: response)))
  }

  private static func identifiers(_ store: CertificateStore) -> String {
    let entries = store.files.ocsp.values.sorted { $0.key < $1.key }.filter { $0.response != nil }
    if entries.isEmpty { return "" }
    var text = "# Certificate IDs\n"
    for entry in entries {
      let parts = entry.parts
      text += "Certificate ID key : \(entry.key)\nCertificate path : \(entry.path)\n Certificate ID:\n"
      text += "   Issuer Name Hash: \(parts.nameHash)\n   Issuer Key Hash: \(parts.keyHash)\n"
      text += "   Serial Number: \(parts.serial)\n"
    }
    return text
  }
}
