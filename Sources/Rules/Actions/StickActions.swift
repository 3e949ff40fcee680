import Base
import Config
import HTTP

/// `track-sc*`, and `sc-*`, which change what is tracked.
enum StickActions {
  private static let places: RulePlaces = [.tcp, .http]

  static let table: [ActionEntry] = [
    increment("sc-inc-gpc0", .gpc0, .gpc0Rate), increment("sc-inc-gpc1", .gpc1, .gpc1Rate),
    ActionEntry("sc-inc-gpc", places, "(<idx>,<sc-id>)") { parser throws(RuleError) in
      let (index, counter) = try pair(parser, "gpc")
      return changing(counter) { entry in
        let first = entry.add(.gpcRate, index)
        let second = entry.add(.gpc, index)
        return first || second
      }
    },
    ActionEntry("sc-add-gpc", places, "(<idx>,<sc-id>) { <int> | <expr> }") { parser throws(RuleError) in
      let (index, counter) = try pair(parser, "gpc")
      let value = try number(&parser)
      return { context in
        guard let slot = context.tracked(counter), let n = value(context) else { return nil }
        change(slot, context) { entry in
          let first = entry.add(.gpcRate, index, UInt64(n))
          let second = entry.add(.gpc, index, UInt64(n))
          return first || second
        }
        return nil
      }
    },
    ActionEntry("sc-set-gpt", places, "(<idx>,<sc-id>) { <int> | <expr> }") { parser throws(RuleError) in
      let (index, counter) = try pair(parser, "gpt")
      let value = try number(&parser)
      return { context in
        guard let slot = context.tracked(counter), let n = value(context) else { return nil }
        change(slot, context) { $0.set(.gpt, index, to: Int64(n)) }
        return nil
      }
    },
    ActionEntry("sc-set-gpt0", places, "(<sc-id>) { <int> | <expr> }") { parser throws(RuleError) in
      let counter = try single(parser)
      let value = try number(&parser)
      return { context in
        guard let slot = context.tracked(counter), let n = value(context) else { return nil }
        change(slot, context) { $0.set(.gpt0, to: Int64(n)) || $0.set(.gpt, 0, to: Int64(n)) }
        return nil
      }
    },
    ActionEntry(
      "track-sc", [.tcpConnection, .tcpSession, .tcpContent, .httpRequest, .httpResponse],
      "<key> [table <table>]", track),
  ]

  // MARK: Tracking

  @Sendable
  private static func track(_ parser: inout ActionParser) throws(RuleError) -> ActionBody {
    let counter = try trackNumber(parser)
    let key = try parser.expression("a key")
    let table: StickTable
    if parser.accept("table") {
      table = try parser.scope.table(named: try parser.need("a table's name").text)
    } else {
      table = try parser.scope.ownTable()
    }
    guard key.type.casts(to: table.sampleType) else {
      throw RuleError(
        "stick-table '\(table.name)' uses a type incompatible with the 'track-sc\(counter)' rule")
    }
    switch parser.place {
    case .tcpConnection, .tcpSession:
      return { context in
        if context.tracked(counter) == nil, let sample = key.evaluate(context) {
          context.track(counter, table, sample, inSession: true) { _ in }
        }
        return nil
      }
    case .tcpContent:
      return { context in
        guard context.tracked(counter) == nil else { return nil }
        context.mayChange = false
        let sample = key.evaluate(context)
        // What looks at data waits for it.
        let isEarly = sample == nil && context.request == nil && !key.fetch.places.contains(.connection)
        if context.mayChange || isEarly, !context.evaluationIsFinal { return .needMoreData }
        if let sample { context.track(counter, table, sample, inSession: false) { _ in } }
        return nil
      }
    case .httpRequest:
      return { context in
        if context.tracked(counter) == nil, let sample = key.evaluate(context) {
          context.track(counter, table, sample, inSession: false) { _ = $0.count(.request) }
        }
        return nil
      }
    default:
      // The response was counted before this rule: what it means is made up for.
      return { context in
        guard context.tracked(counter) == nil, let sample = key.evaluate(context) else { return nil }
        let status = context.response?.status ?? 0
        context.track(counter, table, sample, inSession: false) { entry in
          _ = entry.count(.request)
          if context.statusClasses.errors.contains(status) { _ = entry.count(.error) }
          if context.statusClasses.failures.contains(status) { _ = entry.count(.failure) }
        }
        return nil
      }
    }
  }

