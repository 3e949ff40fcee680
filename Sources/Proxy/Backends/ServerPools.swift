import Base
import Config
import NetIO
import Synchronization

/// One worker's idle connections to all servers.
///
/// Connections are taken from the end that was used last, so that the rest may grow old and be closed after
/// `pool-purge-delay`. First requests get none under `safe`, and one that has proved to be
/// reusable under `aggressive`.
final class ServerPools {
  private var idle: [[ServerConnection]]

  init(serverCount: Int) {
    idle = Array(repeating: [], count: serverCount)
  }

  /// An idle connection to `server` that `reuse` allows for this request, if there is one.
  func take(_ server: Server, reuse: HTTPReuse, isFirst: Bool) -> ServerConnection? {
    guard reuse != .never, server.number < idle.count else { return nil }
    // A first request cannot be repeated by its client when an idle connection turns out to be closed.
    if isFirst, reuse == .safe { return nil }
    let needsProof = isFirst && reuse == .aggressive
    guard let at = idle[server.number].lastIndex(where: { !needsProof || $0.requestCount > 1 }) else {
      return nil
    }
    let connection = idle[server.number].remove(at: at)
    server.idleConnections.decrement()
    return connection
  }

  /// Keeps `connection` for later, or closes it.
  func give(_ connection: ServerConnection, reuse: HTTPReuse) {
    let server = connection.server
    let limit = server.settings.poolMaximum ?? .max
    while server.number >= idle.count { idle.append([]) }
    guard reuse != .never, !connection.isPrivate,
      idle[server.number].count < limit,
      server.settings.maxReuse.map({ connection.requestCount <= $0 }) ?? true,
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
