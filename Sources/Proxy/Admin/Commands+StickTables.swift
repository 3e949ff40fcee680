import Base
import Config
import Rules

extension Commands {
  /// `show table`, `set table` and `clear table`.
  static let stickTables: [Command] = [
    Command(
      "show table", "[<table> [<filter>]*]",
      "report table usage stats or dump this table's contents (filter: data/key)"
    ) {
      call in TableRequest(call, .show).answer()
    },
    Command(
      "set table", "<table> key <k> [data.* <v>]*", level: .operator, "update or create a table entry's data"
    ) {
      call in TableRequest(call, .set).answer()
    },
    Command(
      "clear table", "<table> [<filter>]*", level: .operator,
      "remove an entry from a table (filter: data/key)"
    ) {
      call in TableRequest(call, .clear).answer()
    },
  ]
}

/// One command about a stick table.
struct TableRequest {
  enum Action { case show, set, clear }

  /// Slabs of entries that are looked at without a pause.
  private static let slabsAPiece = 512

  private let call: CommandCall
  private let action: Action
  private var now: Int64 { StickTable.time(call.now.instant) }

  init(_ call: CommandCall, _ action: Action) {
    self.call = call
    self.action = action
  }

  func answer() -> CommandAnswer {
    let name = call.argument(0)
    if name.isEmpty {
      guard action == .show else { return usage }
      // The last one first, as in HAProxy.
      return .text(call.runtime.rules.tables.reversed().flatMap { head($0, named: false) })
    }
    guard let table = call.runtime.rules.tables.first(where: { $0.name == name }) else {
      return .error("No such table")
    }
    switch call.argument(1) {
    case "key": return entry(table)
    case "ptr": return pointer(table)
    case let word where word.hasPrefix("data."):
      guard action != .set else {
        return .error("content-based lookup is only supported with the \"show\" and \"clear\" actions")
      }
      switch TableFilter.parse(call.arguments.dropFirst(), table) {
      case .filters(let filters): return all(table, filters)
      case .problem(let text): return .error(text)
      }
    case "": return action == .set ? usage : all(table, [])
    default: return usage
    }
  }

  private var usage: CommandAnswer {
    switch action {
    case .show:
      .error(
        "Optional argument only supports \"data.<store_data_type>\" <operator> <value> or key <key> or ptr <ptr>"
      )
    case .clear:
      .error(
        "Required arguments: <table> \"data.<store_data_type>\" <operator> <value> or <table> key <key> or <table> ptr <ptr>"
      )
    case .set:
      .error(
        "Required arguments: <table> key <key> [data.<store_data_type> <value>]* or <table> ptr <ptr> [data.<store_data_type> <value>]*"
      )
    }
  }

  private func head(_ table: StickTable, named: Bool) -> [UInt8] {
    table.sweep(now: now, exactly: true)
    var text =
      "# table: \(table.name), type: \(table.keyType.name), size:\(table.capacity), used:\(table.count)\n"
    if named, call.session.level < .operator {
      text += "# contents not dumped due to insufficient privileges\n"
    }
    return Array(text.utf8)
  }

  // MARK: All entries

  /// Goes through a table slab by slab, while the client reads.
  private func all(_ table: StickTable, _ filters: [TableFilter]) -> CommandAnswer {
    let (action, now) = (action, now)
    var shard = -1
    var slab = 0
    let first = action == .show ? head(table, named: true) : []
    let isSilent = action == .show && call.session.level < .operator
    return .pieces {
      var out: [UInt8] = []
      if shard < 0 {
        shard = 0
        if !first.isEmpty { return first }
      }
      var looked = 0
      while !isSilent, shard < table.shardCount, out.count < 16_384 {
        // An empty piece lets others have their turn.
        if looked == TableRequest.slabsAPiece { return out }
        looked += 1
        guard slab < table.slabCount(ofShard: shard) else {
          shard += 1
          slab = 0
          continue
        }
        table.visit(shard: shard, slab: slab, now: now) { entry in
          guard filters.allSatisfy({ $0.holds(entry) }) else { return false }
          if action == .show { TableText.append(entry, table, to: &out) }
          return action == .clear
        }
        slab += 1
      }
      return out.isEmpty ? nil : out
    }
  }

  // MARK: One entry

  private func entry(_ table: StickTable) -> CommandAnswer {
    let text = call.argument(2)
    if text.isEmpty { return .error("Key value expected") }
    return table.withKey(text: Bytes(text)) { act(on: $0, table) } ?? .error("Invalid key")
  }

  private func act(on key: UnsafeRawBufferPointer, _ table: StickTable) -> CommandAnswer {
    if table.keyType == .binary { return .error(binaryRefusal) }
    guard call.session.level >= .operator else { return .error("Permission denied") }
    switch action {
    case .show: return show(key, table)
    case .clear:
      return table.remove(key, now: now) == .isHeld ? .error("Entry currently in use, cannot remove") : .done
    case .set:
      return table.change(creating: key, now: now) { set($0, table) }
        ?? .error("Unable to allocate a new entry")
    }
  }

  /// `ptr <address>`: an entry by the name that `show table` gives it.
  private func pointer(_ table: StickTable) -> CommandAnswer {
    let text = call.argument(2)
    guard text.hasPrefix("0x") else { return .error("Pointer expected (0xffff notation)") }
    guard let address = UInt(text.dropFirst(2), radix: 16) else { return .error("Malformed ptr.") }
    var key: [UInt8]?
    for shard in 0..<table.shardCount {
      for slab in 0..<table.slabCount(ofShard: shard) where key == nil {
        table.visit(shard: shard, slab: slab, now: now) { entry in
          if entry.address == address { key = Array(entry.key) }
          return false
        }
      }
    }
    guard let key else { return .error("No entry can be found matching ptr.") }
    return key.withUnsafeBytes { act(on: $0, table) }
  }

