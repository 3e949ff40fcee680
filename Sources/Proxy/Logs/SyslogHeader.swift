import Base
import Config
import Glibc
import Rules

/// The fields of a syslog message in front of its text; empty where there is none.
struct SyslogFields: Sendable {
  var hostName = Bytes.empty
  var tag = Bytes.empty
  var process = Bytes.empty
  var messageID = Bytes.empty
  var structuredData = Bytes.empty
  /// The time as it was received: RFC 3164's 15 octets, RFC 5424's, or `-`; empty is now.
  var time = Bytes.empty
  /// A received message had a priority.
  var hadPriority = false

  /// HAProxy's choice where `log` has no `format`: the one that has room for what is known.
  var naturalFormat: LogTarget.Format {
    if !hostName.isEmpty {
      return time == "-" || time.count >= SyslogFields.isoLength ? .rfc5424 : .rfc3164
    }
    if !tag.isEmpty { return .local }
    return hadPriority ? .priority : .raw
  }

  /// The least octets of a date and time as RFC 5424 writes it.
  static let isoLength = 20
  /// Octets of `Nov 21 05:48:22`.
  static let legacyLength = 15
}

/// What stands before the message on a log line, by `log ... format`.
enum SyslogHeader {
  /// `structuredData` stands in for that of `fields` unless it is empty.
  static func write(
    _ format: LogTarget.Format, priority: Int, time: WallTime, _ fields: borrowing SyslogFields,
    structuredData: [UInt8], _ dates: inout DateCache, into line: inout [UInt8]
  ) {
    switch format {
    case .raw: break
    case .short: writePriority(priority & 7, into: &line)
    case .priority: writePriority(priority, into: &line)
    case .timed:
      writePriority(priority & 7, into: &line)
      writeISOTime(time, fields.time, into: &line)
    case .iso: writeISOTime(time, fields.time, into: &line)
    case .local, .rfc3164:
      writePriority(priority, into: &line)
      writeLegacyTime(time, fields.time, &dates, into: &line)
      if format == .rfc3164 {
        line.append(fields.hostName.isEmpty ? "localhost" : fields.hostName)
        line.append(ASCII.space)
      }
      writeTag(fields.tag, fields.process, into: &line)
    case .rfc5424:
      writePriority(priority, into: &line)
      line.append("1 ")
      if fields.time == "-" {
        line.append("- ")
      } else {
        writeISOTime(time, fields.time, into: &line)
      }
      writeField(fields.hostName, into: &line)
      writeField(fields.tag, into: &line)
      writeField(fields.process, into: &line)
      writeField(fields.messageID, into: &line)
      if structuredData.isEmpty {
        writeField(fields.structuredData, into: &line)
      } else {
        line.append(contentsOf: structuredData)
        line.append(ASCII.space)
      }
    }
  }

  private static func writeField(_ field: Bytes, into line: inout [UInt8]) {
    line.append(field.isEmpty ? "-" : field)
    line.append(ASCII.space)
  }

  private static func writePriority(_ priority: Int, into line: inout [UInt8]) {
    line.append(0x3C)
    line.append(decimal: priority)
    line.append(0x3E)
  }

  private static func writeTag(_ tag: Bytes, _ process: Bytes, into line: inout [UInt8]) {
    if tag.isEmpty { return }
    line.append(tag)
    if !process.isEmpty {
      line.append(0x5B)
      line.append(process)
      line.append(0x5D)
    }
    line.append(": ")
  }

  /// `Nov 21 05:48:22 `, out of the received time when there is one.
  private static func writeLegacyTime(
    _ now: WallTime, _ received: Bytes, _ dates: inout DateCache, into line: inout [UInt8]
  ) {
    if received.count == SyslogFields.legacyLength {
      line.append(received)
    } else if received.count >= SyslogFields.isoLength, let month = number(received[5..<7]), (1...12).contains(month) {
      line.append(contentsOf: CalendarText.months[month - 1].utf8)
      line.append(ASCII.space)
      line.append(received[8] == 0x30 ? ASCII.space : received[8])
      line.append(received[9])
      line.append(ASCII.space)
      line.append(received[11..<19])
    } else {
      DateText.appendLegacy(now, &dates, into: &line)
    }
    line.append(ASCII.space)
  }

  /// `2026-11-21T05:48:22.123456+00:00 `, out of the received time when there is one.
  private static func writeISOTime(_ now: WallTime, _ received: Bytes, into line: inout [UInt8]) {
    if received.count >= SyslogFields.isoLength {
      line.append(received)
    } else if received.count == SyslogFields.legacyLength,
      let month = CalendarText.months.firstIndex(where: { received.starts(with: Bytes($0)) })
    {
      let today = CalendarText.parts(now)
      // A message of December that is read in January is of the year before.
      let year = Int(today.tm_year) + 1900 - (Int(today.tm_mon) < month ? 1 : 0)
      line.append(decimal: year)
      line.append(0x2D)
      if month < 9 { line.append(0x30) }
      line.append(decimal: month + 1)
      line.append(0x2D)
      line.append(received[4] == ASCII.space ? 0x30 : received[4])
      line.append(received[5])
      line.append(0x54)
      line.append(received[7..<15])
      // RFC 3339: the time zone is not known.
      line.append("-00:00")
    } else {
      line.append(contentsOf: CalendarText.iso(now).utf8)
    }
    line.append(ASCII.space)
  }

  private static func number(_ digits: Bytes) -> Int? {
    var value = 0
    for i in 0..<digits.count {
      guard ASCII.isDigit(digits[i]) else { return nil }
      value = value &* 10 &+ Int(digits[i] &- 0x30)
    }
    return digits.isEmpty ? nil : value
  }
}
