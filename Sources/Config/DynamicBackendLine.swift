import Base

/// A backend that comes while the gateway runs: `add backend <name> from <defaults> [mode <mode>] [guid <guid>]`.
/// Texts are HAProxy's.
public enum DynamicBackendLine {
  public enum Outcome {
    /// What the backend is, and the name of the `defaults` section.
    case backend(ProxySettings, defaults: String)
    case problem(String)
  }

  /// `words` are those behind `add backend`.
  public static func parse(_ words: [String], in configuration: Configuration) -> Outcome {
    guard let name = words.first, !name.isEmpty else { return .problem("Require backend name.") }
    if let invalid = Name.firstInvalid(Bytes(name)) {
      return .problem("Invalid character '\(Bytes(name).dropFirst(invalid).prefix(1).string)' in backend name.")
    }
    guard words.count >= 3, words[1] == "from" else { return .problem("Usage: add backend <name> from <defproxy>.") }
    var options = Options()
    if let problem = options.read(words.dropFirst(3)) { return .problem(problem) }
    guard let defaults = configuration.namedDefaults.first(where: { $0.name == words[2] }) else {
      return .problem("Cannot find default proxy '\(words[2])'.")
    }
    guard defaults.saysMode || options.mode != nil else {
      return .problem("Mode is required as '\(words[2])' default proxy does not explicitly defines it.")
    }
    guard defaults.mode != .log else {
      return .problem(
        "Dynamic backends only support TCP or HTTP mode, whereas default proxy '\(words[2])' uses 'mode log'.")
    }
    let heirs = configuration.heirsOfRules[defaults.location.place]
    if let problem = DefaultRules.problem(of: defaults.value, for: .backend, heirs: heirs) {
      return .problem("Error during backend creation : \(problem)")
    }
    if let problem = options.guid.flatMap(Name.problem(ofGUID:)) {
      return .problem("Error during backend creation : GUID insertion : \(problem).")
    }
    var settings = template(of: defaults.value)
    settings.name = name
    settings.mode = options.mode ?? defaults.mode
    settings.guid = options.guid
    settings.checkModes(ProxyReport(diagnostics: Diagnostics()))
    return .backend(settings, defaults: words[2])
  }

  /// What every backend has that such a line makes from a `defaults` section.
  public static func template(of defaults: ProxySettings) -> ProxySettings {
    var settings = defaults
    settings.inherit(kind: .backend, name: defaults.name, location: defaults.location)
    settings.isUnpublished = true
    settings.modernize()
    settings.settleCompression()
    return settings
  }

  private struct Options {
    var mode: Mode?
    var guid: String?

    /// What is wrong with the words, if anything is.
    mutating func read(_ words: ArraySlice<String>) -> String? {
      var rest = words
      while let word = rest.popFirst() {
        let value = rest.popFirst()
        switch word {
        case "mode" where value != nil && mode == nil:
          if value == "log" || value == "spop" { return "Dynamic backends are compatible with only TCP or HTTP mode." }
          mode = value.flatMap(Mode.init(rawValue:))
          if mode == nil { return "Unknown proxy mode." }
        case "guid" where value != nil && guid == nil: guid = value
        default: return "Usage: add backend <name> from <defproxy> [mode <px_mode>] [guid <val>]."
        }
      }
      return nil
    }
  }
}
