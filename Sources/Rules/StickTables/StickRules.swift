public import Base
import Config

/// The `stick` lines of a backend: which keys hold a client to a server (manual 4.2).
public struct StickRules: Sendable {
  struct StickRule: Sendable {
    let matches: Bool
    let stores: Bool
    let key: SampleExpression
    let table: StickTable
    let condition: Condition?
  }

  var onRequest: [StickRule] = []
  var onResponse: [StickRule] = []

  public var isEmpty: Bool { onRequest.isEmpty && onResponse.isEmpty }
  public var hasResponseRules: Bool { !onResponse.isEmpty }
}

/// What an entry says about the server that its key belongs to.
public struct StickTarget {
  /// A server's name, or its address where the table wants that.
  public let key: Bytes?
  public let isAddress: Bool
  public let id: Int
}

/// The keys of one stream that are to be stored once its server is known.
public struct StickStores {
  fileprivate struct Store {
    let table: StickTable
    let key: [UInt8]
    let isOfResponse: Bool
  }
  fileprivate var stores: [Store] = []
  /// Keys that one stream stores at most.
  private static let bound = 8

  public init() {}

  public var isEmpty: Bool { stores.isEmpty }

  public mutating func removeAll() { if !stores.isEmpty { stores.removeAll() } }

  fileprivate func contains(_ table: StickTable, ofResponse: Bool) -> Bool {
    stores.contains { $0.table === table && $0.isOfResponse == ofResponse }
  }

  fileprivate mutating func add(_ table: StickTable, _ key: Sample, ofResponse: Bool) {
    guard stores.count < StickStores.bound, let octets = table.withKey(of: key, { Array($0) }) else { return }
    stores.append(Store(table: table, key: octets, isOfResponse: ofResponse))
  }

  /// Writes the server that was used to all keys gathered.
  public mutating func write(server name: Bytes, address: Bytes, id: Int, at now: Now) {
    let time = StickTable.time(now.instant)
    for store in stores {
      let key = StickServerKeys.number(of: store.table.serverKey == .name ? name : address)
      store.key.withUnsafeBytes { octets in
        _ = store.table.change(creating: octets, now: time) { entry in
          entry.set(.serverID, to: Int64(id))
          entry.set(.serverKey, to: Int64(key))
        }
      }
    }
    stores.removeAll()
  }
}

extension CompiledProxy {
  /// Runs `stick on`, `match` and `store-request`. `choose` gets what matching entries say, until it answers true.
  public func stickRequest(
    _ context: RuleContext, _ stores: inout StickStores, choose: (StickTarget) -> Bool
  ) {
    var isChosen = false
    let time = StickTable.time(context.now.instant)
    for rule in stick.onRequest {
      if rule.stores, stores.contains(rule.table, ofResponse: false) { continue }
      guard rule.condition?.holds(context) ?? true, let key = rule.key.evaluate(context) else { continue }
      if rule.matches {
        let target = rule.table.withKey(of: key) { octets in
          rule.table.change(octets, now: time) { entry in
            StickTarget(
              key: StickServerKeys.text(entry.value(.serverKey) ?? 0),
              isAddress: rule.table.serverKey == .address, id: Int(entry.value(.serverID) ?? 0))
          }
        }
        if let target, !isChosen { isChosen = choose(target) }
      }
      if rule.stores { stores.add(rule.table, key, ofResponse: false) }
    }
  }

  /// Runs `stick store-response`.
  public func stickResponse(_ context: RuleContext, _ stores: inout StickStores) {
    for rule in stick.onResponse where !stores.contains(rule.table, ofResponse: true) {
      guard rule.condition?.holds(context) ?? true, let key = rule.key.evaluate(context) else { continue }
      stores.add(rule.table, key, ofResponse: true)
    }
  }
}

extension ProxyCompiler {
  mutating func compileStick(_ line: Directive) throws(RuleError) {
    let (action, condition) = ConditionParser.split(line.words.dropFirst(2))
    let kind = line.words.count > 1 ? line.words[1].text : ""
    let kinds = ["match", "on", "store-request", "store-response"]
    guard kinds.contains(kind) else {
      throw RuleError(
        "'stick' expects 'on', 'match', or 'store'.", suggestion: Suggestions.nearest(kind, kinds),
        expected: kinds.joined(separator: ", "))
    }
    let isResponse = kind == "store-response"
    scope.place = isResponse ? .storeRules : .useServer
    var parser = ActionParser(
      scope: scope, place: isResponse ? .httpResponse : .httpRequest, line: line, name: line.words[1],
      words: action)
    let key = try parser.expression("a fetch method")
    let table =
      parser.accept("table")
      ? try scope.table(named: try parser.need("a table's name").text) : try scope.ownTable()
    try parser.finish()
    guard key.type.casts(to: table.sampleType) else {
      throw RuleError(
        "type of fetch not usable with type of stick-table '\(table.name)'")
    }
    let rule = StickRules.StickRule(
      matches: kind == "on" || kind == "match", stores: kind != "match", key: key, table: table,
      condition: try ConditionParser.parse(condition, scope: scope, line: line))
    if isResponse { draft.stick.onResponse.append(rule) } else { draft.stick.onRequest.append(rule) }
  }
}
