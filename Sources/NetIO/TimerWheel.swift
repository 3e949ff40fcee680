public import Base

/// Whoever is told when a timer runs out.
public protocol TimerOwner: AnyObject {
  func timerFired(_ timer: Timer)
}

/// A deadline that can be moved for free.
///
/// Moving it later only stores the new time: the wheel finds out when the old time comes, and puts the
/// timer where it now belongs. That is what connections do on every read.
public final class Timer {
  /// When `owner` is told; `.distantFuture` while the timer is not wanted.
  public fileprivate(set) var deadline = Instant.distantFuture
  fileprivate var owner: (any TimerOwner)?
  fileprivate var slot: Int32 = -1
  fileprivate var index: Int32 = 0
  fileprivate var wakesAt = Instant.distantFuture

  public init() {}

  /// Whether the wheel holds the timer (and, through it, the owner).
  public var isArmed: Bool { slot >= 0 }
}

/// A hashed wheel of timers with a resolution of one tick.
///
/// A timer never fires early, and at most one tick plus the loop's own delay late. While a timer is
/// armed the wheel keeps its owner alive.
public final class TimerWheel {
  /// Microseconds a tick.
  static let tick: Int64 = 4_000
  private static let slotCount = 4096
  private var slots: ContiguousArray<ContiguousArray<Timer>>
  private var position: Int64
  private var armed = 0
  private var earliest = Instant.distantFuture

  public init(now: Instant) {
    slots = ContiguousArray(repeating: [], count: TimerWheel.slotCount)
    position = now.microseconds / TimerWheel.tick
  }

  /// How many timers are armed.
  public var count: Int { armed }

  /// Sets or moves `timer`; `owner` is told once when the time has come.
  public func set(_ timer: Timer, to deadline: Instant, owner: any TimerOwner) {
    timer.deadline = deadline
    if timer.slot >= 0 {
      if deadline >= timer.wakesAt { return }
      unlink(timer)
    }
    if deadline == .distantFuture { return }
    timer.owner = owner
    link(timer)
  }

  public func cancel(_ timer: Timer) {
    timer.deadline = .distantFuture
    if timer.slot >= 0 { unlink(timer) }
    timer.owner = nil
  }

  /// How long the loop may sleep: nil when no timer is armed.
  public func timeUntilNext(now: Instant) -> Timespan? {
    if armed == 0 { return nil }
    if earliest == .distantFuture { findEarliest() }
    return Swift.max(.zero, earliest - now)
  }

  /// Tells the owners of all timers whose time has come.
  public func advance(to now: Instant) {
    let target = now.microseconds / TimerWheel.tick
    guard armed > 0, target > position else {
      position = Swift.max(position, target)
      return
    }
    if earliest != .distantFuture, earliest > now {
      position = target
      return
    }
    let steps = Swift.min(target - position, Int64(TimerWheel.slotCount))
    var due: [Timer] = []
    for step in 1...steps {
      let slot = Int((position + step) & Int64(TimerWheel.slotCount - 1))
      for timer in slots[slot] where timer.wakesAt <= now { due.append(timer) }
    }
    position = target
    earliest = .distantFuture
    for timer in due where timer.slot >= 0 && timer.wakesAt <= now {
      unlink(timer)
      if timer.deadline > now {
        if timer.deadline == .distantFuture { timer.owner = nil } else { link(timer) }
      } else {
        let owner = timer.owner
        timer.owner = nil
        timer.deadline = .distantFuture
        owner?.timerFired(timer)
      }
    }
  }

  private func link(_ timer: Timer) {
    // Rounded up to the tick after the deadline, so that it is past when the slot is visited.
    let due = Swift.max(timer.deadline.microseconds / TimerWheel.tick + 1, position + 1)
    timer.wakesAt = Instant(microseconds: due * TimerWheel.tick)
    let slot = Int(due & Int64(TimerWheel.slotCount - 1))
    timer.slot = Int32(slot)
    timer.index = Int32(slots[slot].count)
    slots[slot].append(timer)
    armed += 1
    if timer.wakesAt < earliest, earliest != .distantFuture || armed == 1 { earliest = timer.wakesAt }
  }

  private func unlink(_ timer: Timer) {
    let slot = Int(timer.slot)
    let index = Int(timer.index)
    let last = slots[slot].count - 1
    if index < last {
      slots[slot][index] = slots[slot][last]
      slots[slot][index].index = Int32(index)
    }
    slots[slot].removeLast()
    timer.slot = -1
    armed -= 1
    if timer.wakesAt == earliest { earliest = .distantFuture }
  }

  /// Walks the wheel from here to the first slot with a timer of this turn; the wheel's end otherwise.
  private func findEarliest() {
    for step in 1...Int64(TimerWheel.slotCount) {
      let time = Instant(microseconds: (position + step) * TimerWheel.tick)
      let slot = Int((position + step) & Int64(TimerWheel.slotCount - 1))
      for timer in slots[slot] where timer.wakesAt <= time {
        earliest = timer.wakesAt
        return
      }
    }
    earliest = Instant(microseconds: (position + Int64(TimerWheel.slotCount)) * TimerWheel.tick)
  }
}
