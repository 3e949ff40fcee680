/// The reference manual of the configuration language as this program takes it, made from its tables.
public enum KeywordReference {
  /// The whole text in Markdown.
  public static var text: String {
    var text = """
      # Keywords

      Made from the program's own tables (`gatehouse -dKmarkdown`); what is not listed here is refused.
      Columns: D `defaults`, F `frontend`, L `listen`, B `backend`.

      """
    text += chapter("global", prefix: "", GlobalKeywords.table.keywords, withSections: false)
    text += chapter("Proxies", prefix: "", ProxyKeywords.table.keywords, withSections: true)
    text += chapter("option", prefix: "option ", OptionKeywords.table.keywords, withSections: true)
    text += chapter("timeout", prefix: "timeout ", TimeoutKeywords.table.keywords, withSections: true)
    text += chapter("stats", prefix: "stats ", StatsKeywords.table.keywords, withSections: true)
    text += chapter("bind options", prefix: "", BindKeywords.table.keywords, withSections: false)
    text += chapter("server options", prefix: "", ServerKeywords.table.keywords, withSections: false)
    return text
  }

  private static func chapter<T>(
    _ title: String, prefix: String, _ keywords: [Keyword<T>], withSections: Bool
  ) -> String {
    var text = "\n## \(title)\n\n"
    text +=
      withSections ? "| keyword | D F L B | meaning |\n|---|---|---|\n" : "| keyword | meaning |\n|---|---|\n"
    for keyword in keywords.filter(\.isSupported).sorted(by: { $0.name < $1.name }) {
      let grammar = (prefix + keyword.name + " " + keyword.grammar).replacing("|" as Character, with: "\\|")
      let old = keyword.deprecatedSince.map { " Deprecated since \($0)." } ?? ""
      let columns = withSections ? " \(marks(keyword.sections)) |" : ""
      text += "| `\(grammar.trimmingTrailingBlanks)` |\(columns) \(keyword.help)\(old) |\n"
    }
    return text
  }

  private static func marks(_ sections: SectionSet) -> String {
    let columns: [SectionSet] = [.defaults, .frontend, .listen, .backend]
    return columns.map { sections.contains($0) ? "x" : "-" }.joined(separator: " ")
  }
}

extension String {
  fileprivate var trimmingTrailingBlanks: String {
    var end = endIndex
    while end > startIndex, self[index(before: end)] == " " { end = index(before: end) }
    return String(self[..<end])
  }

  fileprivate func replacing(_ character: Character, with text: String) -> String {
    reduce(into: "") { result, c in
      if c == character { result += text } else { result.append(c) }
    }
  }
}
