import Base
import Config

/// `sc_*`, `sc0_*`..., `src_*` and `table_*`: what stick tables hold (manual 7.3.3).
enum CounterFetches {
  static let table: [FetchEntry] =
    numbered("sc_", nil) + (0...2).flatMap { (n: Int) in numbered("sc\(n)_", n) } + source + [
      FetchEntry("table_avl", .required(.table), .int, .inner, volatile: true) { _, a in
        a.table(0).map { .int(Int64($0.room)) }
      },
      FetchEntry("table_cnt", .required(.table), .int, .inner, volatile: true) { _, a in
        a.table(0).map { .int(Int64($0.count)) }
      },
    ]

  // MARK: Tracked counters

  /// One family: `sc_*` takes the counter's number as an argument, the others have it in their name.
  private static func numbered(_ prefix: String, _ fixed: Int?) -> [FetchEntry] {
    var entries: [FetchEntry] = []
    let lead: [ArgumentType] = fixed == nil ? [.integer] : []
    for value in StickValue.all {
      let places: SamplePlaces = value.isTotal ? .layer4Client : .inner
      entries.append(
        FetchEntry(
          prefix + value.counterName, ArgumentGrammar(required: lead.count, types: lead + [.table]), .int,
          places,
          volatile: true
        ) { context, a in
          read(value, 0, fixed ?? number(a, 0), a.table(lead.count), context)
        })
    }
    for value in StickValue.arrays where fixed == nil {
      entries.append(
        FetchEntry(
          prefix + value.counterName, .atLeast(2, .integer, .integer, .table), .int, .inner, volatile: true
        ) { context, a in
          read(value, number(a, 0), number(a, 1), a.table(2), context)
        })
    }
    if fixed == 1 {
      // HAProxy's table has this one spelling of its own.
      entries.append(
        FetchEntry("sc1_clr_gpc", .atLeast(1, .integer, .table), .int, .inner, volatile: true) { context, a in
          read(StickValue.clearArray, number(a, 0), 1, a.table(1), context)
        })
    }
    return entries + states(prefix, fixed, lead)
  }

  private static func states(_ prefix: String, _ fixed: Int?, _ lead: [ArgumentType]) -> [FetchEntry] {
    let grammar = ArgumentGrammar(required: lead.count, types: lead + [.table])
    return [
      FetchEntry(prefix + "tracked", grammar, .bool, .inner, volatile: true) { context, a in
        guard let slot = context.tracked(fixed ?? number(a, 0)) else { return .bool(false) }
        return .bool(a.table(lead.count).map { $0.hasKeys(like: slot.held.table) } ?? true)
      },
      FetchEntry(prefix + "trackers", grammar, .int, .inner, volatile: true) { context, a in
        guard let slot = context.tracked(fixed ?? number(a, 0)) else { return nil }
        let now = StickTable.time(context.now.instant)
        return look(slot, a.table(lead.count), now) { .int(Int64($0?.holders ?? 0)) }
      },
      FetchEntry(
        prefix + "key", ArgumentGrammar(required: lead.count, types: lead), .any, .inner, volatile: true
      ) {
        context, a in
        guard let slot = context.tracked(fixed ?? number(a, 0)) else { return nil }
        return look(slot, nil, StickTable.time(context.now.instant)) { entry in
          entry.map { slot.held.table.sample(ofKey: $0.key) }
        }
      },
    ]
  }

  private static func number(_ a: Arguments, _ index: Int) -> Int { Int(clamping: a.int(index) ?? -1) }

  private static func read(
    _ value: StickValue, _ index: Int, _ counter: Int, _ other: StickTable?, _ context: RuleContext
  ) -> Sample? {
    guard let slot = context.tracked(counter) else { return nil }
    let now = StickTable.time(context.now.instant)
    guard let change = value.change else { return look(slot, other, now) { value.sample($0, index) } }
    guard let other else { return slot.held.table.change(slot.held, now: now) { change($0, index) } }
    guard other.hasKeys(like: slot.held.table) else { return nil }
    return withKey(of: slot, now) { key in other.change(key, now: now) { change($0, index) } ?? .int(0) }
  }

  /// Shows what is tracked, or the entry of the same key in another table, which need not exist.
  private static func look(
    _ slot: StickCounters.Slot, _ other: StickTable?, _ now: Int64, _ body: (StickEntry?) -> Sample?
  ) -> Sample? {
    guard let other else { return slot.held.table.with(slot.held, now: now) { body($0) } }
    guard other.hasKeys(like: slot.held.table) else { return nil }
    return withKey(of: slot, now) { key in
      switch other.with(key, now: now, { Optional.some(body($0)) }) {
      case .some(let result): result.flatMap { $0 }
      case nil: body(nil)
      }
    }
  }

  /// The key of what is tracked, read without a lock: it never changes while it is held.
  private static func withKey(
    of slot: StickCounters.Slot, _ now: Int64, _ body: (UnsafeRawBufferPointer) -> Sample?
  ) -> Sample? {
    body(slot.held.table.key(of: slot.held))
  }

  // MARK: The source address

  private static let source: [FetchEntry] =
    StickValue.all.map { value in
      FetchEntry("src_" + value.counterName, .required(.table), .int, .layer4Client, volatile: true) {
        context, a in
        a.table(0).flatMap { readSource(value, 0, $0, context) }
      }
    }
    + StickValue.arrays.map { value in
      FetchEntry("src_" + value.counterName, .required(.integer, .table), .int, .layer4Client, volatile: true) {
        context, a in
        a.table(1).flatMap { readSource(value, number(a, 0), $0, context) }
      }
    } + [
      FetchEntry("src_updt_conn_cnt", .required(.table), .int, .layer4Client, volatile: true) { context, a in
        guard let table = a.table(0), let address = context.source.ip else { return nil }
        return StickLookUp.change(table, .ip(address), creating: true, context) { entry in
          guard entry.add(.connectionCount) else { return nil }
          return entry.value(.connectionCount).map(Sample.int)
        }
      }
    ]

  private static func readSource(
    _ value: StickValue, _ index: Int, _ table: StickTable, _ context: RuleContext
  ) -> Sample? {
    guard let address = context.source.ip else { return nil }
    return StickLookUp.read(value, index, table, .ip(address), context)
  }
}
