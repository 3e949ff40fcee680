import Base

/// The nesting of `.if` blocks.
struct ConditionalBlocks {
  /// As in HAProxy, which has room for 16 levels.
  static let depthLimit = 16

  private enum Branch {
    /// Lines count.
    case taken
    /// Nothing was taken yet; a later branch may be.
    case waiting
    /// A branch was taken before, or the block stands in one that is skipped.
    case done
  }

  private var levels: [(branch: Branch, sawElse: Bool)] = []

  var isOpen: Bool { !levels.isEmpty }
  var isSkipping: Bool { levels.last.map { $0.branch != .taken } ?? false }
  var isFull: Bool { levels.count + 1 >= ConditionalBlocks.depthLimit }
  /// Whether an `.elif` here has to look at its condition.
  var wantsCondition: Bool { levels.last.map { $0.branch == .waiting } ?? false }
  var sawElse: Bool { levels.last?.sawElse ?? false }

  mutating func open(taken: Bool) { levels.append((isSkipping ? .done : taken ? .taken : .waiting, false)) }

  mutating func otherwise(taken: Bool, isElse: Bool) {
    guard let level = levels.popLast() else { return }
    let branch: Branch = level.branch == .waiting ? (taken ? .taken : .waiting) : .done
    levels.append((branch, level.sawElse || isElse))
  }

  mutating func close() { _ = levels.popLast() }
}

/// A line that starts with a dot (manual chapter 2.4).
struct Macro {
  let words: [Word]
  let context: LoadContext

  func run(_ blocks: inout ConditionalBlocks) throws(Refusal) {
    guard let name = words.first else { return }
    switch name.text {
    case ".if":
      if blocks.isFull {
        throw Refusal(
          "too many nested '.if', max is \(ConditionalBlocks.depthLimit).", at: name.location)
      }
      blocks.open(taken: blocks.isSkipping ? false : try conditionOrFalse(&blocks))
    case ".elif":
      try requireOpen(blocks, name)
      if blocks.sawElse { throw Refusal("'.elif' after '.else' is not permitted.", at: name.location) }
      let taken = blocks.wantsCondition ? try condition() : false
      blocks.otherwise(taken: taken, isElse: false)
    case ".else":
      try requireNoArguments()
      try requireOpen(blocks, name)
      if blocks.sawElse { throw Refusal("'.else' after '.else' is not permitted.", at: name.location) }
      blocks.otherwise(taken: true, isElse: true)
    case ".endif":
      try requireNoArguments()
      try requireOpen(blocks, name)
      blocks.close()
    default:
      if !blocks.isSkipping { try message(name) }
    }
  }

  /// A wrong condition still opens its block, so that its `.endif` finds one.
  private func conditionOrFalse(_ blocks: inout ConditionalBlocks) throws(Refusal) -> Bool {
    do throws(Refusal) {
      return try condition()
    } catch {
      blocks.open(taken: false)
      throw error
    }
  }

  private func condition() throws(Refusal) -> Bool {
    let text = words.dropFirst().map(\.text).joined(separator: " ")
    do throws(Condition.Failure) {
      return try Condition(text, environment: context.environment).evaluate()
    } catch {
      let start = words.count > 1 ? words[1].location : words[0].location
      var place = start
      place.column += error.position
      place.length = 1
      throw Refusal(
        "\(error.message) in '\(words[0].text)' at position \(error.position + 1):", at: place,
        expected: error.expected, suggestion: error.suggestion)
    }
  }

  private func requireOpen(_ blocks: ConditionalBlocks, _ name: Word) throws(Refusal) {
    if !blocks.isOpen { throw Refusal("lone '\(name.text)' with no matching '.if'.", at: name.location) }
  }

  private func requireNoArguments() throws(Refusal) {
    guard words.count > 1 else { return }
    throw Refusal("Unexpected argument '\(words[1].text)' for '\(words[0].text)'.", at: words[1].location)
  }

  private func message(_ name: Word) throws(Refusal) {
    let severities: [String: Diagnostic.Severity] = [
      ".alert": .alert, ".warning": .warning, ".notice": .notice, ".diag": .diag,
    ]
    guard let severity = severities[name.text] else {
      let known = severities.keys.sorted() + [".if", ".elif", ".else", ".endif"]
      throw Refusal(
        "unknown directive '\(name.text)'.", at: name.location, expected: known.oneOf,
        suggestion: Nearest.word(to: name.text, among: known))
    }
    if words.count > 2 {
      throw Refusal(
        "Unexpected argument '\(words[2].text)' for '\(name.text)'. Use quotes if the message should contain "
          + "spaces.", at: words[2].location)
    }
    let text = words.count > 1 ? words[1].text : ""
    context.diagnostics.add(Diagnostic(severity, at: name.location.wholeLine, "'\(text)'."))
  }
}
