/// What an error, warning or note says about the configuration.
public struct Diagnostic: Sendable {
  public enum Severity: Int, Comparable, Sendable {
    case diag, notice, warning, alert
    public static func < (a: Severity, b: Severity) -> Bool { a.rawValue < b.rawValue }
  }

  /// How the first line names the place, as tools that read HAProxy's output expect it.
  public enum Form: Sendable {
    /// `config : parsing [file:line] : message`.
    case parsing
    /// `config : [file:line] : message`.
    case place
    /// `config : message`.
    case plain
  }

  public var severity: Severity
  public var form: Form = .parsing
  public var location: SourceLocation
  /// One sentence without a final full stop; the first line of the output.
  public var message: String
  /// What would have been accepted in this place.
  public var expected: String?
  /// The nearest known word ("did you mean").
  public var suggestion: String?
  /// A whole line that can be pasted in place of this one.
  public var replacement: String?
  /// Further places that matter, such as an earlier definition.
  public var related: [(location: SourceLocation, message: String)] = []
  /// False for advice of ours that HAProxy does not give: it must not fail a run under `-dW`.
  public var countsAsWarning = true

  public init(
    _ severity: Severity, at location: SourceLocation, _ message: String, expected: String? = nil,
    suggestion: String? = nil, replacement: String? = nil
  ) {
    self.severity = severity
    self.location = location
    self.message = message
    self.expected = expected
    self.suggestion = suggestion
    self.replacement = replacement
  }
}

/// Collects everything that is said about a configuration so that one run reports all of it.
public final class Diagnostics {
  public private(set) var all: [Diagnostic] = []

  public init() {}

  public private(set) var hasErrors = false
  public var warningCount: Int { all.count { $0.severity == .warning && $0.countsAsWarning } }

  public func add(_ diagnostic: Diagnostic) {
    all.append(diagnostic)
    if diagnostic.severity == .alert { hasErrors = true }
  }

  public func error(
    _ message: String, at location: SourceLocation, expected: String? = nil, suggestion: String? = nil,
    replacement: String? = nil
  ) {
    add(
      Diagnostic(
        .alert, at: location, message, expected: expected, suggestion: suggestion, replacement: replacement))
  }

  public func warning(_ message: String, at location: SourceLocation, replacement: String? = nil) {
    add(Diagnostic(.warning, at: location, message, replacement: replacement))
  }

  /// Advice that HAProxy does not give.
  public func advice(_ message: String, at location: SourceLocation, replacement: String? = nil) {
    var diagnostic = Diagnostic(.warning, at: location, message, replacement: replacement)
    diagnostic.countsAsWarning = false
    add(diagnostic)
  }
}
