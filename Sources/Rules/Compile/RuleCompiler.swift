public import Base
public import Config

public enum RuleCompiler {
  /// Compiles all rules of a configuration. Mistakes go to `diagnostics`; what is broken is left out, so the result
  /// may only be used when there are no errors. `readFile` gives the content of pattern, map and body files, nil
  /// when one cannot be read.
  public static func compile(
    _ configuration: Configuration, diagnostics: Diagnostics, readFile: @escaping (String) -> [UInt8]?
  ) -> CompiledRules {
    let shared = SharedScope(configuration: configuration, diagnostics: diagnostics, readFile: readFile)
    var rules = CompiledRules(processVariables: shared.processVariables, patterns: shared.patterns)
    GlobalVariables.set(configuration.global.variableLines, configuration, diagnostics, shared)
    LogProfile.compile(configuration.logProfiles, configuration, diagnostics, shared)
    for index in configuration.proxies.indices {
      let scope = CompileScope(
        configuration: configuration, diagnostics: diagnostics, shared: shared, proxyIndex: index)
      var compiler = ProxyCompiler(configuration.proxies[index], scope)
      rules.proxies.append(CompiledProxy(compiler.run()))
    }
    for defaults in configuration.namedDefaults {
      rules.backendTemplates[defaults.name] = BackendTemplate(defaults.value, configuration, shared)
    }
    rules.logProfiles = shared.logProfiles
    for section in configuration.healthChecks {
      let scope = CompileScope(
        configuration: configuration, diagnostics: diagnostics, shared: shared, proxyIndex: -1)
      var compiler = CheckCompiler(section, scope)
      rules.healthChecks[section.name] = compiler.run()
    }
    rules.variableNames = shared.variables.names
    rules.tables = shared.tables.all
    rules.statusClasses = configuration.global.statusClasses
    rules.referencedServers = shared.referencedServers
    rules.referencedBackends = shared.referencedBackends
    rules.tokenCertificates = shared.tokenCertificates
    shared.patterns.assignIDs()
    shared.processVariables.name(shared.variables.names)
    rules.variables = RuntimeVariables(shared.variables, shared.processVariables)
    return rules
  }

  /// Compiles one log format outside of any proxy; nil when it is wrong, with the reason in `diagnostics`.
  public static func logFormat(
    _ word: Word, configuration: Configuration, diagnostics: Diagnostics
  ) -> LogFormat? {
    let shared = SharedScope(configuration: Configuration(), diagnostics: diagnostics) { _ in nil }
    let scope = CompileScope(
      configuration: configuration, diagnostics: diagnostics, shared: shared, proxyIndex: -1)
    scope.place = .logs
    do throws(RuleError) {
      return try LogFormatParser.log(word.bytes, scope: scope)
    } catch {
      scope.report(error, "", Directive(words: [word], location: word.location))
      return nil
    }
  }
}

extension RuleContext {
  /// A context for expressions that look at nothing but what they are given.
  public static func outsideOfStreams(at now: Now) -> RuleContext {
    RuleContext(
      connection: ConnectionFacts(source: .none, destination: .none, accepted: now),
      environment: GlobalVariables.StartEnvironment(), now: now)
  }
}

/// `set-var` and `set-var-fmt` of the global section: evaluated once, at start.
enum GlobalVariables {
  static func set(
    _ lines: [Directive], _ configuration: Configuration, _ diagnostics: Diagnostics, _ shared: SharedScope
  ) {
    let scope = CompileScope(
      configuration: configuration, diagnostics: diagnostics, shared: shared, proxyIndex: -1)
    scope.place = .configuration
    for line in lines {
      do throws(RuleError) {
        guard line.words.count >= 3 else {
          throw RuleError("'\(line.keyword)' expects a variable and a value")
        }
        let variable = try shared.variables.variable(line.words[1].bytes)
        guard variable.scope == .proc else {
          throw RuleError("'\(line.keyword)': only variables of the scope 'proc' can be set here")
        }
        let value: Sample?
        let context = RuleContext.outsideOfStreams(at: noTime)
        context.processVariables = shared.processVariables
        if line.keyword == "set-var-fmt" {
          let format = try LogFormatParser.plain(line.words[2].bytes, scope: scope)
          value = .string(Bytes(format.rendered(context)))
        } else {
          value = try ExpressionParser.parse(line.words[2].bytes, scope: scope).evaluate(context)
        }
        variable.set(value, context)
      } catch {
        scope.report(error, "'\(line.keyword)': ", line)
      }
    }
  }

  static let noTime = Now(instant: Instant(microseconds: 0), wall: WallTime(microseconds: 0))

  /// What little is known before the process runs.
  final class StartEnvironment: ProxyEnvironment {
    var processID: Int { 0 }
    var nodeName: Bytes { .empty }
    var hostName: Bytes { .empty }
    var threadCount: Int { 1 }
    var threadID: Int { 1 }
    var activeConnections: Int { 0 }
    var isStopping: Bool { false }
    var started: Instant { Instant(microseconds: 0) }
    func random() -> UInt64 { UInt64.random(in: .min ... .max) }
    func frontendCount(_ query: FrontendQuery, of frontend: String) -> Int { 0 }
    func backendCount(_ query: BackendQuery, of backend: String) -> Int { 0 }
    func serverCount(_ query: ServerQuery, of server: String, in backend: String) -> Int { 0 }
    func log(_ context: RuleContext, _ origin: LogOrigin, _ profile: LogProfile?) {}
    func label(_ socket: Int32, typeOfService: Int?, mark: UInt32?) {}
    func hasFrontend(_ name: Bytes) -> Bool { name == "front" }
    func isLocal(_ address: IPAddress) -> Bool { address == .v4(0x7F00_0001) }
    func show(_ text: String, in sink: String) {}
    func transport(_ query: TransportQuery, of socket: Int32) -> Int64? { nil }
    func listenerConnections(_ connection: ConnectionFacts) -> Int { 0 }
  }
}
