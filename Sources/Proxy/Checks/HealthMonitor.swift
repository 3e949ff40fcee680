import Base
import Config
import NetIO
import Synchronization

/// All checks of a configuration, spread over the workers; started once, before the workers run.
final class HealthMonitor: @unchecked Sendable {
  /// The checks and agents of servers, each touched on its own worker only.
  private let checks = Mutex<[ObjectIdentifier: [Confined<HealthCheck>]]>([:])

  /// Shorter intervals are not spread: they would make the others crowd.
  private static let shortest = Timespan.seconds(1)

  /// Sets up the timers of all checks and agents. Their first runs are spread over the shortest interval (but
  /// for those below a second), each server at its place, as in HAProxy.
  func start(_ runtime: Runtime, at now: Now) {
    var planned: [(entry: ServerControl.Entry, plan: CheckPlan, isAgent: Bool)] = []
    for entry in runtime.control.entries {
      if let plan = entry.server.checkPlan { planned.append((entry, plan, false)) }
      if let plan = entry.server.agentPlan { planned.append((entry, plan, true)) }
    }
    let intervals = planned.map { runtime.control.nextInterval($0.entry.server, isAgent: $0.isAgent) }
    let shared = intervals.filter { $0 >= HealthMonitor.shortest }.min() ?? .zero
    for (position, item) in planned.enumerated() {
      guard let worker = runtime.control.worker(for: item.entry.server) else { continue }
      let check = HealthCheck(worker: worker, entry: item.entry, plan: item.plan, isAgent: item.isAgent)
      keep(check, item.entry.server)
      var span = Swift.max(shared, intervals[position])
      if let limit = runtime.global.maxSpreadChecks, limit > .zero, span > limit { span = limit }
      let delay = Timespan(microseconds: span.microseconds / Int64(planned.count) * Int64(position))
      check.begin(at: now.instant + delay)
    }
    runtime.control.setCheckWaker { [self] server in
      for check in checks.withLock({ $0[ObjectIdentifier(server)] ?? [] }) where !check.value.isAgent {
        let loop = check.value.worker.loop
        loop.enqueue { check.value.hurry() }
      }
    }
  }

  private func keep(_ check: HealthCheck, _ server: Server) {
    checks.withLock { $0[ObjectIdentifier(server), default: []].append(Confined(check)) }
  }

  /// Takes the checks of a server on that was added while the workers run.
  func add(_ entry: ServerControl.Entry, _ runtime: Runtime, at now: Now) {
    guard let worker = runtime.control.worker(for: entry.server) else { return }
    for (plan, isAgent) in [(entry.server.checkPlan, false), (entry.server.agentPlan, true)] {
      guard let plan else { continue }
      let check = HealthCheck(worker: worker, entry: entry, plan: plan, isAgent: isAgent)
      keep(check, entry.server)
      let confined = Confined(check)
      worker.loop.enqueue { confined.value.begin(at: now.instant) }
    }
  }

  /// Ends the checks of a server that was removed.
  func remove(_ server: Server) {
    for check in checks.withLock({ $0.removeValue(forKey: ObjectIdentifier(server)) ?? [] }) {
      let loop = check.value.worker.loop
      loop.enqueue { check.value.stop() }
    }
  }
}
