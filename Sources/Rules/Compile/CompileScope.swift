import Base
import Config

/// What expressions and rules may refer to while they are compiled: one per proxy.
final class CompileScope {
  let configuration: Configuration
  let diagnostics: Diagnostics
  let shared: SharedScope
  /// The index of the proxy in the configuration; -1 outside of proxies.
  let proxyIndex: Int
  let proxy: Boxed<ProxySettings>?
  var acls = ACLScope()
  /// Slots that `capture` and `declare capture` lines have made so far.
  var captures = CaptureSlots()
  /// The slot of each `capture ... len` rule, by the rule's index in the proxy.
  var captureOfRule: [Int: Int] = [:]
  /// The proxy's `filter bwlim-*` lines.
  var bandwidthLimits: [BandwidthLimit] = []
  /// The index of the rule being compiled.
  var ruleAtHand = -1
  /// The line being compiled, for warnings from deep inside.
  var lineAtHand = SourceLocation.none
  /// Where the expression at hand will be evaluated.
  var place = SamplePlaces.frontendRequest

  convenience init(
    configuration: Configuration, diagnostics: Diagnostics, shared: SharedScope, proxyIndex: Int
  ) {
    let isThere = configuration.proxies.indices.contains(proxyIndex)
    self.init(
      configuration: configuration, diagnostics: diagnostics, shared: shared, proxyIndex: proxyIndex,
      proxy: isThere ? configuration.proxies[proxyIndex] : nil)
  }

  init(
    configuration: Configuration, diagnostics: Diagnostics, shared: SharedScope, proxyIndex: Int,
    proxy: Boxed<ProxySettings>?
  ) {
    self.configuration = configuration
    self.diagnostics = diagnostics
    self.shared = shared
    self.proxyIndex = proxyIndex
    self.proxy = proxy
  }

  /// The rule at hand stands in a `defaults` section.
  var isInherited = false
  /// Inside of `stats http-request`.
  var isStatistics = false

  var proxyName: String { proxy?.name ?? "" }

  /// The realm that a login is asked for when the rule names none.
  var authenticationRealm: Bytes { isStatistics ? "HAProxy Statistics" : Bytes(proxyName) }

  /// The page of an `http-errors` section.
  func errorFile(_ status: Int, in name: String) throws(RuleError) -> Bytes {
    guard let section = configuration.httpErrors.first(where: { $0.name == name }) else {
      throw RuleError(
        "unknown http-errors section '\(name)'",
        suggestion: Suggestions.nearest(name, configuration.httpErrors.map(\.name)))
    }
    for case .file(status, let path) in section.files.reversed() {
      return try shared.file(path.text, kind: "error")
    }
    throw RuleError("http-errors section '\(name)' has no page for status \(status)")
  }

  func frontend(named name: String) throws(RuleError) -> Int {
    if let index = shared.frontends[name] { return index }
    throw RuleError(
      "unable to find frontend '\(name)'", suggestion: Suggestions.nearest(name, shared.frontends.keys))
  }

  func backend(named name: String) throws(RuleError) -> Int {
    if let index = shared.backend(named: name) { return index }
    throw RuleError(
      "unable to find backend '\(name)'", suggestion: Suggestions.nearest(name, shared.backends.keys))
  }

  /// `server` in this proxy, or `backend/server`.
  func server(named text: String) throws(RuleError) -> (backend: String, server: String) {
    let parts = text.split(separator: "/", maxSplits: 1).map(String.init)
    if parts.count < 2, isInherited {
      throw RuleError(
        "backend name must be set for server '\(text)' in a 'defaults' section",
        expected: "<backend>/<server>")
    }
    let backendName = parts.count == 2 ? parts[0] : proxyName
    let name = parts.last ?? ""
    let index = parts.count == 2 ? try backend(named: backendName) : proxyIndex
    guard configuration.proxies.indices.contains(index) else {
      throw RuleError("unable to find server '\(text)'")
    }
    let servers = configuration.proxies[index].servers
    guard servers.contains(where: { $0.name == name }) else {
      throw RuleError(
        "unable to find server '\(name)' in proxy '\(backendName)'",
        suggestion: Suggestions.nearest(name, servers.map(\.name)))
    }
    shared.referencedServers.insert("\(backendName)/\(name)")
    return (backendName, name)
  }

  func userlist(named name: String) throws(RuleError) -> CompiledUserlist {
    if let list = shared.userlists[name] {
      if list.hasHashes, !PasswordHash.isAvailable {
        throw RuleError(
          "hashed passwords (in userlist '\(name)') need libcrypt.so.1, which is not on this machine; write insecure-password"
        )
      }
      return list
    }
    throw RuleError(
      "unable to find userlist '\(name)'", suggestion: Suggestions.nearest(name, shared.userlists.keys))
  }
}

/// What all proxies of a configuration share while it is compiled.
final class SharedScope {
  var frontends: [String: Int] = [:]
  var backends: [String: Int] = [:]
  var userlists: [String: CompiledUserlist] = [:]
  var variables = VariableNames()
  let processVariables = ProcessVariables()
  let readFile: (String) -> [UInt8]?
  /// Files are read once, however many rules name them.
  private var files: [String: Bytes] = [:]
  let tables: StickTables
  /// `backend/server` of all servers that rules name.
  var referencedServers: Set<String> = []
  /// Names of all backends that rules name.
  var referencedBackends: Set<String> = []
  /// `sni-auto` is the same for all servers.
  var automaticSNI: SampleExpression?
  let patterns = PatternRegistry()
  var logProfiles: [String: LogProfile] = [:]
  /// Maps by how they match, what they give and their name: many rules share one.
  var maps: [String: MapView] = [:]
  let tokenDecryption: TokenDecryption
  /// Certificates that tokens are checked with, as rules name them.
  var tokenCertificates: Set<String> = []

  init(
    configuration: Configuration, diagnostics: Diagnostics, readFile: @escaping (String) -> [UInt8]?
  ) {
    self.readFile = readFile
    tokenDecryption = TokenDecryption(configuration.global)
    tables = StickTables(configuration, diagnostics)
    for (index, proxy) in configuration.proxies.enumerated() {
      if proxy.hasFrontend, frontends[proxy.name] == nil { frontends[proxy.name] = index }
      if proxy.hasBackend, backends[proxy.name] == nil { backends[proxy.name] = index }
    }
    for list in configuration.userlists { userlists[list.name] = CompiledUserlist(list) }
  }

  /// The place of a backend that a rule names.
  func backend(named name: String) -> Int? {
    guard let index = backends[name] else { return nil }
    referencedBackends.insert(name)
    return index
  }

  func file(_ path: String, kind: String = "pattern") throws(RuleError) -> Bytes {
    if let known = files[path] { return known }
    guard let content = readFile(path) else { throw RuleError("failed to open \(kind) file <\(path)>") }
    let bytes = Bytes(content)
    files[path] = bytes
    return bytes
  }
}
