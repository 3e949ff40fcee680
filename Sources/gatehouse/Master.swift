import Base
import Glibc
import NetIO
import Proxy

/// `-W` and `-Ws`: holds no traffic, keeps one worker process running, and replaces it when it dies or when a
/// reload is asked for. With `-S` it answers on the master CLI.
final class Master: MasterProcess, EventHandler {
  private let options: CommandLineOptions
  private let pidfile: String?
  private let loop: EventLoop
  private let signals: SignalDescriptor
  private lazy var cli = MasterCLI(self, on: loop)
  /// The current worker first; the others have been asked to finish.
  private(set) var workers: [WorkerProcess] = []
  let started = Now.read()
  private(set) var reloads = 0
  private(set) var failedReloads = 0
  private(set) var lastReloadFailed = false
  private(set) var startupLog = ""
  /// What the first signal to stop makes of the exit status.
  private var stopStatus: Int32?
  private var exitStatus: Int32?

  init?(_ options: CommandLineOptions, pidfile: String?) {
    // Blocked here, so that they wait in the descriptor.
    _ = Signals()
    guard let loop = EventLoop(), let signals = SignalDescriptor(Signals.handled) else { return nil }
    self.options = options
    self.pidfile = pidfile
    self.loop = loop
    self.signals = signals
  }

  func run() -> Int32 {
    if let address = options.masterSocket, let problem = cli.listen(address) {
      Console.write("[ALERT]    (\(getpid())) : \(problem)\n", to: 2)
      return 1
    }
    guard let first = startWorker() else { return 1 }
    workers = [first]
    ServingProcess.relieve(options)
    if let pidfile { ServingProcess.writePidfile(pidfile) }
    if options.notifiesSystemd { SystemdNotice.send("READY=1\nMAINPID=\(getpid())\n") }
    notice("Loading success.")
    guard loop.register(signals.descriptor, self) != nil else { return 1 }
    descriptorReady([])
    while exitStatus == nil { loop.turn() }
    return exitStatus ?? 0
  }

  /// Signals have come.
  func descriptorReady(_ readiness: Readiness) {
    while let signal = signals.next() {
      switch signal {
      case SIGTERM: stop(SIGTERM, 143)
      case SIGINT: stop(SIGINT, 130)
      case SIGUSR1: stop(SIGUSR1, 0)
      case SIGUSR2, SIGHUP: _ = reload(hard: false)
      case SIGCHLD: reap()
      default: break
      }
    }
  }

  /// A worker that serves; nil when it could not start. It takes the sockets of `old` that only one process can have.
  private func startWorker(after old: WorkerProcess? = nil) -> WorkerProcess? {
    startupLog = ""
    guard let channel = Socket.pair(keepsMessages: true) else { return nil }
    var sockets: Int32?
    if let old, let ends = Socket.pair(keepsMessages: true) {
      if old.askForSockets(over: ends.0) { sockets = ends.1 } else { close(ends.1) }
      close(ends.0)
    }
    guard let child = Respawn.start(.worker, channel: channel.1, sockets: sockets) else {
      close(channel.0)
      Console.write("[ALERT]    (\(getpid())) : [master] cannot start a worker\n", to: 2)
      return nil
    }
    notice("New worker (\(child.process)) forked")
    let word = Respawn.wait(for: child)
    startupLog += word.said
    if word.serves { return WorkerProcess(process: child.process, started: Now.read(), channel: channel.0) }
    close(channel.0)
    var status: Int32 = 0
    waitpid(child.process, &status, 0)
    return nil
  }

  /// Starts a new worker beside the old, and asks the old to finish once the new one serves.
  func reload(hard: Bool) -> Bool {
    guard stopStatus == nil, let old = workers.first else { return false }
    if options.notifiesSystemd { SystemdNotice.send("RELOADING=1\nSTATUS=Reloading Configuration.\n") }
    defer { if options.notifiesSystemd { SystemdNotice.send("READY=1\nSTATUS=Ready.\n") } }
    reloads += 1
    guard let new = startWorker(after: old) else {
      failedReloads += 1
      lastReloadFailed = true
      let text = "[WARNING]  (\(getpid())) : Failed to load new worker! The old one goes on.\n"
      startupLog += text
      Console.write(text, to: 2)
      return false
    }
    lastReloadFailed = false
    for index in workers.indices {
      workers[index].isLeaving = true
      workers[index].reloads += 1
    }
    workers.insert(new, at: 0)
    kill(old.process, hard ? SIGTERM : SIGUSR1)
    notice("Loading success.")
    return true
  }

  private func stop(_ signal: Int32, _ status: Int32) {
    stopStatus = stopStatus ?? status
    if options.notifiesSystemd { SystemdNotice.send("STOPPING=1\n") }
    Console.write("[WARNING]  (\(getpid())) : Exiting Master process...\n", to: 2)
    for worker in workers { kill(worker.process, signal) }
  }

  /// Collects ended workers; sets the exit status when none is left or the current one cannot go on.
  private func reap() {
    var status: Int32 = 0
    while exitStatus == nil {
      let process = waitpid(-1, &status, WNOHANG)
      guard process > 0 else { return }
      guard let index = workers.firstIndex(where: { $0.process == process }) else { continue }
      let ended = workers.remove(at: index)
      close(ended.channel)
      let code = Respawn.exitCode(status)
      if ended.isLeaving {
        if let stopStatus, workers.isEmpty { exitStatus = stopStatus }
        continue
      }
      if let stopStatus {
        Console.write("[WARNING]  (\(getpid())) : All workers exited. Exiting... (\(stopStatus))\n", to: 2)
        exitStatus = stopStatus
        return
      }
      Console.write("[ALERT]    (\(getpid())) : Current worker (\(process)) exited with code \(code)\n", to: 2)
      // Killed by a signal: a crash of ours must not take the service down.
      guard code > 128, let next = startWorker() else {
        exitStatus = code
        return
      }
      workers.insert(next, at: 0)
    }
  }

  private func notice(_ text: String) {
    let line = "[NOTICE]   (\(getpid())) : \(text)\n"
    startupLog += line
    if !options.quiet { Console.write(line, to: 2) }
  }
}
