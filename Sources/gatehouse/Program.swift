import Config
import Glibc

/// The command: reads its arguments and does what they ask for.
enum Program {
  static func run() -> Int32 {
    signal(SIGPIPE, SIG_IGN)
    let options: CommandLineOptions
    do throws(CommandLineOptions.Failure) {
      options = try CommandLineParser.parse(Array(CommandLine.arguments.dropFirst()))
    } catch {
      Console.write("gatehouse: \(error.message)\n", to: 2)
      if error.showsUsage { Console.write(CommandLineTexts.usage("gatehouse"), to: 2) }
      return 1
    }
    if let directory = options.directory, chdir(directory) != 0 {
      Console.write("[ALERT]    (\(getpid())) : Could not change to directory \(directory).\n", to: 2)
      return 1
    }
    if !options.keywordDump.isEmpty {
      Console.write(KeywordDump.text(options.keywordDump), to: 1)
      if options.configurations.isEmpty { return 0 }
    }
    switch options.action {
    case .showVersion(let form):
      Console.write(CommandLineTexts.version(form), to: 1)
      return 0
    case .help:
      Console.write(CommandLineTexts.usage("gatehouse"), to: 1)
      return 0
    case .evaluate(let text): return evaluate(text)
    case .check: Startup(options).check()
    case .run: return serve(options)
    }
  }

  /// `-cc`: 0 when the condition holds.
  private static func evaluate(_ text: String) -> Int32 {
    let environment = ConfigurationIO.processEnvironment()
    let condition = Condition(expanding: text, environment: environment)
    do throws(Condition.Failure) { return try condition.evaluate() ? 0 : 1 } catch {
      Console.write(condition.explain(error), to: 2)
      return 1
    }
  }

  private static func serve(_ options: CommandLineOptions) -> Int32 {
    if options.configurations.isEmpty {
      Console.write(CommandLineTexts.usage("gatehouse"), to: 2)
      return 1
    }
    if Respawn.role == .original {
      let startup = Startup(options)
      // The configuration may ask for what else only the command line does.
      let plan = startup.plan()
      if plan.isMaster {
        if let master = Master(options, pidfile: plan.pidfile) { return master.run() }
        Console.write("[ALERT]    (\(getpid())) : cannot create an event loop\n", to: 2)
        return 1
      }
      if plan.isDaemon { return Respawn.daemonize() }
    }
    return Startup(options).serve()
  }
}

/// Unbuffered output; what cannot be written is dropped.
enum Console {
  static func write(_ text: String, to descriptor: Int32) {
    var rest = Array(text.utf8)[...]
    while !rest.isEmpty {
      let n = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
      if n <= 0 { return }
      rest = rest.dropFirst(n)
    }
  }
}