  private var binaryRefusal: String {
    let what =
      switch action {
      case .show: "Showing keys from"
      case .clear: "Removing keys from"
      case .set: "Inserting keys into"
      }
    return "\(what) tables of type other than ip, ipv6, string and integer is not supported"
  }

  private func show(_ key: UnsafeRawBufferPointer, _ table: StickTable) -> CommandAnswer {
    var out = head(table, named: true)
    let found: Void? = table.with(key, now: now) { TableText.append($0, table, to: &out) }
    return found == nil ? .done : .text(out)
  }

  /// `data.<type> <value>` pairs.
  private func set(_ entry: StickEntry, _ table: StickTable) -> CommandAnswer {
    var words = call.arguments.dropFirst(3)
    while let word = words.popFirst() {
      guard word.hasPrefix("data.") else { return .error("\"data.<type>\" followed by a value expected") }
      guard let (type, index) = TableFilter.type(word) else { return .error("Unknown data type") }
      guard table.layout.stores(type) else { return .error("Data type not stored in this table") }
      guard let text = words.popFirst(), let value = Int64(text) else {
        return .error("Require a valid integer value to store")
      }
      guard index < table.layout.count(of: type) else {
        return .error("index out of range in this data array")
      }
      // The names of servers are not numbers of the administrator's.
      if type.kind != .text { entry.set(type, index, to: value) }
    }
    return .done
  }
}

/// `data.<type> <operator> <value>`.
struct TableFilter {
  enum Parsed {
    case filters([TableFilter])
    case problem(String)
  }
  private enum Comparison: String { case eq, ne, le, ge, lt, gt }

  private let type: StickDataType
  private let index: Int
  private let comparison: Comparison
  private let value: Int64
  /// Conditions that one command may have.
  private static let bound = 4

  static func parse(_ words: ArraySlice<String>, _ table: StickTable) -> Parsed {
    var words = words
    var filters: [TableFilter] = []
    var last = ""
    while let word = words.popFirst() {
      let number = filters.count + 1
      guard number <= bound else {
        return .problem(
          "Detected extra data in filter, \(3 + 3 * bound + 1)th word of input, after '\(last)'")
      }
      guard word.hasPrefix("data."), let (type, index) = type(word) else {
        return .problem("Filter entry #\(number): Unknown data type")
      }
      guard table.layout.stores(type) else {
        return .problem("Filter entry #\(number): Data type not stored in this table")
      }
      guard let comparison = words.popFirst().flatMap(Comparison.init(rawValue:)) else {
        return .problem(
          "Filter entry #\(number): Require and operator among \"eq\", \"ne\", \"le\", \"ge\", \"lt\", \"gt\""
        )
      }
      guard let text = words.popFirst(), let value = Int64(text) else {
        return .problem("Filter entry #\(number): Require a valid integer value to compare against")
      }
      last = text
      filters.append(TableFilter(type: type, index: index, comparison: comparison, value: value))
    }
    return .filters(filters)
  }

  /// `data.gpc0`, `data.gpc[2]`.
  static func type(_ word: String) -> (StickDataType, Int)? {
    let name = word.dropFirst("data.".count)
    guard let open = name.firstIndex(of: "[") else {
      return StickDataType.named(String(name)).map { ($0, 0) }
    }
    guard name.last == "]", let type = StickDataType.named(String(name[..<open])), type.isArray,
      let index = Int(name[name.index(after: open)...].dropLast()), index >= 0
    else { return nil }
    return (type, index)
  }

  func holds(_ entry: StickEntry) -> Bool {
    guard let data = entry.value(type, index) else { return false }
    switch comparison {
    case .eq: return data == value
    case .ne: return data != value
    case .le: return data <= value
    case .ge: return data >= value
    case .lt: return data < value
    case .gt: return data > value
    }
  }
}

/// An entry as `show table` prints it.
enum TableText {
  static func append(_ entry: StickEntry, _ table: StickTable, to out: inout [UInt8]) {
    out.append(contentsOf: "0x\(String(entry.address, radix: 16)): key=".utf8)
    out.append(contentsOf: table.text(ofKey: entry.key))
    out.append(
      contentsOf: " use=\(entry.holders) exp=\(table.remaining(entry)) shard=\(table.peerShard(of: entry))".utf8)
    for store in table.layout.stores {
      for index in 0..<store.count {
        out.append(contentsOf: " \(name(store, index))=".utf8)
        guard let value = entry.value(store.type, index) else { continue }
        if store.type.kind == .text {
          out.append(contentsOf: StickServerKeys.text(value)?.array ?? [0x2D])
        } else {
          out.append(contentsOf: String(value).utf8)
        }
      }
    }
    out.append(0x0A)
  }

  /// `gpc0_rate(10000)`: elements of arrays have their number before the first `_`.
  private static func name(_ store: StickTableSettings.Store, _ index: Int) -> String {
    var name = store.type.name
    if store.type.isArray {
      let cut = name.firstIndex(of: "_") ?? name.endIndex
      name.insert(contentsOf: String(index), at: cut)
    }
    return store.type.kind == .rate ? "\(name)(\(store.period))" : name
  }
}
