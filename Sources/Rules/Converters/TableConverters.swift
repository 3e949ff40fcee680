import Base
import Config

/// `in_table` and `table_*`: the sample is a key of a stick table.
enum TableConverters {
  static let table: [ConverterEntry] =
    StickValue.all.map { value in
      ConverterEntry("table_" + value.tableName, .required(.table), .any, .int) { sample, a, context in
        a.table(0).flatMap { StickLookUp.read(value, 0, $0, sample, context) }
      }
    }
    + StickValue.arrays.map { value in
      ConverterEntry("table_" + value.tableName, .required(.integer, .table), .any, .int) {
        sample, a, context in
        a.table(1).flatMap { StickLookUp.read(value, Int(clamping: a.int(0) ?? -1), $0, sample, context) }
      }
    } + [
      ConverterEntry("in_table", .required(.table), .any, .bool) { sample, a, context in
        a.table(0).map { .bool(look($0, sample, context) { _ in true } ?? false) }
      },
      ConverterEntry("table_trackers", .required(.table), .any, .int) { sample, a, context in
        a.table(0).map { .int(look($0, sample, context) { Int64($0.holders) } ?? 0) }
      },
      ConverterEntry("table_server_id", .required(.table), .any, .int) { sample, a, context in
        guard let table = a.table(0) else { return nil }
        return StickLookUp.change(table, sample, creating: false, context) {
          $0.value(.serverID).map(Sample.int)
        }
      },
      ConverterEntry("table_expire", .atLeast(1, .table, .integer), .any, .int) { sample, a, context in
        remaining(sample, a, context) { table, left in left }
      },
      ConverterEntry("table_idle", .atLeast(1, .table, .integer), .any, .int) { sample, a, context in
        remaining(sample, a, context) { table, left in Swift.max(0, (table.expire?.milliseconds ?? 0) - left)
        }
      },
    ]

  private static func look<R>(
    _ table: StickTable, _ key: Sample, _ context: RuleContext, _ body: (StickEntry) -> R
  ) -> R? {
    table.withKey(of: key) { table.with($0, now: StickTable.time(context.now.instant), body) }
  }

  private static func remaining(
    _ sample: Sample, _ a: Arguments, _ context: RuleContext, _ body: (StickTable, Int64) -> Int64
  ) -> Sample? {
    guard let table = a.table(0) else { return nil }
    if let left = look(table, sample, context, { table.remaining($0) }) { return .int(body(table, left)) }
    return a.int(1).map(Sample.int)
  }
}
