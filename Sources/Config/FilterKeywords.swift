public import Base

/// A filter that `filter` lines may name (manual chapter 9).
public struct FilterKeyword: Sendable {
  typealias Parse = @Sendable (inout ProxySettings, inout Arguments, LoadContext) throws(Refusal) -> Void

  public let name: String
  /// What HAProxy's listing calls its family.
  public let group: String
  let parse: Parse

  init(_ name: String, _ group: String, parse: @escaping Parse) {
    self.name = name
    self.group = group
    self.parse = parse
  }
}

public enum FilterKeywords {
  public static let table: [FilterKeyword] = [
    FilterKeyword("bwlim-in", "BWLIM") { settings, arguments, context throws(Refusal) in
      try BandwidthFilter.parse(&settings, &arguments, isIncoming: true)
    },
    FilterKeyword("bwlim-out", "BWLIM") { settings, arguments, context throws(Refusal) in
      try BandwidthFilter.parse(&settings, &arguments, isIncoming: false)
    },
    FilterKeyword("cache", "CACHE") { _, arguments, _ throws(Refusal) in
      _ = try arguments.required("the name of a 'cache' section")
      try arguments.end()
    },
    compression("comp-req", .request), compression("comp-res", .response), compression("compression", .response),
    FilterKeyword("trace", "TRACE") { settings, arguments, _ throws(Refusal) in
      try ProxyKeywords.traceFilter(&settings, &arguments)
    },
  ]

  static func parse(
    _ settings: inout ProxySettings, _ arguments: inout Arguments, _ context: LoadContext
  ) throws(Refusal) {
    let name = try arguments.required("a filter's name")
    guard let filter = table.first(where: { $0.name == name.text }) else {
      if ["spoe", "fcgi-app", "opentracing", "opentelemetry"].contains(name.text) {
        throw Refusal.notSupported("'filter \(name.text)'", name)
      }
      throw Refusal.unknownArgument(name, of: "filter", among: table.map(\.name))
    }
    settings.filters.append(name.text)
    try filter.parse(&settings, &arguments, context)
  }

  private enum Direction { case request, response }

  /// The filters' own place among others does not matter: there is one for each direction.
  private static func compression(_ name: String, _ direction: Direction) -> FilterKeyword {
    FilterKeyword(name, "COMP") { settings, arguments, _ throws(Refusal) in
      settings.compression = settings.compression ?? CompressionSettings()
      if direction == .request { settings.compression?.direction = .both }
      try arguments.end()
    }
  }

  /// `filter-sequence { request | response } <filter>[,...]`: which filters run, and in which order.
  static func parseSequence(
    _ settings: inout ProxySettings, _ arguments: inout Arguments, _ context: LoadContext
  ) throws(Refusal) {
    let side = try arguments.required("'request' or 'response'")
    guard side.text == "request" || side.text == "response" else {
      throw Refusal.unknownArgument(side, of: "filter-sequence", among: ["request", "response"])
    }
    let list = try arguments.required("a comma-separated list of filters")
    try arguments.end()
    if side.text == "request" { settings.requestFilters = list } else { settings.responseFilters = list }
  }

  /// Once a proxy is read: what sequences name is declared, and what they leave out does not run.
  static func finish(_ settings: inout ProxySettings, _ context: LoadContext) {
    for list in [settings.requestFilters, settings.responseFilters].compactMap({ $0 }) {
      for name in list.commaSeparated.map(\.string) where !settings.filters.contains(name) {
        context.diagnostics.error(
          "'filter-sequence' : invalid filter name: '\(name)' is not defined on the proxy", at: list.location,
          suggestion: Nearest.word(to: name, among: settings.filters))
      }
    }
    settings.settleCompression()
  }
}

extension ProxySettings {
  /// Compression acts in the directions whose sequence of filters names it.
  mutating func settleCompression() {
    guard compression != nil else { return }
    let compresses = (
      request: runs(["comp-req", "compression"], in: requestFilters),
      response: runs(["comp-res", "compression"], in: responseFilters)
    )
    switch (compresses.request, compresses.response) {
    case (true, true): break
    case (false, false): compression = nil
    case (true, false):
      if compression?.direction == .response {
        compression = nil
      } else {
        compression?.direction = .request
      }
    case (false, true):
      if compression?.direction == .request {
        compression = nil
      } else {
        compression?.direction = .response
      }
    }
  }

  /// Whether one of the named filters runs: all do where there is no sequence.
  public func runs(_ names: [String], in sequence: Word?) -> Bool {
    guard let sequence else { return true }
    return sequence.commaSeparated.contains { names.contains($0.string) }
  }
}

/// `filter bwlim-in` and `bwlim-out` (manual chapter 9.7).
public struct BandwidthFilter: Sendable {
  public var name: String
  public var location: SourceLocation
  public var isIncoming: Bool
  /// Octets in a period.
  public var limit = 0
  /// Of a filter for each stream; a shared one has that of its table's counter.
  public var period: Timespan?
  /// What a shared filter looks up, and where; nil for the proxy's own table.
  public var key: Word?
  public var table: Word?
  /// The fewest octets that are passed on at once.
  public var minimum = 0
  /// How many filters were declared before it: its place among them.
  public var position: Int

  static func parse(
    _ settings: inout ProxySettings, _ arguments: inout Arguments, isIncoming: Bool
  ) throws(Refusal) {
    let keyword = isIncoming ? "bwlim-in" : "bwlim-out"
    let name = try arguments.required("a name")
    if let earlier = settings.bandwidthFilters.first(where: { $0.name == name.text }) {
      throw Refusal.duplicate(
        "'\(keyword)' : bwlim filter '\(name.text)' already declared for proxy '\(settings.name)'", name,
        earlier.location)
    }
    var filter = BandwidthFilter(
      name: name.text, location: name.location, isIncoming: isIncoming, position: settings.filters.count - 1)
    var forStreams: Word?
    var shared: Word?
    while let word = arguments.next() {
      switch word.text {
      case "default-limit":
        forStreams = word
        filter.limit = try arguments.size()
      case "default-period":
        forStreams = word
        filter.period = try arguments.time()
      case "limit":
        shared = word
        filter.limit = try arguments.size()
      case "key":
        shared = word
        filter.key = try arguments.required("a sample expression")
      case "table":
        shared = word
        filter.table = try arguments.required("a table's name")
      case "min-size": filter.minimum = try arguments.size()
      default:
        throw Refusal.unknownArgument(
          word, of: keyword, among: ["default-limit", "default-period", "limit", "key", "table", "min-size"])
      }
      if forStreams != nil, shared != nil {
        throw Refusal("'\(keyword)' : cannot mix per-stream and shared parameter", at: word.location)
      }
    }
    let isComplete = filter.limit > 0 && (shared == nil ? (filter.period ?? .zero) > .zero : filter.key != nil)
    guard isComplete else {
      throw Refusal(
        "'\(keyword)' : a limit and a \(shared == nil ? "period" : "key") are needed.", at: name.location,
        expected: "default-limit <size> default-period <time>, or limit <size> key <pattern> [table <table>]")
    }
    settings.bandwidthFilters.append(filter)
  }
}
