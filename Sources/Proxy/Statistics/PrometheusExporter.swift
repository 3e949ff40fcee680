import Base
import Config
import Rules

/// What a scrape asks for: `?scope=server&no-maint&metrics=<name>,-<name>`.
struct PrometheusRequest {
  enum Scope: String, CaseIterable {
    case process = "global", frontend, listener, backend, server, resolver, sticktable
  }

  var scopes = Scope.allCases
  var withoutMaintenance = false
  /// Metrics by full name that are wanted; empty for all.
  var included: Set<String> = []
  var excluded: Set<String> = []
  /// The descriptions of proxies as a label.
  var describes = false

  /// nil when the query makes no sense.
  init?(_ target: Bytes) {
    guard let question = target.firstIndex(of: ASCII.question) else { return }
    for part in target.dropFirst(question + 1).string.split(separator: "&") {
      let halves = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
      let value = halves.count == 2 ? halves[1] : nil
      switch halves[0] {
      case "scope":
        guard let value, take(scope: value) else { return nil }
      case "metrics":
        guard let value else { return nil }
        for name in value.split(separator: ",") {
          if name.hasPrefix("-") { excluded.insert(String(name.dropFirst())) } else { included.insert(String(name)) }
        }
      case "no-maint": withoutMaintenance = true
      case "desc-labels": describes = true
      default: break
      }
    }
  }

  private var isFirstScope = true

  /// The first scope replaces the default, an empty one everything before it.
  private mutating func take(scope name: String) -> Bool {
    if isFirstScope { scopes = [] }
    isFirstScope = false
    switch name {
    case "": scopes = []
    case "*": scopes = Scope.allCases
    default:
      guard let scope = Scope(rawValue: name) else { return false }
      if !scopes.contains(scope) { scopes.append(scope) }
    }
    return true
  }

  func wants(_ metric: String) -> Bool {
    !excluded.contains(metric) && (included.isEmpty || included.contains(metric))
  }
}

/// Writes the metrics of HAProxy's exporter in the text format 0.0.4, one metric a step.
struct PrometheusExporter {
  private let runtime: Runtime
  private let request: PrometheusRequest
  private let now: Now
  private var scopes: ArraySlice<PrometheusRequest.Scope>
  private var metrics: ArraySlice<PrometheusNames.Metric> = []
  /// The objects of the present scope.
  private var rows: [StatRow] = []

  init(_ runtime: Runtime, _ request: PrometheusRequest, now: Now) {
    self.runtime = runtime
    self.request = request
    self.now = now
    scopes = request.scopes[...]
  }

  /// The next piece; nil after the end.
  mutating func next() -> [UInt8]? {
    var out: [UInt8] = []
    if let metric = metrics.popFirst() {
      write(metric, &out)
      return out
    }
    guard let scope = scopes.popFirst() else { return nil }
    switch scope {
    case .process: writeProcess(&out)
    case .frontend: gather(.frontend)
    case .listener: gather(.listener)
    case .backend: gather(.backend)
    case .server: gather(.server)
    case .resolver: writeResolvers(&out)
    case .sticktable: writeTables(&out)
    }
    return out
  }

  private mutating func gather(_ kind: StatKind) {
    var selection = StatSelection()
    selection.types = 1 << kind.rawValue
    var options = StatOptions()
    options.hidesMaintenance = request.withoutMaintenance && kind == .server
    options.describes = request.describes
    var walk = StatWalk(runtime, options, selection, now: now.wall)
    rows.removeAll()
    while let event = walk.next() {
      if case .row(let row) = event { rows.append(row) }
    }
    metrics = PrometheusNames.proxies.filter { $0.kinds.contains(kind) }[...]
  }

  // MARK: Text

  private static func head(_ name: String, isCounter: Bool, _ out: inout [UInt8]) {
    out.append("# HELP \(name) \(name)\n# TYPE \(name) \(isCounter ? "counter" : "gauge")\n")
  }

  private func writeProcess(_ out: inout [UInt8]) {
    let report = ProcessReport(runtime, now: now)
    for (wanted, name) in PrometheusNames.process {
      guard let item = report.items.first(where: { "\($0.name)" == "\(wanted)" }) else { continue }
      let full = "haproxy_process_\(name)"
      guard request.wants(full) else { continue }
      PrometheusExporter.head(full, isCounter: PrometheusExporter.isCounter(item.tags), &out)
      switch item.value {
      case .text(let text) where full.hasSuffix("build_info"):
        out.append("\(full){version=\"\(PrometheusExporter.escaped(text))\"} 1\n")
      case .text(let text):
        out.append("\(full){\(item.name)=\"\(PrometheusExporter.escaped(text))\"} 1\n")
      case .u32(let n), .s32(let n), .u64(let n): out.append("\(full) \(n)\n")
      case .empty: out.append("\(full) NaN\n")
      }
    }
  }

  /// One series for each name server and each of its counters.
  private func writeResolvers(_ out: inout [UInt8]) {
    let sections = runtime.names.sections
    let names = NameserverCounters().named.map(\.name)
    for (index, counter) in names.enumerated() {
      let full = "haproxy_resolver_\(counter)"
      guard request.wants(full) else { continue }
      PrometheusExporter.head(full, isCounter: false, &out)
      for section in sections {
        for nameserver in section.nameservers {
          let value = nameserver.counters.named[index].value
          out.append(
            "\(full){resolver=\"\(PrometheusExporter.escaped(section.name))\",nameserver=\"\(PrometheusExporter.escaped(nameserver.name))\"} \(value)\n"
          )
        }
      }
    }
  }

