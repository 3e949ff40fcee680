import Base
import Glibc

/// What a run over the configuration prints and how it ends, as HAProxy's `-c` and start-up do.
public struct ConfigurationReport {
  public struct Outcome: Equatable, Sendable {
    /// For standard error.
    public var errors = ""
    /// For standard output.
    public var output = ""
    /// 0: good; 1: errors; 2: good, and nothing to listen on.
    public var status: Int32 = 0
  }

  public var printer: DiagnosticPrinter
  /// `-q`: warnings and notes are not shown; errors are.
  public var quiet = false
  /// `-dW`.
  public var warningsAreFatal = false
  /// `-dD`: `.diag` messages are shown.
  public var diagnosticMode = false
  private let loaded: LoadedConfiguration
  private let files: [String]

  public init(_ loaded: LoadedConfiguration, files: [String]) {
    self.loaded = loaded
    self.files = files
    printer = DiagnosticPrinter(processID: getpid(), sources: loaded.sources)
  }

  /// All diagnostics and HAProxy's last words for `-c`.
  public func check() -> Outcome {
    var outcome = diagnostics()
    guard outcome.status == 0 else { return outcome }
    if loaded.diagnostics.warningCount > 0, !quiet, printer.style == .text {
      outcome.output += "Warnings were found.\n"
    }
    if !quiet, printer.style == .text {
      outcome.output += "Configuration file is valid\n"
    }
    return outcome
  }

  /// All diagnostics, and what HAProxy says at the end when there are errors.
  public func diagnostics() -> Outcome {
    var outcome = Outcome()
    var failed: [String] = []
    for diagnostic in loaded.diagnostics.all where isShown(diagnostic) {
      outcome.errors += printer.text(of: diagnostic)
    }
    for diagnostic in loaded.diagnostics.all where diagnostic.severity == .alert && diagnostic.form != .plain {
      if !failed.contains(diagnostic.location.file) { failed.append(diagnostic.location.file) }
    }
    if loaded.diagnostics.hasErrors {
      outcome.status = 1
      guard printer.style == .text else { return outcome }
      for file in failed where !file.isEmpty {
        outcome.errors += printer.line(.alert, "Error(s) found in configuration file : \(file)")
      }
      outcome.errors += printer.line(.alert, "Fatal errors found in configuration.")
    } else if loaded.diagnostics.warningCount > 0,
      warningsAreFatal || loaded.configuration.global.zeroWarning
    {
      outcome.status = 1
      guard printer.style == .text else { return outcome }
      outcome.errors += printer.line(.alert, "Some warnings were found and 'zero-warning' is set. Aborting.")
    }
    return outcome
  }

  private func isShown(_ diagnostic: Diagnostic) -> Bool {
    switch diagnostic.severity {
    case .alert: true
    case .warning, .notice: !quiet
    case .diag: diagnosticMode && !quiet
    }
  }
}
