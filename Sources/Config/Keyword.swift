/// The kinds of section that a keyword may stand in.
public struct SectionSet: OptionSet, Hashable, Sendable {
  public let rawValue: Int
  public init(rawValue: Int) { self.rawValue = rawValue }

  public static let global = SectionSet(rawValue: 1)
  public static let defaults = SectionSet(rawValue: 2)
  public static let frontend = SectionSet(rawValue: 4)
  public static let listen = SectionSet(rawValue: 8)
  public static let backend = SectionSet(rawValue: 16)
  public static let other = SectionSet(rawValue: 32)

  /// The manual's columns: any proxy section.
  public static let proxy: SectionSet = [.defaults, .frontend, .listen, .backend]
  public static let front: SectionSet = [.defaults, .frontend, .listen]
  public static let back: SectionSet = [.defaults, .listen, .backend]
  public static let notDefaults: SectionSet = [.frontend, .listen, .backend]
}

/// One keyword: what it is called, where it may stand, how it is written and what parses it.
public struct Keyword<Target>: Sendable {
  public typealias Parse = @Sendable (inout Target, inout Arguments, LoadContext) throws(Refusal) -> Void

  public let name: String
  public let sections: SectionSet
  /// Arguments in the manual's notation, such as `<size>` or `[on|off]`.
  public let grammar: String
  public let help: String
  /// The version of HAProxy since which the keyword is deprecated or gone.
  public let deprecatedSince: String?
  /// Accepts the `no` and `default` prefixes.
  public let takesPrefix: Bool
  /// Means something in HTTP mode only.
  public let isHTTP: Bool
  /// False for a keyword that is only known in order to be refused.
  public private(set) var isSupported = true
  let parse: Parse

  public init(
    _ name: String, in sections: SectionSet, _ grammar: String, _ help: String,
    deprecatedSince: String? = nil, takesPrefix: Bool = false, isHTTP: Bool = false,
    parse: @escaping Parse
  ) {
    self.name = name
    self.sections = sections
    self.grammar = grammar
    self.help = help
    self.deprecatedSince = deprecatedSince
    self.takesPrefix = takesPrefix
    self.isHTTP = isHTTP
    self.parse = parse
  }

  /// A keyword that is known and cannot work yet.
  static func unsupported(_ name: String, in sections: SectionSet, _ help: String = "") -> Keyword {
    var keyword = Keyword(name, in: sections, "", help) { _, arguments, _ throws(Refusal) in
      throw Refusal("'\(name)' is not supported yet.", at: arguments.lastLocation)
    }
    keyword.isSupported = false
    return keyword
  }

  /// A keyword that cannot work here at all, with the reason.
  static func refused(_ name: String, in sections: SectionSet, _ why: String) -> Keyword {
    var keyword = Keyword(name, in: sections, "", why) { _, arguments, _ throws(Refusal) in
      throw Refusal("'\(name)' is not supported: \(why).", at: arguments.lastLocation)
    }
    keyword.isSupported = false
    return keyword
  }
}

/// All keywords of one category by name: drives parsing, suggestions, listings and the reference.
public struct KeywordTable<Target>: Sendable {
  /// In the order in which they were written down.
  public let keywords: [Keyword<Target>]
  private let index: [String: Int]

  public init(_ groups: [Keyword<Target>]...) {
    keywords = groups.flatMap { $0 }
    var index: [String: Int] = [:]
    for (position, keyword) in keywords.enumerated() where index[keyword.name] == nil {
      index[keyword.name] = position
    }
    self.index = index
  }

  public subscript(name: String) -> Keyword<Target>? { index[name].map { keywords[$0] } }

  /// The known word nearest to `name` among those allowed in `sections`.
  public func suggestion(for name: String, in sections: SectionSet) -> String? {
    Nearest.word(
      to: name, among: keywords.lazy.filter { !$0.sections.isDisjoint(with: sections) }.map(\.name))
  }
}

extension Arguments {
  /// The keyword's own words.
  public var keywordLocation: SourceLocation {
    guard let first = line.words.first else { return line.location }
    var place = first.location
    let last = line.words[max(0, min(position, line.words.count) - 1)].location
    if last.column >= place.column { place.length = last.column + last.length - place.column }
    return place
  }
}

extension Arguments {
  /// The word taken last.
  var lastLocation: SourceLocation {
    position > 0 && position <= line.words.count ? line.words[position - 1].location : line.location
  }
}
