import Base
import Config
import Glibc

/// What the request asked of the statistics page, and what its proxy allows.
struct StatRequest {
  var settings: StatsSettings
  var options = StatOptions()
  var selection = StatSelection()
  /// nil for the page itself.
  var format: StatFormat?
  var withoutRefresh = false
  /// Whether the client may change servers.
  var isAdmin = false
  /// `;st=`: how the last change ended.
  var status: String?

  static let longestScope = 20

  /// Reads the flags behind the prefix of the target.
  init(_ settings: StatsSettings, _ rest: Bytes, proxy: String) {
    self.settings = settings
    options.showsLegends = settings.showLegends
    options.hidesDown = rest.contains(";up")
    options.hidesMaintenance = rest.contains(";no-maint")
    withoutRefresh = settings.refresh != nil && rest.contains(";norefresh")
    if rest.contains(";csv") { format = .csv }
    if rest.contains(";typed") { format = .typed }
    if rest.contains(";json") { format = .json }
    if let code = StatRequest.value(of: ";st=", in: rest) { status = code.prefix(4).string }
    if let scope = StatRequest.value(of: "scope=", in: rest) {
      let name = scope.prefix(StatRequest.longestScope)
      if (0..<name.count).allSatisfy({ StatRequest.isNameOctet(name[$0]) }) { selection.nameContains = name }
    }
    selection.scopes = settings.scopes.map { $0.text == "." ? proxy : $0.text }
  }

  /// What follows `key`, up to `;`, `&` or the end.
  private static func value(of key: Bytes, in rest: Bytes) -> Bytes? {
    guard rest.count >= key.count,
      let at = (0...(rest.count - key.count)).first(where: { rest.dropFirst($0).starts(with: key) })
    else { return nil }
    let value = rest.dropFirst(at + key.count)
    var end = 0
    while end < value.count, value[end] != 0x3B, value[end] != 0x26 { end += 1 }
    return value.prefix(end)
  }

  /// The octets that names of proxies are made of.
  private static func isNameOctet(_ c: UInt8) -> Bool {
    ASCII.isAlpha(c) || ASCII.isDigit(c) || c == 0x5F || c == 0x2D || c == 0x2E || c == ASCII.colon
  }

  /// The address of the page with the flags that outlive a change.
  func link(status: String? = nil, up: Bool? = nil, norefresh: Bool? = nil, extra: String = "") -> String {
    var link = settings.uri.string + extra
    if let status { link += ";st=\(status)" }
    if up ?? options.hidesDown { link += ";up" }
    if norefresh ?? withoutRefresh { link += ";norefresh" }
    if !selection.nameContains.isEmpty { link += "?scope=\(selection.nameContains.string)" }
    return link
  }
}

/// Writes the statistics page in pieces.
struct StatPage {
  private let runtime: Runtime
  private let request: StatRequest
  private let now: Now
  private var walk: StatWalk
  private var hasBegun = false
  private var isOver = false

  init(_ runtime: Runtime, _ request: StatRequest, now: Now) {
    self.runtime = runtime
    self.request = request
    self.now = now
    walk = StatWalk(runtime, request.options, request.selection, now: now.wall)
  }

  /// The next piece; nil after the end.
  mutating func next() -> [UInt8]? {
    if isOver { return nil }
    var html = HTMLWriter()
    html.out.reserveCapacity(StatDump.pieceSize + 8192)
    if !hasBegun {
      html.writePageHead(runtime, request, now)
      html.writeOutcome(request)
      hasBegun = true
    }
    while html.out.count < StatDump.pieceSize {
      guard let event = walk.next() else {
        html.raw("</body></html>\n")
        isOver = true
        break
      }
      switch event {
      case .begin(let frontend, let backend): html.beginProxy(frontend, backend, request)
      case .row(let row): html.write(row, request)
      case .end(_, let backend): html.endProxy(backend, request)
      }
    }
    return html.out
  }
}
