import Base

/// A set of response statuses (`http-err-codes`, `http-fail-codes`).
public struct StatusCodes: Sendable, Equatable {
  private var words = [UInt64](repeating: 0, count: 10)
  private static let range = 100...599

  public init(_ ranges: ClosedRange<Int>...) {
    for range in ranges { insert(range) }
  }

  public func contains(_ status: Int) -> Bool {
    status >= 0 && status < 640 && words[status >> 6] >> UInt64(status & 63) & 1 == 1
  }

  mutating func insert(_ range: ClosedRange<Int>) {
    for status in range where status < 640 { words[status >> 6] |= 1 << UInt64(status & 63) }
  }

  mutating func remove(_ range: ClosedRange<Int>) {
    for status in range where status < 640 { words[status >> 6] &= ~(1 << UInt64(status & 63)) }
  }

  /// Errors that a client causes: 4xx.
  public static let errors = StatusCodes(400...499)
  /// Failures of a server: 5xx but for 501 and 505, which a client can cause.
  public static let failures = StatusCodes(500...500, 502...504, 506...599)

  /// `[+-]<range>[,<range>]...` words: a word without a sign replaces what was there.
  static func parse(_ codes: inout StatusCodes, _ arguments: inout Arguments) throws(Refusal) {
    try arguments.requireMore("status codes")
    var isFirst = true
    while let word = arguments.next() {
      var text = Substring(word.text)
      let sign = text.first
      if sign == "+" || sign == "-" { text = text.dropFirst() } else if isFirst { codes = StatusCodes() }
      isFirst = false
      for part in text.split(separator: ",", omittingEmptySubsequences: false) {
        let ends = part.split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
        guard let low = ends.first ?? nil, let high = ends.last ?? nil, ends.count <= 2, low <= high,
          range.contains(low), range.contains(high)
        else {
          throw Refusal(
            "'\(arguments.keyword)' : invalid status code or range '\(part)'.", at: word.location,
            expected: "a status from 100 to 599, or two with '-' between them")
        }
        if sign == "-" { codes.remove(low...high) } else { codes.insert(low...high) }
      }
    }
  }
}

/// Which statuses stick counters take for errors and for failures.
public struct StatusClasses: Sendable {
  public var errors = StatusCodes.errors
  public var failures = StatusCodes.failures
  public init() {}
}
