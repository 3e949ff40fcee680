import Base

/// A `load` line of a `crt-store` (manual chapter 12.7.1): a certificate with the files that belong to it.
public struct CertificateLoad: Sendable {
  /// What `crt` arguments, rules and the runtime API call it: `@store/alias`, `@store/file`, or its path where the store
  /// has no name.
  public var name: String
  public var location: SourceLocation
  /// Paths, with `crt-base` and `key-base` before them.
  public var certificate: String
  public var key: String?
  public var ocspResponse: String?
  public var issuer: String?
  public var timestamps: String?
  /// nil leaves it to `ocsp-update.mode`.
  public var updatesOCSP: Bool?
  /// `jwt on`: tokens may be checked and opened with it.
  public var servesTokens = false

  private static let words = ["crt", "alias", "key", "ocsp", "issuer", "sctl", "ocsp-update", "jwt"]
  private static let unsupported = ["acme", "domains", "ips", "generate-dummy", "keytype", "bits", "curves"]

  init(_ line: Directive, _ store: CertificateStore, _ context: LoadContext) throws(Refusal) {
    var arguments = Arguments(line)
    location = arguments.keywordLocation
    let global = context.configuration.global
    let (base, keyBase) = (store.certificateBase ?? global.certificateBase, store.keyBase ?? global.keyBase)
    var (file, alias): (Word?, Word?)
    (name, certificate) = ("", "")
    while let word = arguments.next() {
      if CertificateLoad.unsupported.contains(word.text) { throw Refusal.notSupported("'\(word.text)'", word) }
      guard CertificateLoad.words.contains(word.text) else {
        throw Refusal.unknownArgument(word, of: "load", among: CertificateLoad.words)
      }
      let value = try arguments.requiredOption(word.text, "<value>")
      switch word.text {
      case "crt": file = value
      case "alias": alias = value
      case "key": key = CertificateLoad.path(value.text, in: keyBase)
      case "ocsp": ocspResponse = CertificateLoad.path(value.text, in: base)
      case "issuer": issuer = CertificateLoad.path(value.text, in: base)
      case "sctl": timestamps = CertificateLoad.path(value.text, in: base)
      case "ocsp-update": updatesOCSP = try CertificateLoad.onOff(value, of: word.text)
      default: servesTokens = try CertificateLoad.onOff(value, of: word.text)
      }
    }
    guard let file else {
      throw Refusal("'load' in section 'crt-store': mandatory 'crt' parameter not found.", at: location)
    }
    if let alias, alias.text.hasPrefix("/") {
      throw Refusal("'alias' : '/' is forbidden as the first character.", at: alias.location)
    }
    certificate = CertificateLoad.path(file.text, in: base)
    name =
      alias.map { "@\(store.name)/\($0.text)" }
      ?? (store.name.isEmpty
        ? CertificateLoad.path(file.text, in: global.certificateBase)
        : "@\(store.name)\(file.text.hasPrefix("/") ? "" : "/")\(file.text)")
    try checkIsNew(file, store, context)
  }

  private static func path(_ name: String, in base: String?) -> String {
    guard let base, !name.hasPrefix("/") else { return name }
    return base.hasSuffix("/") ? base + name : "\(base)/\(name)"
  }

  private static func onOff(_ word: Word, of option: String) throws(Refusal) -> Bool {
    guard word.text == "on" || word.text == "off" else {
      throw Refusal("'\(option)' expects 'on' or 'off'.", at: word.location, expected: "'on' or 'off'")
    }
    return word.text == "on"
  }

  /// A certificate is loaded once, and before lines that use it.
  private func checkIsNew(_ file: Word, _ store: CertificateStore, _ context: LoadContext) throws(Refusal) {
    for store in context.configuration.certificateStores + [store] {
      for load in store.loads where load.name == name {
        throw Refusal.duplicate("store '\(name)' was already defined at \(load.location.place).", file, load.location)
      }
    }
    for proxy in context.configuration.proxies {
      for bind in proxy.binds {
        for source in bind.certificateSources
        where CertificateLoad.path(source.word.text, in: context.configuration.global.certificateBase) == name {
          throw Refusal(
            "store '\(name)' was already defined: it is used before it is loaded.", at: file.location,
            expected: "the crt-store above the line that uses it")
        }
      }
    }
  }
}
