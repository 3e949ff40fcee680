import Base

/// `from <origin>` of `server` and `default-server` lines: whose settings a line starts with (manual chapter 5.2).
struct ServerOrigins {
  /// The section that the line stands in, and those before it.
  private let proxy: ProxySettings
  private let others: [Boxed<ProxySettings>]

  init(_ proxy: ProxySettings, _ others: [Boxed<ProxySettings>]) {
    self.proxy = proxy
    self.others = others
  }

  /// The settings that `word` names; nil for those of the manual.
  func settings(_ word: Word) throws(Refusal) -> ServerSettings? {
    let text = word.text
    if text == "none" { return nil }
    if text.hasPrefix("be:") {
      return try backend(String(text.dropFirst(3)), word).defaultServer?.value
    }
    guard text.hasPrefix("srv:") else {
      throw Refusal(
        "invalid '\(text)' value for 'from' keyword.", at: word.location,
        expected: "'none', 'be:[<backend>]' or 'srv:[<backend>/]<server>'")
    }
    let parts = text.dropFirst(4).split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false).map(
      String.init)
    let home = parts.count == 2 ? try backend(parts[0], word) : proxy
    let name = parts.last ?? ""
    if let named = home.namedDefaultServers[name] { return named.value }
    guard let found = home.servers.first(where: { $0.name == name }) else {
      throw Refusal(
        "from: unable to find server '\(home.name)/\(name)'.", at: word.location,
        suggestion: Nearest.word(to: name, among: home.servers.map(\.name) + home.namedDefaultServers.keys))
    }
    var server = found.value
    server.forgetIdentity()
    return server
  }

  private func backend(_ name: String, _ word: Word) throws(Refusal) -> ProxySettings {
    if name.isEmpty || name == proxy.name { return proxy }
    guard let found = others.first(where: { $0.name == name && $0.hasBackend }) else {
      throw Refusal("from: unknown backend instance '\(name)'.", at: word.location)
    }
    return found.value
  }
}

extension ServerSettings {
  /// What belongs to one server alone does not pass to another.
  fileprivate mutating func forgetIdentity() {
    id = nil
    isIDForced = false
    guid = nil
    saved = nil
    startsUnresolved = false
  }
}
