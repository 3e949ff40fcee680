import Base
import Config
import Testing

@testable import Proxy

@Suite("Statistics")
struct StatisticsTests {
  /// The header line of HAProxy 3.5; tools find columns by it.
  static let header =
    "# pxname,svname,qcur,qmax,scur,smax,slim,stot,bin,bout,dreq,dresp,ereq,econ,eresp,wretr,wredis,status,weight,act,bck,chkfail,chkdown,lastchg,downtime,qlimit,pid,iid,sid,throttle,lbtot,tracked,type,rate,rate_lim,rate_max,check_status,check_code,check_duration,hrsp_1xx,hrsp_2xx,hrsp_3xx,hrsp_4xx,hrsp_5xx,hrsp_other,hanafail,req_rate,req_rate_max,req_tot,cli_abrt,srv_abrt,comp_in,comp_out,comp_byp,comp_rsp,lastsess,last_chk,last_agt,qtime,ctime,rtime,ttime,agent_status,agent_code,agent_duration,check_desc,agent_desc,check_rise,check_fall,check_health,agent_rise,agent_fall,agent_health,addr,cookie,mode,algo,conn_rate,conn_rate_max,conn_tot,intercepted,dcon,dses,wrew,connect,reuse,cache_lookups,cache_hits,srv_icur,src_ilim,qtime_max,ctime_max,rtime_max,ttime_max,eint,idle_conn_cur,safe_conn_cur,used_conn_cur,need_conn_est,uweight,agg_server_status,agg_server_check_status,agg_check_status,srid,sess_other,h1sess,h2sess,h3sess,req_other,h1req,h2req,h3req,proto,priv_idle_cur,reqbin,reqbout,resbin,resbout,cache_hint_hits,-,h2_headers_rcvd,h2_data_rcvd,h2_settings_rcvd,h2_rst_stream_rcvd,h2_goaway_rcvd,h2_detected_conn_protocol_errors,h2_detected_strm_protocol_errors,h2_rst_stream_resp,h2_goaway_resp,h2_open_connections,h2_backend_open_streams,h2_total_connections,h2_backend_total_streams,ssl_sess,ssl_reused_sess,ssl_failed_handshake,ssl_ocsp_staple,ssl_failed_ocsp_staple,h1_open_connections,h1_open_streams,h1_total_connections,h1_total_streams,h1_bytes_in,h1_bytes_out,h1_spliced_bytes_in,h1_spliced_bytes_out,"

  @Test("the CSV header is HAProxy's, octet by octet")
  func csvHeader() {
    var out: [UInt8] = []
    StatFormat.appendHeader(to: &out)
    #expect(String(decoding: out, as: UTF8.self) == StatisticsTests.header + "\n")
  }

  @Test("every column has a name and four tags")
  func columns() {
    for column in StatColumn.allCases {
      #expect(column.tags.utf8CodeUnitCount == 4)
      #expect(column.name.utf8CodeUnitCount > 0)
    }
    #expect(Set(StatColumn.allCases.map { "\($0.name)" }).count == StatColumn.allCases.count)
  }

  @Test(
    "CSV cells are quoted when they must be",
    arguments: [
      ("plain", "plain"), ("a,b", "\"a,b\""), ("say \"x\"", "\"say \"\"x\"\"\""), ("a\nb", "\"a\nb\""),
    ])
  func csv(_ text: String, _ expected: String) {
    var out: [UInt8] = []
    StatText.appendCSV(.text(text), to: &out)
    #expect(String(decoding: out, as: UTF8.self) == expected)
  }

  @Test(
    "JSON strings are escaped",
    arguments: [("a", "\"a\""), ("a\"b\\", "\"a\\\"b\\\\\""), ("\u{1}\n", "\"\\u0001\\u000a\"")])
  func json(_ text: String, _ expected: String) {
    var out: [UInt8] = []
    StatText.appendJSONString(text, to: &out)
    #expect(String(decoding: out, as: UTF8.self) == expected)
  }

  @Test("no text can end its element or attribute in HTML")
  func html() {
    var html = HTMLWriter()
    html.text("<script>'\"&\u{0}")
    #expect(String(decoding: html.out, as: UTF8.self) == "&lt;script&gt;&#39;&quot;&amp; ")
  }

