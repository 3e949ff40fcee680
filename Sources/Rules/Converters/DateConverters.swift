import Base
import Glibc
import HTTP

/// Seconds (or finer counts) since 1970 to text.
enum DateConverters {
  static let table: [ConverterEntry] = [
    format("ltime", .seconds, isLocal: true), format("utime", .seconds, isLocal: false),
    format("ms_ltime", .milliseconds, isLocal: true), format("ms_utime", .milliseconds, isLocal: false),
    format("us_ltime", .microseconds, isLocal: true), format("us_utime", .microseconds, isLocal: false),
    ConverterEntry("http_date", .optional(.integer, .string), .int, .string) { sample, a, _ in
      guard let value = sample.integer else { return nil }
      let unit = TimeUnit(a.string(1))
      let seconds: Int64
      switch unit {
      case .seconds: seconds = value
      case .milliseconds: seconds = value / 1000
      case .microseconds: seconds = value / 1_000_000
      }
      return .string(Bytes(DateText.httpDate(bounded(seconds &+ (a.int(0) ?? 0)))))
    },
    ConverterEntry("date", .none, .string, .int) { sample, _, _ in
      HTTPDate.parse(sample.text).map(Sample.int)
    },
  ]

  /// Within the years that four digits can show.
  private static func bounded(_ seconds: Int64) -> Int64 {
    min(max(seconds, -62_135_596_800), 253_402_300_799)
  }

  private static func format(_ name: String, _ unit: TimeUnit, isLocal: Bool) -> ConverterEntry {
    ConverterEntry(name, .atLeast(1, .string, .integer), .int, .string) { sample, a, _ in
      guard let value = sample.integer, let pattern = a.string(0) else { return nil }
      let scale: Int64 = unit == .seconds ? 1 : unit == .milliseconds ? 1000 : 1_000_000
      let offset = a.int(1) ?? 0
      let micros = (value % scale) &* (1_000_000 / scale)
      return .string(text(bounded(value / scale &+ offset), micros, pattern, isLocal: isLocal))
    }
  }

  /// strftime(3), with `%N` and `%3N` for fractions of the second.
  private static func text(_ seconds: Int64, _ microseconds: Int64, _ pattern: Bytes, isLocal: Bool) -> Bytes {
    var parts = isLocal ? DateText.local(seconds) : DateText.utc(seconds)
    var expanded: [CChar] = []
    var i = 0
    while i < pattern.count {
      if pattern[i] == 0x25, i + 1 < pattern.count {
        var j = i + 1
        var width = 0
        if ASCII.isDigit(pattern[j]) {
          width = Int(pattern[j] &- 0x30)
          j += 1
        }
        if j < pattern.count, pattern[j] == 0x4E {
          var digits: [UInt8] = []
          DateText.append(padded: Int(abs(microseconds)) * 1000, width: 9, into: &digits)
          expanded.append(contentsOf: digits.prefix(width == 0 ? 9 : width).map { CChar(bitPattern: $0) })
          i = j + 1
          continue
        }
        expanded.append(CChar(bitPattern: pattern[i]))
        expanded.append(CChar(bitPattern: pattern[i + 1]))
        i += 2
        continue
      }
      expanded.append(CChar(bitPattern: pattern[i]))
      i += 1
    }
    // A pattern that gives nothing and one that does not fit look alike to strftime: both give an empty text.
    expanded.append(0)
    var out = [CChar](repeating: 0, count: 1024)
    let written = strftime(&out, out.count, expanded, &parts)
    return Bytes(out.prefix(written).map { UInt8(bitPattern: $0) })
  }
}
