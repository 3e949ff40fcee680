/// Numbers of the command line.
enum CommandNumber {
  /// An integer with an optional sign, and what follows it; bounded to 32 bits.
  static func leading(_ text: String) -> (Int, Substring)? {
    var rest = text[...]
    let sign = rest.first.flatMap { $0 == "-" || $0 == "+" ? rest.removeFirst() : nil }
    let digits = rest.prefix { $0.isASCII && $0.isNumber }
    guard !digits.isEmpty else { return nil }
    let bounded = Swift.min(Int(digits) ?? Int(Int32.max), Int(Int32.max))
    return (sign == "-" ? -bounded : bounded, rest.dropFirst(digits.count))
  }

  /// The integer at the start of `text`, 0 when there is none.
  static func value(_ text: String) -> Int { leading(text)?.0 ?? 0 }

  /// `10`, `10s`, `500ms`, `1m`, `2h`, `1d`; without a unit the number counts `unit` milliseconds. nil when wrong.
  static func milliseconds(_ text: String, unit: Int) -> Int? {
    guard let (number, rest) = leading(text), number >= 0 else { return nil }
    let factor: Int
    switch rest {
    case "": factor = unit
    case "us": return number / 1000
    case "ms": factor = 1
    case "s": factor = 1000
    case "m": factor = 60_000
    case "h": factor = 3_600_000
    case "d": factor = 86_400_000
    default: return nil
    }
    let (product, isTooLong) = number.multipliedReportingOverflow(by: factor)
    return isTooLong ? nil : product
  }
}
