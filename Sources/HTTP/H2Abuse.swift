/// Counts what a client makes a server do without use, between requests that complete.
///
/// There is no clock here, so the bounds are against progress: each request that ends well forgives.
struct H2Abuse {
  /// Resets by the client, and resets that its faults provoke (CVE-2023-44487, CVE-2025-8671).
  private var resets = 0
  /// Frames that carry nothing: PING, SETTINGS, PRIORITY, empty DATA, WINDOW_UPDATE.
  private var idle = 0

  static let resetBound = 300
  static let idleBound = 20_000

  /// Each true when the bound is exceeded.
  mutating func reset() -> Bool {
    resets += 1
    return resets > Self.resetBound
  }

  mutating func idleFrame(cost: Int = 1) -> Bool {
    idle += cost
    return idle > Self.idleBound
  }

  mutating func requestCompleted() {
    resets = Swift.max(0, resets - 1)
    idle = Swift.max(0, idle - 100)
  }

  /// Body octets went one way or the other.
  mutating func progressed() { idle = Swift.max(0, idle - 10) }
}
