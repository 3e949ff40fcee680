import Base

/// The process, the clock and chance.
enum ProcessFetches {
  static let table: [FetchEntry] = [
    FetchEntry("date", .optional(.integer, .string), .int, .everywhere, volatile: true, check: checkDate) {
      context, a in
      let unit = TimeUnit(a.string(1))
      let now = unit.count(context.now.wall.microseconds)
      return .int(now &+ (a.int(0) ?? 0) &* (unit == .seconds ? 1 : 1))
    },
    FetchEntry("date_us", .none, .int, .everywhere, volatile: true) { context, _ in
      .int(context.now.wall.microseconds % 1_000_000)
    },
    FetchEntry("accept_date", .optional(.string), .int, .layer4Client, check: checkUnit) { context, a in
      .int(TimeUnit(a.string(0)).count(context.connection.accepted.wall.microseconds))
    },
    FetchEntry("request_date", .optional(.string), .int, .requestLasting, check: checkUnit) { context, a in
      let date = context.log.requestDate ?? context.connection.accepted.wall
      return .int(TimeUnit(a.string(0)).count(date.microseconds))
    },
    FetchEntry("hostname", .none, .string, .everywhere) { context, _ in .string(context.environment.hostName)
    },
    FetchEntry("nbproc", .none, .int, .everywhere) { _, _ in .int(1) },
    FetchEntry("proc", .none, .int, .everywhere) { _, _ in .int(1) },
    FetchEntry("pid", .none, .int, .everywhere) { context, _ in .int(Int64(context.environment.processID)) },
    FetchEntry("thread", .none, .int, .everywhere) { context, _ in
      .int(Int64(context.environment.threadID - 1))
    },
    FetchEntry("tgroup", .none, .int, .everywhere) { _, _ in .int(1) },
    FetchEntry("rand", .optional(.integer), .int, .everywhere, volatile: true) { context, a in
      let number = UInt32(truncatingIfNeeded: context.environment.random())
      guard let range = a.int(0), range > 0 else { return .int(Int64(number)) }
      return .int(Int64(UInt64(number) &* UInt64(truncatingIfNeeded: range) >> 32))
    },
    FetchEntry("uuid", .optional(.integer), .string, .everywhere, volatile: true, check: checkUUID) {
      context, a in
      .string(Bytes(UUIDText.make(version: a.int(0) ?? 4, context)))
    },
    FetchEntry("uptime", .none, .int, .everywhere, volatile: true) { context, _ in
      .int((context.now.instant - context.environment.started).seconds)
    },
    FetchEntry("stopping", .none, .bool, .inner, volatile: true) { context, _ in
      .bool(context.environment.isStopping)
    },
    FetchEntry("act_conn", .none, .int, .everywhere, volatile: true) { context, _ in
      .int(Int64(context.environment.activeConnections))
    },
    FetchEntry("unique-id", .none, .string, .everywhere) { context, _ in
      context.log.uniqueID.isEmpty ? nil : .string(context.log.uniqueID)
    },
    FetchEntry("wait_end", .none, .bool, .inner, volatile: true) { context, _ in
      if context.evaluationIsFinal { return .bool(true) }
      context.mayChange = true
      return nil
    },
    FetchEntry("last_rule_file", .none, .string, .inner) { context, _ in
      context.lastRule.map { .string(Bytes($0.file)) }
    },
    FetchEntry("last_rule_line", .none, .int, .inner) { context, _ in
      context.lastRule.map { .int(Int64($0.line)) }
    },
    FetchEntry("last_entity", .none, .string, .inner, volatile: true) { context, _ in
      context.lastRule.map { .string(Bytes("\($0.file):\($0.line)")) }
    },
    FetchEntry("waiting_entity", .none, .string, .inner, volatile: true) { context, _ in
      switch context.waitingEntity {
      case .rule(let origin): .string(Bytes("\(origin.file):\(origin.line)"))
      case .requestBuffer: .string("http-buffer-request")
      case nil: nil
      }
    },
    // No level of this program notes such events, which is what the dashes say.
    FetchEntry("term_events", .none, .string, .inner) { _, _ in .string("{-,-,-,-,-,-,-}") },
    usage("cpu_usage_thr", .thread), usage("cpu_usage_grp", .process), usage("cpu_usage_proc", .process),
    FetchEntry("quic_enabled", .none, .bool, .everywhere) { _, _ in .bool(false) },
    FetchEntry("prio_class", .none, .int, .inner) { context, _ in .int(Int64(context.priorityClass)) },
    FetchEntry("prio_offset", .none, .int, .inner) { context, _ in .int(Int64(context.priorityOffset)) },
  ]

  private static func usage(_ name: String, _ scope: UsageScope) -> FetchEntry {
    FetchEntry(name, .none, .int, .inner, volatile: true) { context, _ in
      .int(Int64(context.environment.usage(of: scope)))
    }
  }

  @Sendable
  private static func checkUnit(_ arguments: inout Arguments, _ scope: CompileScope) throws(RuleError) {
    try check(unit: arguments.string(0))
  }

  @Sendable
  private static func checkDate(_ arguments: inout Arguments, _ scope: CompileScope) throws(RuleError) {
    try check(unit: arguments.string(1))
  }

  @Sendable
  private static func checkUUID(_ arguments: inout Arguments, _ scope: CompileScope) throws(RuleError) {
    guard [4, 7].contains(arguments.int(0) ?? 4) else {
      throw RuleError("Unsupported UUID version: '\(arguments.int(0) ?? 0)'", expected: "4 or 7")
    }
  }

  private static func check(unit: Bytes?) throws(RuleError) {
    guard let unit, !unit.isEmpty else { return }
    guard ["s", "ms", "us"].contains(unit.string) else {
      throw RuleError("expects 's', 'ms' or 'us', got '\(unit.string)'", expected: "s, ms or us")
    }
  }
}

/// What a number of time counts.
enum TimeUnit {
  case seconds, milliseconds, microseconds

  init(_ text: Bytes?) {
    switch text?.string {
    case "ms"?: self = .milliseconds
    case "us"?: self = .microseconds
    default: self = .seconds
    }
  }

  func count(_ microseconds: Int64) -> Int64 {
    switch self {
    case .seconds: microseconds / 1_000_000
    case .milliseconds: microseconds / 1000
    case .microseconds: microseconds
    }
  }
}

enum UUIDText {
  /// RFC 9562: version 4 is random, version 7 begins with the time.
  static func make(version: Int64, _ context: RuleContext) -> [UInt8] {
    var high = context.environment.random()
    var low = context.environment.random()
    if version == 7 {
      let milliseconds = UInt64(bitPattern: context.now.wall.microseconds / 1000)
      high = milliseconds << 16 | 0x7000 | (high & 0xFFF)
    } else {
      high = high & ~0xF000 | 0x4000
    }
    low = low & ~(3 << 62) | 1 << 63
    var digits: [UInt8] = []
    for word in [high, low] {
      for shift in stride(from: UInt64(60), through: 0, by: -4) {
        let nibble = UInt8(truncatingIfNeeded: word >> shift & 15)
        digits.append(nibble < 10 ? 0x30 &+ nibble : 0x57 &+ nibble)
      }
    }
    for dash in [20, 16, 12, 8] { digits.insert(0x2D, at: dash) }
    return digits
  }
}
