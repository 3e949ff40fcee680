import Base

extension Commands {
  /// Name servers and what they answered.
  static let resolvers: [Command] = [
    Command("show resolvers", "[id]", "dumps counters from all resolvers section and associated name servers") {
      call in
      let sections = call.runtime.names.sections
      let wanted = call.argument(0)
      guard !wanted.isEmpty else { return .lines(sections.map(text).joined()) }
      guard let section = sections.first(where: { $0.name == wanted }) else {
        return .error("Can't find that resolvers section")
      }
      return .lines(text(section))
    }
  ]

  private static func text(_ section: Resolvers) -> String {
    "Resolvers section \(section.name)\n" + section.nameservers.map(text).joined()
  }

  private static func text(_ nameserver: Nameserver) -> String {
    var out = " nameserver \(nameserver.name):\n"
    for (name, value) in nameserver.counters.named {
      let name = name == "send_error" ? "snd_error" : name
      let padding = String(repeating: " ", count: Swift.max(0, 12 - name.utf8.count))
      out += "  \(name):\(padding)\(value)\n"
    }
    return out
  }
}
