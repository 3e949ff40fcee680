import Base
import Config

extension HTMLWriter {
  mutating func write(_ row: StatRow, _ request: StatRequest) {
    switch row.kind {
    case .frontend: writeFrontend(row, request)
    case .listener: writeListener(row, request)
    case .server: writeServer(row, request)
    case .backend: writeBackend(row, request)
    }
    if request.settings.showModules { writeModules(row) }
    raw("</tr>\n")
  }

  mutating func anchor(_ row: StatRow, _ label: String, _ title: String) {
    let proxy = row.text(.pxname)
    raw("<a name=\"")
    text("\(proxy)/\(label)")
    raw("\"></a><a class=lfsb href=\"#")
    text("\(proxy)/\(label)")
    raw("\">")
    text(title)
    raw("</a>")
  }

  private mutating func writeFrontend(_ row: StatRow, _ request: StatRequest) {
    let isHTTP = row.text(.mode) == "http"
    raw("<tr class=\"frontend\">")
    if request.isAdmin { raw("<td></td>") }
    raw("<td class=ac>")
    anchor(row, "Frontend", "Frontend")
    raw("</td><td colspan=3></td>")
    beginTips(row.number(.rate))
    detail("Current connection rate:", row.number(.connRate), suffix: "/s")
    detail("Current session rate:", row.number(.rate), suffix: "/s")
    if isHTTP { detail("Current request rate:", row.number(.reqRate), suffix: "/s") }
    endTips()
    beginTips(row.number(.rateMax))
    detail("Max connection rate:", row.number(.connRateMax), suffix: "/s")
    detail("Max session rate:", row.number(.rateMax), suffix: "/s")
    if isHTTP { detail("Max request rate:", row.number(.reqRateMax), suffix: "/s") }
    endTips()
    limit(row.number(.rateLim))
    for column in [StatColumn.scur, .smax, .slim] { cell(row.number(column)) }
    beginTips(row.number(.stot))
    detail("Cum. connections:", row.number(.connTot))
    detail("Cum. sessions:", row.number(.stot))
    if isHTTP { writeFrontendRequests(row) }
    endTips()
    raw("<td></td><td></td>")
    writeOctets(row)
    for column in [StatColumn.dreq, .dresp, .ereq] { cell(row.number(column)) }
    raw("<td></td><td></td><td></td><td></td><td class=ac>")
    text(row.text(.status))
    raw("</td><td class=ac colspan=8></td>")
  }

  private mutating func writeFrontendRequests(_ row: StatRow) {
    detail("- HTTP/1 sessions:", row.number(.h1sess))
    detail("- HTTP/2 sessions:", row.number(.h2sess))
    detail("- other sessions:", row.number(.sessOther))
    detail("Cum. HTTP requests:", row.number(.reqTot))
    detail("- HTTP/1 requests:", row.number(.h1req))
    detail("- HTTP/2 requests:", row.number(.h2req))
    detail("- other requests:", row.number(.reqOther))
    writeResponses(row)
    detail("Intercepted requests:", row.number(.intercepted))
    detail("Failed hdr rewrites:", row.number(.wrew))
    detail("Internal errors:", row.number(.eint))
  }

  private mutating func writeResponses(_ row: StatRow) {
    detail("- HTTP 1xx responses:", row.number(.hrsp1xx))
    detail("- HTTP 2xx responses:", row.number(.hrsp2xx))
    detail("&nbsp;&nbsp;Compressed 2xx:", row.number(.compRsp), of: row.number(.hrsp2xx))
    detail("- HTTP 3xx responses:", row.number(.hrsp3xx))
    detail("- HTTP 4xx responses:", row.number(.hrsp4xx))
    detail("- HTTP 5xx responses:", row.number(.hrsp5xx))
    detail("- other responses:", row.number(.hrspOther))
  }

  /// Octets in and out, with what compression did to them.
  private mutating func writeOctets(_ row: StatRow) {
    cell(row.number(.bin))
    guard row.number(.compIn) > 0 || row.number(.compByp) > 0 else { return cell(row.number(.bout)) }
    beginTips(row.number(.bout))
    detail("Response bytes in:", row.number(.bout))
    detail("Compression in:", row.number(.compIn))
    detail("Compression out:", row.number(.compOut), of: row.number(.compIn))
    detail("Compression bypass:", row.number(.compByp))
    detail("Total bytes saved:", row.number(.compIn) - row.number(.compOut), of: row.number(.bout))
    endTips()
  }

  private mutating func writeListener(_ row: StatRow, _ request: StatRequest) {
    raw("<tr class=socket>")
    if request.isAdmin { raw("<td></td>") }
    raw(request.options.showsLegends ? "<td class=ac><u>" : "<td class=ac>")
    anchor(row, "+\(row.text(.svname))", row.text(.svname))
    if request.options.showsLegends {
      raw("<div class=tips>")
      address(row)
      text("proto=\(row.text(.proto)), id: \(row.number(.sid))")
      raw("</div></u>")
    }
    raw("</td><td colspan=3></td><td colspan=3>&nbsp;</td>")
    for column in [StatColumn.scur, .smax, .slim, .stot] { cell(row.number(column)) }
    raw("<td>&nbsp;</td><td>&nbsp;</td>")
    for column in [StatColumn.bin, .bout, .dreq, .dresp, .ereq] { cell(row.number(column)) }
    raw("<td></td><td></td><td></td><td></td><td class=ac>")
    text(row.text(.status))
    raw("</td><td class=ac colspan=8></td>")
  }

