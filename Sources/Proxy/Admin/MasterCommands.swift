import Base
import Config
import Glibc

/// A command that the master itself carries out.
struct MasterCommand: Sendable {
  let words: [String]
  let usage: String
  let help: String
  /// The master takes it whatever process commands go to.
  let isForAll: Bool
  let run: @Sendable (MasterCall) -> CommandAnswer

  init(
    _ words: String, _ arguments: String = "", isForAll: Bool = false, _ help: String,
    run: @escaping @Sendable (MasterCall) -> CommandAnswer
  ) {
    self.words = words.split(separator: " ").map(String.init)
    usage = arguments.isEmpty ? words : "\(words) \(arguments)"
    self.help = help
    self.isForAll = isForAll
    self.run = run
  }
}

struct MasterCall {
  let words: [String]
  let session: CommandSession
  let cli: MasterCLI

  init(_ words: [String], _ session: CommandSession, _ cli: MasterCLI) {
    self.words = words
    self.session = session
    self.cli = cli
  }
}

enum MasterCommands {
  static let all: [MasterCommand] = [
    MasterCommand("show proc", "[debug]", "show processes status", run: showProcesses),
    MasterCommand("reload", "", "achieve a soft-reload (-sf) of the workers") { reload($0, hard: false) },
    MasterCommand("hard-reload", "", "achieve a hard-reload (-st) of the workers") { reload($0, hard: true) },
    MasterCommand("show startup-logs", "", "report logs emitted during the last start or reload") {
      .lines($0.cli.master.startupLog)
    },
    MasterCommand("show version", "", "show version of the master") { _ in .info(Build.haproxyVersion) },
    MasterCommand("show cli sockets", "", "dump list of cli sockets") {
      .lines("# socket lvl processes\n" + $0.cli.socketLines.joined())
    },
    MasterCommand("show cli level", "", "display the level of the current CLI session") {
      .info($0.session.level.name)
    },
    MasterCommand("operator", "", isForAll: true, "lower the level of the current CLI session to operator") {
      $0.session.level = Swift.min($0.session.level, .operator)
      return .bare("")
    },
    MasterCommand("user", "", isForAll: true, "lower the level of the current CLI session to user") {
      $0.session.level = .user
      return .bare("")
    },
    MasterCommand("expert-mode", "[on|off]", isForAll: true, "expert mode for the workers' commands") {
      mode($0, "expert-mode") { session, isOn in
        session.isExpert = isOn ?? session.isExpert; return session.isExpert
      }
    },
    MasterCommand("experimental-mode", "[on|off]", isForAll: true, "experimental mode for the workers' commands") {
      mode($0, "experimental-mode") { session, isOn in
        session.isExperimental = isOn ?? session.isExperimental
        return session.isExperimental
      }
    },
    MasterCommand("mcli-debug-mode", "[on|off]", isForAll: true, "a flag in the prompt") {
      mode($0, "mcli-debug-mode") { session, isOn in
        session.isMasterDebug = isOn ?? session.isMasterDebug
        return session.isMasterDebug
      }
    },
    MasterCommand("echo", "<text>", "print text to the output") {
      .info($0.words.dropFirst().joined(separator: " "))
    },
    MasterCommand("show env", "[var]", "dump environment variables known to the process", run: showEnvironment),
    MasterCommand("@1", "<command>", "send a command to the current worker") { _ in .done },
    MasterCommand("@!<pid>", "<command>", "send a command to the <pid> process") { _ in .done },
    MasterCommand("@@<1|!<pid>>", "[<commands>]", "send a line to a worker, or stay with it") { _ in .done },
    MasterCommand("@master", "<command>", "send a command to the master process") { _ in .done },
    MasterCommand("help", "", "list all commands") { _ in .lines(list) },
    MasterCommand("prompt", "[n | i | p | timed]", isForAll: true, "toggle interactive mode with prompt") {
      prompt($0)
    },
    MasterCommand("quit", "", isForAll: true, "disconnect") {
      $0.session.isOver = true
      return .done
    },
  ]

  static func find(_ words: [String]) -> MasterCommand? {
    all.filter { $0.words.count <= words.count && $0.words.elementsEqual(words.prefix($0.words.count)) }
      .max { $0.words.count < $1.words.count }
  }

