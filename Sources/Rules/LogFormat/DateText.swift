import Base
import Glibc

/// Dates in the forms that logs use; local time is the process' time zone.
enum DateText {
  private static let months: [[UInt8]] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
  ].map { Array($0.utf8) }
  private static let weekdays: [[UInt8]] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"].map { Array($0.utf8) }

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
    var digits: [UInt8] = []
    digits.append(decimal: max(0, value))
    for _ in 0..<max(0, width - digits.count) { out.append(0x30) }
    out.append(contentsOf: digits)
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
    for value in [parts.tm_hour, parts.tm_min, parts.tm_sec] {
      out.append(ASCII.colon)
      appendTwo(value, into: &out)
    }
  }

  /// `26/Apr/2024:09:39:58.774`
  static func appendLocalMilliseconds(_ time: WallTime, into out: inout [UInt8]) {
    appendDay(local(time.seconds), into: &out)
    out.append(0x2E)
    append(padded: Int(time.microseconds / 1000 % 1000), width: 3, into: &out)
  }

  /// `26/Apr/2024:07:41:11 +0000`
  static func appendUTC(_ time: WallTime, into out: inout [UInt8]) {
    appendDay(utc(time.seconds), into: &out)
    out.append(contentsOf: " +0000".utf8)
  }

  /// `26/Apr/2024:09:42:32 +0200`
  static func appendLocal(_ time: WallTime, into out: inout [UInt8]) {
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

enum AddressText {
  static func append(_ address: IPAddress, into out: inout [UInt8]) {
    guard case .v4(let word) = address else {
      out.append(contentsOf: address.description.utf8)
      return
    }
    for shift in [UInt32(24), 16, 8, 0] {
      appendOctet(UInt8(truncatingIfNeeded: word >> shift), into: &out)
      if shift > 0 { out.append(0x2E) }
    }
  }

  private static func appendOctet(_ value: UInt8, into out: inout [UInt8]) {
    if value >= 100 { out.append(0x30 &+ value / 100) }
    if value >= 10 { out.append(0x30 &+ value / 10 % 10) }
    out.append(0x30 &+ value % 10)
  }
}
