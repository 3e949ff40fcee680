import Base

/// What `help` and a mistyped command are answered with.
enum CommandHelp {
  private static let mostSuggestions = 5

  /// `help`, `help show s`: the commands that begin with the words; the last word may be a part.
  static func list(_ words: [String]) -> [UInt8] {
    var out = Array("The following commands are valid at this level:\n".utf8)
    append(Commands.all.filter { begins($0, with: words) }, to: &out)
    return out
  }

  static func unknown(_ words: [String], _ first: String) -> [UInt8] {
    var out: [UInt8] = []
    let shared = Commands.all.map { commonWords($0, words) }.max() ?? 0
    out.append("Unknown command: '\(first)', but maybe one of the following ones is a better match:\n")
    var matches = Commands.all.filter { commonWords($0, words) == shared }
    if shared < words.count {
      let near = nearest(to: Array(words.dropFirst(shared).prefix(5)), among: matches, from: shared)
      if shared == 0 || !near.isEmpty { matches = near }
    }
    append(matches, to: &out)
    return out
  }

  /// The last three stand at the end of every list.
  private static func append(_ commands: [Command], to out: inout [UInt8]) {
    let usual = Set(["help", "prompt", "quit"])
    for command in commands where !usual.contains(command.words[0]) { out.append(command.helpLine) }
    for command in Commands.all where usual.contains(command.words[0]) { out.append(command.helpLine) }
  }

  private static func begins(_ command: Command, with words: [String]) -> Bool {
    for (index, word) in words.enumerated() {
      guard index < command.words.count else { return true }
      let isLast = index == words.count - 1
      if isLast ? !command.words[index].hasPrefix(word) : command.words[index] != word { return false }
    }
    return true
  }

  private static func commonWords(_ command: Command, _ words: [String]) -> Int {
    zip(command.words, words).prefix { $0 == $1 }.count
  }

  /// Those whose remaining words share the most pairs of neighbouring letters with what was given.
  private static func nearest(to words: [String], among commands: [Command], from index: Int) -> [Command] {
    let wanted = pairs(words)
    let rated = commands.compactMap { command -> (command: Command, distance: Int)? in
      let own = pairs(Array(command.words.dropFirst(index)))
      let distance = wanted.symmetricDifference(own).count
      return distance * 3 < (wanted.count + own.count) * 2 ? (command, distance) : nil
    }
    return rated.sorted { $0.distance < $1.distance }.prefix(mostSuggestions).map(\.command)
  }

  private static func pairs(_ words: [String]) -> Set<UInt16> {
    var result: Set<UInt16> = []
    for word in words {
      var before: UInt8 = 0
      for octet in word.utf8.prefix(32) {
        let letter = ASCII.lower(octet)
        result.insert(UInt16(before) << 8 | UInt16(letter))
        before = letter
      }
      result.insert(UInt16(before) << 8)
    }
    return result
  }
}