  static func unknown(_ words: [String]) -> CommandAnswer {
    .lines("Unknown command: '\(words.first ?? "")', these are the master's:\n" + list)
  }

  private static var list: String {
    "The following commands are valid at this level:\n"
      + all.map {
        "  \($0.usage)\(String(repeating: " ", count: Swift.max(0, 40 - $0.usage.utf8.count))): \($0.help)\n"
      }
      .joined()
  }

  private static func mode(
    _ call: MasterCall, _ name: String, _ set: (CommandSession, Bool?) -> Bool
  ) -> CommandAnswer {
    guard call.session.level >= .admin else { return .error("Permission denied\n") }
    switch call.words.dropFirst().first {
    case "on": _ = set(call.session, true)
    case "off": _ = set(call.session, false)
    default: return .info("\(name) is \(set(call.session, nil) ? "ON" : "OFF")")
    }
    return .bare("")
  }

  private static func showEnvironment(_ call: MasterCall) -> CommandAnswer {
    guard call.session.level >= .operator else { return .error("Permission denied\n") }
    var lines: [String] = []
    var next = environ
    while let entry = next.pointee {
      lines.append(String(cString: entry))
      next += 1
    }
    guard let name = call.words.dropFirst(2).first else { return .lines(lines.sorted().map { $0 + "\n" }.joined()) }
    guard let line = lines.first(where: { $0.hasPrefix(name + "=") }) else { return .error("Variable not found") }
    return .lines(line + "\n")
  }

  private static func prompt(_ call: MasterCall) -> CommandAnswer {
    switch call.words.dropFirst().first {
    case "n": call.session.mode = .single
    case "i": call.session.mode = .interactive
    case nil: call.session.mode = call.session.mode == .prompt ? .single : .prompt
    default: call.session.mode = .prompt
    }
    return .bare("")
  }

  private static func reload(_ call: MasterCall, hard: Bool) -> CommandAnswer {
    guard call.session.level >= .operator else { return .error("Permission denied\n") }
    let isDone = call.cli.master.reload(hard: hard)
    // The last command of its client.
    call.session.isOver = true
    let log = call.cli.master.startupLog
    return .lines("Success=\(isDone ? 1 : 0)\n" + (log.isEmpty ? "" : "--\n\(log)") + "\n")
  }

  private static func showProcesses(_ call: MasterCall) -> CommandAnswer {
    let master = call.cli.master
    let now = Now.read()
    let showsDescriptors = call.words.dropFirst(2).first == "debug"
    func row(_ cells: [String]) -> String {
      let padded = cells.map { $0 + String(repeating: " ", count: Swift.max(0, 15 - $0.utf8.count)) }
      return padded.joined(separator: " ") + "\n"
    }
    func uptime(_ since: Now) -> String {
      let seconds = Swift.max(0, Int((now.instant - since.instant).seconds))
      func two(_ n: Int) -> String { n < 10 ? "0\(n)" : "\(n)" }
      return "\(seconds / 86400)d\(two(seconds / 3600 % 24))h\(two(seconds / 60 % 60))m\(two(seconds % 60))s"
    }
    func row(_ worker: WorkerProcess) -> String {
      var cells = [
        "\(worker.process)", "worker", "\(worker.reloads)", uptime(worker.started), Build.haproxyVersion,
      ]
      if showsDescriptors { cells.append("\t\t \(worker.channel)") }
      return row(cells)
    }
    var text = row(
      ["#<PID>", "<type>", "<reloads>", "<uptime>", "<version>"] + (showsDescriptors ? ["\t\t <ipc_fd>"] : []))
    text += row([
      "\(getpid())", "master", "\(master.reloads) [failed: \(master.failedReloads)]", uptime(master.started),
      Build.haproxyVersion,
    ])
    text += "# workers\n" + master.workers.filter { !$0.isLeaving }.map(row).joined()
    let leaving = master.workers.filter(\.isLeaving)
    if !leaving.isEmpty { text += "# old workers\n" + leaving.map(row).joined() }
    return .lines(text)
  }
}
