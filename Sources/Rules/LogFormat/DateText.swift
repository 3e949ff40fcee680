public import Base
import Glibc

/// Dates in the forms that logs use; local time is the process' time zone.
public enum DateText {
  private static let months: [[UInt8]] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
  ].map { Array($0.utf8) }
  private static let weekdays: [[UInt8]] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"].map {
    Array($0.utf8)
  }

  static func local(_ seconds: Int64) -> tm {
    var time = time_t(seconds)
    var parts = tm()
    localtime_r(&time, &parts)
    return parts
  }

  static func utc(_ seconds: Int64) -> tm {
    var time = time_t(seconds)
    var parts = tm()
    gmtime_r(&time, &parts)
    return parts
  }

  static func append(padded value: Int, width: Int, into out: inout [UInt8]) {
    var digits = 1
    var bound = 10
    while digits < width, value >= bound {
      digits += 1
      bound *= 10
    }
    for _ in digits..<Swift.max(digits, width) { out.append(0x30) }
    out.append(decimal: Swift.max(0, value))
  }

  private static func appendTwo(_ value: Int32, into out: inout [UInt8]) {
    out.append(0x30 &+ UInt8(truncatingIfNeeded: value / 10 % 10))
    out.append(0x30 &+ UInt8(truncatingIfNeeded: value % 10))
  }

  private static func appendDay(_ parts: tm, into out: inout [UInt8]) {
    appendTwo(parts.tm_mday, into: &out)
    out.append(ASCII.slash)
    out.append(contentsOf: months[Int(parts.tm_mon) % 12])
    out.append(ASCII.slash)
    append(padded: Int(parts.tm_year) + 1900, width: 4, into: &out)
    out.append(ASCII.colon)
    appendTwo(parts.tm_hour, into: &out)
    out.append(ASCII.colon)
    appendTwo(parts.tm_min, into: &out)
    out.append(ASCII.colon)
    appendTwo(parts.tm_sec, into: &out)
  }

  /// `26/Apr/2024:09:39:58.774`
  static func appendLocalMilliseconds(_ time: WallTime, _ dates: inout DateCache, into out: inout [UInt8]) {
    dates.day.append(time.seconds, into: &out) { appendDay($0, into: &$1) }
    out.append(0x2E)
    append(padded: Int(time.microseconds / 1000 % 1000), width: 3, into: &out)
  }

  /// `Apr 26 09:39:58` (RFC 3164).
  public static func appendLegacy(_ time: WallTime, _ dates: inout DateCache, into out: inout [UInt8]) {
    dates.legacy.append(time.seconds, into: &out) { parts, out in
      out.append(contentsOf: months[Int(parts.tm_mon) % 12])
      out.append(ASCII.space)
      if parts.tm_mday < 10 { out.append(ASCII.space) }
      out.append(decimal: Int(parts.tm_mday))
      for (i, value) in [parts.tm_hour, parts.tm_min, parts.tm_sec].enumerated() {
        out.append(i == 0 ? ASCII.space : ASCII.colon)
        appendTwo(value, into: &out)
      }
    }
  }

  /// `26/Apr/2024:07:41:11 +0000`
  static func appendUTC(_ time: WallTime, into out: inout [UInt8]) {
    appendDay(utc(time.seconds), into: &out)
    out.append(contentsOf: " +0000".utf8)
  }

  /// `26/Apr/2024:09:42:32 +0200`
  public static func appendLocal(_ time: WallTime, into out: inout [UInt8]) {
    let parts = local(time.seconds)
    appendDay(parts, into: &out)
    let offset = parts.tm_gmtoff / 60
    out.append(ASCII.space)
    out.append(offset < 0 ? 0x2D : 0x2B)
    append(padded: abs(offset) / 60 * 100 + abs(offset) % 60, width: 4, into: &out)
  }

  /// `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110, 5.6.7).
  static func httpDate(_ seconds: Int64) -> [UInt8] {
    let parts = utc(seconds)
    var out = weekdays[Int(parts.tm_wday) % 7]
    out.append(contentsOf: ", ".utf8)
    appendTwo(parts.tm_mday, into: &out)
    out.append(ASCII.space)
    out.append(contentsOf: months[Int(parts.tm_mon) % 12])
    out.append(ASCII.space)
    append(padded: Int(parts.tm_year) + 1900, width: 4, into: &out)
    for (i, value) in [parts.tm_hour, parts.tm_min, parts.tm_sec].enumerated() {
      out.append(i == 0 ? ASCII.space : ASCII.colon)
      appendTwo(value, into: &out)
    }
    out.append(contentsOf: " GMT".utf8)
    return out
  }
}

/// The second written last, in the forms of every log line: in the time zone of the process, which takes long to find.
public struct DateCache {
  fileprivate var day = Text()
  fileprivate var legacy = Text()

  public init() {}

  fileprivate struct Text {
    private var second: Int64 = 0
    private var octets: [UInt8] = []

    mutating func append(_ wanted: Int64, into out: inout [UInt8], _ write: (tm, inout [UInt8]) -> Void) {
      if second != wanted || octets.isEmpty {
        octets.removeAll(keepingCapacity: true)
        write(DateText.local(wanted), &octets)
        second = wanted
      }
      out.append(contentsOf: octets)
    }
  }
}

enum AddressText {
  static func append(_ address: IPAddress, into out: inout [UInt8]) {
    guard case .v4(let word) = address else {
      out.append(contentsOf: address.description.utf8)
      return
    }
    appendOctet(UInt8(truncatingIfNeeded: word >> 24), into: &out)
    out.append(0x2E)
    appendOctet(UInt8(truncatingIfNeeded: word >> 16), into: &out)
    out.append(0x2E)
    appendOctet(UInt8(truncatingIfNeeded: word >> 8), into: &out)
    out.append(0x2E)
    appendOctet(UInt8(truncatingIfNeeded: word), into: &out)
  }

  private static func appendOctet(_ value: UInt8, into out: inout [UInt8]) {
    if value >= 100 { out.append(0x30 &+ value / 100) }
    if value >= 10 { out.append(0x30 &+ value / 10 % 10) }
    out.append(0x30 &+ value % 10)
  }
}
