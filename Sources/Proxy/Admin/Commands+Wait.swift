import Base
import NetIO

extension Commands {
  /// `wait`: scripts that remove servers wait for their last connections.
  static let waiting: [Command] = [
    Command(
      "wait", "{-h|<delay_ms>} cond [args...]", level: .admin, "wait the specified delay or condition (-h to see list)"
    ) {
      wait($0)
    }
  ]

  private static let usage = """
    wait <time> [srv-removable <backend>/<server> | be-removable <backend>]
      Without a condition, answers after <time>: a number of milliseconds, or one with us, ms, s, m, h or d.
      With one, answers as soon as it holds or cannot come to hold, at the latest after <time>.
      srv-removable: 'del server' would succeed; be-removable: 'del backend' would.

    """

  private static func wait(_ call: CommandCall) -> CommandAnswer {
    let words = Array(call.arguments)
    if words.first == "-h" || words.dropFirst().first == "-h" { return .lines(usage) }
    guard !words.isEmpty else { return .error("Expects a duration in milliseconds.") }
    guard let loop = call.gateway.workers.first?.loop,
      let milliseconds = CommandNumber.milliseconds(call.argument(0), unit: 1), milliseconds > 0
    else { return .error("Invalid duration.") }
    let condition: () -> Waiting.Outcome
    switch call.argument(1) {
    case "": condition = { .wait("") }
    case "srv-removable":
      let (runtime, name) = (call.runtime, call.argument(2))
      guard !name.isEmpty else { return .error("Missing server name (<backend>/<server>).") }
      guard name.split(separator: "/", maxSplits: 1).count == 2 else { return .error("Require 'backend/server'.") }
      condition = { removable(name, runtime) }
    case "be-removable":
      let (runtime, name) = (call.runtime, call.argument(2))
      guard !name.isEmpty else { return .error("Missing backend name.") }
      condition = { removable(backend: name, runtime) }
    default: return .error(usage)
    }
    return .later { reply in
      let waiting = Waiting(loop, until: loop.now.instant + .milliseconds(Int64(milliseconds)), condition) {
        problem in
        reply(problem.map(CommandAnswer.error) ?? .info("Done."))
      }
      waiting.look()
    }
  }

  private static func removable(backend name: String, _ runtime: Runtime) -> Waiting.Outcome {
    switch runtime.removal(ofBackend: name) {
    case .possible: .done
    case .later(let text): .wait(text)
    case .never(let text): .failed(text)
    }
  }

  private static func removable(_ name: String, _ runtime: Runtime) -> Waiting.Outcome {
    let parts = name.split(separator: "/", maxSplits: 1).map(String.init)
    guard let backend = runtime.backend(parts[0]) else {
      return .failed("No such backend.")
    }
    guard let server = backend.server(parts[1]) else { return .failed("No such server.") }
    switch runtime.removal(of: server, from: backend) {
    case .possible: return .done
    case .later(let text): return .wait(text)
    case .never(let text): return .failed(text)
    }
  }
}

/// Looks at a condition again and again, for a time; on the loop of the stats sockets.
private final class Waiting: TimerOwner {
  enum Outcome {
    case done
    /// Not yet, and why.
    case wait(String)
    case failed(String)
  }

  private let loop: EventLoop
  private let end: Instant
  private let condition: () -> Outcome
  /// nil for success, and for a time that is over where nothing was waited for.
  private let finish: (String?) -> Void
  private let timer = Timer()

  private static let pause = Timespan.milliseconds(50)

  init(
    _ loop: EventLoop, until end: Instant, _ condition: @escaping () -> Outcome,
    finish: @escaping (String?) -> Void
  ) {
    self.loop = loop
    self.end = end
    self.condition = condition
    self.finish = finish
  }

  func look() {
    switch condition() {
    case .done: finish(nil)
    case .failed(let text): finish("Failed. \(text)")
    case .wait(let text):
      guard loop.now.instant < end else { return finish(text.isEmpty ? nil : "Wait delay expired. \(text)") }
      loop.timers.set(timer, to: Swift.min(loop.now.instant + Waiting.pause, end), owner: self)
    }
  }

  func timerFired(_ timer: Timer) { look() }
}
