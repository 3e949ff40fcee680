/// `-dKcli`: the commands of both command lines, and who takes them.
public enum CommandListing {
  /// `show stat [WORKER] `, sorted; the master's own stand with `[MASTER] `.
  public static var lines: [String] {
    var marks: [String: [String]] = [:]
    for command in MasterCommands.all { marks[name(command.words.joined(separator: " ")), default: []] += ["[MASTER]"] }
    for command in Commands.all {
      var own = ["[WORKER]"]
      if command.needs == .expert { own.append("[EXPERT]") }
      if command.needs == .experimental { own.append("[EXPERIM]") }
      marks[command.words.joined(separator: " "), default: []] += own
    }
    return marks.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value.joined(separator: " ")) " }
  }

  /// As HAProxy writes the prefixes of its master.
  private static func name(_ words: String) -> String {
    switch words {
    case "@1": "@<relative pid>"
    case "@": "@master"
    default: words
    }
  }
}
