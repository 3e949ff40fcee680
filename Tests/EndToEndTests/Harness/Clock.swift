import Glibc

/// Bounded waiting: nothing in these tests sleeps for a fixed time and hopes.
enum Clock {
  /// Seconds on the monotonic clock.
  static var now: Double {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }

  /// Whether `condition` came to hold within `seconds`.
  static func until(within seconds: Double = 10, _ condition: () throws -> Bool) rethrows -> Bool {
    let deadline = now + seconds
    while true {
      if try condition() { return true }
      if now >= deadline { return false }
      usleep(5000)
    }
  }
}
