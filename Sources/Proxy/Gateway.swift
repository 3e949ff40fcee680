import Base
import Config
import Glibc
import NetIO
import Rules
import Synchronization

/// The running gateway: its workers on their threads, and the orders that reach them from signals and the
/// runtime API.
public final class Gateway: @unchecked Sendable {
  let runtime: Runtime
  /// Set before the threads start, and never again.
  private(set) var workers: [Worker] = []
  private(set) lazy var admin = AdminServer(self)
  private(set) lazy var peers = PeersService(self)
  private(set) lazy var logs = LogService(self)
  private(set) lazy var ocsp = OCSPUpdater(self)
  /// Where the master gives orders, for a worker of one.
  public var masterChannel: Int32? {
    didSet { channel = masterChannel.map { MasterChannel($0, self) } }
  }
  private var channel: MasterChannel?
  /// What start-up had to say, for `show startup-logs`; set before `start()`.
  public var startupLog = ""
  /// How many of its messages are warnings; set before `start()`.
  public func noteWarnings(_ count: Int) { runtime.activity.warnings.store(count, ordering: .relaxed) }
  private var threads: [pthread_t] = []
  let health = HealthMonitor()
  /// `set anon global-key`, 0 for none.
  let anonymousKey: Atomic<UInt32>
  private let finished = Atomic<Int>(0)

  /// What must be in place before rules are compiled.
  public static func prepare() { Cryptography.install() }

  public init(_ runtime: Runtime) {
    self.runtime = runtime
    anonymousKey = Atomic(runtime.global.anonymousKey)
  }

  /// Opens all listening sockets; the messages name what could not be opened.
  public func listen() -> [String] {
    var problems: [String] = []
    for listener in runtime.listeners {
      if let problem = openShared(listener) { problems.append(problem) }
    }
    guard problems.isEmpty else { return problems }
    for index in 0..<runtime.workerCount {
      guard let worker = Worker(index: index, runtime: runtime) else {
        return ["cannot create an event loop"]
      }
      do throws(ListenFailure) {
        try worker.listen(runtime.listeners)
      } catch let failure {
        problems.append(Gateway.describe(failure.listener, failure.reason))
        return problems
      }
      workers.append(worker)
    }
    runtime.control.attach(workers)
    let created = workers
    runtime.workers.withLock { $0 = created }
    // What workers may still look at stays until each of them has come to an end of its events.
    runtime.rules.patterns.retirement.setKeeper { old in
      for worker in created { worker.loop.enqueue { withExtendedLifetime(old) {} } }
    }
    return admin.listen() + peers.listen() + logs.listen()
  }

  /// Unix and inherited sockets are one for all workers.
  private func openShared(_ listener: ListenerSettings) -> String? {
    if let inherited = listener.inheritedDescriptor {
      guard Socket.adopt(inherited) else {
        return Gateway.describe(listener, "cannot use inherited descriptor \(inherited)")
      }
      listener.sharedDescriptor.store(inherited, ordering: .releasing)
      return nil
    }
    guard case .unix = listener.address else { return nil }
    if let taken = InheritedSockets.take(listener.address) {
      listener.sharedDescriptor.store(taken, ordering: .releasing)
      return nil
    }
    do throws(ListeningSocket.Failure) {
      let fd = try ListeningSocket.open(listener.address, Acceptor.options(listener))
      listener.sharedDescriptor.store(fd, ordering: .releasing)
      return nil
    } catch let failure {
      return Gateway.describe(listener, failure.text)
    }
  }

  private static func describe(_ listener: ListenerSettings, _ reason: String) -> String {
    let kind = listener.frontend.settings.kind.rawValue
    return "Starting \(kind) \(listener.frontend.name): \(reason) [\(listener.address)]"
  }

