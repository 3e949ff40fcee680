/// One `crt` argument or one line of a `crt-list`.
public struct TLSCertificateSource: Sendable {
  /// A file, a directory, or the common base of `.rsa` and `.ecdsa` files.
  public var path: String
  /// Names to serve it for; empty means the names in the certificate. `*.` at the start matches one
  /// label, `!name` takes a name out of a wildcard.
  public var filters: [String] = []
  /// Parameters of its own; nil means those of the listener.
  public var policy: TLSPolicy?
  /// Served when no name matches; the first source is when none says so.
  public var isDefault = false

  public init(path: String) { self.path = path }
}

/// Reads `crt-list` files: a path, options in brackets, name filters.
public enum TLSCertificateList {
  /// - Parameters:
  ///   - text: the file's content.
  ///   - policy: the listener's parameters, which a line's options change.
  ///   - resolve: makes a path of the list absolute (`crt-base`).
  public static func parse(
    _ text: [UInt8], policy: TLSPolicy, resolve: (String) -> String = { $0 }
  ) throws(TLSError) -> [TLSCertificateSource] {
    var sources: [TLSCertificateSource] = []
    var number = 0
    for line in String(decoding: text, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false) {
      number += 1
      var words = line.split(whereSeparator: { $0 == " " || $0 == "\t" || $0 == "\r" }).map(String.init)
      if let comment = words.firstIndex(where: { $0.hasPrefix("#") }) { words.removeSubrange(comment...) }
      guard let path = words.first else { continue }
      var source = TLSCertificateSource(path: resolve(path))
      var rest = words.dropFirst()
      if let first = rest.first, first.hasPrefix("[") {
        var options: [String] = []
        var closed = false
        while let word = rest.popFirst() {
          var bare = Substring(word)
          if options.isEmpty && bare.hasPrefix("[") { bare = bare.dropFirst() }
          if bare.hasSuffix("]") {
            closed = true
            bare = bare.dropLast()
          }
          if !bare.isEmpty { options.append(String(bare)) }
          if closed { break }
        }
        if !closed { throw TLSError(.badCertificateList, "line \(number): missing ']'") }
        source.policy = try apply(options, to: policy, line: number)
      }
      source.filters = Array(rest)
      sources.append(source)
    }
    return sources
  }

  private static func apply(
    _ options: [String], to policy: TLSPolicy, line: Int
  ) throws(TLSError) -> TLSPolicy {
    var policy = policy
    var rest = options[...]
    while let option = rest.popFirst() {
      if option == "no-alpn" {
        policy.alpn = []
        continue
      }
      guard let value = rest.popFirst() else {
        throw TLSError(
          .badCertificateList, "line \(line): '\(option)' expects a value or is not supported yet")
      }
      switch option {
      case "alpn": policy.alpn = value.split(separator: ",").map(String.init)
      case "ca-file": policy.caFile = value
      case "ca-verify-file": policy.caVerifyFile = value
      case "crl-file": policy.crlFile = value
      case "ciphers": policy.ciphers = value
      case "ciphersuites": policy.ciphersuites = value
      case "curves", "ecdhe": policy.curves = value
      case "sigalgs": policy.signatureAlgorithms = value
      case "client-sigalgs": policy.clientSignatureAlgorithms = value
      case "ssl-min-ver", "ssl-max-ver":
        guard let version = TLSVersion(keyword: value) else {
          throw TLSError(.badCertificateList, "line \(line): unknown version '\(value)'")
        }
        if option == "ssl-min-ver" {
          policy.minimumVersion = version
        } else {
          policy.maximumVersion = version
        }
      case "verify":
        switch value {
        case "none": policy.verification = .none
        case "optional": policy.verification = .optional
        case "required": policy.verification = .required
        default: throw TLSError(.badCertificateList, "line \(line): unknown verification '\(value)'")
        }
      case "ca-ignore-err", "crt-ignore-err":
        guard let errors = IgnoredErrors(value) else {
          throw TLSError(.badCertificateList, "line \(line): unknown errors '\(value)'")
        }
        if option == "ca-ignore-err" { policy.ignoredCAErrors = errors }
        if option == "crt-ignore-err" { policy.ignoredCertificateErrors = errors }
      case "ocsp-update" where value == "off": break
      default: throw TLSError(.badCertificateList, "line \(line): '\(option)' is not supported yet")
      }
    }
    return policy
  }
}
