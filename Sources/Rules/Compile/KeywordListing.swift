/// The keywords of this layer as `-dKall` prints them: sorted, and only those that work.
public enum KeywordListing {
  /// `[ Y . ... ] hdr([string,integer]): str`
  public static var fetches: [String] {
    SampleKeywords.fetches.values.sorted { $0.name < $1.name }.map {
      "[ \($0.places.columns) ] \($0.name)\($0.arguments.listing): \($0.type.rawValue)"
    }
  }

  /// `lower: str => str`, the type that comes out first.
  public static var converters: [String] {
    SampleKeywords.converters.values.sorted { $0.name < $1.name }.map {
      "\($0.name)\($0.arguments.listing): \($0.output.rawValue) => \($0.input.rawValue)"
    }
  }

  /// `path_beg = path -m beg`
  public static var aclKeywords: [String] {
    ACLKeywords.derivatives.sorted { $0.key < $1.key }.map { name, meaning in
      "\(name) = \(meaning.fetch) -m \((meaning.method ?? .str).rawValue)"
    }
  }

  /// `http-request set-header` and the like; `*` stands where an argument in parentheses follows.
  public static var actions: [String] {
    let places: [RulePlaces] = [
      .tcpConnection, .tcpSession, .tcpContent, .tcpResponse, .httpRequest, .httpResponse, .httpAfterResponse,
    ]
    return places.flatMap { place in
      ActionKeywords.table.filter { $0.places.contains(place) }
        .map { "\(place.keyword) \($0.name)\($0.usage.hasPrefix("(") || $0.name == "track-sc" ? "*" : "")" }
        .sorted()
    }
  }

  /// What `use-service` may name.
  public static var services: [String] { FinalActions.services }
}
