import Base

/// All commands of the runtime API.
enum Commands {
  static let all: [Command] =
    (report + statistics + resolvers + patterns + dynamicServers + servers + serverReports + proxies + limits
    + sessions
    + stickTables + certificates + authorities + certificateLists + revocation + peers + variables + caches + waiting
    + events + general + tracing + process + threads + descriptors + pools + profiling + anonymity)
    .sorted { $0.usage < $1.usage } + last

  /// The command whose words begin `words`, the longest one first.
  static func find(_ words: [String]) -> Command? {
    var best: Command?
    for command in all
    where command.words.count <= words.count && command.words.elementsEqual(words.prefix(command.words.count)) {
      if command.words.count > (best?.words.count ?? 0) { best = command }
    }
    return best
  }

  /// Runs one command of a line.
  static func run(_ text: Bytes, payload: Bytes?, _ session: CommandSession, _ gateway: Gateway, now: Now)
    -> CommandAnswer
  {
    let words = CommandReader.words(of: text)
    guard let first = words.first else { return .done }
    guard let command = find(words) else {
      return .message(String(decoding: CommandHelp.unknown(words, first), as: UTF8.self), severity: 6)
    }
    if let refusal = command.refusal(session) { return refusal }
    return command.run(
      CommandCall(
        words: words, arguments: words.dropFirst(command.words.count), payload: payload, session: session,
        gateway: gateway, now: now))
  }

  /// What `help` lists last.
  private static let last: [Command] = [
    Command("help", "[<command>]", "list matching or all commands") { call in
      .text(CommandHelp.list(Array(call.arguments)))
    },
    Command("prompt", "[help | n | i | p | timed ]*", "toggle interactive mode with prompt") { prompt($0) },
    Command("quit", "", "disconnect") { call in
      call.session.isOver = true
      return .done
    },
  ]

  private static func prompt(_ call: CommandCall) -> CommandAnswer {
    let session = call.session
    guard !call.arguments.isEmpty else {
      session.mode = session.mode == .prompt ? .single : .prompt
      return .done
    }
    for argument in call.arguments {
      switch argument {
      case "n": session.mode = .single
      case "i": session.mode = .interactive
      case "p": session.mode = .prompt
      case "timed":
        session.showsTime.toggle()
        session.mode = .prompt
      default:
        return .lines(
          """
          Usage: prompt [help | n | i | p | timed]*
            n      one line of commands, then the connection is closed
            i      any number of lines, without a prompt
            p      any number of lines, with a prompt
            timed  the prompt tells how long the process runs
          Without an argument, the prompt is switched on or off.

          """)
      }
    }
    return .done
  }
}
