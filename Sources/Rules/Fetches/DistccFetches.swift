import Base

/// Messages of distcc: tokens of four letters, each with a number in eight hexadecimal digits that for most of them is
/// the length of a body.
enum DistccFetches {
  static let table: [FetchEntry] = [
    FetchEntry("distcc_param", .atLeast(1, .string, .integer), .int, .bothData, volatile: true, check: check) {
      context, a in
      find(context, a).map { .int(Int64($0.number)) }
    },
    FetchEntry("distcc_body", .atLeast(1, .string, .integer), .binary, .bothData, volatile: true, check: check) {
      context, a in
      guard let token = find(context, a) else { return nil }
      if token.body.count < token.bodyLength { wait(context) }
      return .binary(token.body)
    },
  ]

  private struct Token {
    var number: UInt32
    /// As much of it as is there.
    var body: Bytes
    var bodyLength: Int
  }

  private static let bodiless: Set<Bytes> = ["ARGC", "DIST", "NFIL", "STAT", "DONE"]

  private static func wait(_ context: RuleContext) {
    if !context.evaluationIsFinal { context.mayChange = true }
  }

  private static func find(_ context: RuleContext, _ arguments: Arguments) -> Token? {
    guard !context.isHTTPStream, let name = arguments.string(0) else { return nil }
    var rest = context.isResponseSide ? context.responsePayload : context.payload
    var left = Swift.max(1, arguments.int(1) ?? 0)
    while true {
      guard rest.count >= 12 else {
        wait(context)
        return nil
      }
      guard let number = hexadecimal(rest[4..<12]) else { return nil }
      let token = rest.prefix(4)
      let length = bodiless.contains(token) ? 0 : Int(number)
      rest = rest.dropFirst(12)
      if token == name {
        left -= 1
        if left == 0 { return Token(number: number, body: rest.prefix(length), bodyLength: length) }
      }
      guard length <= rest.count else { return nil }
      rest = rest.dropFirst(length)
    }
  }

  private static func hexadecimal(_ digits: Bytes) -> UInt32? {
    var value: UInt32 = 0
    for i in 0..<digits.count {
      guard let digit = ASCII.hexValue(digits[i]) else { return nil }
      value = value << 4 | UInt32(digit)
    }
    return value
  }

  @Sendable
  private static func check(_ arguments: inout Arguments, _ scope: CompileScope) throws(RuleError) {
    guard arguments.string(0)?.count == 4 else { throw RuleError("token name must be exactly 4 characters") }
  }
}
