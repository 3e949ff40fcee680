import Base
import Config
import Rules

/// What a scrape asks for: `?scope=server&no-maint`.
struct PrometheusRequest {
  enum Scope: String, CaseIterable { case process = "global", frontend, backend, server }

  var scopes = Scope.allCases
  var withoutMaintenance = false

  init(_ target: Bytes) {
    guard let question = target.firstIndex(of: ASCII.question) else { return }
    var wanted: [Scope] = []
    for part in target.dropFirst(question + 1).string.split(separator: "&") {
      if part == "no-maint" { withoutMaintenance = true }
      guard part.hasPrefix("scope=") else { continue }
      let name = String(part.dropFirst(6))
      if name == "*" {
        wanted = Scope.allCases
      } else if let scope = Scope(rawValue: name) {
        wanted.append(scope)
      }
    }
    if !wanted.isEmpty { scopes = wanted }
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
    case .backend: gather(.backend)
    case .server: gather(.server)
    }
    return out
  }

  private mutating func gather(_ kind: StatKind) {
    var selection = StatSelection()
    selection.types = 1 << kind.rawValue
    var options = StatOptions()
    options.hidesMaintenance = request.withoutMaintenance && kind == .server
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
      PrometheusExporter.head(full, isCounter: PrometheusExporter.isCounter(item.tags), &out)
      switch item.value {
      case .text(let text) where full.hasSuffix("build_info"):
        out.append("\(full){version=\"\(PrometheusExporter.escaped(text))\"} 1\n")
      case .text(let text):
        out.append("\(full){\(item.name)=\"\(PrometheusExporter.escaped(text))\"} 1\n")
      case .u32(let n), .s32(let n), .u64(let n): out.append("\(full) \(n)\n")
      case .empty: break
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
      case .backend: "haproxy_backend_"
      case .server, .listener: "haproxy_server_"
      }
    let name = prefix + "\(metric.name)"
    var isHeadWritten = metric.column != .hrsp1xx && PrometheusExporter.isResponse(metric.column)
    for row in rows where !row.isEmpty(metric.column) {
      if !isHeadWritten {
        PrometheusExporter.head(name, isCounter: PrometheusExporter.isCounter(metric.column.tags), &out)
        isHeadWritten = true
      }
      var labels = "proxy=\"\(PrometheusExporter.escaped(row.text(.pxname)))\""
      if kind == .server { labels += ",server=\"\(PrometheusExporter.escaped(row.text(.svname)))\"" }
      writeSeries(name, labels, metric.column, row, &out)
    }
  }

  private func writeSeries(
    _ name: String, _ labels: String, _ column: StatColumn, _ row: StatRow, _ out: inout [UInt8]
  ) {
    switch column {
    case .status:
      let states = row.kind == .server ? ["DOWN", "UP", "MAINT", "DRAIN", "NOLB"] : ["DOWN", "UP"]
      let current = PrometheusExporter.state(row)
      for state in states {
        out.append("\(name){\(labels),state=\"\(state)\"} \(state == current ? 1 : 0)\n")
      }
    case .checkStatus:
      let current = row.text(.checkStatus).split(separator: " ").last ?? ""
      for state in CheckNames.outcomes {
        out.append("\(name){\(labels),state=\"\(state)\"} \(state == current ? 1 : 0)\n")
      }
    case _ where PrometheusExporter.isResponse(column):
      let code = "\(column.name)".dropFirst("hrsp_".utf8.count)
      out.append("\(name){\(labels),code=\"\(code)\"} \(row.number(column))\n")
    case .qtime, .ctime, .rtime, .ttime, .qtimeMax, .ctimeMax, .rtimeMax, .ttimeMax, .checkDuration:
      out.append("\(name){\(labels)} \(Double(row.number(column)) / 1000)\n")
    default: out.append("\(name){\(labels)} \(row.number(column))\n")
    }
  }

  private static func isResponse(_ column: StatColumn) -> Bool {
    column.rawValue >= StatColumn.hrsp1xx.rawValue && column.rawValue <= StatColumn.hrspOther.rawValue
  }

  private static func state(_ row: StatRow) -> String {
    let status = row.text(.status)
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
