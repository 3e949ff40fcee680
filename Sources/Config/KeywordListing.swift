/// `-dK<class>`: the known keywords in the shape of HAProxy's listing.
public enum KeywordListing {
  private static let header = "# List of registered "

  /// The listing of some classes; `all` means each of them, an unknown one is left out.
  public static func text(classes: [String]) -> String {
    if classes.contains("help") { return help }
    let all = classes.contains("all")
    var text = ""
    if all || classes.contains("cfg") { text += header + "configuration keywords:\n" + configuration }
    if all || classes.contains("sec") || classes.contains("section") {
      text += header + "configuration sections:\n" + sections
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
