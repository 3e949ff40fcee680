import Base
import Config
import Glibc

extension HTMLWriter {
  /// Everything before the first proxy.
  mutating func writePageHead(_ runtime: Runtime, _ request: StatRequest, _ now: Now) {
    let settings = request.settings
    let node = settings.node ?? runtime.nodeName.string
    raw("<!DOCTYPE html>\n<html lang=\"en\"><head><title>Statistics Report for HAProxy")
    if settings.showNode {
      raw(" on ")
      text(node)
    }
    raw("</title>\n<link rel=\"icon\" href=\"data:,\">\n")
    raw("<meta http-equiv=\"content-type\" content=\"text/html; charset=utf-8\">\n")
    raw(StatPageStyle.sheet)
    raw("</head>\n<body><h1>HAProxy")
    if !settings.hideVersion {
      raw(" version ")
      text("\(Build.haproxyVersion), released \(Build.date)")
    }
    raw("</h1>\n<h2>Statistics Report for pid ")
    plain(Int(getpid()))
    if settings.showNode {
      raw(" on ")
      text(node)
    }
    if settings.showDescription, let words = settings.description ?? runtime.global.description {
      raw(": ")
      text(words)
    }
    raw(
      "</h2>\n<hr>\n<h3>&gt; General process information</h3>\n<table border=0><tr><td align=\"left\" nowrap>\n"
    )
    writeProcess(runtime, now)
    raw("</td><td align=\"center\" nowrap>\n")
    writeLegend()
    raw("</td><td align=\"left\" valign=\"top\" nowrap>")
    writeChoices(request)
    raw("</td></tr></table>\n")
  }

  private mutating func writeProcess(_ runtime: Runtime, _ now: Now) {
    let seconds = Swift.max(0, Int((now.instant - runtime.started.instant).seconds))
    let descriptors = ProcessReport.descriptorLimit
    raw("<p><b>pid = </b> ")
    text("\(getpid()) (process #1, nbproc = 1, nbthread = \(runtime.workerCount))")
    raw("<br>\n<b>uptime = </b> ")
    text(ProcessReport.uptime(seconds))
    raw("<br>\n<b>system limits:</b> memmax = unlimited; ulimit-n = ")
    plain(descriptors)
    raw("<br>\n<b>maxsock = </b> ")
    plain(descriptors)
    raw("; <b>maxconn = </b> ")
    plain(runtime.limits.connections)
    raw("; <b>maxpipes = </b> 0<br>\ncurrent conns = ")
    plain(runtime.connections.current)
    raw("; current pipes = 0/0; conn rate = ")
    plain(runtime.connectionRate.perSecond(at: now.wall.microseconds))
    raw("/sec<br>\n")
  }

  private mutating func writeLegend() {
    raw("<table class=\"lgd\"><tr>\n")
    raw("<td class=\"active_up\">&nbsp;</td><td class=\"noborder\">active UP </td>")
    raw("<td class=\"backup_up\">&nbsp;</td><td class=\"noborder\">backup UP </td></tr><tr>\n")
    raw("<td class=\"active_going_down\"></td><td class=\"noborder\">active UP, going down </td>")
    raw("<td class=\"backup_going_down\"></td><td class=\"noborder\">backup UP, going down </td></tr><tr>\n")
    raw("<td class=\"active_going_up\"></td><td class=\"noborder\">active DOWN, going up </td>")
    raw("<td class=\"backup_going_up\"></td><td class=\"noborder\">backup DOWN, going up </td></tr><tr>\n")
    raw("<td class=\"active_down\"></td><td class=\"noborder\">active or backup DOWN &nbsp;</td>")
    raw("<td class=\"active_no_check\"></td><td class=\"noborder\">not checked </td></tr><tr>\n")
    raw("<td class=\"maintain\"></td>")
    raw(
      "<td class=\"noborder\" colspan=\"3\">active or backup DOWN for maintenance (MAINT) &nbsp;</td></tr><tr>\n"
    )
    raw("<td class=\"active_draining\"></td>")
    raw(
      "<td class=\"noborder\" colspan=\"3\">active or backup SOFT STOPPED for maintenance &nbsp;</td></tr></table>\n"
    )
    raw("Note: \"NOLB\"/\"DRAIN\" = UP with load-balancing disabled.")
  }

  private mutating func writeChoices(_ request: StatRequest) {
    raw("<b>Display option:</b><ul style=\"margin-top: 0.25em;\">")
    raw("<li><form method=\"GET\">Scope : <input value=\"")
    text(request.selection.nameContains.string)
    raw("\" name=\"scope\" size=\"8\" maxlength=\"20\" tabindex=\"1\"/></form>\n")
    if request.options.hidesDown {
      choice(request.link(up: false), "Show all servers")
    } else {
      choice(request.link(up: true), "Hide 'DOWN' servers")
    }
    if request.settings.refresh != nil {
      if request.withoutRefresh {
        choice(request.link(norefresh: false), "Enable refresh")
      } else {
        choice(request.link(norefresh: true), "Disable refresh")
      }
    }
    choice(request.link(), "Refresh now")
    let refreshes = request.settings.refresh != nil
    choice(request.link(up: false, norefresh: refreshes, extra: ";csv"), "CSV export")
    choice(request.link(up: false, norefresh: refreshes, extra: ";json"), "JSON export")
    raw("</ul>")
  }

