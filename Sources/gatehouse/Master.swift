import Glibc

/// `-W` and `-Ws`: holds no traffic, keeps one worker process running, and replaces it when it dies or when a
/// reload is asked for.
final class Master {
  private let options: CommandLineOptions
  private let pidfile: String?
  private let signals = Signals()
  private var current: pid_t = 0
  /// Workers that a reload has asked to finish.
  private var leaving: Set<pid_t> = []
  /// What the first signal to stop makes of the exit status.
  private var stopStatus: Int32?

  init(_ options: CommandLineOptions, pidfile: String?) {
    self.options = options
    self.pidfile = pidfile
  }

  func run() -> Int32 {
    guard let first = startWorker() else { return 1 }
    current = first
    ServingProcess.relieve(options)
    if let pidfile { ServingProcess.writePidfile(pidfile) }
    if options.notifiesSystemd { SystemdNotice.send("READY=1\nMAINPID=\(getpid())\n") }
    notice("Loading success.")
    while true {
      switch signals.wait() {
      case SIGTERM: stop(SIGTERM, 143)
      case SIGINT: stop(SIGINT, 130)
      case SIGUSR1: stop(SIGUSR1, 0)
      case SIGUSR2, SIGHUP: reload()
      case SIGCHLD: if let status = reap() { return status }
      default: break
      }
    }
  }

  /// A worker that serves; nil when it could not start.
  private func startWorker() -> pid_t? {
    guard let child = Respawn.start(.worker) else {
      Console.write("[ALERT]    (\(getpid())) : [master] cannot start a worker\n", to: 2)
      return nil
    }
    notice("New worker (\(child.process)) forked")
    if Respawn.waitUntilReady(child) { return child.process }
    var status: Int32 = 0
    waitpid(child.process, &status, 0)
    return nil
  }

  /// Starts a new worker beside the old, and asks the old to finish once the new one serves.
  private func reload() {
    guard stopStatus == nil else { return }
    if options.notifiesSystemd { SystemdNotice.send("RELOADING=1\nSTATUS=Reloading Configuration.\n") }
    let old = current
    if let new = startWorker() {
      current = new
      leaving.insert(old)
      kill(old, SIGUSR1)
      notice("Loading success.")
    } else {
      Console.write("[WARNING]  (\(getpid())) : Failed to load new worker! The old one goes on.\n", to: 2)
    }
    if options.notifiesSystemd { SystemdNotice.send("READY=1\nSTATUS=Ready.\n") }
  }

  private func stop(_ signal: Int32, _ status: Int32) {
    stopStatus = stopStatus ?? status
    if options.notifiesSystemd { SystemdNotice.send("STOPPING=1\n") }
    Console.write("[WARNING]  (\(getpid())) : Exiting Master process...\n", to: 2)
    for process in leaving.union([current]) { kill(process, signal) }
  }

  /// Collects ended workers; the master's exit status when none is left or the current one cannot go on.
  private func reap() -> Int32? {
    var status: Int32 = 0
    while true {
      let process = waitpid(-1, &status, WNOHANG)
      guard process > 0 else { return nil }
      leaving.remove(process)
      guard process == current else { continue }
      let code = Respawn.exitCode(status)
      if let stopStatus {
        Console.write("[WARNING]  (\(getpid())) : All workers exited. Exiting... (\(stopStatus))\n", to: 2)
        return stopStatus
      }
      Console.write(
        "[ALERT]    (\(getpid())) : Current worker (\(process)) exited with code \(code)\n", to: 2)
      // Killed by a signal: a crash of ours must not take the service down.
      guard code > 128, let next = startWorker() else { return code }
      current = next
    }
  }

  private func notice(_ text: String) {
    if !options.quiet { Console.write("[NOTICE]   (\(getpid())) : \(text)\n", to: 2) }
  }
}
