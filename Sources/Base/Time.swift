import Glibc

/// A length of time in microseconds.
public struct Timespan: Hashable, Comparable, Sendable {
  public var microseconds: Int64

  @inlinable public init(microseconds: Int64) { self.microseconds = microseconds }
  @inlinable public static func microseconds(_ n: Int64) -> Timespan { Timespan(microseconds: n) }
  @inlinable public static func milliseconds(_ n: Int64) -> Timespan { Timespan(microseconds: n &* 1000) }
  @inlinable public static func seconds(_ n: Int64) -> Timespan { Timespan(microseconds: n &* 1_000_000) }
  public static let zero = Timespan(microseconds: 0)

  @inlinable public var milliseconds: Int64 { microseconds / 1000 }
  @inlinable public var seconds: Int64 { microseconds / 1_000_000 }
  @inlinable public static func < (a: Timespan, b: Timespan) -> Bool { a.microseconds < b.microseconds }
}

/// A moment on the monotonic clock, in microseconds since an arbitrary start.
public struct Instant: Hashable, Comparable, Sendable {
  public var microseconds: Int64

  @inlinable public init(microseconds: Int64) { self.microseconds = microseconds }
  /// Before every moment that the clock gives: "not yet".
  public static let never = Instant(microseconds: .min)
  /// After every moment that the clock gives: "no deadline".
  public static let distantFuture = Instant(microseconds: .max)

  @inlinable public static func < (a: Instant, b: Instant) -> Bool { a.microseconds < b.microseconds }
  @inlinable public static func - (a: Instant, b: Instant) -> Timespan {
    Timespan(microseconds: a.microseconds &- b.microseconds)
  }
  @inlinable public static func + (a: Instant, b: Timespan) -> Instant {
    Instant(microseconds: a.microseconds &+ b.microseconds)
  }
}

/// A moment of the calendar, in microseconds since 1970 UTC.
public struct WallTime: Hashable, Comparable, Sendable {
  public var microseconds: Int64

  @inlinable public init(microseconds: Int64) { self.microseconds = microseconds }
  @inlinable public var seconds: Int64 { microseconds / 1_000_000 }
  @inlinable public static func < (a: WallTime, b: WallTime) -> Bool { a.microseconds < b.microseconds }
}

/// The two clocks, read together once per wake-up of an event loop and handed down from there.
public struct Now: Sendable {
  public var instant: Instant
  public var wall: WallTime

  public init(instant: Instant, wall: WallTime) {
    self.instant = instant
    self.wall = wall
  }

  /// Reads both clocks. For event loops and start-up only: nothing below them asks for the time.
  public static func read() -> Now {
    var mono = timespec()
    var real = timespec()
    clock_gettime(CLOCK_MONOTONIC, &mono)
    clock_gettime(CLOCK_REALTIME, &real)
    return Now(
      instant: Instant(microseconds: Int64(mono.tv_sec) * 1_000_000 + Int64(mono.tv_nsec) / 1000),
      wall: WallTime(microseconds: Int64(real.tv_sec) * 1_000_000 + Int64(real.tv_nsec) / 1000))
  }
}
