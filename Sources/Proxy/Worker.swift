import Base
import Config
import Glibc
import HTTP
import NetIO
import Rules
import Synchronization
import TLS

/// One thread of the gateway: its event loop, its connections, its pools. Nothing in here is shared.
final class Worker: @unchecked Sendable {
  let index: Int
  let runtime: Runtime
  let loop: EventLoop
  let buffers: BufferPool
  /// `set profiling tasks on`
  var profile: WorkProfile?
  let scratch = TLSScratch()
  let pipes: PipePool
  let environment: WorkerEnvironment
  let limits: H1Limits
  /// Those of `option accept-unsafe-violations-in-http-*`.
  let lenientLimits: H1Limits
  let h2Settings: H2Settings
  let h2ServerSettings: H2Settings
  let h2Workspace = H2Workspace()
  /// Bodies for HTTP/2 peers are framed where they were received.
  let lendsBodies: Bool
  let serverPools: ServerPools
  /// The streams that live now; each knows its place.
  private(set) var streams: ContiguousArray<Stream> = []
  /// Their number, for other threads.
  let streamCount = Atomic<Int>(0)
  private var storagePool = StreamStoragePool()
  var spareStorageCount: Int { storagePool.count }
  private var acceptors: [Acceptor] = []
  /// The client connections that live now; each knows its place.
  private var connections: ContiguousArray<ClientConnection> = []
  private let maintenance = Timer()
  /// HTTP/2 connections that were left without a request since the last round of maintenance.
  private var tired: [any Restful] = []
  /// The most connections at once since memory was last given back to the system.
  private var crowd = 0
  /// From so many connections on their memory is worth giving back.
  private static let largeCrowd = 256

  /// `loop` is given by tests, which turn it themselves.
  init?(index: Int, runtime: Runtime, loop given: EventLoop? = nil) {
    guard let loop = given ?? EventLoop() else { return nil }
    self.index = index
    self.runtime = runtime
    self.loop = loop
    buffers = BufferPool(bufferSize: runtime.global.bufferSize)
    pipes = PipePool(limit: runtime.global.pipeLimit / runtime.workerCount)
    environment = WorkerEnvironment(runtime: runtime, index: index)
    var limits = H1Limits()
    limits.maxHeadBytes = Swift.max(4096, runtime.global.bufferSize - runtime.global.maxRewrite)
    limits.maxFields = runtime.global.maxHeaders
    // As HAProxy: such a request goes on with an empty Host.
    limits.requiresHost = false
    self.limits = limits
    limits.isLenient = true
    lenientLimits = limits
    limits.isLenient = false
    h2Settings = H2Settings(towardsClients: runtime.global, limits)
    h2ServerSettings = H2Settings(towardsServers: runtime.global, limits)
    lendsBodies = runtime.global.http2.lendsBodies
    serverPools = ServerPools(
      serverCount: runtime.serverCount, sharesIdle: runtime.global.sharesIdleConnections)
  }

  /// Opens this worker's listening sockets; must succeed for all workers before any starts.
  func listen(_ listeners: [ListenerSettings]) throws(ListenFailure) {
    for listener in listeners { acceptors.append(try Acceptor(listener: listener, worker: self)) }
  }

  /// Runs until the process stops. Call on the worker's own thread.
  func run() {
    for acceptor in acceptors { acceptor.start() }
    loop.timers.set(maintenance, to: loop.now.instant + .seconds(2), owner: self)
    loop.run()
  }

  // MARK: Connections

  func connectionAccepted(_ connection: ClientConnection) {
    connection.position = connections.count
    connections.append(connection)
    crowd = Swift.max(crowd, connections.count)
  }

  func connectionClosed(_ connection: ClientConnection) {
    let position = connection.position
    guard position < connections.count, connections[position] === connection else { return }
    connections.swapAt(position, connections.count - 1)
    connections[position].position = position
    connections.removeLast()
    if crowd > Worker.largeCrowd, connections.count == crowd / 4 {
      // The crowd has left: its memory goes back soon.
      loop.timers.set(maintenance, to: loop.now.instant + .milliseconds(200), owner: self)
    }
    connection.frontend.sessions.decrement()
    connection.listener.sessions.decrement()
    runtime.connections.decrement()
    for acceptor in acceptors { acceptor.slotFreed() }
  }

  /// `connection` has nothing to do: if that is still so at the next round, it gives memory back.
  func letRest(_ connection: any Restful) {
    guard !connection.awaitsRest else { return }
    connection.awaitsRest = true
    tired.append(connection)
  }

  private func restTired() {
    for connection in tired {
      connection.awaitsRest = false
      connection.rest()
    }
    tired.removeAll(keepingCapacity: tired.count < 4096)
  }

  // MARK: Streams

  func takeStorage(_ facts: ConnectionFacts) -> StreamStorage {
    guard let spare = storagePool.take() else {
      return StreamStorage(worker: self, facts: facts, isPermanent: storagePool.addsPermanent())
    }
    spare.context.connection = facts
    return spare
  }

  func giveStorage(_ storage: StreamStorage) {
    storage.reset(environment.idleFacts)
    if !storagePool.give(storage) { discard(storage) }
  }

  /// The wheel would keep the storage alive until its last deadline.
  private func discard(_ storage: StreamStorage) { loop.timers.cancel(storage.timer) }

  func streamStarted(_ stream: Stream) {
    stream.listPosition = streams.count
    streams.append(stream)
    streamCount.store(streams.count, ordering: .relaxed)
  }