  /// The number behind `track-sc`.
  private static func trackNumber(_ parser: ActionParser) throws(RuleError) -> Int {
    let digits = parser.name.text.dropFirst("track-sc".count)
    guard !digits.isEmpty, digits.allSatisfy({ $0.isASCII && $0.isNumber }), let number = Int(digits) else {
      throw RuleError("Wrong track-sc number '\(digits)'", expected: "track-sc and a number")
    }
    try check(number, parser)
    return number
  }

  private static func check(_ number: Int, _ parser: ActionParser) throws(RuleError) {
    let limit = parser.scope.configuration.global.stickCounters
    if limit == 0 {
      throw RuleError(
        "\(number) track-sc number not usable, stick-counters are disabled by tune.stick-counters")
    }
    guard number >= 0, number < limit else {
      throw RuleError("\(number) track-sc number exceeding \(limit - 1) (tune.stick-counters-1) value")
    }
  }

  // MARK: Arguments

  private static func single(_ parser: ActionParser) throws(RuleError) -> Int {
    let text = try parser.argument().string
    guard let counter = Int(text) else {
      throw RuleError("invalid stick table track ID '\(text)'", expected: "\(parser.name.text)(<sc-id>)")
    }
    try check(counter, parser)
    return counter
  }

  private static func pair(_ parser: ActionParser, _ kind: String) throws(RuleError) -> (Int, Int) {
    let words = try parser.argument().string.split(separator: ",", omittingEmptySubsequences: false)
    guard words.count == 2, let index = Int(words[0]), let counter = Int(words[1]) else {
      throw RuleError("invalid arguments in '\(parser.name.text)'", expected: "(<\(kind)-id>,<sc-id>)")
    }
    guard (0...99).contains(index) else {
      throw RuleError("invalid \(kind) ID '\(index)'", expected: "a number from 0 to 99")
    }
    try check(counter, parser)
    return (index, counter)
  }

  /// A number, or an expression that gives one.
  private static func number(
    _ parser: inout ActionParser
  ) throws(RuleError) -> @Sendable (RuleContext) -> UInt32? {
    if let word = parser.peek, let value = UInt32(word) {
      _ = parser.next()
      return { _ in value }
    }
    let expression = try parser.expression("an integer or an expression")
    return { context in
      expression.evaluate(context)?.cast(to: .int)?.integer.map { UInt32(truncatingIfNeeded: $0) }
    }
  }

  // MARK: Changing

  private static func increment(_ name: String, _ total: StickDataType, _ rate: StickDataType) -> ActionEntry {
    ActionEntry(name, places, "(<sc-id>)") { parser throws(RuleError) in
      let counter = try single(parser)
      return changing(counter) { $0.incrementGeneral(total, rate) }
    }
  }

  private static func changing(
    _ counter: Int, _ body: @escaping @Sendable (StickEntry) -> Bool
  ) -> ActionBody {
    { context in
      if let slot = context.tracked(counter) { change(slot, context, body) }
      return nil
    }
  }

  private static func change(
    _ slot: StickCounters.Slot, _ context: RuleContext, _ body: (StickEntry) -> Bool
  ) {
    slot.held.table.change(slot.held, now: StickTable.time(context.now.instant)) { _ = body($0) }
  }
}

extension StickEntry {
  /// Counts in `gpc0` or `gpc1` and its rate, or in the first or second of the arrays that take their place.
  func incrementGeneral(_ total: StickDataType, _ rate: StickDataType) -> Bool {
    let index = total == .gpc1 ? 1 : 0
    let first = add(rate) || add(.gpcRate, index)
    let second = add(total) || add(.gpc, index)
    return first || second
  }
}
