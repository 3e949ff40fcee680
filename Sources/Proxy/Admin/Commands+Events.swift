import Base
import Synchronization

extension Commands {
  /// Rings and other receivers of events.
  static let events: [Command] = [
    Command("show events", "[<sink>] [-w] [-n] [-0]", level: .user, "show event sink state") { events($0) }
  ]

  private static func events(_ call: CommandCall) -> CommandAnswer {
    let rings = call.runtime.rings
    let name = call.argument(0)
    if name.isEmpty { return list(rings) }
    guard call.session.level >= .operator else { return .error("Permission denied\n") }
    if name == "stdout" || name == "stderr" { return .info("Nothing to report for this sink") }
    guard let ring = rings.first(where: { $0.name == name }) else { return .error("No such event sink") }
    var waits = false
    var skips = false
    var end = ASCII.lf
    for option in call.arguments.dropFirst() {
      switch option {
      case "-w": waits = true
      case "-n": skips = true
      case "-0": end = 0
      case "-nw", "-wn": (waits, skips) = (true, true)
      default: return .error("unknown option")
      }
    }
    let feed = RingFeed(ring, atEnd: skips, end: end)
    if waits { return .following(feed) }
    return .pieces {
      let piece = feed.next()
      if piece == nil { feed.end() }
      return piece
    }
  }

  private static func list(_ rings: [Ring]) -> CommandAnswer {
    var out =
      "Supported events sinks are listed below. Add -0(zero), -w(wait), -n(new). Any key to stop.\n"
    func line(_ name: String, _ type: String, _ dropped: Int, _ description: String) {
      let padding = String(repeating: " ", count: Swift.max(0, 10 - name.utf8.count))
      out += "    \(name)\(padding) : type=\(type), \(dropped) dropped, \(description)\n"
    }
    line("stdout", "fd", 0, "standard output (fd#1)")
    line("stderr", "fd", 0, "standard output (fd#2)")
    for ring in rings {
      line(ring.name, "buffer", ring.dropped.load(ordering: .relaxed), ring.description)
    }
    return .lines(out)
  }
}

/// The messages of a ring for one client.
private final class RingFeed: CommandFeed {
  private let ring: Ring
  private let reader: Int
  private let endOfEvent: UInt8
  /// Octets gathered before they are sent.
  private static let batch = 16 * 1024

  init(_ ring: Ring, atEnd: Bool, end: UInt8) {
    self.ring = ring
    reader = ring.attach(atEnd: atEnd)
    endOfEvent = end
  }

  deinit { ring.detach(reader) }

  func next() -> [UInt8]? {
    var out: [UInt8] = []
    while out.count < RingFeed.batch, let message = ring.next(reader) {
      out.append(contentsOf: message)
      out.append(endOfEvent)
    }
    return out.isEmpty ? nil : out
  }

  func wait(_ wake: @escaping @Sendable () -> Void) -> Bool { ring.wait(reader, wake) }
  func end() { ring.detach(reader) }
}
