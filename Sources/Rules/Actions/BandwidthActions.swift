public import Base
import Config

/// A filter that limits how fast octets pass (manual chapter 9.7), ready to run.
public final class BandwidthLimit: Sendable {
  enum Scope: Sendable {
    /// Octets in so many milliseconds, for each stream.
    case stream(limit: Int, period: UInt32)
    /// Octets in the period of the table's counter, for all streams with the same key.
    case shared(limit: Int, key: SampleExpression, table: StickTable)
  }

  let name: String
  public let isIncoming: Bool
  /// Its place among the filters of the proxy in its direction.
  public let position: Int
  /// The body is compressed, in that direction, before it comes here.
  public let isBehindCompression: Bool
  /// `filter-sequence` does not leave it out.
  let runs: Bool
  let scope: Scope
  let minimum: Int

  init(_ filter: BandwidthFilter, _ proxy: Boxed<ProxySettings>, _ scope: Scope) {
    name = filter.name
    isIncoming = filter.isIncoming
    minimum = filter.minimum
    self.scope = scope
    let own = filter.isIncoming ? "bwlim-in" : "bwlim-out"
    let sequence = filter.isIncoming ? proxy.requestFilters : proxy.responseFilters
    let names = sequence.map { $0.commaSeparated.map(\.string) } ?? proxy.filters
    // A sequence names filters by their kind, which means the first of that kind.
    let isFirst = proxy.bandwidthFilters.first { $0.isIncoming == filter.isIncoming }?.name == filter.name
    let place = sequence == nil ? filter.position : isFirst ? names.firstIndex(of: own) : nil
    runs = place != nil
    let position = place ?? 0
    self.position = position
    let encoders = ["compression", filter.isIncoming ? "comp-req" : "comp-res"]
    isBehindCompression = names.firstIndex { encoders.contains($0) }.map { $0 < position } ?? false
  }
}

/// A bandwidth limit at work in one stream.
public final class BandwidthMeter {
  public let limit: BandwidthLimit
  /// The proxy's part: a frontend's filters come before a backend's.
  public let isOfBackend: Bool
  private var octets = 0
  private var period: UInt32 = 0
  private var counter = FrequencyCounter()
  private var held: HeldEntry?
  private var lastUse: Instant

  init(_ limit: BandwidthLimit, isOfBackend: Bool, now: Instant) {
    self.limit = limit
    self.isOfBackend = isOfBackend
    lastUse = now
  }

  deinit { release() }

  private func release() {
    if let held { held.table.release(held, now: StickTable.time(lastUse)) { _ in false } }
    held = nil
  }

  /// What the rule at hand says; false when it says nothing that holds.
  fileprivate func enable(_ limit: Int?, _ period: Int?, _ context: RuleContext) -> Bool {
    lastUse = context.now.instant
    switch self.limit.scope {
    case .stream(let standard, let standardPeriod):
      octets = limit ?? standard
      self.period = period.map { UInt32(clamping: $0) } ?? standardPeriod
    case .shared(let standard, let key, let table):
      guard let sample = key.evaluate(context) else { return held != nil }
      let now = StickTable.time(lastUse)
      guard let entry = table.withKey(of: sample, { table.hold($0, now: now) { _ in } }) else { return held != nil }
      release()
      held = entry
      octets = standard
    }
    return true
  }

  /// How many of `wanted` octets may pass now; they are counted as passed.
  public func grant(_ wanted: Int, now: Instant) -> BandwidthGrant {
    lastUse = now
    let time = StickTable.time(now)
    guard let held else {
      return counter.grant(
        wanted, limit: octets, period: period, users: 1, minimum: limit.minimum, unit: 1,
        now: UInt32(truncatingIfNeeded: time))
    }
    let type: StickDataType = limit.isIncoming ? .bytesInRate : .bytesOutRate
    return held.table.change(held, now: time) {
      $0.grant(type, wanted, limit: octets, minimum: limit.minimum)
    }
  }
}

