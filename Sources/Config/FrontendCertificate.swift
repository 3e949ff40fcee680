import Base

/// `ssl-f-use crt <file> [<option>...]`: a certificate of every `ssl` line of the frontend (manual chapter 4.2).
public struct FrontendCertificate: Sendable {
  public var location: SourceLocation
  public var path: String
  /// As between the brackets of a line of a `crt-list`.
  public var options: [String] = []

  private static let flags: Set<String> = ["allow-0rtt", "no-alpn", "no-ca-names"]
  private static let ignored: Set<String> = ["ktls", "npn"]
  private static let valued: Set<String> = [
    "alpn", "ca-file", "ca-verify-file", "ciphers", "ciphersuites", "client-sigalgs", "crl-file", "curves", "ecdhe",
    "ocsp-update", "sigalgs", "ssl-max-ver", "ssl-min-ver", "verify",
  ]
  private static let companions: Set<String> = ["key", "ocsp", "issuer", "sctl"]

  static let keyword = Keyword<ProxySettings>(
    "ssl-f-use", in: [.frontend, .listen], "crt <file> [<option>...]", "A certificate for all 'ssl' lines of it."
  ) { settings, arguments, context throws(Refusal) in
    var path: Word?
    var options: [String] = []
    while let word = arguments.next() {
      let name = word.text
      if name == "crt" {
        path = try arguments.required("a certificate's file")
      } else if flags.contains(name) {
        options.append(name)
      } else if valued.contains(name) || ignored.contains(name) {
        let value = try arguments.required("a value of '\(name)'").text
        if ignored.contains(name) {
          context.diagnostics.advice("'\(name)' has no effect here", at: word.location)
        } else {
          options += [name, value]
        }
      } else if companions.contains(name) {
        throw Refusal(
          "'ssl-f-use' : '\(name)' is not supported here; declare the files with 'load' in a 'crt-store'.",
          at: word.location, expected: "crt @<store>/<alias>")
      } else {
        throw Refusal.unknownArgument(word, of: "ssl-f-use", among: (flags.union(valued)).sorted() + ["crt"])
      }
    }
    guard let path else {
      throw Refusal("'ssl-f-use' : a certificate is missing.", at: arguments.endLocation, expected: "crt <file>")
    }
    settings.certificates.append(FrontendCertificate(location: path.location, path: path.text, options: options))
  }
}
