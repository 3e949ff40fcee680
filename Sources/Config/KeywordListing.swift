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
  ///
  /// `actions` are those of the rule engine, `listOptions` the words that a line of a `crt-list` takes.
  public static func text(
    classes: [String], actions: [String], listOptions: Set<String>, others: [Class]
  ) -> String {
    if classes.contains("help") { return help + others.map { "\($0.name): \($0.title)\n" }.joined() }
    let all = classes.contains("all")
    func isWanted(_ name: String) -> Bool { all || classes.contains(name) }
    func block(_ other: Class) -> String {
      header + other.title + ":\n" + other.lines.map { $0 + "\n" }.joined()
    }
    var text = ""
    // The order of HAProxy's listing.
    for other in others where other.name == "acl" && isWanted("acl") { text += block(other) }
    if isWanted("cfg") {
      text += header + "configuration keywords:\n" + configuration(actions, listOptions)
    }
    for other in others where other.name != "acl" && isWanted(other.name) { text += block(other) }
    return text
  }

  private static let help = """
    # List of supported keyword classes:
    all: list all keywords
    cfg: configuration keywords

    """

  /// `filter <name>`, with the family in brackets.
  public static var filters: [String] {
    FilterKeywords.table.map { "\($0.name) [\($0.group)]" }.sorted()
  }

  private static func configuration(_ actions: [String], _ listOptions: Set<String>) -> String {
    var lines = ["global"]
    lines += names(GlobalKeywords.table.keywords.filter(\.isSupported)).map { "\t\($0)" }
    lines.append("listen")
    lines += names(ProxyKeywords.table.keywords.filter(\.isSupported)).map { "\t\($0)" }
    lines += names(TimeoutKeywords.table.keywords).map { "\ttimeout \($0)" }
    lines += names(StatsKeywords.table.keywords).map { "\tstats \($0)" }
    let bind = BindKeywords.table.keywords
    let tls = Set(BindKeywords.tlsNames)
    lines += words("\tbind <addr> ", bind.filter { !tls.contains($0.name) })
    lines += words("\tbind <addr> ssl ", bind.filter { tls.contains($0.name) && $0.name != "ssl" })
    lines += words("\tserver <name> <addr> ", ServerKeywords.table.keywords)
    lines += options
    lines += actions.map { "\t\($0)" }
    for section in SectionKind.listed {
      lines.append(section.name)
      lines += section.keywords.map { "\t\($0)" }
    }
    lines.append("crt-list")
    lines += words("\t", bind.filter { listOptions.contains($0.name) })
    return lines.map { $0 + "\n" }.joined()
  }

  private static func names<T>(_ keywords: [Keyword<T>]) -> [String] { keywords.map(\.name).sorted() }

  /// HAProxy marks an option that takes a word with `+1`, and one that takes any number of them with `+-1`.
  private static func words<T>(_ prefix: String, _ keywords: [Keyword<T>]) -> [String] {
    keywords.filter(\.isSupported).sorted { $0.name < $1.name }.map {
      let takesNone = $0.grammar.isEmpty || $0.grammar.hasPrefix("(") || $0.name == "usesrc"
      let mark = takesNone ? "" : $0.name == "source" && prefix.contains("server") ? " +-1" : " +1"
      return prefix + $0.name + mark
    }
  }

  /// `option <name> [ FE BE HTTP ]`: the sides that it is for, and whether HTTP mode is needed.
  private static var options: [String] {
    OptionKeywords.table.keywords.filter(\.isSupported).sorted { $0.name < $1.name }.map {
      var marks: [String] = []
      if $0.sections.contains(.frontend) { marks.append("FE") }
      if $0.sections.contains(.backend) { marks.append("BE") }
      if $0.isHTTP { marks.append("HTTP") }
      return "\toption \($0.name) [ \(marks.joined(separator: " ")) ]"
    }
  }
}
