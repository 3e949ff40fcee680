import Base
import Glibc

extension GlobalKeywords {
  /// Process management and limits (manual chapter 3.1).
  static let process: [Keyword<GlobalSettings>] = [
    .flag("daemon", "Run in the background.") { $0.isDaemon = $1 },
    .flag("quiet", "Say nothing at start-up; same as -q.") { settings, _ in settings.tunables["quiet"] = "" },
    .flag("zero-warning", "Refuse to start when there are warnings.") { settings, _ in
      settings.zeroWarning = true
    },
    Keyword("master-worker", in: .global, "[no-exit-on-failure]", "Run a master that keeps workers alive.") {
      settings, arguments, _ throws(Refusal) in
      _ = arguments.take("no-exit-on-failure")
      try arguments.end()
      settings.masterWorker = true
    },
    .word("pidfile", "<file>", "Write the process ids here.") { $0.pidfile = $1.text },
    .number("maxconn", "The most connections of the process at once.") { $0.maxConnections = $1 },
    .number("nbthread", "The number of event loops.", in: 1...4096) { $0.threads = $1 },
    Keyword("nbproc", in: .global, "<number>", "Gone since 2.5; threads do its work.", deprecatedSince: "2.5") {
      settings, arguments, context throws(Refusal) in
      let word = arguments.peek
      let count = try arguments.integer(in: 1...4096)
      try arguments.end()
      if count > 1, settings.threads == nil { settings.threads = count }
      context.diagnostics.warning(
        "'nbproc' is gone since 2.5: \(count) thread(s) of one process are used in its place.",
        at: word?.location ?? context.here, replacement: "nbthread \(count)")
    },
    Keyword("user", in: .global, "<user name>", "Become this user after binding.") {
      settings, arguments, context throws(Refusal) in
      let name = try arguments.required("a user name")
      try arguments.end()
      guard let id = context.io.userID(name.text) else {
        throw Refusal(
          "cannot find user id for '\(name.text)'", at: name.location, expected: "a user of this system")
      }
      settings.user = name.text
      settings.uid = id
    },
    Keyword("group", in: .global, "<group name>", "Become this group after binding.") {
      settings, arguments, context throws(Refusal) in
      let name = try arguments.required("a group name")
      try arguments.end()
      guard let id = context.io.groupID(name.text) else {
        throw Refusal(
          "cannot find group id for '\(name.text)'", at: name.location, expected: "a group of this system")
      }
      settings.group = name.text
      settings.gid = id
    },
    .number("uid", "Become this user id after binding.") { $0.uid = UInt32(truncatingIfNeeded: $1) },
    .number("gid", "Become this group id after binding.") { $0.gid = UInt32(truncatingIfNeeded: $1) },
    .word("chroot", "<directory>", "Change the root directory before dropping privileges.") {
      $0.chroot = $1.text
    },
    .number("ulimit-n", "The most file descriptors; computed when not set.") { $0.ulimitN = $1 },
    .word("node", "<name>", "The name of this node on the statistics page.") { $0.node = $1.text },
    Keyword("description", in: .global, "<text>", "A text for the statistics page.") {
      settings, arguments, _ throws(Refusal) in
      settings.description = arguments.rest().map(\.text).joined(separator: " ")
    },
    .time("hard-stop-after", "How long a soft stop may take.") { $0.hardStopAfter = $1 },
    .time("grace", "How long listeners stay open after a soft stop.") { $0.grace = $1 },
  ]