  private func writeTables(_ out: inout [UInt8]) {
    let metrics: [(String, (StickTable) -> Int)] = [
      ("size", { $0.capacity }), ("used", { $0.count }),
    ]
    for (name, value) in metrics {
      let full = "haproxy_sticktable_\(name)"
      guard request.wants(full) else { continue }
      PrometheusExporter.head(full, isCounter: false, &out)
      for table in runtime.rules.tables {
        out.append(
          "\(full){name=\"\(PrometheusExporter.escaped(table.name))\",type=\"\(table.keyType.name)\"} \(value(table))\n"
        )
      }
    }
  }

  private static func isCounter(_ tags: StaticString) -> Bool {
    tags.withUTF8Buffer { $0.count > 1 && $0[1] == UInt8(ascii: "C") }
  }

  private func write(_ metric: PrometheusNames.Metric, _ out: inout [UInt8]) {
    guard let kind = rows.first?.kind else { return }
    let prefix =
      switch kind {
      case .frontend: "haproxy_frontend_"
      case .listener: "haproxy_listener_"
      case .backend: "haproxy_backend_"
      case .server: "haproxy_server_"
      }
    let name = prefix + "\(metric.name)"
    guard request.wants(name) else { return }
    var isHeadWritten = metric.column != .hrsp1xx && PrometheusExporter.isResponse(metric.column)
    for row in rows {
      if row.isEmpty(metric.column), isLeftOut(metric.column, row) { continue }
      if !isHeadWritten {
        PrometheusExporter.head(name, isCounter: PrometheusExporter.isCounter(metric.column.tags), &out)
        isHeadWritten = true
      }
      writeSeries(name, labels(of: row), metric.column, row, &out)
    }
  }

  private func isLeftOut(_ column: StatColumn, _ row: StatRow) -> Bool {
    PrometheusNames.checkOnly.contains(column)
      || PrometheusNames.httpOnly.contains(column) && row.text(.mode) != "http"
  }

  private func labels(of row: StatRow) -> String {
    var labels = "proxy=\"\(PrometheusExporter.escaped(row.text(.pxname)))\""
    if row.kind == .server { labels += ",server=\"\(PrometheusExporter.escaped(row.text(.svname)))\"" }
    if row.kind == .listener { labels += ",listener=\"\(PrometheusExporter.escaped(row.text(.svname)))\"" }
    if request.describes, let text = description(row.text(.pxname)) {
      labels += ",desc=\"\(PrometheusExporter.escaped(text))\""
    }
    return labels
  }

  private func description(_ proxy: String) -> String? {
    runtime.configuration.proxies.first { $0.name == proxy }?.description
  }

  private func writeSeries(
    _ name: String, _ labels: String, _ column: StatColumn, _ row: StatRow, _ out: inout [UInt8]
  ) {
    switch column {
    case .status: writeStates(name, labels, PrometheusExporter.states(row.kind), PrometheusExporter.state(row), &out)
    case .checkStatus:
      let current = row.text(.checkStatus).split(separator: " ").last ?? ""
      writeStates(name, labels, CheckNames.outcomes, String(current), &out)
    case .aggServerStatus, .aggServerCheckStatus, .aggCheckStatus:
      out.append("\(name){\(labels)} \(row.number(column))\n")
    case _ where row.isEmpty(column) && !PrometheusExporter.isResponse(column):
      out.append("\(name){\(labels)} NaN\n")
    case _ where PrometheusExporter.isResponse(column):
      let code = "\(column.name)".dropFirst("hrsp_".utf8.count)
      out.append("\(name){\(labels),code=\"\(code)\"} \(row.number(column))\n")
    case .qtime, .ctime, .rtime, .ttime, .qtimeMax, .ctimeMax, .rtimeMax, .ttimeMax, .checkDuration:
      out.append("\(name){\(labels)} \(Double(row.number(column)) / 1000)\n")
    default: out.append("\(name){\(labels)} \(row.number(column))\n")
    }
  }

  private func writeStates(
    _ name: String, _ labels: String, _ states: [String], _ current: String, _ out: inout [UInt8]
  ) {
    for state in states {
      out.append("\(name){\(labels),state=\"\(state)\"} \(state == current ? 1 : 0)\n")
    }
  }

  private static func isResponse(_ column: StatColumn) -> Bool {
    column.rawValue >= StatColumn.hrsp1xx.rawValue && column.rawValue <= StatColumn.hrspOther.rawValue
  }

  private static func states(_ kind: StatKind) -> [String] {
    switch kind {
    case .server: ["DOWN", "UP", "MAINT", "DRAIN", "NOLB"]
    case .listener: ["WAITING", "OPEN", "FULL"]
    case .frontend, .backend: ["DOWN", "UP"]
    }
  }

  private static func state(_ row: StatRow) -> String {
    let status = row.text(.status)
    if row.kind == .listener { return status }
    if row.kind == .frontend { return status == "OPEN" ? "UP" : "DOWN" }
    for state in ["DOWN", "MAINT", "DRAIN", "NOLB"] where status.hasPrefix(state) { return state }
    return "UP"
  }

  /// Backslashes, quotes and line ends of label values.
  static func escaped(_ text: String) -> String {
    var out = ""
    for character in text.unicodeScalars {
      switch character {
      case "\\": out += "\\\\"
      case "\"": out += "\\\""
      case "\n": out += "\\n"
      default: out.unicodeScalars.append(character)
      }
    }
    return out
  }
}
