import Base
import Glibc

/// Moments as text, in this machine's time zone.
enum CalendarText {
  static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

  static func parts(_ time: WallTime) -> tm {
    var seconds = time_t(time.seconds)
    var result = tm()
    localtime_r(&seconds, &result)
    return result
  }

  /// `21/Nov/2026:05:48:22.123`, as in HAProxy's accept dates.
  static func access(_ time: WallTime) -> String {
    let t = parts(time)
    let millis = String(1000 + time.microseconds / 1000 % 1000).dropFirst()
    return
      "\(two(t.tm_mday))/\(months[Int(t.tm_mon) % 12])/\(t.tm_year + 1900):\(two(t.tm_hour)):\(two(t.tm_min)):\(two(t.tm_sec)).\(millis)"
  }

  /// `2026-11-21T05:48:22.123456+00:00`.
  static func iso(_ time: WallTime) -> String {
    let t = parts(time)
    let micros = String(1_000_000 + time.microseconds % 1_000_000).dropFirst()
    let offset = Int(t.tm_gmtoff) / 60
    let zone = "\(offset < 0 ? "-" : "+")\(two(Int32(abs(offset) / 60))):\(two(Int32(abs(offset) % 60)))"
    return
      "\(t.tm_year + 1900)-\(two(t.tm_mon + 1))-\(two(t.tm_mday))T\(two(t.tm_hour)):\(two(t.tm_min)):\(two(t.tm_sec)).\(micros)\(zone)"
  }

  private static func two(_ n: Int32) -> String { n < 10 ? "0\(n)" : "\(n)" }
}
