import Base
import Config

/// `cache-use` and `cache-store` (manual chapter 6).
enum CacheActions {
  static let table: [ActionEntry] = [
    ActionEntry("cache-use", .httpRequest, "<name> [ no-early-hints ]") { parser throws(RuleError) in
      let index = try cache(&parser)
      let allowsHints = !parser.accept("no-early-hints")
      return { _ in .serveFromCache(index, allowsHints: allowsHints) }
    },
    ActionEntry("cache-store", .httpResponse, "<name>") { parser throws(RuleError) in
      let index = try cache(&parser)
      // `filter-sequence` may leave the cache out.
      if let proxy = parser.scope.proxy, !proxy.value.runs(["cache"], in: proxy.responseFilters) { return { _ in nil } }
      return { _ in .storeInCache(index) }
    },
  ]

  /// The index of the named section in the configuration.
  private static func cache(_ parser: inout ActionParser) throws(RuleError) -> Int {
    let name = try parser.need("the name of a 'cache' section").text
    let caches = parser.scope.configuration.caches
    guard let index = caches.firstIndex(where: { $0.name == name }) else {
      throw RuleError(
        "unable to find the cache '\(name)' referenced by this rule",
        suggestion: Suggestions.nearest(name, caches.map(\.name)))
    }
    return index
  }
}
