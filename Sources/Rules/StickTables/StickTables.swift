import Base
import Config
import Glibc

/// The stick tables of a configuration by name, made before any rule is compiled.
struct StickTables {
  private(set) var all: [StickTable] = []
  private var byName: [String: StickTable] = [:]

  init(_ configuration: Configuration, _ diagnostics: Diagnostics) {
    let now = Now.read().instant
    let referred = StickTables.stickinessTables(configuration)
    var lines = configuration.peers.flatMap { section in
      section.tables.map { table in
        var table = table
        table.peers = section.name
        return table
      }
    }
    lines += configuration.proxies.compactMap { $0.isDisabled || $0.kind == .defaults ? nil : $0.stickTable }
    for settings in lines {
      var settings = settings
      // Stickiness keeps its servers in any table that it uses.
      if referred.contains(settings.name) {
        for type in [StickDataType.serverID, .serverKey] where !settings.stores(type) {
          settings.stores.append(.init(type: type))
        }
      }
      if let peers = settings.peers, !configuration.peers.contains(where: { $0.name.text == peers.text }) {
        diagnostics.error(
          "stick-table '\(settings.name)' references unknown peers section '\(peers.text)'",
          at: peers.location)
        settings.peers = nil
      }
      if let earlier = byName[settings.name] {
        diagnostics.error(
          "stick-table name '\(settings.name)' conflicts with table declared at \(earlier.location.place)",
          at: settings.location)
        continue
      }
      let peers = configuration.peers.first { $0.name.text == settings.peers?.text }
      let table = StickTable(settings, peerShards: peers?.shards ?? 0, now: now)
      all.append(table)
      byName[settings.name] = table
      checkWriteTo(settings, configuration, diagnostics)
    }
    for line in lines { checkTarget(line, diagnostics) }
  }

  subscript(name: String) -> StickTable? { byName[name] }

  var names: [String] { Array(byName.keys) }

  private func checkWriteTo(
    _ settings: StickTableSettings, _ configuration: Configuration, _ diagnostics: Diagnostics
  ) {
    guard let target = settings.writeTo, settings.peers == nil else { return }
    diagnostics.advice(
      "write-to: table '\(settings.name)' has no peers, so nothing is written to '\(target.text)'",
      at: target.location)
  }

  private func checkTarget(_ settings: StickTableSettings, _ diagnostics: Diagnostics) {
    guard let word = settings.writeTo, let source = byName[settings.name] else { return }
    guard let target = byName[word.text] else {
      return diagnostics.error("write-to: table '\(word.text)' doesn't exist", at: word.location)
    }
    if target.writeToName != nil {
      diagnostics.error(
        "write-to: table '\(word.text)' is already used as a source table", at: word.location)
    } else if !target.hasKeys(like: source) {
      diagnostics.error(
        "write-to: cannot mix table types ('\(target.name)' has '\(target.keyType.name)' type and '\(source.name)' has '\(source.keyType.name)' type)",
        at: word.location)
    }
  }

  /// The names of the tables that `stick` lines use.
  private static func stickinessTables(_ configuration: Configuration) -> Set<String> {
    var names = Set<String>()
    for proxy in configuration.proxies {
      for line in proxy.rules where line.keyword == "stick" {
        let (words, _) = ConditionParser.split(line.words.dropFirst())
        if let at = words.firstIndex(where: { $0.text == "table" }), at + 1 < words.endIndex {
          names.insert(words[at + 1].text)
        } else {
          names.insert(proxy.name)
        }
      }
    }
    return names
  }
}

extension CompileScope {
  func table(named name: String) throws(RuleError) -> StickTable {
    if let table = shared.tables[name] { return table }
    if configuration.proxies.contains(where: { $0.name == name }) {
      throw RuleError("no table in proxy '\(name)'", expected: "the name of a stick table")
    }
    throw RuleError(
      "unable to find table '\(name)'", suggestion: Suggestions.nearest(name, shared.tables.names))
  }

  /// The table of the proxy at hand.
  func ownTable() throws(RuleError) -> StickTable { try table(named: proxyName) }
}
