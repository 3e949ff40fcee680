import Base

/// The TLS versions that are spoken, out of minimum, maximum and `no-tlsv11` and its like.
public struct TLSVersionRange: Sendable {
  public let lowest: TLSSettings.Version
  /// nil is the newest there is.
  public let highest: TLSSettings.Version?

  /// `own` of a line, `shared` of the global section. TLS 1.2 is the lowest that is spoken unasked.
  public init(_ own: TLSSettings, _ shared: TLSSettings) {
    let excluded = own.excludedVersions.union(shared.excludedVersions)
    let order: [TLSSettings.Version] = [.sslv3, .tls10, .tls11, .tls12, .tls13]
    var low = own.minimumVersion ?? shared.minimumVersion ?? .tls12
    var high = own.maximumVersion ?? shared.maximumVersion
    while excluded.contains(low), let next = order.first(where: { $0 > low }) { low = next }
    while let top = high ?? (excluded.contains(.tls13) ? .tls13 : nil), excluded.contains(top),
      let next = order.last(where: { $0 < top })
    {
      high = next
    }
    lowest = low
    highest = high
  }
}

/// TLS settings that `bind`, `server` and the `ssl-default-*-options` lines have in common.
enum TLSOptions {
  static let versions: [String: TLSSettings.Version] = [
    "SSLv3": .sslv3, "TLSv1.0": .tls10, "TLSv1.1": .tls11, "TLSv1.2": .tls12, "TLSv1.3": .tls13,
  ]
  private static let suffixes: [String: TLSSettings.Version] = [
    "sslv3": .sslv3, "tlsv10": .tls10, "tlsv11": .tls11, "tlsv12": .tls12, "tlsv13": .tls13,
  ]

  static func version(_ arguments: inout Arguments) throws(Refusal) -> TLSSettings.Version {
    let word = try arguments.required("a TLS version")
    if let version = versions[word.text] { return version }
    let names = versions.keys.sorted()
    throw Refusal(
      "'\(arguments.keyword)' : unknown TLS version '\(word.text)'.", at: word.location,
      expected: names.oneOf,
      suggestion: Nearest.word(to: word.text, among: names))
  }

  /// `force-*` and `no-*` words; false when `word` is none of them.
  static func takeVersionWord(_ word: String, _ settings: inout TLSSettings) -> Bool {
    if word.hasPrefix("force-"), let version = suffixes[String(word.dropFirst(6))] {
      settings.minimumVersion = version
      settings.maximumVersion = version
      return true
    }
    if word.hasPrefix("no-"), let version = suffixes[String(word.dropFirst(3))] {
      settings.excludedVersions.insert(version)
      return true
    }
    return false
  }

  static let versionWords = suffixes.keys.sorted().flatMap { ["force-" + $0, "no-" + $0] }

  static func verification(_ arguments: inout Arguments, allowsOptional: Bool) throws(Refusal)
    -> TLSSettings.Verification
  {
    let word = try arguments.required("a verification mode")
    switch word.text {
    case "none": return .none
    case "required": return .required
    case "optional" where allowsOptional: return .optional
    default:
      throw Refusal(
        "'verify' : unknown verify method '\(word.text)'.", at: word.location,
        expected: (allowsOptional ? ["none", "optional", "required"] : ["none", "required"]).oneOf)
    }
  }

  /// Comma-separated protocol names for ALPN and NPN.
  static func protocols(_ arguments: inout Arguments) throws(Refusal) -> [String] {
    let word = try arguments.required("a list of protocols")
    let names = word.commaSeparated
    if names.contains(where: { $0.isEmpty || $0.count > 255 }) {
      throw Refusal(
        "'\(arguments.keyword)' : expects a comma-separated list of protocols, not '\(word.text)'.",
        at: word.location)
    }
    return names.map(\.string)
  }

  /// `ssl-default-bind-options` and `ssl-default-server-options`.
  static func parseDefaults(
    _ settings: inout TLSSettings, _ arguments: inout Arguments, _ context: LoadContext
  ) throws(Refusal) {
    if arguments.isAtEnd { _ = try arguments.required("options") }
    while let word = arguments.next() {
      if takeVersionWord(word.text, &settings) { continue }
      switch word.text {
      case "ssl-min-ver": settings.minimumVersion = try version(&arguments)
      case "ssl-max-ver": settings.maximumVersion = try version(&arguments)
      case "no-tls-tickets": settings.noTickets = true
      case "tls-tickets": settings.noTickets = false
      case "prefer-client-ciphers": settings.preferClientCiphers = true
      case "strict-sni", "no-strict-sni": settings.strictSNIByDefault = word.text == "strict-sni"
      case "no-ssl-reuse", "ssl-reuse": settings.noReuse = word.text == "no-ssl-reuse"
      case "no-alpn": settings.alpn = []
      case "no-renegotiate", "renegotiate": settings.allowsRenegotiation = word.text == "renegotiate"
      case "ktls": break
      default:
        throw Refusal.unknownArgument(
          word, of: arguments.keyword,
          among: versionWords + [
            "ssl-min-ver", "ssl-max-ver", "no-tls-tickets", "tls-tickets", "prefer-client-ciphers",
            "strict-sni",
            "no-alpn",
          ])
      }
    }
  }
}