  @Test(
    "thousands are set apart",
    arguments: [
      (0, "0"), (999, "999"), (1000, "[1]000"), (12345, "[12]345"), (1_234_567, "[1][234]567"),
      (-5000, "-5000"),
    ])
  func numbers(_ value: Int, _ expected: String) {
    var html = HTMLWriter()
    html.number(value)
    var text = ""
    var rest = String(decoding: html.out, as: UTF8.self)[...]
    while !rest.isEmpty {
      if rest.hasPrefix("<span class=\"rls\">") {
        rest = rest.dropFirst(18)
        text += "["
      } else if rest.hasPrefix("</span>") {
        rest = rest.dropFirst(7)
        text += "]"
      } else {
        text.append(rest.removeFirst())
      }
    }
    #expect(text == expected)
  }

  @Test(
    "durations have their two biggest units",
    arguments: [(-1, "?"), (0, "0s"), (59, "59s"), (61, "1m1s"), (3700, "1h1m"), (90_000, "1d1h")])
  func durations(_ seconds: Int, _ expected: String) {
    var html = HTMLWriter()
    html.duration(seconds)
    #expect(String(decoding: html.out, as: UTF8.self) == expected)
  }

  @Test(
    "requests for the page are told by their target",
    arguments: [
      ("/stats", "/stats", ""), ("/stats;csv", "/stats", ";csv"), ("http://h:1/stats;up", "/stats", ";up"),
      ("/stat", "/stats", nil), ("http://h", "/", nil), ("", "/", nil),
    ] as [(String, String, String?)])
  func targets(_ target: String, _ prefix: String, _ rest: String?) {
    #expect(StatisticsTarget.rest(of: Bytes(target), behind: Bytes(prefix))?.string == rest)
  }

  @Test(
    "authorities of URLs",
    arguments: [("http://a:80/x", "a:80"), ("https://a", "a"), ("null", "null"), ("http://a?b", "a")])
  func authorities(_ url: String, _ expected: String) {
    #expect(StatisticsTarget.authority(of: Bytes(url)).string == expected)
  }

  @Test("flags behind the page's address")
  func flags() {
    var settings = StatsSettings()
    settings.refresh = .seconds(5)
    let request = StatRequest(settings, ";up;norefresh;csv;st=DONE?scope=web&x", proxy: "p")
    #expect(request.options.hidesDown)
    #expect(request.withoutRefresh)
    #expect(request.format == .csv)
    #expect(request.status == "DONE")
    #expect(request.selection.nameContains == "web")
    let hostile = StatRequest(settings, "?scope=<b>;st=", proxy: "p")
    #expect(hostile.selection.nameContains.isEmpty)
    #expect(hostile.status == "")
  }

  @Test("the fields of the page's form")
  func form() {
    let form = StatForm("s=a%20b&s=c+d&action=maint&b=%234&s=%zz&=&&")
    #expect(form.servers == ["a b", "c d", "%zz"])
    #expect(form.last("action") == "maint")
    #expect(form.last("b") == "#4")
    #expect(form.last("x") == nil)
  }

  @Test("passwords are compared whole")
  func credentials() throws {
    let login = try #require(BasicCredentials("Basic YWRtaW46cDphc3M="))
    #expect(login.matches(user: "admin", password: "p:ass"))
    #expect(!login.matches(user: "admin", password: "p:as"))
    #expect(BasicCredentials("Bearer YWRtaW46cDphc3M=") == nil)
    #expect(BasicCredentials("Basic !!!") == nil)
    #expect(BasicCredentials(nil) == nil)
  }

  @Test("an average follows its last values and keeps the highest")
  func averages() {
    let average = MovingAverage()
    average.add(-1)
    #expect(average.average == 0)
    for _ in 0..<5000 { average.add(10) }
    #expect(average.average == 10)
    average.add(500)
    #expect(average.maximum == 500)
    average.resetMaximum()
    #expect(average.maximum == 0)
  }

  @Test("a place that was only tried for does not raise the highest number")
  func gauge() {
    let gauge = Gauge()
    #expect(gauge.increment(upTo: 2))
    gauge.noteMaximum()
    #expect(gauge.increment(upTo: 2))
    gauge.decrement()
    #expect((gauge.current, gauge.maximum) == (1, 1))
    gauge.increment()
    #expect(!gauge.increment(upTo: 2))
    #expect((gauge.current, gauge.maximum) == (2, 2))
  }

  @Test("label values of metrics are escaped")
  func labels() {
    #expect(PrometheusExporter.escaped("a\"b\\c\nd") == "a\\\"b\\\\c\\nd")
  }

  @Test("uptimes read as HAProxy writes them")
  func uptime() {
    #expect(ProcessReport.uptime(93_784) == "1d 2h03m04s")
  }
}
