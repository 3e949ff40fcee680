import Foundation

/// A configuration that users wrote, told apart from its machine: only addresses and paths are replaced.
struct Seed {
  let text: String

  /// Reads `Configurations/<name>` and replaces each `from` by its `to`.
  ///
  /// Refuses a replacement of anything but an address, a host name or a path, one that does not occur, and any
  /// that changes how many lines or words the file has.
  init(_ name: String, _ replacements: [(from: String, to: String)]) throws {
    let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .appendingPathComponent("Configurations").appendingPathComponent(name)
    let original = try String(contentsOf: file, encoding: .utf8)
    var changed: [String] = []
    var remaining = Dictionary(uniqueKeysWithValues: replacements.map { ($0.from, false) })
    for line in original.components(separatedBy: "\n") {
      let words = line.components(separatedBy: " ").map { word -> String in
        guard let hit = replacements.first(where: { $0.from == word }) else { return word }
        remaining[hit.from] = true
        return hit.to
      }
      changed.append(words.joined(separator: " "))
    }
    for (from, to) in replacements {
      guard Seed.isPlace(from), Seed.isPlace(to) else {
        throw Failure("'\(from)' -> '\(to)' is no address or path")
      }
      guard remaining[from] == true else { throw Failure("'\(from)' does not occur in \(name)") }
    }
    text = changed.joined(separator: "\n")
    let kept = zip(original.split(whereSeparator: \.isWhitespace), text.split(whereSeparator: \.isWhitespace))
    for (before, after) in kept where before != after {
      guard replacements.contains(where: { $0.from == before && $0.to == after }) else {
        throw Failure("\(name): '\(before)' became '\(after)'")
      }
    }
  }

  /// Absolute paths, networks, addresses, host names, each with a port or without.
  private static func isPlace(_ word: String) -> Bool {
    word.hasPrefix("/") || word.wholeMatch(of: /(\*|[\w.-]+)(:\d+(-\d+)?|\/\d+)?/) != nil && word.contains(/[.:]/)
  }
}