  static let checks: [Keyword<GlobalSettings>] = [
    .number("spread-checks", "Vary check intervals by so many percent.", in: 0...50) { $0.spreadChecks = $1 },
    .time("max-spread-checks", "The longest time over which first checks are spread.") {
      $0.maxSpreadChecks = $1
    },
    Keyword(
      "http-err-codes", in: .global, "[+-]<range>[,...]...", "Statuses that count as a client's errors."
    ) {
      settings, arguments, _ throws(Refusal) in
      try StatusCodes.parse(&settings.statusClasses.errors, &arguments)
    },
    Keyword(
      "http-fail-codes", in: .global, "[+-]<range>[,...]...", "Statuses that count as a server's failures."
    ) {
      settings, arguments, _ throws(Refusal) in
      try StatusCodes.parse(&settings.statusClasses.failures, &arguments)
    },
    .flag("strict-limits", "Refuse to start when limits cannot be set.") { $0.strictLimits = $1 },
    Keyword("external-check", in: .global, "[preserve-env]", "Allow checks by external programs.") {
      settings, arguments, _ throws(Refusal) in
      _ = arguments.take("preserve-env")
      try arguments.end()
      settings.externalCheckAllowed = true
    },
    Keyword(
      "unix-bind", in: .global, "[prefix <p>] [mode <m>] [user <u>] [uid <u>] [group <g>] [gid <g>]",
      "Defaults for unix sockets.", parse: unixBind),
    Keyword("debug", in: .global, "", "Gone since 2.2; use -d.", deprecatedSince: "2.2") {
      _, arguments, context throws(Refusal) in
      context.diagnostics.warning(
        "'debug' in 'global' has no effect; start with -d instead.", at: arguments.keywordLocation)
    },
    Keyword("server-state-base", in: .global, "<directory>", "Where state files are.") {
      settings, arguments, _ throws(Refusal) in
      settings.serverStateBase = try arguments.required("<directory>").text
    },
    .word("server-state-file", "<file>", "The states of servers are read from here.") {
      $0.serverStateFile = $1.text
    },
    Keyword(
      "default-path", in: .global, "{ current | config | parent | origin <path> }",
      "What relative paths are relative to.", parse: defaultPath),
    Keyword("localpeer", in: .global, "<name>", "This process' name among peers.") {
      settings, arguments, context throws(Refusal) in
      let name = try arguments.required("a name").text
      context.environment["HAPROXY_LOCALPEER"] = name
      settings.localPeer = name
      try arguments.end()
    },
    Keyword("set-var", in: .global, "<name> <expr>", "Set a process variable.", parse: keepVariableLine),
    Keyword("set-var-fmt", in: .global, "<name> <fmt>", "Set a process variable.", parse: keepVariableLine),
    Keyword("h1-case-adjust", in: .global, "<from> <to>", "Spell a header of HTTP/1 this way.") {
      settings, arguments, _ throws(Refusal) in
      let from = try arguments.required("a lower-case header name").text
      settings.headerCaseAdjust[from] = try arguments.required("its spelling").text
      try arguments.end()
    },
    Keyword("h1-case-adjust-file", in: .global, "<file>", "Spellings of headers, one pair a line.") {
      settings, arguments, context throws(Refusal) in
      let file = try arguments.required("<file>")
      try arguments.end()
      guard case .octets(let text) = context.io.read(context.pathBase.resolve(file.text, file: context.file)) else {
        throw Refusal("'h1-case-adjust-file' : cannot read '\(file.text)'.", at: file.location)
      }
      for line in String(decoding: text, as: UTF8.self).split(separator: "\n") where !line.hasPrefix("#") {
        let words = line.split(whereSeparator: { $0 == " " || $0 == "\t" || $0 == "\r" }).map(String.init)
        if words.count == 2 { settings.headerCaseAdjust[words[0]] = words[1] }
      }
    },
  ]

  static let splicing: [Keyword<GlobalSettings>] = [
    Keyword("nosplice", in: .global, "", "Large bodies do not pass through pipes.", takesPrefix: true) {
      settings, arguments, context throws(Refusal) in
      try arguments.end()
      settings.splices = context.prefix != .none
    }
  ]

  /// What is so without being asked for: one group of threads, no QUIC, and every directive that is known.
  static let alwaysSo: [Keyword<GlobalSettings>] = [
    "thread-group", "thread-groups", "no-quic", "expose-experimental-directives", "expose-deprecated-directives",
    "insecure-fork-wanted",
  ].map { name in
    Keyword(name, in: .global, "...", "Taken; it is so anyway.", takesPrefix: true) {
      _, arguments, _ throws(Refusal) in
      _ = arguments.rest()
    }
  }

