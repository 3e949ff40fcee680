import Base
import Config

/// One thing that fetches and converters ask of an entry, or do to it: the same under the names `sc_*`, `src_*` and
/// `table_*`.
struct StickValue: Sendable {
  /// Behind `sc_` and `src_`.
  let counterName: String
  /// Behind `table_`.
  let tableName: String
  /// Totals cannot be asked for on the command line.
  var isTotal = false
  /// Where the value is; the second stands in for the first, as its element `index`.
  private let type: StickDataType?
  private var array: (type: StickDataType, index: Int)?
  private var shift: Int64 = 0
  /// For those that change the entry: the new sample, nil when the table does not keep the value.
  private(set) var change: (@Sendable (StickEntry, Int) -> Sample?)?
  /// Makes the entry when there is none.
  private(set) var creates = false

  private init(
    _ counterName: String, _ tableName: String? = nil, _ type: StickDataType?,
    array: (StickDataType, Int)? = nil, shift: Int64 = 0
  ) {
    self.counterName = counterName
    self.tableName = tableName ?? counterName
    self.type = type
    self.array = array.map { (type: $0.0, index: $0.1) }
    self.shift = shift
    isTotal = shift > 0
  }

  private init(
    _ name: String, creates: Bool, _ change: @escaping @Sendable (StickEntry, Int) -> Sample?
  ) {
    self.init(name, nil, nil)
    self.creates = creates
    self.change = change
  }

  /// The value of an entry, 0 without one; nil when the table does not keep it.
  func sample(_ entry: StickEntry?, _ index: Int) -> Sample? {
    guard let entry else { return .int(0) }
    if let type {
      if let value = entry.value(type, type.isArray ? index : 0) { return .int(value >> shift) }
    }
    return array.flatMap { entry.value($0.type, $0.index) }.map(Sample.int)
  }

  /// Values without an index.
  static let all: [StickValue] = [
    StickValue("bytes_in_rate", nil, .bytesInRate), StickValue("bytes_out_rate", nil, .bytesOutRate),
    StickValue("conn_cnt", nil, .connectionCount), StickValue("conn_cur", nil, .currentConnections),
    StickValue("conn_rate", nil, .connectionRate), StickValue("get_gpc0", "gpc0", .gpc0, array: (.gpc, 0)),
    StickValue("get_gpc1", "gpc1", .gpc1, array: (.gpc, 1)),
    StickValue("get_gpt0", "gpt0", .gpt0, array: (.gpt, 0)),
    StickValue("glitch_cnt", nil, .glitchCount), StickValue("glitch_rate", nil, .glitchRate),
    StickValue("gpc0_rate", nil, .gpc0Rate, array: (.gpcRate, 0)),
    StickValue("gpc1_rate", nil, .gpc1Rate, array: (.gpcRate, 1)),
    StickValue("http_err_cnt", nil, .errorCount),
    StickValue("http_err_rate", nil, .errorRate), StickValue("http_fail_cnt", nil, .failureCount),
    StickValue("http_fail_rate", nil, .failureRate), StickValue("http_req_cnt", nil, .requestCount),
    StickValue("http_req_rate", nil, .requestRate), StickValue("kbytes_in", nil, .bytesIn, shift: 10),
    StickValue("kbytes_out", nil, .bytesOut, shift: 10), StickValue("sess_cnt", nil, .sessionCount),
    StickValue("sess_rate", nil, .sessionRate),
    increment("inc_gpc0", .gpc0, .gpc0Rate), increment("inc_gpc1", .gpc1, .gpc1Rate),
    clear("clr_gpc0", .gpc0), clear("clr_gpc1", .gpc1),
  ]

  /// Values with an index.
  static let arrays: [StickValue] = [
    StickValue("get_gpc", "gpc", .gpc), StickValue("get_gpt", "gpt", .gpt),
    StickValue("gpc_rate", nil, .gpcRate),
    StickValue("inc_gpc", creates: true) { entry, index in
      let first = entry.add(.gpcRate, index)
      let second = entry.add(.gpc, index)
      guard first || second else { return nil }
      return .int(entry.value(.gpc, index) ?? entry.value(.gpcRate, index) ?? 0)
    },
    clearArray,
  ]

  static let clearArray = StickValue("clr_gpc", creates: false) { entry, index in
    guard let old = entry.value(.gpc, index) else { return nil }
    entry.set(.gpc, index, to: 0)
    return .int(old)
  }

  private static func increment(_ name: String, _ total: StickDataType, _ rate: StickDataType) -> StickValue {
    StickValue(name, creates: true) { entry, _ in
      guard entry.incrementGeneral(total, rate) else { return nil }
      let index = total == .gpc1 ? 1 : 0
      let value = entry.value(total) ?? entry.value(.gpc, index) ?? entry.value(rate)
      return .int(value ?? entry.value(.gpcRate, index) ?? 0)
    }
  }

  private static func clear(_ name: String, _ total: StickDataType) -> StickValue {
    StickValue(name, creates: false) { entry, _ in
      let index = total == .gpc1 ? 1 : 0
      guard let old = entry.value(total) ?? entry.value(.gpc, index) else { return nil }
      if !entry.set(total, to: 0) { entry.set(.gpc, index, to: 0) }
      return .int(old)
    }
  }
}

/// Looks keys up in tables for fetches and converters.
enum StickLookUp {
  static func read(
    _ value: StickValue, _ index: Int, _ table: StickTable, _ key: Sample, _ context: RuleContext
  ) -> Sample? {
    if let change = value.change {
      return StickLookUp.change(table, key, creating: value.creates, context) { change($0, index) }
    }
    let now = StickTable.time(context.now.instant)
    let found: Sample?? = table.withKey(of: key) { octets in
      table.with(octets, now: now) { Optional.some(value.sample($0, index)) }
    }.flatMap { $0 }
    switch found {
    case .some(let sample): return sample
    case nil: return value.sample(nil, index)
    }
  }

  /// 0 when there is no entry; nil when `body` says that its table does not keep what it wants.
  static func change(
    _ table: StickTable, _ key: Sample, creating: Bool, _ context: RuleContext,
    _ body: (StickEntry) -> Sample?
  ) -> Sample? {
    let now = StickTable.time(context.now.instant)
    let found: Sample?? = table.withKey(of: key) { octets in
      let body = { (entry: StickEntry) in Optional.some(body(entry)) }
      return creating
        ? table.change(creating: octets, now: now, body) : table.change(octets, now: now, body)
    }.flatMap { $0 }
    switch found {
    case .some(let sample): return sample
    case nil: return .int(0)
    }
  }
}