  /// Starts one thread a worker.
  public func start() {
    makePermanent()
    let now = Now.read()
    let sinceStart = (now.instant - runtime.started.instant).microseconds / 1000
    runtime.activity.startTime.store(Int(sinceStart), ordering: .relaxed)
    health.start(runtime, at: now)
    if let first = workers.first {
      first.loop.enqueue { [runtime, admin, peers, channel, ocsp, logs] in
        runtime.names.start(on: first)
        admin.start(on: first.loop)
        channel?.start(on: first.loop)
        ocsp.start(on: first.loop)
        peers.start(on: first)
        logs.start(on: first)
      }
    }
    for worker in workers {
      let box = Unmanaged.passRetained(Entry(worker: worker, gateway: self))
      var thread = pthread_t()
      pthread_create(
        &thread, nil,
        { argument in
          guard let argument else { return nil }
          let entry = Unmanaged<Entry>.fromOpaque(argument).takeRetainedValue()
          entry.worker.run()
          entry.gateway.finished.add(1, ordering: .releasing)
          return nil
        }, box.toOpaque())
      threads.append(thread)
    }
  }

  private final class Entry {
    let worker: Worker
    let gateway: Gateway
    init(worker: Worker, gateway: Gateway) {
      self.worker = worker
      self.gateway = gateway
    }
  }

  /// A runtime API socket is enough to run for.
  public var hasListeners: Bool {
    !runtime.listeners.isEmpty || !runtime.global.statsSockets.isEmpty || !runtime.logForwards.isEmpty
  }

  /// SIGHUP: the state of every server, in the log.
  public func logServerStates() {
    let now = Now.read().wall
    for backend in runtime.backends {
      for server in backend.servers {
        let up = server.isUsable.load(ordering: .relaxed) ? "UP" : "DOWN"
        runtime.processLog.send(
          level: 5,
          "SIGHUP: Server \(backend.name)/\(server.name) is \(up). Conn: \(server.sessions.current) act, \(server.queueLength.current) pend, \(server.counters.total(.sessions)) tot.",
          at: now)
      }
    }
  }

  /// Soft stop: after `grace`, no new connections; what runs may finish.
  public func drain() {
    guard let grace = runtime.global.grace, grace > .zero, let loop = workers.first?.loop else {
      return stopAccepting()
    }
    isInGrace.store(true, ordering: .releasing)
    loop.enqueue { [self] in
      let watch = GracePeriod { [self] in
        isInGrace.store(false, ordering: .releasing)
        stopAccepting()
        gracePeriod = nil
      }
      gracePeriod = watch
      loop.timers.set(watch.timer, to: loop.now.instant + grace, owner: watch)
    }
  }

  private let isInGrace = Atomic<Bool>(false)
  /// On the first worker's loop.
  private var gracePeriod: GracePeriod?

  private func stopAccepting() {
    runtime.isStopping.store(true, ordering: .relaxed)
    for worker in workers { worker.loop.enqueue { worker.stopAccepting() } }
    workers.first?.loop.enqueue { [admin, logs] in
      admin.stop()
      logs.stop()
    }
    peers.stop(on: workers.first)
  }

  /// Runs `body` soon on every worker's own thread.
  func onEachWorker(_ body: @escaping @Sendable (Worker) -> Void) {
    for worker in workers { worker.loop.enqueue { body(worker) } }
  }

  /// Whether no connection is left, and what is known was handed on.
  public var isIdle: Bool { !isInGrace.load(ordering: .acquiring) && runtime.connections.current == 0 && peers.isDone }

  /// Hard stop: the threads end after their current turn.
  public func stop() {
    runtime.isStopping.store(true, ordering: .relaxed)
    for worker in workers { worker.loop.enqueue { worker.loop.stop() } }
    for thread in threads { pthread_join(thread, nil) }
    threads.removeAll()
  }
}

/// `grace`: the time between a soft stop and the end of accepting.
private final class GracePeriod: TimerOwner {
  let timer = Timer()
  private let end: () -> Void
  init(_ end: @escaping () -> Void) { self.end = end }
  func timerFired(_ timer: Timer) { end() }
}
