import Base
import Config
import NetIO
import Synchronization

/// All `peers` sections of the process, on the first worker's loop.
final class PeersService: @unchecked Sendable {
  private unowned let gateway: Gateway
  private var pending: [(plan: PeersPlan, listeners: [PeerListener])] = []
  /// Touched on the loop's thread only.
  private(set) var sections: [PeersSection] = []
  private let isTeaching = Atomic<Bool>(false)

  init(_ gateway: Gateway) { self.gateway = gateway }

  /// Opens the sockets; what could not be opened, as messages.
  func listen() -> [String] {
    var problems: [String] = []
    for plan in gateway.runtime.peers {
      var listeners: [PeerListener] = []
      for listener in plan.listeners {
        do throws(ListeningSocket.Failure) {
          listeners.append(
            try PeerListener(listener.address, listener.inherited, listener.bind, listener.tls))
        } catch let failure {
          problems.append(
            "Starting proxy \(plan.settings.name.text): \(failure.text) [\(listener.address)]")
        }
      }
      pending.append((plan, listeners))
    }
    return problems
  }

  /// Begins, on the loop's own thread.
  func start(on worker: Worker) {
    sections = pending.map { PeersSection($0.plan, worker: worker, listeners: $0.listeners) }
    pending.removeAll()
    for section in sections { section.start() }
  }

  /// A soft stop, from any thread: successors are taught what is known.
  func stop(on worker: Worker?) {
    guard let worker, !gateway.runtime.peers.isEmpty else { return }
    isTeaching.store(true, ordering: .releasing)
    worker.loop.enqueue { [self] in
      for section in sections { section.stop() }
      awaitEnd(worker)
    }
  }

  /// Looks again and again until every section is done with its successor.
  private func awaitEnd(_ worker: Worker) {
    if sections.allSatisfy(\.hasTaught) { return isTeaching.store(false, ordering: .releasing) }
    let watch = TeachingWatch { [self] in awaitEnd(worker) }
    worker.loop.timers.set(watch.timer, to: worker.loop.now.instant + .milliseconds(50), owner: watch)
    self.watch = watch
  }
  private var watch: TeachingWatch?

  /// Whether nobody is taught any more; for the thread that waits for the end.
  var isDone: Bool { !isTeaching.load(ordering: .acquiring) }
}

private final class TeachingWatch: TimerOwner {
  let timer = Timer()
  private let look: () -> Void
  init(_ look: @escaping () -> Void) { self.look = look }
  func timerFired(_ timer: Timer) { look() }
}
