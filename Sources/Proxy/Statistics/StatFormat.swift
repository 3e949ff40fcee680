import Base

/// The formats of `show stat`.
enum StatFormat {
  case csv, typed, json

  /// What stands before the first row.
  func begin(_ out: inout [UInt8]) {
    switch self {
    case .csv: StatFormat.appendHeader(to: &out)
    case .typed: break
    case .json: out.append(literal: "[")
    }
  }

  func append(_ row: StatRow, isFirst: Bool, describes: Bool = false, to out: inout [UInt8]) {
    switch self {
    case .csv: StatFormat.appendCSV(row, to: &out)
    case .typed: StatFormat.appendTyped(row, describes: describes, to: &out)
    case .json:
      if !isFirst { out.append(literal: ",") }
      StatFormat.appendJSON(row, to: &out)
    }
  }

  /// What stands after the last row.
  func end(_ out: inout [UInt8]) {
    if self == .json { out.append(literal: "]\n") }
  }

  /// The line that names the columns.
  static func appendHeader(to out: inout [UInt8]) {
    out.append(literal: "# ")
    for column in StatColumn.allCases {
      out.append(literal: column.name)
      out.append(literal: column == .cacheHintHits ? ",-," : ",")
    }
    out.append(ASCII.lf)
  }

  private static func appendCSV(_ row: StatRow, to out: inout [UInt8]) {
    for column in StatColumn.allCases {
      StatText.appendCSV(row[column], to: &out)
      out.append(literal: column == .cacheHintHits ? ",-," : ",")
    }
    out.append(ASCII.lf)
  }

  /// `F.2.0.4.scur.1:MGPV:u32:0`
  private static func appendTyped(_ row: StatRow, describes: Bool, to out: inout [UInt8]) {
    var head: [UInt8] = []
    head.append(literal: row.kind.letter)
    head.append(".\(row.proxyID).\(row.id).")
    for column in StatColumn.allCases {
      let value = row[column]
      if case .empty = value { continue }
      out.append(contentsOf: head)
      out.append(decimal: column.rawValue)
      out.append(0x2E)
      out.append(literal: column.name)
      out.append(literal: ".1:")
      out.append(literal: tags(of: column, row.kind))
      out.append(ASCII.colon)
      StatText.appendTyped(value, to: &out)
      if describes {
        out.append(literal: ":\"")
        out.append(literal: column.name)
        out.append(0x22)
      }
      out.append(ASCII.lf)
    }
  }

  private static func appendJSON(_ row: StatRow, to out: inout [UInt8]) {
    var head: [UInt8] = []
    head.append(literal: "\"objType\":\"")
    head.append(literal: row.kind.name)
    head.append("\",\"proxyId\":\(row.proxyID),\"id\":\(row.id),")
    var isFirst = true
    out.append(literal: "[")
    for column in StatColumn.allCases {
      let value = row[column]
      if case .empty = value { continue }
      if !isFirst { out.append(literal: ",") }
      isFirst = false
      StatText.appendJSON(
        head: head, position: column.rawValue, name: column.name, tags: tags(of: column, row.kind), value,
        to: &out)
    }
    out.append(literal: "]")
  }

  /// A backend counts servers where a server tells its state.
  private static func tags(of column: StatColumn, _ kind: StatKind) -> StaticString {
    guard kind == .backend else { return column.tags }
    switch column {
    case .act, .bck, .rateMax: return "MGPV"
    default: return column.tags
    }
  }
}
