import Base
import Config
import Glibc
import Proxy
import Rules

/// From the command line to a serving process: load, check, build, listen, give up privileges, serve.
struct Startup {
  let options: CommandLineOptions

  init(_ options: CommandLineOptions) { self.options = options }

  private struct Prepared {
    var loaded: LoadedConfiguration
    var runtime: Runtime?
  }

  /// Everything short of opening sockets, so that `-c` sees all that a start would.
  private func prepare() -> Prepared {
    let began = Now.read()
    Gateway.prepare()
    var loader = ConfigurationLoader()
    loader.localPeer = options.localPeer
    loader.ignoresUnresolvable = options.ignoresUnresolvable
    var loaded = loader.load(paths: options.configurations)
    if let limit = options.maxConnections { loaded.configuration.global.maxConnections = limit }
    if let limit = options.maxConnectionsPerProxy {
      for i in loaded.configuration.proxies.indices
      where loaded.configuration.proxies[i].maxConnections == nil {
        loaded.configuration.proxies[i].maxConnections = limit
      }
    }
    if options.copiesBodies { loaded.configuration.global.splices = false }
    if options.skipsServerVerification { loaded.configuration.global.verifyServers = false }
    let rules = RuleCompiler.compile(loaded.configuration, diagnostics: loaded.diagnostics) { path in
      guard case .octets(let text) = ConfigurationIO.system().read(path) else { return nil }
      return text
    }
    var builder = RuntimeBuilder(loaded.configuration, rules, loaded.diagnostics, now: began)
    return Prepared(loaded: loaded, runtime: builder.build())
  }

  private func report(_ loaded: LoadedConfiguration) -> ConfigurationReport {
    var report = ConfigurationReport(loaded, files: options.configurations)
    report.quiet = options.quiet
    report.warningsAreFatal = options.warningsAreFatal
    report.diagnosticMode = options.diagnosticMode
    report.printer.style = options.format == .json ? .json : .text
    report.printer.colors = DiagnosticPrinter.usesColors(
      isTerminal: isatty(2) == 1, noColor: getenv("NO_COLOR").map { String(cString: $0) })
    return report
  }

  /// `-c`.
  func check() -> Never {
    let prepared = prepare()
    let outcome = report(prepared.loaded).check()
    Console.write(outcome.errors, to: 2)
    Console.write(outcome.output, to: 1)
    // Freeing all that a large configuration has come to would take as long as reading it.
    withExtendedLifetime(prepared) { exit(outcome.status) }
  }

  /// Which processes the start will have.
  struct Plan {
    var isMaster: Bool
    var isDaemon: Bool
    var pidfile: String?
  }

  /// A first look at the configuration, without a word about it: the process that serves will report.
  func plan() -> Plan {
    if options.foreground || options.debug, !options.masterWorker {
      return Plan(isMaster: false, isDaemon: false, pidfile: options.pidfile)
    }
    if options.masterWorker || options.daemon {
      return Plan(isMaster: options.masterWorker, isDaemon: options.daemon, pidfile: options.pidfile)
    }
    let global = ConfigurationLoader().load(paths: options.configurations).configuration.global
    return Plan(
      isMaster: global.masterWorker, isDaemon: global.isDaemon, pidfile: options.pidfile ?? global.pidfile)
  }

  /// Runs until told to stop; the process's exit status.
  func serve() -> Int32 {
    let prepared = prepare()
    let outcome = report(prepared.loaded).diagnostics()
    if options.format == .text || outcome.status != 0 { Console.write(outcome.errors, to: 2) }
    Respawn.report(outcome.errors)
    if outcome.status != 0 { return outcome.status }
    guard let runtime = prepared.runtime else { return 1 }
    let global = prepared.loaded.configuration.global
    for text in options.withoutEffect { notice("\(text) has no effect here.") }
    let process = ServingProcess(global, options)
    if let problem = process.raiseLimits(connections: runtime.connectionLimit) {
      alert("[gatehouse.main()] \(problem)")
      return 1
    }
    let gateway = Gateway(runtime)
    gateway.startupLog = outcome.errors
    gateway.noteWarnings(prepared.loaded.diagnostics.warningCount)
    gateway.masterChannel = Respawn.takeChannel()
    if let old = Respawn.takeSockets() { InheritedSockets.receive(from: old) }
    let problems = gateway.listen()
    if !problems.isEmpty {
      for problem in problems { alert(problem) }
      alert("[gatehouse.main()] Some protocols failed to start their listeners! Exiting.")
      return 1
    }
    if !gateway.hasListeners {
      alert("[gatehouse.main()] No enabled listener found (check for 'bind' directives) ! Exiting.")
      return 1
    }
    if Respawn.role != .worker, let path = options.pidfile ?? global.pidfile {
      ServingProcess.writePidfile(path)
    }
    // Both listen on the same ports now; the old ones can leave, and only this user may tell them so.
    if Respawn.role != .worker { ServingProcess.relieve(options) }
    if let problem = process.dropPrivileges() {
      alert("[gatehouse.main()] \(problem)")
      return 1
    }
    let signals = Signals()
    gateway.start()
    process.detach()
    Respawn.reportReady()
    return signals.serve(gateway, hardStopAfter: global.hardStopAfter)
  }

  private func warn(_ text: String) {
    if !options.quiet { Console.write("[WARNING]  (\(getpid())) : \(text)\n", to: 2) }
  }

  /// For those who ask: `-dM` and the like are in scripts that must go on in silence.
  private func notice(_ text: String) {
    if options.verbose, !options.quiet { Console.write("[NOTICE]   (\(getpid())) : \(text)\n", to: 2) }
  }

  private func alert(_ text: String) {
    let line = "[ALERT]    (\(getpid())) : \(text)\n"
    Console.write(line, to: 2)
    Respawn.report(line)
  }
}
