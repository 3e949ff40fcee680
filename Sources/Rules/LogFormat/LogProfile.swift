public import Base
public import Config

/// A compiled `log-profile` section; immutable, shared by all workers.
public final class LogProfile: Sendable {
  /// What one `on` line says.
  public struct Step: Sendable {
    public let isDropped: Bool
    public let format: LogFormat?
    public let structuredData: LogFormat?
  }

  public let tag: Bytes?
  private let steps: [LogOrigin: Step]
  private let anyStep: Step?

  init(_ settings: LogProfileSettings, scope: CompileScope) {
    tag = settings.tag.map { Bytes($0) }
    steps = settings.steps.mapValues { LogProfile.compile($0, scope) }
    anyStep = settings.anyStep.map { LogProfile.compile($0, scope) }
  }

  /// What holds for lines of `origin`; nil leaves them as they are.
  public func step(for origin: LogOrigin) -> Step? { steps[origin.step] ?? anyStep }

  private static func compile(_ step: LogProfileSettings.Step, _ scope: CompileScope) -> Step {
    Step(
      isDropped: step.isDropped, format: step.format.flatMap { compile($0, scope) },
      structuredData: step.structuredData.flatMap { compile($0, scope) })
  }

  private static func compile(_ word: Word, _ scope: CompileScope) -> LogFormat? {
    do throws(RuleError) {
      return try LogFormatParser.log(word.bytes, scope: scope)
    } catch {
      scope.report(error, "failed to parse log-profile format : ", Directive(words: [word], location: word.location))
      return nil
    }
  }

  /// Compiles all sections into `shared`.
  static func compile(
    _ sections: [LogProfileSettings], _ configuration: Configuration, _ diagnostics: Diagnostics, _ shared: SharedScope
  ) {
    guard !sections.isEmpty else { return }
    let scope = CompileScope(
      configuration: configuration, diagnostics: diagnostics, shared: shared, proxyIndex: -1)
    scope.place = .logs
    for section in sections where shared.logProfiles[section.name.text] == nil {
      shared.logProfiles[section.name.text] = LogProfile(section, scope: scope)
    }
  }
}
