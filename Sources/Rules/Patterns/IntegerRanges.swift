import Base

/// Integer patterns: values and ranges, or the comparison operators of the ACL language.
struct IntegerRanges: Sendable {
  private var values: Set<Int64> = []
  private(set) var ranges: [ClosedRange<Int64>] = []

  mutating func insert(_ range: ClosedRange<Int64>) {
    if range.lowerBound == range.upperBound, ranges.count >= 4 {
      values.insert(range.lowerBound)
    } else {
      ranges.append(range)
    }
  }

  func contains(_ value: Int64) -> Bool {
    for range in ranges where range.contains(value) { return true }
    return !values.isEmpty && values.contains(value)
  }

  /// `5`, `1:9`, `:9`, `1:`, and the same with `-`, so that `-5` means up to 5 as it does to HAProxy.
  static func range(_ text: String) -> ClosedRange<Int64>? {
    guard let at = text.firstIndex(where: isSeparator) else { return Numbers.integer(text).map { $0...$0 } }
    let low = text[..<at]
    let high = text[text.index(after: at)...]
    guard !(low.isEmpty && high.isEmpty) else { return nil }
    let lower = low.isEmpty ? Int64.min : Numbers.integer(String(low))
    let upper = high.isEmpty ? Int64.max : Numbers.integer(String(high))
    guard let lower, let upper, lower <= upper else { return nil }
    return lower...upper
  }

  static func isSeparator(_ character: Character) -> Bool { character == ":" || character == "-" }

  static func range(operator name: String, _ value: Int64) -> ClosedRange<Int64>? {
    switch name {
    case "eq": value...value
    case "gt": value == .max ? nil : (value + 1)...Int64.max
    case "ge": value...Int64.max
    case "lt": value == .min ? nil : Int64.min...(value - 1)
    case "le": Int64.min...value
    default: nil
    }
  }
}
