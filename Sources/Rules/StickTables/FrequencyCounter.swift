/// Events over a sliding period: the events of the present period, and of the one before it what the present has
/// not yet replaced.
///
/// The arithmetic is HAProxy's, so that a limit means the same here. Times are milliseconds of a clock that wraps.
public struct FrequencyCounter: Sendable {
  /// When the present period began; always even.
  public var start: UInt32
  public var current: UInt32
  public var previous: UInt32

  public init(start: UInt32 = 0, current: UInt32 = 0, previous: UInt32 = 0) {
    self.start = start
    self.current = current
    self.previous = previous
  }

  /// Counts `n` events at `now`.
  @inline(__always)
  public mutating func add(_ n: UInt32, period: UInt32, now: UInt32) {
    // Another thread's clock may be a moment ahead of this one's.
    let elapsed = Int32(bitPattern: now &- start)
    if now &- start < period || (elapsed < 0 && elapsed > -1000) {
      current &+= n
      return
    }
    previous = current
    current = n
    var began = start &+ period
    if now &- began >= period {
      previous = 0
      began = now
    }
    start = began & ~1
  }

  /// Events a period at `now`. A single event of the last period counts as one until the period is over, lest a low
  /// rate flap.
  public func rate(period: UInt32, now: UInt32) -> UInt32 {
    guard period > 0 else { return 0 }
    var past = UInt64(previous)
    var present = UInt64(current)
    var remaining = Int64(Int32(bitPattern: start &+ period &- now))
    if remaining < 0 {
      remaining += Int64(period)
      past = remaining >= 0 ? present : 0
      present = 0
    }
    if present == 0, past <= 1 { return UInt32(past) }
    let total = past &* UInt64(Swift.max(0, remaining)) &+ present &* UInt64(period)
    return UInt32(truncatingIfNeeded: total / UInt64(period))
  }
}
