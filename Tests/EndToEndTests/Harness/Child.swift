import Foundation
import Synchronization

/// A process that a test started: in a group of its own, with its output in files, ended by its id at the latest
/// when the test lets go of it.
final class Child: Sendable {
  let process: pid_t
  let name: String
  private let outputPath: String
  private let errorPath: String
  private let status = Mutex<Int32?>(nil)
  private static let serial = Mutex(0)

  init(
    _ arguments: [String], in workspace: Workspace, environment: [String: String] = [:], input: String? = nil
  ) throws {
    guard let program = arguments.first, let executable = Tool.find(program) else {
      throw Failure("no such program: \(arguments.first ?? "")")
    }
    name = program.split(separator: "/").last.map(String.init) ?? program
    let number = Child.serial.withLock { value -> Int in
      value += 1
      return value
    }
    outputPath = workspace.path("\(name).\(number).out")
    errorPath = workspace.path("\(name).\(number).err")
    let inputPath = input == nil ? "/dev/null" : try workspace.write("\(name).\(number).in", input ?? "")
    process = try Child.spawn(
      executable, arguments, environment, workspace, (inputPath, outputPath, errorPath))
  }

  private static func spawn(
    _ executable: String, _ arguments: [String], _ environment: [String: String], _ workspace: Workspace,
    _ files: (input: String, output: String, error: String)
  ) throws -> pid_t {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, 0, files.input, O_RDONLY, 0)
    posix_spawn_file_actions_addopen(&actions, 1, files.output, O_WRONLY | O_CREAT | O_APPEND, 0o644)
    posix_spawn_file_actions_addopen(&actions, 2, files.error, O_WRONLY | O_CREAT | O_APPEND, 0o644)
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    // Threads of the test library block signals, and a child would inherit that.
    var none = sigset_t()
    sigemptyset(&none)
    posix_spawnattr_setsigmask(&attributes, &none)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK))
    posix_spawnattr_setpgroup(&attributes, 0)
    let variables = ProcessInfo.processInfo.environment.merging(environment) { $1 }.map { "\($0)=\($1)" }
    // env(1) changes the directory and becomes the program; glibc's own call for that is hidden from Swift.
    let command = ["env", "--chdir=\(workspace.path)", executable] + arguments.dropFirst()
    var words: [UnsafeMutablePointer<CChar>?] = command.map { strdup($0) } + [nil]
    var variableWords: [UnsafeMutablePointer<CChar>?] = variables.map { strdup($0) } + [nil]
    defer {
      for word in words { free(word) }
      for word in variableWords { free(word) }
    }
    var process = pid_t()
    let result = posix_spawn(&process, "/usr/bin/env", &actions, &attributes, &words, &variableWords)
    guard result == 0 else {
      throw Failure("posix_spawn \(executable): \(String(cString: strerror(result)))")
    }
    return process
  }

  deinit { stop() }

  var output: String { Workspace.read(outputPath) }
  var errors: String { Workspace.read(errorPath) }

  /// The exit status, 128 and the signal for one that was killed, nil while it runs.
  var exitStatus: Int32? {
    status.withLock { known in
      if let known { return known }
      var word: Int32 = 0
      guard waitpid(process, &word, WNOHANG) == process else { return nil }
      known = word & 0x7F == 0 ? word >> 8 & 0xFF : 128 + (word & 0x7F)
      return known
    }
  }

  /// The exit status once it ended; nil when it still runs after `seconds`.
  func wait(within seconds: Double = 10) -> Int32? {
    _ = Clock.until(within: seconds) { exitStatus != nil }
    return exitStatus
  }

  func send(_ signal: Int32) { if exitStatus == nil { kill(process, signal) } }

  /// Ends it and what it started.
  func stop() {
    if exitStatus == nil {
      kill(process, SIGTERM)
      if wait(within: 5) == nil {
        kill(process, SIGKILL)
        _ = wait(within: 5)
      }
    }
    kill(-process, SIGKILL)
  }

  /// Ends it at once, as a crash would.
  func crash() {
    kill(-process, SIGKILL)
    _ = wait(within: 5)
  }
}
