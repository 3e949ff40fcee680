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
}
