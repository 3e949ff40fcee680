import Base

extension ProxyKeywords {
  /// `filter trace [name <name>] [random-forwarding] quiet`: for tests of what stands between both ends.
  static func traceFilter(_ settings: inout ProxySettings, _ arguments: inout Arguments) throws(Refusal) {
    var isQuiet = false
    while let word = arguments.next() {
      switch word.text {
      case "name": _ = try arguments.required("a name")
      case "random-forwarding": settings.forwardsAtRandom = true
      case "quiet": isQuiet = true
      default:
        throw Refusal.unknownArgument(word, of: "filter trace", among: ["name", "random-forwarding", "quiet"])
      }
    }
    if !isQuiet {
      throw Refusal(
        "'filter trace' is supported with 'quiet' only.", at: arguments.keywordLocation,
        expected: "filter trace [name <name>] [random-forwarding] quiet")
    }
  }
}