  func streamEnded(_ stream: Stream) {
    streamLeft(stream)
    giveStorage(stream.storage)
  }

  /// The stream is over, and another has its storage.
  func streamLeft(_ stream: Stream) {
    let position = stream.listPosition
    if position < streams.count, streams[position] === stream {
      streams.swapAt(position, streams.count - 1)
      streams[position].listPosition = position
      streams.removeLast()
      streamCount.store(streams.count, ordering: .relaxed)
    }
  }

  /// Shuts down every session on a server that went away, or is not wanted any more.
  func endSessions(on server: Server, _ reason: SessionEnd) {
    for stream in streams where stream.server === server { stream.shutDown(reason) }
  }

  // MARK: Logs

  func logStream(_ stream: Stream, failed: Bool, _ origin: LogOrigin) {
    let log = stream.frontend.log
    if log.isEmpty { return }
    let context = stream.context
    var level = failed && stream.frontend.settings.logSeparateErrors ? 3 : 6
    if let chosen = context.logLevel {
      if chosen < 0 { return }
      level = chosen
    }
    stream.frontend.writeLog(context, origin, level: level, at: loop.now.wall)
  }

  /// A connection that ended before it became a stream.
  func logConnectionError(_ connection: ClientConnection, _ reason: String) {
    let frontend = connection.frontend
    if frontend.log.isEmpty { return }
    let level = frontend.settings.logSeparateErrors ? 3 : 6
    if frontend.logFormats.error != nil || frontend.log.hasProfiles {
      let storage = takeStorage(connection.facts)
      defer { giveStorage(storage) }
      storage.context.now = loop.now
      storage.context.frontend = frontend.facts
      storage.context.noteConnection(frontend)
      storage.context.log.frontendIsTLS = connection.listener.tls != nil
      storage.context.log.activeConnections = runtime.connections.current
      storage.context.log.frontendConnections = frontend.sessions.current
      let legacy = frontend.logFormats.error == nil ? errorLine(connection, reason) : nil
      return frontend.writeLog(storage.context, .killed, level: level, at: loop.now.wall, text: legacy)
    }
    frontend.log.send(level: level, errorLine(connection, reason), at: loop.now.wall)
  }

  /// What an HTTP/2 client sent and cannot become a stream (`tune.h2.log-errors`).
  func logRefused(_ connection: ClientConnection, status: Int) {
    let frontend = connection.frontend
    if frontend.log.isEmpty { return }
    let storage = takeStorage(connection.facts)
    defer { giveStorage(storage) }
    let context = storage.context
    context.now = loop.now
    context.frontend = frontend.facts
    context.noteConnection(frontend)
    context.log.status = status
    context.log.termination.0 = Termination.Cause.proxy.rawValue
    context.log.termination.1 = Termination.State.request.rawValue
    context.log.activeTime = Int((loop.now.instant - connection.accepted).milliseconds)
    context.log.totalTime = context.log.activeTime
    context.log.activeConnections = runtime.connections.current
    context.log.frontendConnections = frontend.sessions.current
    frontend.writeLog(context, .error, level: frontend.settings.logSeparateErrors ? 3 : 6, at: loop.now.wall)
  }

  private func errorLine(_ connection: ClientConnection, _ reason: String) -> String {
    let facts = connection.facts
    let date = CalendarText.access(facts.accepted.wall)
    let name = connection.listener.name.isEmpty ? "\(connection.listener.id)" : connection.listener.name
    return "\(facts.source.logText) [\(date)] \(connection.frontend.name)/\(name): \(reason)"
  }

  func observe(_ event: ObservedEvent, _ server: Server) {
    runtime.control.observe(event, server, at: loop.now)
  }

  // MARK: Stopping

  /// Stops accepting; what runs may finish.
  func stopAccepting() {
    for acceptor in acceptors { acceptor.stop() }
  }

  /// `shutdown frontend`
  func stopAccepting(_ frontend: Frontend) {
    for acceptor in acceptors where acceptor.frontend === frontend { acceptor.stop() }
  }

  /// `disable frontend`, `enable frontend`
  func setAccepting(_ frontend: Frontend, _ accepts: Bool) {
    for acceptor in acceptors where acceptor.frontend === frontend { acceptor.setAccepting(accepts) }
  }

  var isIdle: Bool { connections.isEmpty }
}

/// A connection that keeps memory only for speed.
protocol Restful: AnyObject {
  /// It will be asked to rest at the next round of maintenance.
  var awaitsRest: Bool { get set }
  /// Gives memory back, if it has nothing to do.
  func rest()
}

extension Worker: TimerOwner {
  /// Every other second: memory that a crowd has left behind goes back to the system.
  func timerFired(_ timer: Timer) {
    buffers.shrink()
    pipes.shrink()
    restTired()
    for storage in storagePool.shrink() { discard(storage) }
    if crowd > Worker.largeCrowd, connections.count < crowd / 2 {
      // The allocator keeps what is freed between what is not.
      releaseFreeMemory()
      crowd = connections.count
    }
    if index == 0 {
      let now = StickTable.time(loop.now.instant)
      let expired = runtime.rules.tables.reduce(0) { $0 + $1.sweep(now: now) }
      if expired > 16_384 { releaseFreeMemory() }
    }
    loop.timers.set(maintenance, to: loop.now.instant + .seconds(2), owner: self)
  }
}