  private static func keepVariableLine(
    _ settings: inout GlobalSettings, _ arguments: inout Arguments, _ context: LoadContext
  ) throws(Refusal) {
    _ = try arguments.required("a variable name such as proc.name")
    _ = try arguments.required("an expression")
    settings.variableLines.append(arguments.line)
  }

  private static func defaultPath(
    _ settings: inout GlobalSettings, _ arguments: inout Arguments, _ context: LoadContext
  ) throws(Refusal) {
    context.pathBase.mode = try arguments.choice("a mode", PathBase.Mode.self)
    if context.pathBase.mode == .origin {
      context.pathBase.origin = try arguments.required("a directory").text
    }
    try arguments.end()
  }

  private static func unixBind(
    _ settings: inout GlobalSettings, _ arguments: inout Arguments, _ context: LoadContext
  ) throws(Refusal) {
    while let word = arguments.next() {
      switch word.text {
      case "prefix": settings.unixBind.prefix = try arguments.required("a directory").text
      case "mode": settings.unixBind.mode = try BindKeywords.octal(try arguments.required("an octal mode"))
      case "user":
        let name = try arguments.required("a user name")
        settings.unixBind.uid = context.io.userID(name.text)
        if settings.unixBind.uid == nil {
          throw Refusal("'unix-bind' : no such user '\(name.text)'.", at: name.location)
        }
      case "group":
        let name = try arguments.required("a group name")
        settings.unixBind.gid = context.io.groupID(name.text)
        if settings.unixBind.gid == nil {
          throw Refusal("'unix-bind' : no such group '\(name.text)'.", at: name.location)
        }
      case "uid": settings.unixBind.uid = UInt32(truncatingIfNeeded: try arguments.integer())
      case "gid": settings.unixBind.gid = UInt32(truncatingIfNeeded: try arguments.integer())
      default:
        throw Refusal.unknownArgument(
          word, of: "unix-bind", among: ["prefix", "mode", "user", "uid", "group", "gid"])
      }
    }
  }

  /// `dns-accept-family`.
  static let names: [Keyword<GlobalSettings>] = [
    Keyword(
      "dns-accept-family", in: .global, "{ auto | ipv4 | ipv6 }[,...]",
      "Kinds of addresses that are asked for."
    ) {
      settings, arguments, _ throws(Refusal) in
      let word = try arguments.required("a list of families")
      try arguments.end()
      var four = false
      var six = false
      var isAutomatic = false
      for name in word.commaSeparated.map(\.string) {
        switch name {
        case "auto": isAutomatic = true
        case "ipv4": four = true
        case "ipv6": six = true
        default:
          throw Refusal(
            "'dns-accept-family' expects a comma-delimited list of 'ipv4' and 'ipv6' but got '\(name)'.",
            at: word.location, expected: "'auto', 'ipv4', 'ipv6' or a list of them")
        }
      }
      settings.dnsFamilies = isAutomatic ? .automatic : .only(four: four, six: six)
    }
  ]

  /// Keywords that act on the environment while the files are read.
  static let environment: [Keyword<GlobalSettings>] = [
    Keyword("setenv", in: .global, "<name> <value>", "Set an environment variable.") {
      _, arguments, context throws(Refusal) in
      let name = try arguments.required("a name").text
      context.environment[name] = try arguments.required("a value").text
      try arguments.end()
    },
    Keyword("presetenv", in: .global, "<name> <value>", "Set an environment variable that is not set yet.") {
      _, arguments, context throws(Refusal) in
      let name = try arguments.required("a name").text
      let value = try arguments.required("a value").text
      try arguments.end()
      if context.environment[name] == nil { context.environment[name] = value }
    },
    Keyword("unsetenv", in: .global, "<name>...", "Remove environment variables.") {
      _, arguments, context throws(Refusal) in
      _ = try arguments.required("a name")
      for word in arguments.line.arguments { context.environment[word.text] = nil }
    },
    Keyword("resetenv", in: .global, "[<name>...]", "Remove all environment variables but these.") {
      _, arguments, context throws(Refusal) in
      let kept = Set(arguments.rest().map(\.text))
      context.environment = context.environment.filter { kept.contains($0.key) }
    },
  ]
}