  /// `IPv4: 127.0.0.1:80, `
  mutating func address(_ row: StatRow) {
    let place = row.text(.addr)
    guard let first = place.utf8.first else { return }
    if ASCII.isDigit(first) { raw("IPv4: ") } else if first == UInt8(ascii: "[") { raw("IPv6: ") }
    text(place)
    raw(", ")
  }

  private mutating func writeBackend(_ row: StatRow, _ request: StatRequest) {
    raw("<tr class=\"backend\">")
    if request.isAdmin { raw("<td></td>") }
    raw(request.options.showsLegends ? "<td class=ac><u>" : "<td class=ac>")
    anchor(row, "Backend", "Backend")
    if request.options.showsLegends {
      raw("<div class=tips>balancing: ")
      text(row.text(.algo))
      if !row.isEmpty(.cookie) { text(", cookie: '\(row.text(.cookie))'") }
      raw("</div></u>")
    }
    raw("</td>")
    for column in [StatColumn.qcur, .qmax] { cell(row.number(column)) }
    raw("<td></td>")
    for column in [StatColumn.rate, .rateMax] { cell(row.number(column)) }
    raw("<td></td>")
    for column in [StatColumn.scur, .smax, .slim] { cell(row.number(column)) }
    beginTips(row.number(.stot))
    detail("Cum. sessions:", row.number(.stot))
    if row.text(.mode) == "http" {
      writeConnections(row)
      detail("Cum. HTTP requests:", row.number(.reqTot))
      writeResponses(row)
      detail("Failed hdr rewrites:", row.number(.wrew))
      detail("Internal errors:", row.number(.eint))
    }
    writeTimes(row)
    endTips()
    cell(row.number(.lbtot))
    lastSession(row)
    writeOctets(row)
    for column in [StatColumn.dreq, .dresp] { cell(row.number(column)) }
    raw("<td></td>")
    writeErrors(row)
    writeBackendState(row)
  }

  private mutating func writeBackendState(_ row: StatRow) {
    raw("<td class=ac>")
    duration(row.number(.lastchg))
    raw(" ")
    let status = row.text(.status)
    let (isDown, isUnpublished) = (status.hasPrefix("DOWN"), status.contains("(UNPUB)"))
    if isDown {
      raw("<font color=\"red\"><b>")
    } else if isUnpublished {
      raw("<font color=\"orange\"><b>")
    }
    text(status)
    if isDown || isUnpublished { raw("</b></font>") }
    raw("</td><td class=ac>&nbsp;</td><td class=ac>")
    text("\(row.number(.weight))/\(row.number(.uweight))")
    raw("</td>")
    for column in [StatColumn.act, .bck] {
      raw("<td class=ac>")
      plain(row.number(column))
      raw("</td>")
    }
    raw("<td class=ac>&nbsp;</td>")
    cell(row.number(.chkdown))
    raw("<td>")
    if row.isEmpty(.downtime) { raw("&nbsp;") } else { duration(row.number(.downtime)) }
    raw("</td><td></td>")
  }

  // MARK: Servers and backends

  mutating func writeConnections(_ row: StatRow) {
    detail("New connections:", row.number(.connect))
    detail("Reused connections:", row.number(.reuse), of: row.number(.connect) + row.number(.reuse))
  }

  mutating func writeTimes(_ row: StatRow) {
    raw("<tr><th colspan=3>Max / Avg over last 1024 success. conn.</th></tr>")
    times("- Queue time:", row.number(.qtimeMax), row.number(.qtime))
    times("- Connect time:", row.number(.ctimeMax), row.number(.ctime))
    if row.text(.mode) == "http" { times("- Responses time:", row.number(.rtimeMax), row.number(.rtime)) }
    times("- Total time:", row.number(.ttimeMax), row.number(.ttime))
  }

  mutating func lastSession(_ row: StatRow) {
    raw("<td>")
    duration(row.isEmpty(.lastsess) ? -1 : row.number(.lastsess))
    raw("</td>")
  }

  /// Errors of connecting and of responses, retries and redispatches.
  mutating func writeErrors(_ row: StatRow) {
    cell(row.number(.econ))
    raw("<td><u>")
    number(row.number(.eresp))
    raw("<div class=tips>Connection resets during transfers: ")
    text("\(row.number(.cliAbrt)) client, \(row.number(.srvAbrt)) server")
    raw("</div></u></td>")
    cell(row.number(.wretr))
    cell(row.number(.wredis))
  }

  private mutating func writeModules(_ row: StatRow) {
    for prefix in ["h2_", "ssl_", "h1_"] {
      raw("<td><u>")
      text(String(prefix.dropLast()))
      raw("<div class=tips><table class=det>")
      for column in StatColumn.allCases where column.rawValue > StatColumn.cacheHintHits.rawValue {
        guard "\(column.name)".hasPrefix(prefix), !row.isEmpty(column) else { continue }
        detail(column.name, row.number(column))
      }
      endTips()
    }
  }
}
