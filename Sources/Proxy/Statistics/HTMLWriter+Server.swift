import Base
import Config

extension HTMLWriter {
  mutating func writeServer(_ row: StatRow, _ request: StatRequest) {
    raw("<tr class=\"")
    text(HTMLWriter.style(row))
    raw("\">")
    if request.isAdmin {
      raw("<td><input class='")
      text(row.text(.pxname))
      raw("-checkbox' type=\"checkbox\" name=\"s\" value=\"")
      text(row.text(.svname))
      raw("\"></td>")
    }
    raw(request.options.showsLegends ? "<td class=ac><u>" : "<td class=ac>")
    anchor(row, row.text(.svname), row.text(.svname))
    if request.options.showsLegends {
      raw("<div class=tips>")
      address(row)
      text("id: \(row.number(.sid)), rid: \(row.number(.srid))")
      if !row.isEmpty(.cookie) { text(", cookie: '\(row.text(.cookie))'") }
      raw("</div></u>")
    }
    raw("</td>")
    for column in [StatColumn.qcur, .qmax] { cell(row.number(column)) }
    limit(row.number(.qlimit))
    for column in [StatColumn.rate, .rateMax] { cell(row.number(column)) }
    raw("<td></td>")
    writeSessions(row)
    cell(row.number(.lbtot))
    lastSession(row)
    for column in [StatColumn.bin, .bout] { cell(row.number(column)) }
    raw("<td></td>")
    cell(row.number(.dresp))
    raw("<td></td>")
    writeErrors(row)
    writeState(row)
  }

  /// The colour of a server: its state, or that its weight is zero.
  static func style(_ row: StatRow) -> String {
    let status = row.text(.status)
    if status.hasPrefix("MAINT") { return "maintain" }
    let kind = row.number(.bck) > 0 ? "backup" : "active"
    let state: String
    if status == "DOWN" || status == "DOWN (agent)" {
      state = "down"
    } else if status.hasPrefix("DOWN ") {
      state = "going_up"
    } else if status.hasPrefix("DRAIN") {
      state = "draining"
    } else if status.hasPrefix("NOLB ") {
      state = "going_down"
    } else if status == "NOLB" {
      state = "nolb"
    } else if status == "no check" {
      state = "no_check"
    } else if status == "UP" {
      state = row.number(.weight) > 0 ? "up" : "draining"
    } else {
      state = "going_down"
    }
    return "\(kind)_\(state)"
  }

  private mutating func writeSessions(_ row: StatRow) {
    beginTips(row.number(.scur))
    detail("Current active connections:", row.number(.scur))
    detail("Current used connections:", row.number(.usedConnCur))
    detail("Current idle connections:", row.number(.srvIcur))
    detail("- unsafe:", row.number(.idleConnCur))
    detail("- safe:", row.number(.safeConnCur))
    detail("Estimated need of connections:", row.number(.needConnEst))
    if row.number(.slim) > 0 { detail("Active connections limit:", row.number(.slim)) }
    if !row.isEmpty(.srcIlim) { detail("Idle connections limit:", row.number(.srcIlim)) }
    endTips()
    cell(row.number(.smax))
    limit(row.number(.slim))
    beginTips(row.number(.stot))
    detail("Cum. sessions:", row.number(.stot))
    if row.text(.mode) == "http" {
      let requests = row.number(.reqTot)
      writeConnections(row)
      detail("Cum. HTTP requests:", requests)
      detail("- HTTP 1xx responses:", row.number(.hrsp1xx), of: requests)
      detail("- HTTP 2xx responses:", row.number(.hrsp2xx), of: requests)
      detail("- HTTP 3xx responses:", row.number(.hrsp3xx), of: requests)
      detail("- HTTP 4xx responses:", row.number(.hrsp4xx), of: requests)
      detail("- HTTP 5xx responses:", row.number(.hrsp5xx), of: requests)
      detail("- other responses:", row.number(.hrspOther), of: requests)
      detail("Failed hdr rewrites:", row.number(.wrew))
      detail("Internal error:", row.number(.eint))
    }
    writeTimes(row)
    endTips()
  }

  /// State, last check, weight, place among the servers, failed checks and time down.
  private mutating func writeState(_ row: StatRow) {
    let status = row.text(.status)
    raw("<td class=ac>")
    if status == "no check" {
      raw("<i>no check</i>")
    } else {
      duration(row.number(.lastchg))
      raw(" ")
      text(status.hasPrefix("MAINT") ? "MAINT" : status)
      if status.hasPrefix("DOWN") {
        if row.number(.checkHealth) > 0 { raw(" &uarr;") }
      } else if !row.isEmpty(.checkHealth), !status.hasPrefix("MAINT"),
        row.number(.checkHealth) < row.number(.checkRise) + row.number(.checkFall) - 1
      {
        raw(" &darr;")
      }
    }
    raw("</td>")
    writeLastCheck(row)
    raw("<td class=ac>")
    text("\(row.number(.weight))/\(row.number(.uweight))")
    let isBackup = row.number(.bck) > 0
    raw(
      isBackup ? "</td><td class=ac>-</td><td class=ac>Y</td>" : "</td><td class=ac>Y</td><td class=ac>-</td>"
    )
    writeFailures(row)
    if row.isEmpty(.throttle) {
      raw("<td class=ac>-</td>")
    } else {
      raw("<td class=ac>")
      plain(row.number(.throttle))
      raw(" %</td>")
    }
  }

  private mutating func writeLastCheck(_ row: StatRow) {
    let isAgent =
      row.text(.status).hasPrefix("DOWN") && !row.isEmpty(.agentStatus) && row.number(.agentHealth) == 0
    let status = isAgent ? StatColumn.agentStatus : .checkStatus
    guard !row.isEmpty(status) else { return raw("<td></td>") }
    let code = isAgent ? StatColumn.agentCode : .checkCode
    let time = isAgent ? StatColumn.agentDuration : .checkDuration
    let description = isAgent ? StatColumn.agentDesc : .checkDesc
    let last = isAgent ? StatColumn.lastAgt : .lastChk
    raw("<td class=ac><u> ")
    text(row.text(status))
    if !row.isEmpty(code) { text("/\(row.number(code))") }
    if !row.isEmpty(time) { text(" in \(row.number(time))ms") }
    raw("<div class=tips>")
    text(row.text(description))
    if !row.text(last).isEmpty { text(": \(row.text(last))") }
    raw("</div></u></td>")
  }

  private mutating func writeFailures(_ row: StatRow) {
    let status = row.text(.status)
    if status == "MAINT (resolution)" {
      raw("<td class=ac colspan=3>resolution</td>")
    } else if !row.isEmpty(.chkfail) {
      raw("<td><u>")
      plain(row.number(.chkfail))
      if !row.isEmpty(.hanafail) { text("/\(row.number(.hanafail))") }
      raw("<div class=tips>Failed Health Checks")
      if !row.isEmpty(.hanafail) { raw("/Health Analyses") }
      raw("</div></u></td>")
      cell(row.number(.chkdown))
      raw("<td>")
      duration(row.number(.downtime))
      raw("</td>")
    } else if status != "MAINT", !row.isEmpty(.tracked) {
      raw("<td class=ac colspan=3><a class=lfsb href=\"#")
      text(row.text(.tracked))
      raw("\">via ")
      text(row.text(.tracked))
      raw("</a></td>")
    } else {
      raw("<td colspan=3></td>")
    }
  }
}
