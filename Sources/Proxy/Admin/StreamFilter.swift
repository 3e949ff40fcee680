import Base
import Config
import NetIO

/// Which streams `show sess` lists, and how.
struct StreamFilter {
  /// As `show sess` names one.
  var id: String?
  var showsTarget = false
  /// Seconds that a stream must have lived.
  private var age: Int64?
  private var frontend: Frontend?
  private var backend: Backend?
  private var server: Server?

  enum Parsed {
    case filter(StreamFilter)
    case help
    case problem(String)
  }

  static let help = """
    Usage: show sess [<id> | all | help] [<options>*]
       <id>         the stream of this name only (0x...)
       all          all streams
       help         this text
    Options:
       show-uri     the target of the request as well
       older <age>  streams that have lived longer than <age> seconds
       server <b/s>, backend <b>, frontend <f>  streams that belong to it

    """

  /// Texts are HAProxy's.
  static func parse(_ words: [String], _ runtime: Runtime) -> Parsed {
    var filter = StreamFilter()
    var rest = words[...]
    switch rest.first {
    case "help": return .help
    case "all": rest.removeFirst()
    case let word? where word.hasPrefix("0x"):
      filter.id = word
      rest.removeFirst()
    default: break
    }
    while let word = rest.popFirst() {
      if let problem = filter.take(word, &rest, runtime) { return .problem(problem) }
    }
    return .filter(filter)
  }

  private mutating func take(_ word: String, _ rest: inout ArraySlice<String>, _ runtime: Runtime) -> String? {
    switch word {
    case "show-uri": showsTarget = true
    case "older":
      guard let value = rest.popFirst() else { return "Expects a minimum age (in seconds by default)." }
      guard let span = CommandNumber.milliseconds(value, unit: 1000) else { return "Invalid age '\(value)'." }
      age = Int64(span / 1000)
    case "frontend":
      guard let name = rest.popFirst() else { return "Expects a frontend name." }
      guard let found = runtime.frontend(name) else { return "No such frontend '\(name)'." }
      frontend = found
    case "backend":
      guard let name = rest.popFirst() else { return "Expects a backend name." }
      guard let found = runtime.backend(name) else { return "No such backend '\(name)'." }
      backend = found
    case "server":
      let parts = (rest.popFirst() ?? "").split(separator: "/", maxSplits: 1).map(String.init)
      guard parts.count == 2 else { return "Expects a server name (<backend>/<server>)." }
      guard let found = runtime.backend(parts[0])?.server(parts[1]) else { return "No such server." }
      server = found
    default: return "Unsupported option '\(word)', try 'help' for more info."
    }
    return nil
  }

  /// Called on the thread of the stream's worker.
  func matches(_ stream: Stream) -> Bool {
    if let id, stream.listedID != id { return false }
    if let age, (stream.worker.loop.now.instant - stream.times.accepted).seconds < age { return false }
    if let frontend, stream.frontend !== frontend { return false }
    if let backend, stream.backend !== backend { return false }
    if let server, stream.server !== server { return false }
    return true
  }
}
