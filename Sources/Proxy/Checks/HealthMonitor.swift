import Base
import Config
import NetIO

/// All checks of a configuration, spread over the workers; started once, before the workers run.
final class HealthMonitor: @unchecked Sendable {
  /// Checks by server number, each touched on its own worker only.
  private var checks: [Int: Confined<HealthCheck>] = [:]

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
      if !item.isAgent { checks[item.entry.server.number] = Confined(check) }
      var span = Swift.max(shared, intervals[position])
      if let limit = runtime.global.maxSpreadChecks, limit > .zero, span > limit { span = limit }
      let delay = Timespan(microseconds: span.microseconds / Int64(planned.count) * Int64(position))
      check.begin(at: now.instant + delay)
    }
    runtime.control.setCheckWaker { [self] server in
      guard let check = checks[server.number] else { return }
      let loop = check.value.worker.loop
      loop.enqueue { check.value.hurry() }
    }
  }
}
