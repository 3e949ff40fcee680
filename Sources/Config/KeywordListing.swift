/// `-dK<class>`: the known keywords in the shape of HAProxy's listing.
public enum KeywordListing {
  private static let header = "# List of registered "

  /// A class of keywords that another layer knows.
  public struct Class {
    var name: String
    var title: String
    var lines: [String]

    public init(_ name: String, _ title: String, _ lines: [String]) {
      self.name = name
      self.title = title
      self.lines = lines
    }
  }

  /// The listing of some classes; `all` means each of them, an unknown one is left out.
  public static func text(classes: [String], others: [Class]) -> String {
    if classes.contains("help") { return help + others.map { "\($0.name): \($0.title)\n" }.joined() }
    let all = classes.contains("all")
    var text = ""
    if all || classes.contains("cfg") { text += header + "configuration keywords:\n" + configuration }
    if all || classes.contains("sec") || classes.contains("section") {
      text += header + "configuration sections:\n" + sections
    }
    for other in others where all || classes.contains(other.name) {
      text += header + other.title + ":\n" + other.lines.map { "\t\($0)\n" }.joined()
    }
    return text
  }

  private static let help = """
    # List of supported keyword classes:
    all: list all keywords
    cfg: configuration keywords
    sec: configuration sections

    """

  private static var sections: String {
    SectionKind.table.keys.filter { !SectionKind.unsupported.contains($0) }.sorted().map { "\t\($0)\n" }
      .joined()
  }

  private static var configuration: String {
    var lines = ["global"]
    lines += names(GlobalKeywords.table.keywords.filter(\.isSupported)).map { "\t\($0)" }
    lines.append("listen")
    lines += names(ProxyKeywords.table.keywords.filter(\.isSupported)).map { "\t\($0)" }
    lines += names(TimeoutKeywords.table.keywords).map { "\ttimeout \($0)" }
    lines += names(StatsKeywords.table.keywords).map { "\tstats \($0)" }
    lines += options("option", OptionKeywords.table.keywords)
    lines += options("bind <addr>", BindKeywords.table.keywords)
    lines += options("server <name> <addr>", ServerKeywords.table.keywords)
    return lines.map { $0 + "\n" }.joined()
  }

  private static func names<T>(_ keywords: [Keyword<T>]) -> [String] { keywords.map(\.name).sorted() }

  /// HAProxy marks an option that takes a word with `+1`.
  private static func options<T>(_ prefix: String, _ keywords: [Keyword<T>]) -> [String] {
    keywords.filter(\.isSupported).sorted { $0.name < $1.name }
      .map { "\t\(prefix) \($0.name)\($0.grammar.isEmpty ? "" : " +1")" }
  }
}
