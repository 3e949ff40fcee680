import Base
import Config
import Glibc
import Proxy
import Rules

signal(SIGPIPE, SIG_IGN)
var paths: [String] = []
var check = false
var arguments = CommandLine.arguments.dropFirst()
while let argument = arguments.popFirst() {
  switch argument {
  case "-f": if let path = arguments.popFirst() { paths.append(path) }
  case "-c": check = true
  default: break
  }
}
let loaded = ConfigurationLoader().load(paths: paths)
let rules = RuleCompiler.compile(loaded.configuration, diagnostics: loaded.diagnostics) { path in
  if case .octets(let text) = ConfigurationIO.system().read(path) { return text }
  return nil
}
var builder = RuntimeBuilder(loaded.configuration, rules, loaded.diagnostics, now: Now.read())
let runtime = builder.build()
for d in loaded.diagnostics.all { print(d.severity, d.location.file, d.location.line, d.message) }
guard let runtime else { exit(1) }
if check { exit(0) }
let gateway = Gateway(runtime)
let problems = gateway.listen()
for p in problems { print(p) }
if !problems.isEmpty { exit(1) }
gateway.start()
while true { pause() }
