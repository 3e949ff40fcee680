import Base

/// A `cache` section (manual chapter 6.2.1).
public struct CacheSettings: Sendable {
  /// `early-hints`.
  public enum Hints: String, Sendable { case off, on, only }

  public var name: String
  public var location: SourceLocation
  /// Octets.
  public var totalSize = 0
  /// Octets; 0 for a 256th of the whole.
  public var objectSize = 0
  /// Seconds.
  public var maxAge = 60
  public var processesVary = false
  public var secondaryEntries = 10
  public var hints = Hints.off
  /// The share of the whole, in per cent, that entries of mere hints may take.
  public var hintsRatio = 25

  public init(name: String, location: SourceLocation) {
    self.name = name
    self.location = location
  }

  /// Octets that an object may have.
  public var largestObject: Int { objectSize > 0 ? objectSize : totalSize / 256 }
}

final class CacheSection: Section {
  private var cache: CacheSettings

  private static let keywords = [
    "total-max-size", "max-object-size", "max-age", "process-vary", "max-secondary-entries", "early-hints",
  ]

  init(_ arguments: Arguments, _ context: LoadContext) throws(Refusal) {
    var arguments = arguments
    let name = try arguments.required("a name")
    try arguments.end()
    try Name.check(name, of: "cache")
    if let earlier = context.configuration.caches.first(where: { $0.name == name.text }) {
      throw Refusal.duplicate("cache '\(name.text)' already exists.", name, earlier.location)
    }
    cache = CacheSettings(name: name.text, location: name.location)
  }

  func parse(_ line: Directive, _ context: LoadContext) throws(Refusal) {
    var arguments = Arguments(line)
    switch line.keyword {
    case "total-max-size": cache.totalSize = try arguments.integer(in: 1...4095) << 20
    case "max-object-size": cache.objectSize = try arguments.integer(in: 1...Int(Int32.max))
    case "max-age": cache.maxAge = try arguments.integer(in: 1...Int(Int32.max))
    case "max-secondary-entries": cache.secondaryEntries = try arguments.integer(in: 1...Int(Int32.max))
    case "process-vary": cache.processesVary = try isOn(&arguments)
    case "early-hints": try hints(&arguments)
    default: throw Refusal.unknownKeyword(line.words[0], section: "cache", among: CacheSection.keywords)
    }
    try arguments.end()
  }

  private func isOn(_ arguments: inout Arguments) throws(Refusal) -> Bool {
    let word = try arguments.required("'on' or 'off'")
    guard word.text == "on" || word.text == "off" else {
      throw Refusal.unknownArgument(word, of: "process-vary", among: ["on", "off"])
    }
    return word.text == "on"
  }

  private func hints(_ arguments: inout Arguments) throws(Refusal) {
    let word = try arguments.required("'on', 'off' or 'only'")
    guard let hints = CacheSettings.Hints(rawValue: word.text) else {
      throw Refusal.unknownArgument(word, of: "early-hints", among: ["on", "off", "only"])
    }
    cache.hints = hints
    if arguments.take("ratio") { cache.hintsRatio = try arguments.integer(in: 1...99) }
  }

  func finish(_ context: LoadContext) {
    if cache.totalSize == 0 {
      context.diagnostics.error(
        "Size of the cache must be specified in cache '\(cache.name)'.", at: cache.location,
        expected: "total-max-size <megabytes>")
    }
    if cache.objectSize > cache.totalSize / 2, cache.totalSize > 0 {
      context.diagnostics.error(
        "\"max-object-size\" is limited to an half of \"total-max-size\" => \(cache.totalSize / 2)",
        at: cache.location)
    }
    context.configuration.caches.append(cache)
  }
}
