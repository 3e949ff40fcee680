import Base
import Config
import Synchronization
import NetIO

/// `slowstart`: a server that came up gets its full weight and limits in small steps.
extension ServerControl {
  /// Call within `exclusively`, when the server's operation has become `.starting`.
  func startWarming(_ entry: Entry, at now: Now) {
    guard let span = entry.server.settings.slowStart, let worker = worker(for: entry.server) else { return }
    warm(entry, at: now)
    let step = Swift.max(.seconds(1), Timespan(microseconds: span.microseconds / 20))
    let warming = Confined(Warming(entry, self, step: step))
    worker.loop.enqueue { warming.value.start(on: worker) }
  }

  /// One step; false when the server needs no more of them. Call within `exclusively`.
  @discardableResult
  fileprivate func warm(_ entry: Entry, at now: Now) -> Bool {
    let server = entry.server
    guard let span = server.settings.slowStart else { return false }
    let seconds = Swift.max(1, Int(span.seconds))
    let old = server.snapshot()
    guard old.operation == .starting, !old.isInMaintenance else { return false }
    let passed = Swift.max(0, Int(now.wall.seconds - old.lastChange.seconds))
    let isOver = passed >= seconds
    server.throttle.store(isOver ? 100 : Swift.max(1, 100 * passed / seconds), ordering: .relaxed)
    server.state.withLock { state in
      state.warmth = isOver ? 16 : Swift.max(1, Swift.min(16, (16 * passed + seconds) / seconds))
      // The change of operation is none that anybody is told of.
      if isOver { state.operation = .running }
    }
    entry.backend.serverChanged(server)
    return !isOver
  }

  fileprivate func warmAlone(_ entry: Entry, at now: Now) -> Bool { exclusively { warm(entry, at: now) } }

  /// A line in the backend's log and on standard error.
  func announce(_ backend: Backend, _ text: String, at now: Now) { announcer.note(backend, text, at: now) }

  func announceCheck(_ entry: Entry, isAgent: Bool, _ report: CheckReport, _ health: Int, at now: Now) {
    announcer.checkEnded(entry, isAgent: isAgent, report: report, health: health, at: now)
  }
}

/// Takes one server through its slow start, on the worker that also checks it.
private final class Warming: TimerOwner {
  private let entry: ServerControl.Entry
  private let control: ServerControl
  private let step: Timespan
  private let timer = Timer()
  private var worker: Worker?

  init(_ entry: ServerControl.Entry, _ control: ServerControl, step: Timespan) {
    self.entry = entry
    self.control = control
    self.step = step
  }

  func start(on worker: Worker) {
    self.worker = worker
    worker.loop.timers.set(timer, to: worker.loop.now.instant + step, owner: self)
  }

  func timerFired(_ timer: Timer) {
    guard let worker, control.warmAlone(entry, at: worker.loop.now) else { return }
    worker.loop.timers.set(timer, to: worker.loop.now.instant + step, owner: self)
  }
}
