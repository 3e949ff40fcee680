/// One `crt` argument or one line of a `crt-list`.
public struct TLSCertificateSource: Sendable {
  /// A file, a directory, or the common base of `.rsa` and `.ecdsa` files; with `isList`, a `crt-list`.
  public var path: String
  public var isList = false
  /// Names to serve it for; empty means the names in the certificate. `*.` at the start matches one
  /// label, `!name` takes a name out of a wildcard.
  public var filters: [String] = []
  /// Parameters of its own; nil means those of the listener.
  public var policy: TLSPolicy?
  /// Served when no name matches; the first source is when none says so.
  public var isDefault = false
  /// `ocsp-update` of its line; nil leaves it to `ocsp-update.mode`.
  public var updatesOCSP: Bool?

  public init(path: String) { self.path = path }
}

/// A `crt-list`: a path, options in brackets and name filters a line.
public struct CertificateList: Sendable {
  public struct Entry: Sendable {
    public var path: String
    public var options: [String] = []
    public var filters: [String] = []
    /// From 1.
    public var line: Int

    /// The line as it would be written.
    public func text(withNumber: Bool) -> String {
      var text = withNumber ? "\(path):\(line)" : path
      if !options.isEmpty { text += " [\(options.joined(separator: " "))]" }
      for filter in filters { text += " \(filter)" }
      return text
    }
  }

  public var entries: [Entry] = []

  public init() {}

  /// The entries under a listener's parameters.
  public func sources(_ policy: TLSPolicy, _ paths: CertificatePaths) throws(TLSError) -> [TLSCertificateSource] {
    var sources: [TLSCertificateSource] = []
    for entry in entries { sources.append(try entry.source(policy, paths)) }
    return sources
  }

  /// Reads a file; relative paths begin at the bases of `paths`.
  public static func parse(_ text: [UInt8], _ paths: CertificatePaths) throws(TLSError) -> CertificateList {
    var list = CertificateList()
    var number = 0
    for line in String(decoding: text, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false) {
      number += 1
      if let entry = try Entry(line, number, paths) { list.entries.append(entry) }
    }
    return list
  }
}

extension CertificateList.Entry {
  /// nil for a line without an entry.
  public init?(_ line: Substring, _ number: Int, _ paths: CertificatePaths) throws(TLSError) {
    var words = line.split(whereSeparator: { $0 == " " || $0 == "\t" || $0 == "\r" }).map(String.init)
    if let comment = words.firstIndex(where: { $0.hasPrefix("#") }) { words.removeSubrange(comment...) }
    guard let first = words.first else { return nil }
    self.line = number
    path = paths.certificate(first)
    var rest = words.dropFirst()
    if let first = rest.first, first.hasPrefix("[") {
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
    }
    filters = Array(rest)
  }

  /// What `ocsp-update` says, if it is there.
  public var ocspUpdate: Bool? {
    guard let place = options.firstIndex(of: "ocsp-update"), place + 1 < options.count else { return nil }
    return options[place + 1] == "on"
  }

  /// The entry under a listener's parameters.
  func source(_ policy: TLSPolicy, _ paths: CertificatePaths) throws(TLSError) -> TLSCertificateSource {
    var source = TLSCertificateSource(path: path)
    source.filters = filters
    source.updatesOCSP = ocspUpdate
    if !options.isEmpty { source.policy = try apply(to: policy, paths) }
    return source
  }

  private func apply(to policy: TLSPolicy, _ paths: CertificatePaths) throws(TLSError) -> TLSPolicy {
    var policy = policy
    var rest = options[...]
    while let option = rest.popFirst() {
      switch option {
      case "no-alpn": policy.alpn = []
      // Early data is refused, with it or without.
      case "allow-0rtt": break
      case "no-ca-names": policy.hidesAuthorities = true
      default:
        guard let value = rest.popFirst() else {
          throw TLSError(
            .badCertificateList, "line \(line): '\(option)' expects a value or is not supported yet")
        }
        try set(option, value, &policy, paths)
      }
    }
    return policy
  }

  private func set(
    _ option: String, _ value: String, _ policy: inout TLSPolicy, _ paths: CertificatePaths
  ) throws(TLSError) {
    switch option {
    case "alpn": policy.alpn = value.split(separator: ",").map(String.init)
    case "ca-file": policy.caFile = paths.authority(value)
    case "ca-verify-file": policy.caVerifyFile = paths.authority(value)
    case "crl-file": policy.crlFile = paths.authority(value)
    case "ciphers": policy.ciphers = value
    case "ciphersuites": policy.ciphersuites = value
    case "curves", "ecdhe": policy.curves = value
    case "sigalgs": policy.signatureAlgorithms = value
    case "client-sigalgs": policy.clientSignatureAlgorithms = value
    case "ssl-min-ver", "ssl-max-ver":
      // Versions that no library speaks any more mean the lowest there is.
      guard let version = value == "SSLv3" ? .tls10 : TLSVersion(keyword: value) else {
        throw TLSError(.badCertificateList, "line \(line): unknown version '\(value)'")
      }
      if option == "ssl-min-ver" { policy.minimumVersion = version } else { policy.maximumVersion = version }
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
    case "ocsp-update":
      if value != "on", value != "off" {
        throw TLSError(.badCertificateList, "line \(line): 'ocsp-update' is 'on' or 'off'")
      }
    default: throw TLSError(.badCertificateList, "line \(line): '\(option)' is not supported yet")
    }
  }
}