  private mutating func choice(_ link: String, _ label: StaticString) {
    raw("<li><a href=\"")
    text(link)
    raw("\">")
    raw(label)
    raw("</a><br>\n")
  }

  /// How the last change ended.
  mutating func writeOutcome(_ request: StatRequest) {
    guard let status = request.status else { return }
    let (style, words): (StaticString, StaticString) =
      switch status {
      case "DONE": ("active_up", "Action processed successfully.")
      case "NONE": ("active_going_down", "Nothing has changed.")
      case "PART": ("active_going_down", "Action partially processed: some server names are unknown.")
      case "ERRP":
        ("active_down", "Action not processed: the action, the backend or the servers are unknown.")
      case "EXCD": ("active_down", "Action not processed: there were too many servers for one request.")
      case "DENY": ("active_down", "Action denied.")
      case "IVAL": ("active_down", "Invalid request.")
      default: ("active_no_check", "Unexpected result.")
      }
    raw("<p><div class=")
    raw(style)
    raw("><a class=lfsb href=\"")
    text(request.link())
    raw("\" title=\"Remove this message\">[X]</a> ")
    raw(words)
    raw("</div>\n<p>\n")
  }

  // MARK: Proxies

  mutating func beginProxy(_ frontend: Frontend?, _ backend: Backend?, _ request: StatRequest) {
    guard let proxy = frontend?.settings ?? backend?.settings else { return }
    let legends = request.options.showsLegends
    let hasForm = request.isAdmin && backend.map { !$0.servers.isEmpty } ?? false
    if hasForm { raw("<form method=\"post\">") }
    raw(
      "<table class=\"tbl\" width=\"100%\">\n<tr class=\"titre\"><th class=\"pxname\" width=\"10%\"><a name=\""
    )
    text(proxy.name)
    raw(legends ? "\"></a><u><a class=px href=\"#" : "\"></a><a class=px href=\"#")
    text(proxy.name)
    raw("\">")
    text(proxy.name)
    raw("</a>")
    if legends {
      raw("<div class=tips>cap: ")
      text(frontend == nil ? "backend" : backend == nil ? "frontend" : "proxy")
      text(", mode: \(proxy.mode.label), id: \(frontend?.id ?? backend?.id ?? 0)")
      raw("</div></u>")
    }
    raw("</th><th class=\"")
    raw(proxy.description == nil ? "empty" : "desc")
    raw("\" width=\"90%\">")
    text(proxy.description ?? "")
    raw("</th></tr>\n</table>\n<table class=\"tbl\" width=\"100%\">\n<tr class=\"titre\">")
    if request.isAdmin { writeCheckAll(proxy.name, hasForm) }
    writeColumns(request)
  }

  /// The box that ticks all servers. Names come from the configuration, whose octets the parser has checked.
  private mutating func writeCheckAll(_ name: String, _ hasForm: Bool) {
    guard hasForm else { return raw("<th rowspan=2></th>") }
    raw("<th rowspan=2 width=1><input type=\"checkbox\" data-of=\"")
    text(name)
    raw("\" onclick=\"for (const c of document.getElementsByClassName(this.dataset.of + '-checkbox')) ")
    raw("c.checked = this.checked\"></th>")
  }

  private mutating func writeColumns(_ request: StatRequest) {
    raw("<th rowspan=2></th><th colspan=3>Queue</th><th colspan=3>Session rate</th>")
    raw(
      "<th colspan=6>Sessions</th><th colspan=2>Bytes</th><th colspan=2>Denied</th><th colspan=3>Errors</th>")
    raw("<th colspan=2>Warnings</th><th colspan=9>Server</th>")
    if request.settings.showModules { raw("<th colspan=3>Extra modules</th>") }
    raw("</tr>\n<tr class=\"titre\"><th>Cur</th><th>Max</th><th>Limit</th><th>Cur</th><th>Max</th>")
    raw("<th>Limit</th><th>Cur</th><th>Max</th><th>Limit</th><th>Total</th><th>LbTot</th><th>Last</th>")
    raw("<th>In</th><th>Out</th><th>Req</th><th>Resp</th><th>Req</th><th>Conn</th><th>Resp</th><th>Retr</th>")
    raw("<th>Redis</th><th>Status</th><th>LastChk</th><th>Wght</th><th>Act</th><th>Bck</th><th>Chk</th>")
    raw("<th>Dwn</th><th>Dwntme</th><th>Thrtle</th>\n")
    if request.settings.showModules { raw("<th>h2</th><th>ssl</th><th>h1</th>") }
    raw("</tr>")
  }

  mutating func endProxy(_ backend: Backend?, _ request: StatRequest) {
    raw("</table>")
    if request.isAdmin, let backend, !backend.servers.isEmpty {
      raw(
        "Choose the action to perform on the checked servers : <select name=action><option value=\"\"></option>"
      )
      for action in StatAction.listed {
        raw("<option value=\"")
        text(action.rawValue)
        raw("\">")
        raw(action.label)
        raw("</option>")
      }
      raw("</select><input type=\"hidden\" name=\"b\" value=\"#")
      plain(backend.id)
      raw("\">&nbsp;<input type=\"submit\" value=\"Apply\"></form>")
    }
    raw("<p>\n")
  }
}
