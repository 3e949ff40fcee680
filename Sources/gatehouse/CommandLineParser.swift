/// Reads the arguments of the process, as forgiving and as strict as HAProxy.
struct CommandLineParser {
  private let arguments: [String]
  private var position = 0
  private var options = CommandLineOptions()

  private init(_ arguments: [String]) { self.arguments = arguments }

  /// Parses the words behind the program's name.
  static func parse(_ arguments: [String]) throws(CommandLineOptions.Failure) -> CommandLineOptions {
    var parser = CommandLineParser(arguments)
    return try parser.run()
  }

  private mutating func run() throws(CommandLineOptions.Failure) -> CommandLineOptions {
    while position < arguments.count {
      let argument = arguments[position]
      position += 1
      if argument == "--" {
        options.configurations += arguments[position...]
        break
      }
      if argument == "--format" {
        try format(value(of: argument))
      } else if argument.hasPrefix("--format=") {
        try format(String(argument.dropFirst(9)))
      } else if argument == "-h" || argument == "--help" {
        options.action = .help
      } else if argument == "--version" {
        options.action = .showVersion(.normal)
      } else if argument.hasPrefix("-d") {
        try debugFlag(String(argument.dropFirst(2)))
      } else {
        try flag(argument)
      }
    }
    return options
  }

  private mutating func value(of flag: String) throws(CommandLineOptions.Failure) -> String {
    guard position < arguments.count else {
      throw CommandLineOptions.Failure(message: "'\(flag)' needs a value")
    }
    defer { position += 1 }
    return arguments[position]
  }

  private mutating func number(of flag: String) throws(CommandLineOptions.Failure) -> Int {
    let text = try value(of: flag)
    guard let number = Int(text), number >= 0 else {
      throw CommandLineOptions.Failure(message: "'\(flag)' needs a number, not '\(text)'")
    }
    return number
  }

  private mutating func format(_ name: String) throws(CommandLineOptions.Failure) {
    guard let format = CommandLineOptions.OutputFormat(rawValue: name) else {
      throw CommandLineOptions.Failure(message: "'--format' is 'text' or 'json', not '\(name)'")
    }
    options.format = format
  }

  private mutating func flag(_ flag: String) throws(CommandLineOptions.Failure) {
    switch flag {
    case "-f": options.configurations.append(try value(of: flag))
    case "-c": options.action = .check
    case "-cc": options.action = .evaluate(try value(of: flag))
    case "-v": options.action = .showVersion(.normal)
    case "-vv": options.action = .showVersion(.details)
    case "-vq": options.action = .showVersion(.version)
    case "-vqs": options.action = .showVersion(.short)
    case "-vqb": options.action = .showVersion(.branch)
    case "-V": options.verbose = true
    case "-q": options.quiet = true
    case "-D": options.daemon = true
    case "-W": options.masterWorker = true
    case "-Ws":
      options.masterWorker = true
      options.notifiesSystemd = true
    case "-C": options.directory = try value(of: flag)
    case "-p": options.pidfile = try value(of: flag)
    case "-n": options.maxConnections = try number(of: flag)
    case "-N": options.maxConnectionsPerProxy = try number(of: flag)
    case "-m": options.memoryLimit = try number(of: flag)
    case "-L": options.localPeer = try value(of: flag)
    case "-S": options.masterSocket = try value(of: flag)
    case "-x":
      // Listeners are shared with the old process through SO_REUSEPORT, so nothing has to be handed over.
      _ = try value(of: flag)
      options.withoutEffect.append("'-x'")
    case "-st": options.terminate += try processes(flag)
    case "-sf": options.finish += try processes(flag)
    case "-4": options.withoutEffect.append("'-4'")
    default: throw CommandLineOptions.Failure(message: "unknown argument '\(flag)'")
    }
  }

  /// All numbers that follow; there may be none, as after `$(cat pidfile)` of a file that is not there.
  private mutating func processes(_ flag: String) throws(CommandLineOptions.Failure) -> [Int32] {
    var result: [Int32] = []
    while position < arguments.count, !arguments[position].hasPrefix("-") {
      let word = arguments[position]
      position += 1
      for part in word.split(separator: " ") {
        guard let pid = Int32(part), pid > 0 else {
          throw CommandLineOptions.Failure(message: "'\(flag)' needs process ids, not '\(word)'")
        }
        result.append(pid)
      }
    }
    return result
  }

  /// The flags that start with `-d`.
  private mutating func debugFlag(_ name: String) throws(CommandLineOptions.Failure) {
    switch name {
    case "": options.debug = true
    case "b": options.foreground = true
    case "W": options.warningsAreFatal = true
    case "D": options.diagnosticMode = true
    case "r": options.ignoresUnresolvable = true
    case "V": options.skipsServerVerification = true
    // Splicing, pollers, kernel TLS and debugging aids of HAProxy that have no counterpart here.
    case "I", "R", "S", "G", "F", "Z", "L", "e", "p", "k", "v", "s", "T", "c":
      options.withoutEffect.append("'-d\(name)'")
    case _ where name.hasPrefix("M"): options.withoutEffect.append("'-dM'")
    case _ where name.hasPrefix("K"):
      options.keywordDump = name.dropFirst().split(separator: ",").map(String.init)
      if options.keywordDump.isEmpty { options.keywordDump = ["help"] }
    case _ where name.hasPrefix("C"), _ where name.hasPrefix("t"):
      throw CommandLineOptions.Failure(message: "'-d\(name)' is not supported", showsUsage: false)
    case _ where name.hasPrefix("A"):
      throw CommandLineOptions.Failure(message: "'-dA' is not supported yet", showsUsage: false)
    default: throw CommandLineOptions.Failure(message: "unknown argument '-d\(name)'")
    }
  }
}
