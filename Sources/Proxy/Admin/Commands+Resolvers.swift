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
    let c = nameserver.counters
    let lines: [(String, Int)] = [
      ("sent", c.sent), ("snd_error", c.sendErrors), ("valid", c.valid), ("update", c.update),
      ("cname", c.alias),
      ("cname_error", c.aliasErrors), ("any_err", c.anyErrors), ("nx", c.noSuchName), ("timeout", c.timeout),
      ("refused", c.refused), ("other", c.other), ("invalid", c.invalid), ("too_big", c.tooBig),
      ("truncated", c.truncated), ("outdated", c.outdated),
    ]
    var out = " nameserver \(nameserver.name):\n"
    for (name, value) in lines {
      let padding = String(repeating: " ", count: Swift.max(0, 12 - name.utf8.count))
      out += "  \(name):\(padding)\(value)\n"
    }
    return out
  }
}
