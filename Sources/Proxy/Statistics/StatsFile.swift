import Base
import Config

/// The counters that a stats-file keeps over a restart (management.txt chapter 9.5): sums of objects that have a GUID.
///
/// A section begins with `#fe guid,<column>,...` or `#be guid,...`; each line is a GUID and a number for each column.
/// What is not known, or of the other side, is passed over.
struct StatsFile {
  private typealias Column = (column: StatColumn, counter: Counter)

  private static let octets: [Column] = [(.bin, .octetsIn), (.bout, .octetsOut)]
  /// Frontends and listeners.
  private static let front: [Column] = StatRow.frontendColumns + octets + StatRow.responses + StatRow.httpColumns
  /// Backends and servers.
  private static let back: [Column] =
    StatRow.serverColumns + octets + StatRow.responses + [
      (.dreq, .deniedRequests), (.compIn, .compressionIn), (.compOut, .compressionOut),
      (.compByp, .compressionBypassed), (.compRsp, .compressedResponses), (.reqTot, .requests),
      (.cacheLookups, .cacheLookups), (.cacheHits, .cacheHits),
      (.cacheHintHits, .cacheHintHits), (.chkfail, .failedChecks), (.chkdown, .downTransitions),
    ]

  private var fronts: [(guid: String, counters: Counters)] = []
  private var backs: [(guid: String, counters: Counters)] = []

  init(_ runtime: Runtime) {
    for frontend in runtime.frontends {
      if let guid = frontend.settings.guid { fronts.append((guid, frontend.counters)) }
    }
    // The listeners of a bind line are counted from 0, and have counters with `option socket-stats`.
    var numbers: [String: Int] = [:]
    for listener in runtime.listeners {
      guard let prefix = listener.bind.guid else { continue }
      let number = numbers[prefix, default: 0]
      numbers[prefix] = number + 1
      if listener.frontend.settings.socketStats { fronts.append(("\(prefix)-\(number)", listener.counters)) }
    }
    for backend in runtime.backends {
      for server in backend.servers {
        if let guid = server.settings.guid { backs.append((guid, server.counters)) }
      }
      // A listen section has one GUID; its frontend's half bears it.
      if let guid = backend.settings.guid, !backend.settings.hasFrontend { backs.append((guid, backend.counters)) }
    }
  }

  /// What `dump stats-file` prints.
  var text: String {
    StatsFile.section("fe", StatsFile.front, fronts) + "\n" + StatsFile.section("be", StatsFile.back, backs)
  }

  private static func section(
    _ name: String, _ columns: [Column], _ objects: [(guid: String, counters: Counters)]
  ) -> String {
    var text = "#\(name) guid," + columns.map { "\($0.column.name)," }.joined() + "\n"
    for object in objects {
      text += object.guid + "," + columns.map { "\(object.counters.total($0.counter))," }.joined() + "\n"
    }
    return text
  }

  /// Adds what a file says to the counters, before anything is counted; false when it is no stats-file at all.
  func load(_ text: [UInt8]) -> Bool {
    var columns: [Counter?] = []
    var objects: [String: Counters] = [:]
    var hasHeader = false
    for line in text.split(separator: ASCII.lf) {
      let line = Bytes(Array(line)).trimmed.string
      if line.isEmpty || line.hasPrefix("//") { continue }
      guard line.hasPrefix("#") else {
        if !hasHeader { return false }
        StatsFile.read(line, columns, objects)
        continue
      }
      let isFront = line.hasPrefix("#fe guid,")
      let isKnown = isFront || line.hasPrefix("#be guid,")
      if !isKnown, !hasHeader { return false }
      hasHeader = true
      let side = isFront ? StatsFile.front : StatsFile.back
      columns = line.split(separator: ",", omittingEmptySubsequences: false).dropFirst().map { name in
        side.first { "\($0.column.name)" == name }?.counter
      }
      let named = !isKnown ? [] : isFront ? fronts : backs
      objects = Dictionary(named.map { ($0.guid, $0.counters) }) { first, _ in first }
    }
    return true
  }

  /// What is no number is passed over.
  private static func read(_ line: String, _ columns: [Counter?], _ objects: [String: Counters]) {
    let cells = line.split(separator: ",", omittingEmptySubsequences: false)
    guard let guid = cells.first, let counters = objects[String(guid)] else { return }
    for (cell, counter) in zip(cells.dropFirst(), columns) {
      if let counter, let value = Int(cell), value >= 0 { counters.set(counter, value) }
    }
  }
}
