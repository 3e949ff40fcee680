import Config
import Glibc

/// A trial entry point: checks configurations.
private func say(_ text: String, to descriptor: Int32) {
  var rest = Array(text.utf8)[...]
  while !rest.isEmpty {
    let n = rest.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
    if n <= 0 { return }
    rest = rest.dropFirst(n)
  }
}

private func check(_ options: CommandLineOptions) -> Int32 {
  var loader = ConfigurationLoader()
  loader.ignoresUnresolvable = options.ignoresUnresolvable
  loader.localPeer = options.localPeer
  let loaded = loader.load(paths: options.configurations)
  var report = ConfigurationReport(loaded, files: options.configurations)
  report.quiet = options.quiet
  report.warningsAreFatal = options.warningsAreFatal
  report.diagnosticMode = options.diagnosticMode
  report.printer.style = options.format == .json ? .json : .text
  report.printer.colors = isatty(2) == 1 && getenv("NO_COLOR") == nil
  let outcome = report.check()
  say(outcome.errors, to: 2)
  say(outcome.output, to: 1)
  return outcome.status
}

private func run() -> Int32 {
  let options: CommandLineOptions
  do throws(CommandLineOptions.Failure) {
    options = try CommandLineParser.parse(Array(CommandLine.arguments.dropFirst()))
  } catch {
    say("gatehouse: \(error.message)\n", to: 2)
    if error.showsUsage { say(CommandLineTexts.usage("gatehouse"), to: 2) }
    return 1
  }
  if !options.keywordDump.isEmpty {
    let reference = options.keywordDump == ["markdown"]
    say(reference ? KeywordReference.text : KeywordListing.text(classes: options.keywordDump), to: 1)
    if options.configurations.isEmpty { return 0 }
  }
  switch options.action {
  case .showVersion(let form):
    say(CommandLineTexts.version(form), to: 1)
    return 0
  case .help:
    say(CommandLineTexts.usage("gatehouse"), to: 1)
    return 0
  case .evaluate(let text):
    let condition = Condition(text, environment: ConfigurationIO.processEnvironment())
    do throws(Condition.Failure) { return try condition.evaluate() ? 0 : 1 } catch {
      say(condition.explain(error), to: 2)
      return 1
    }
  case .check, .run: return check(options)
  }
}

exit(run())
