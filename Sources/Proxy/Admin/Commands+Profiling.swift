import Base
import Config

extension Commands {
  /// The processor time of event loops. There are no tasks beside them, and memory is not profiled.
  static let profiling: [Command] = [
    Command(
      "set profiling", "<what> {on|off}", level: .admin, "enable/disable resource profiling (tasks,memory)",
      run: setProfiling),
    Command(
      "show profiling", "[<what>|<#lines>]*", level: .admin, "show profiling state (all,status,tasks,memory)",
      run: showProfiling),
  ]

  private static func setProfiling(_ call: CommandCall) -> CommandAnswer {
    switch call.argument(0) {
    case "memory": return .error("Memory profiling not compiled in.")
    case "tasks": break
    default: return .error("Expects either 'tasks' or 'memory'.")
    }
    let switchesOn: Bool
    switch (call.argument(1), call.arguments.count) {
    case ("on", 2): switchesOn = true
    case ("off", 2): switchesOn = false
    default: return .error("Expects either 'on' or 'off'.")
    }
    return .gathered(
      call.gateway, (),
      { worker, _, _ in
        if switchesOn { worker.profile = WorkProfile(worker) } else { worker.profile?.stop(worker) }
        return false
      }, render: { "" })
  }

  private static func showProfiling(_ call: CommandCall) -> CommandAnswer {
    var showsStatus = true
    var showsTasks = true
    var lines = Int.max
    for argument in call.arguments {
      switch argument {
      case "all": (showsStatus, showsTasks) = (true, true)
      case "status": (showsStatus, showsTasks) = (true, false)
      case "tasks": (showsStatus, showsTasks) = (false, true)
      case "memory": (showsStatus, showsTasks) = (false, false)
      default:
        guard let count = Int(argument), count >= 0 else {
          return .error("Expects either 'all', 'status', 'tasks', 'memory' or a max number of output lines.")
        }
        lines = count
      }
    }
    return .gathered(
      call.gateway, (isOn: false, results: [WorkProfile.Result]()),
      { worker, _, state in
        if let profile = worker.profile {
          if profile.isRunning { state.isOn = true }
          state.results.append(profile.result(worker))
        }
        return false
      },
      render: { [showsStatus, showsTasks, lines] state in
        (showsStatus ? status(state.isOn) : "") + (showsTasks ? activity(state.results, lines) : "")
      })
  }

  private static func status(_ isOn: Bool) -> String {
    """
    Per-task CPU profiling              : \(isOn ? "on " : "off")           # set profiling tasks {on|off}
    Memory usage profiling              : off           # not compiled in

    """
  }

  private static func activity(_ results: [WorkProfile.Result], _ most: Int) -> String {
    let (span, age) = (results.first?.span ?? 0, results.first?.age ?? 0)
    var out = "Tasks activity over \(seconds(span)) sec till \(seconds(age)) sec ago:\n"
    out += "  function                      calls   cpu_tot   cpu_avg   lkw_avg   lkd_avg   mem_avg   lat_avg\n"
    for result in results.prefix(most) {
      let name = "EventLoop.turn/\(result.worker + 1)"
      out += "  " + name + String(repeating: " ", count: Swift.max(0, 23 - name.utf8.count)) + pad(result.turns, 12)
      let average = result.turns > 0 ? result.processor / result.turns : 0
      for cell in [duration(result.processor), duration(average), "-", "-", "-", "-"] {
        out += String(repeating: " ", count: Swift.max(1, 10 - cell.utf8.count)) + cell
      }
      out += "\n"
    }
    return out
  }

  private static func seconds(_ microseconds: Int64) -> String { thousandths(Int(microseconds / 1000)) }

  /// `1.234`
  private static func thousandths(_ n: Int) -> String {
    let rest = String(n % 1000)
    return "\(n / 1000).\(String(repeating: "0", count: Swift.max(0, 3 - rest.utf8.count)))\(rest)"
  }

  /// `17ns`, `1.234us`, `1.234ms`, `1.234s`
  static func duration(_ nanoseconds: Int) -> String {
    switch nanoseconds {
    case ..<1000: "\(nanoseconds)ns"
    case ..<1_000_000: "\(thousandths(nanoseconds))us"
    case ..<1_000_000_000: "\(thousandths(nanoseconds / 1000))ms"
    default: "\(thousandths(nanoseconds / 1_000_000))s"
    }
  }
}
