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

  /// What the brackets of a line may hold.
  public static var optionWords: Set<String> { Set(CertificateListOption.table.map(\.name)) }

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
    while let name = rest.popFirst() {
      guard let option = CertificateListOption.table.first(where: { $0.name == name }) else {
        throw TLSError(.badCertificateList, "line \(line): '\(name)' is not supported yet")
      }
      var value = ""
      if option.takesValue {
        guard let word = rest.popFirst() else {
          throw TLSError(.badCertificateList, "line \(line): '\(name)' expects a value")
        }
        value = word
      }
      if let problem = option.apply(value, &policy, paths) {
        throw TLSError(.badCertificateList, "line \(line): \(problem)")
      }
    }
    return policy
  }
}
