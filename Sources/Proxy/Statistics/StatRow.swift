import Base
import Config

/// One cell of `show stat`; the case decides the type that typed and JSON output name.
enum StatValue: Sendable {
  case empty
  case u32(Int)
  case s32(Int)
  case u64(Int)
  case text(String)
}

/// What a row of `show stat` is about; the raw value is HAProxy's `type` column.
enum StatKind: Int {
  case frontend, backend, server, listener

  /// The letter of typed output.
  var letter: StaticString {
    switch self {
    case .frontend: "F"
    case .backend: "B"
    case .server: "S"
    case .listener: "L"
    }
  }

  /// The `objType` of JSON.
  var name: StaticString {
    switch self {
    case .frontend: "Frontend"
    case .backend: "Backend"
    case .server: "Server"
    case .listener: "Listener"
    }
  }
}

/// One row of `show stat`: a cell for each column, empty where the column means nothing for the object.
///
/// A row is filled from atomics and short locks, so any thread may make one; it is not a consistent snapshot.
struct StatRow {
  var kind: StatKind
  var proxyID: Int
  var id: Int
  var cells: [StatValue]

  init(_ kind: StatKind, proxy: ProxySettings, proxyID: Int, name: String, id: Int) {
    self.kind = kind
    self.proxyID = proxyID
    self.id = id
    cells = Array(repeating: .empty, count: StatColumn.allCases.count)
    self[.pxname] = .text(proxy.name)
    self[.svname] = .text(name)
    self[.pid] = .u32(1)
    self[.iid] = .u32(proxyID)
    self[.sid] = .u32(id)
    self[.type] = .u32(kind.rawValue)
    self[.mode] = .text(proxy.mode.label)
  }

  subscript(column: StatColumn) -> StatValue {
    get { cells[column.rawValue] }
    set { cells[column.rawValue] = newValue }
  }

  /// The number in a cell; 0 when it is empty or text.
  func number(_ column: StatColumn) -> Int {
    switch self[column] {
    case .u32(let n), .s32(let n), .u64(let n): n
    case .empty, .text: 0
    }
  }

  func text(_ column: StatColumn) -> String {
    if case .text(let text) = self[column] { text } else { "" }
  }

  func isEmpty(_ column: StatColumn) -> Bool {
    if case .empty = self[column] { true } else { false }
  }

  /// Fills cells with totals of `counters`.
  mutating func fill(_ counters: Counters, _ columns: [(StatColumn, Counter)]) {
    for (column, counter) in columns { self[column] = .u64(counters.total(counter)) }
  }

  mutating func zero(_ columns: [StatColumn]) {
    for column in columns { self[column] = .u64(0) }
  }

  /// HTTP status classes, for proxies in HTTP mode.
  static let responses: [(StatColumn, Counter)] = [
    (.hrsp1xx, .responses1xx), (.hrsp2xx, .responses2xx), (.hrsp3xx, .responses3xx),
    (.hrsp4xx, .responses4xx), (.hrsp5xx, .responses5xx), (.hrspOther, .responsesOther),
  ]
  static let octets: [(StatColumn, Counter)] = [
    (.bin, .octetsIn), (.bout, .octetsOut), (.reqbin, .octetsIn), (.resbin, .octetsOut),
    (.reqbout, .octetsIn), (.resbout, .octetsOut),
  ]
  /// What HAProxy's TLS module counts.
  static let tls: [StatColumn] = [
    .sslSess, .sslReusedSess, .sslFailedHandshake, .sslOcspStaple, .sslFailedOcspStaple,
  ]
  /// What HAProxy's HTTP/1 and HTTP/2 modules count of proxies.
  static let protocols: [StatColumn] = StatColumn.allCases.filter {
    $0.rawValue > StatColumn.cacheHintHits.rawValue && !tls.contains($0)
  }
}

/// What the administrator asked of a listing of statistics.
struct StatOptions {
  /// Addresses, cookies and algorithms are told: level operator and above, or `stats show-legends`.
  var showsLegends = false
  var hidesDown = false
  var hidesMaintenance = false
  var describes = false
}
