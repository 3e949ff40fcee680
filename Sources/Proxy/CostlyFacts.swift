import Base
import Config
import Glibc

/// Facts that cost more than the rest of a small request, of which this configuration's expressions and log formats
/// ask for these. The others are not found out.
struct CostlyFacts: OptionSet, Sendable {
  let rawValue: Int
  static let ownCertificate = CostlyFacts(rawValue: 1)
  static let peerCertificate = CostlyFacts(rawValue: 2)
  /// Session identifiers, keys and randoms.
  static let secrets = CostlyFacts(rawValue: 4)
  /// TLS of connections to servers.
  static let server = CostlyFacts(rawValue: 8)
  /// Our own address on connections to servers: `bc_src`, `bc_src_port`, `%bi`, `%bp`.
  static let serverSource = CostlyFacts(rawValue: 16)
  /// How often and how long each stream is worked on: `cpu_*`, `lat_*`.
  static let effort = CostlyFacts(rawValue: 32)
  /// What the server's end of a stream was when the stream let go of it: `bs.*`, `bc_nb_streams`, `req.bytes_out`...
  static let serverEnd = CostlyFacts(rawValue: 64)

  init(rawValue: Int) { self.rawValue = rawValue }

  /// Looks for the names of fetches in every rule, log format and server line.
  init(_ configuration: Configuration) {
    self = []
    for proxy in configuration.proxies { note(proxy) }
    for section in configuration.httpErrors { note(section.files) }
    for profile in configuration.logProfiles {
      for step in Array(profile.steps.values) + [profile.anyStep].compactMap({ $0 }) {
        step.format.map { note($0) }
        step.structuredData.map { note($0) }
      }
    }
  }

  private mutating func note(_ proxy: Boxed<ProxySettings>) {
    for directive in proxy.rules + proxy.acls { note(directive) }
    for directive in [proxy.logFormatSD, proxy.errorLogFormat, proxy.uniqueIDFormat, proxy.forwarded] {
      directive.map { note($0) }
    }
    if case .format(let directive) = proxy.logStyle { note(directive) }
    for server in proxy.servers {
      if !server.proxyV2Options.isEmpty { formUnion([.ownCertificate, .peerCertificate]) }
      for directive in [server.sni, server.poolConnectionName] { directive.map { note($0) } }
      for directive in server.setProxyTLVs { note(directive) }
    }
    note(proxy.errorFiles)
  }

  private mutating func note(_ files: [ErrorFileReference]) {
    for reference in files { if case .reply(let directive) = reference { note(directive) } }
  }

  private mutating func note(_ directive: Directive) {
    for word in directive.words { note(word) }
  }

  private mutating func note(_ word: Word) {
    if Self.serverSourceNames.contains(where: { Self.find($0, in: word) }) { insert(.serverSource) }
    if Self.effortNames.contains(where: { Self.find($0, in: word) }) { insert(.effort) }
    if Self.serverEndNames.contains(where: { Self.find($0, in: word) }) { insert(.serverEnd) }
    guard Self.find("ssl_", in: word) else { return }
    if Self.find("ssl_f_", in: word) { insert(.ownCertificate) }
    if Self.find("ssl_c_", in: word) { insert(.peerCertificate) }
    if Self.secretNames.contains(where: { Self.find($0, in: word) }) { insert(.secrets) }
    if Self.find("ssl_s_", in: word) || Self.find("ssl_bc", in: word) { insert(.server) }
  }

  private static let serverSourceNames: [StaticString] = ["bc_src", "%bi", "%bp", "}bi", "}bp"]
  private static let effortNames: [StaticString] = ["cpu_calls", "cpu_ns_", "lat_ns_"]
  private static let serverEndNames: [StaticString] = [
    "bs.", "bc_nb_streams", "bc_glitches", "bc_settings", "req.bytes_out",
  ]
  private static let secretNames: [StaticString] = ["session_", "random", "unique_id"]

  /// `String.contains` takes ten times as long, which a configuration of 100,000 lines shows.
  private static func find(_ name: StaticString, in word: Word) -> Bool {
    var text = word.text
    let length = name.utf8CodeUnitCount
    return text.withUTF8 { text in
      guard let start = text.baseAddress, text.count >= length else { return false }
      return (0...(text.count - length)).contains {
        start[$0] == name.utf8Start[0] && memcmp(start + $0, name.utf8Start, length) == 0
      }
    }
  }
}
