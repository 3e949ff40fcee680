import Base
import NetIO

extension Commands {
  static let caches: [Command] = [
    Command("show cache", "", level: .admin, "show cache status") { call in
      let now = Int64(call.now.wall.seconds)
      return .lines(call.runtime.caches.map { $0.report(now: now) }.joined())
    }
  ]
}