/// `set-bandwidth-limit <name> [limit {<expr> | <size>}] [period {<expr> | <time>}]`.
enum BandwidthActions {
  static let table: [ActionEntry] = [
    ActionEntry(
      "set-bandwidth-limit", [.tcpContent, .tcpResponse, .httpRequest, .httpResponse],
      "<name> [ limit { <expr> | <size> } ] [ period { <expr> | <time> } ]"
    ) { parser throws(RuleError) in
      let name = try parser.need("the name of a bwlim filter").text
      let known = parser.scope.bandwidthLimits
      guard let limit = known.first(where: { $0.name == name }) else {
        throw RuleError(
          "unable to find bwlim filter '\(name)' referenced by set-bandwidth-limit rule",
          suggestion: Suggestions.nearest(name, known.map(\.name)))
      }
      var octets: Value = { _ in nil }
      var period: Value = { _ in nil }
      while let option = parser.next() {
        switch option.text {
        case "limit": octets = try value(&parser, "a size or an expression") { Numbers.size($0) }
        case "period":
          period = try value(&parser, "a time or an expression") { Numbers.duration($0).map { Int($0.milliseconds) } }
        default: throw parser.unexpected(option.text, known: ["limit", "period"])
        }
        if case .shared = limit.scope {
          throw RuleError("set-bandwidth-limit rule cannot define a \(option.text) for a shared bwlim filter")
        }
      }
      let (wantedLimit, wantedPeriod) = (octets, period)
      guard limit.runs else { return { _ in nil } }
      let isBackend = !(parser.scope.proxy?.hasFrontend ?? false)
      return { context in
        context.limit(limit, wantedLimit(context), wantedPeriod(context), isOfBackend: isBackend)
        return nil
      }
    }
  ]

  private typealias Value = @Sendable (RuleContext) -> Int?

  private static func value(
    _ parser: inout ActionParser, _ what: String, _ constant: (String) -> Int?
  ) throws(RuleError) -> Value {
    if let word = parser.peek, let value = constant(word) {
      _ = parser.next()
      guard value > 0 else { throw RuleError("invalid value '\(word)'", expected: what) }
      return { _ in value }
    }
    let expression = try parser.expression(what)
    return { context in
      expression.evaluate(context)?.cast(to: .int)?.integer.flatMap { $0 > 0 ? Int(clamping: $0) : nil }
    }
  }
}

extension RuleContext {
  fileprivate func limit(_ limit: BandwidthLimit, _ octets: Int?, _ period: Int?, isOfBackend: Bool) {
    if let meter = bandwidth.first(where: { $0.limit === limit }) {
      _ = meter.enable(octets, period, self)
      return
    }
    let meter = BandwidthMeter(limit, isOfBackend: isOfBackend, now: now.instant)
    if meter.enable(octets, period, self) { bandwidth.append(meter) }
  }
}

extension ProxyCompiler {
  /// The proxy's `filter bwlim-*` lines, before any rule refers to them.
  func compileBandwidthLimits() {
    for filter in proxy.bandwidthFilters {
      scope.lineAtHand = filter.location
      do throws(RuleError) {
        scope.bandwidthLimits.append(BandwidthLimit(filter, proxy, try limitScope(filter)))
      } catch {
        scope.diagnostics.error(
          "Proxy '\(proxy.name)': bwlim filter '\(filter.name)' : \(error.message)", at: filter.location,
          suggestion: error.suggestion)
      }
    }
  }

  private func limitScope(_ filter: BandwidthFilter) throws(RuleError) -> BandwidthLimit.Scope {
    guard let key = filter.key else {
      return .stream(limit: filter.limit, period: UInt32(clamping: filter.period?.milliseconds ?? 1000))
    }
    scope.place = places(.frontendRequest, .backendRequest)
    let expression = try ExpressionParser.parse(key.bytes, scope: scope)
    let table = if let name = filter.table { try scope.table(named: name.text) } else { try scope.ownTable() }
    let type: StickDataType = filter.isIncoming ? .bytesInRate : .bytesOutRate
    guard table.layout.stores(type) else {
      throw RuleError(
        "stick-table '\(table.name)' uses a data type incompatible with it. It must be '\(filter.isIncoming ? "bytes_in_rate" : "bytes_out_rate")'"
      )
    }
    guard expression.type.casts(to: table.sampleType) else {
      throw RuleError("stick-table '\(table.name)' uses a key type incompatible with it")
    }
    return .shared(limit: filter.limit, key: expression, table: table)
  }
}
