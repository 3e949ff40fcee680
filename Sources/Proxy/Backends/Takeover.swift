import Base
import Config
import NetIO
import Synchronization
import TLS

/// `tune.idle-pool.shared`: a stream that finds no idle connection on its own worker asks the others for one, before it
/// opens a new one.
///
/// The question goes from worker to worker until one gives a connection, and comes back in any case. Only the worker
/// that asked touches this object.
final class Takeover {
  private(set) var isAnswered = false
  private(set) var connection: ServerConnection?
  /// Who waits; nil when it has given up.
  var stream: Stream?
  private let worker: Worker
  private let server: Server

  init(for stream: Stream, _ server: Server) {
    self.stream = stream
    self.server = server
    worker = stream.worker
  }

  /// Whether other workers may have a connection for a request like this.
  static func isWorthwhile(_ server: Server, _ worker: Worker, reuse: HTTPReuse, isFirst: Bool) -> Bool {
    guard worker.runtime.workerCount > 1, worker.runtime.global.sharesIdleConnections, reuse != .never,
      !(isFirst && reuse == .safe)
    else { return false }
    return server.idleConnections.current >= Swift.max(1, server.settings.poolLowConnections)
  }

  func ask(key: UInt64, reuse: HTTPReuse, isFirst: Bool) {
    let all = worker.runtime.workers.withLock { $0 }
    let others = Array(all.dropFirst(worker.index + 1)) + Array(all.prefix(worker.index))
    let question = Question(
      server: server, key: key, reuse: reuse, isFirst: isFirst, home: worker.loop, asker: Confined(self))
    question.go(to: others.map { Confined($0) })
  }

  private struct Question: Sendable {
    let server: Server
    let key: UInt64
    let reuse: HTTPReuse
    let isFirst: Bool
    let home: EventLoop
    let asker: Confined<Takeover>

    func go(to workers: [Confined<Worker>]) {
      guard let next = workers.first else {
        home.enqueue { asker.value.answer(nil) }
        return
      }
      next.value.loop.enqueue {
        let pools = next.value.serverPools
        if let idle = pools.take(server, key: key, reuse: reuse, isFirst: isFirst), let moved = idle.detach() {
          home.enqueue { asker.value.answer(moved) }
        } else {
          go(to: Array(workers.dropFirst()))
        }
      }
    }
  }

  /// The connection that came, for nobody any more.
  func surrender() -> ServerConnection? { connection.take() }

  private func answer(_ moved: MovedConnection?) {
    isAnswered = true
    connection = moved.flatMap { ServerConnection(adopting: $0, worker: worker, server: server) }
    if let stream {
      stream.advance()
      if self.stream == nil { connection = nil }
      return
    }
    if let unused = connection.take() { worker.serverPools.give(unused, reuse: .always) }
  }
}

/// An idle connection on its way from one worker to another.
struct MovedConnection: @unchecked Sendable {
  let descriptor: Int32
  let tls: TLSSession?
  let facts: ServerConnectionFacts
  let key: UInt64
  let requestCount: Int
}
