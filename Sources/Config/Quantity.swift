import Base

/// Times and sizes as the manual's chapters 2.6 and 2.7 write them.
enum Quantity {
  enum TimeResult: Equatable {
    case value(Timespan)
    case overflow, underflow
    case unexpected(UInt8)
  }

  /// The longest time that HAProxy takes, 2^31 - 1 milliseconds.
  static let longest = Timespan.milliseconds(Int64(Int32.max))

  static func time(_ text: borrowing Span<UInt8>, defaultUnit: Timespan) -> TimeResult {
    var i = 0
    while i < text.count, ASCII.isDigit(text[i]) { i += 1 }
    guard i > 0 else { return .unexpected(text.count > 0 ? text[0] : ASCII.space) }
    guard let number = ASCII.decimal(text.extracting(0..<i)), number <= UInt64(Int64.max) else {
      return .overflow
    }
    let unit: Int64
    switch text.count - i {
    case 0: unit = defaultUnit.microseconds
    case 1:
      switch text[i] {
      case UInt8(ascii: "s"): unit = 1_000_000
      case UInt8(ascii: "m"): unit = 60_000_000
      case UInt8(ascii: "h"): unit = 3_600_000_000
      case UInt8(ascii: "d"): unit = 86_400_000_000
      default: return .unexpected(text[i])
      }
    case 2 where text[i + 1] == UInt8(ascii: "s") && text[i] == UInt8(ascii: "m"): unit = 1000
    case 2 where text[i + 1] == UInt8(ascii: "s") && text[i] == UInt8(ascii: "u"): unit = 1
    default: return .unexpected(text[i])
    }
    let (product, overflow) = Int64(number).multipliedReportingOverflow(by: unit)
    if overflow || product > longest.microseconds { return .overflow }
    if number > 0, product < 1000, defaultUnit.microseconds >= 1000 { return .underflow }
    return .value(.microseconds(product))
  }

  static func size(_ text: borrowing Span<UInt8>) -> Int? {
    guard text.count > 0 else { return nil }
    let shift: Int
    switch ASCII.lower(text[text.count - 1]) {
    case UInt8(ascii: "k"): shift = 10
    case UInt8(ascii: "m"): shift = 20
    case UInt8(ascii: "g"): shift = 30
    default: shift = 0
    }
    guard let number = ASCII.decimal(text.extracting(0..<(text.count - (shift > 0 ? 1 : 0)))) else {
      return nil
    }
    let (value, overflow) = number.multipliedReportingOverflow(by: 1 << UInt64(shift))
    return overflow || value > UInt64(Int64.max) ? nil : Int(value)
  }
}
