import Base
import Config
import NetIO
import Rules
import Synchronization

/// One worker's idle connections to all servers.
///
/// Connections are taken from the end that was used last, so that the rest may grow old and be closed after
/// `pool-purge-delay`. First requests get none under `safe`, and one that has proved to be
/// reusable under `aggressive`.
final class ServerPools {
  private var idle: [[ServerConnection]]
  /// All HTTP/2 connections, also those at work.
  private var sessions: [[H2ServerSession]]
  /// Connections that are being opened and may speak HTTP/2, and some that were.
  private var openers: [ServerConnection] = []
  /// How many connections to each server are used now, and were at most at once.
  private var load: [(used: Int, peak: Int)] = []

  /// Idle connections serve all workers, so that what all of them need counts.
  private let sharesIdle: Bool

  init(serverCount: Int, sharesIdle: Bool) {
    self.sharesIdle = sharesIdle
    idle = Array(repeating: [], count: serverCount)
    sessions = Array(repeating: [], count: serverCount)
  }

  // MARK: HTTP/2

  func add(_ session: H2ServerSession) {
    while session.server.number >= sessions.count { sessions.append([]) }
    sessions[session.server.number].append(session)
  }

  func remove(_ session: H2ServerSession) {
    guard session.server.number < sessions.count else { return }
    sessions[session.server.number].removeAll { $0 === session }
  }

  /// A connection with room for one more request of `client`.
  func session(
    _ server: Server, key: UInt64, for client: ConnectionFacts, reuse: HTTPReuse, isFirst: Bool
  ) -> H2ServerSession? {
    guard server.number < sessions.count else { return nil }
    return sessions[server.number].last { $0.key == key && $0.hasRoom(for: client, reuse: reuse, isFirst: isFirst) }
  }

  /// A connection is being opened that may speak HTTP/2.
  func opens(_ connection: ServerConnection) {
    openers.removeAll { !$0.isOpening }
    openers.append(connection)
  }

  /// A connection that is being opened and that a request of `client` may wait for.
  func opener(
    _ server: Server, key: UInt64, for client: ConnectionFacts, reuse: HTTPReuse, isFirst: Bool
  ) -> ServerConnection? {
    openers.first { opener in
      guard opener.server === server, opener.key == key, opener.mayBeShared else { return false }
      if opener.stream?.context.connection === client { return true }
      return reuse == .always || reuse == .aggressive && !isFirst
    }
  }

  /// A connection came into use, or is not used any more.
  func count(_ server: Server, _ change: Int) {
    while server.number >= load.count { load.append((0, 0)) }
    load[server.number].used += change
    load[server.number].peak = Swift.max(load[server.number].peak, load[server.number].used)
    if change > 0, sharesIdle { server.noteUse() }
  }

  /// Whether one more connection that was used until now may be kept: not more than were ever used at once, beside
  /// `pool-low-conn`, and not more than `pool-max-conn`.
  func mayIdle(_ server: Server) -> Bool {
    let idle = idleCount(server)
    if let limit = server.settings.poolMaximum, idle >= limit { return false }
    if sharesIdle { return server.usedConnections.current <= server.peakUse + server.settings.poolLowConnections }
    guard server.number < load.count else { return true }
    return load[server.number].used + idle <= load[server.number].peak + server.settings.poolLowConnections
  }

  /// How many connections to `server` are idle, of either version.
  func idleCount(_ server: Server) -> Int {
    var count = server.number < idle.count ? idle[server.number].count : 0
    if server.number < sessions.count { count += sessions[server.number].count { $0.isIdle } }
    return count
  }

  // MARK: HTTP/1

  /// An idle connection to `server` that `reuse` allows for this request, if there is one.
  func take(_ server: Server, key: UInt64, reuse: HTTPReuse, isFirst: Bool) -> ServerConnection? {
    guard reuse != .never, server.number < idle.count else { return nil }
    // A first request cannot be repeated by its client when an idle connection turns out to be closed.
    if isFirst, reuse == .safe { return nil }
    let needsProof = isFirst && reuse == .aggressive
    guard let at = idle[server.number].lastIndex(where: { $0.key == key && (!needsProof || $0.requestCount > 1) })
    else {
      return nil
    }
    let connection = idle[server.number].remove(at: at)
    server.idleConnections.decrement()
    return connection
  }

  /// Keeps `connection` for later, or closes it.
  func give(_ connection: ServerConnection, reuse: HTTPReuse) {
    let server = connection.server
    while server.number >= idle.count { idle.append([]) }
    guard reuse != .never, !connection.isPrivate, mayIdle(server), server.settings.allows(connection.requestCount + 1),
      server.isUsable.load(ordering: .relaxed), connection.becomeIdle()
    else {
      connection.closeWhenFlushed()
      return
    }
    idle[server.number].append(connection)
    server.idleConnections.increment()
    let loop = connection.worker.loop
    loop.timers.set(
      connection.idleTimer, to: loop.now.instant + server.settings.poolPurgeDelay, owner: connection)
  }

  /// The connection was closed by the server, or grew old.
  func remove(_ connection: ServerConnection) {
    let number = connection.server.number
    guard let at = idle[number].lastIndex(where: { $0 === connection }) else { return }
    idle[number].remove(at: at)
    connection.server.idleConnections.decrement()
  }

  /// Closes all idle connections to `server`: it went down.
  func drain(_ server: Server) {
    if server.number < sessions.count {
      for session in sessions[server.number] { session.drain() }
    }
    guard server.number < idle.count else { return }
    let closing = idle[server.number]
    idle[server.number] = []
    for connection in closing {
      server.idleConnections.decrement()
      connection.close(reset: false)
    }
  }
}

extension ServerConnection: TimerOwner {
  func timerFired(_ timer: Timer) {
    // The timer of a connection in use is left to run out: moving it on return costs nothing.
    guard state == .idle else { return }
    worker.serverPools.remove(self)
    close(reset: false)
  }
}
