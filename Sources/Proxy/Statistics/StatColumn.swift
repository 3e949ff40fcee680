/// The columns of `show stat`, in HAProxy's order; new ones may only be appended.
///
/// The columns after `cacheHintHits` belong to HAProxy's protocol modules; CSV puts a `-` column before them.
enum StatColumn: Int, CaseIterable {
  case pxname, svname, qcur, qmax, scur, smax, slim, stot, bin, bout, dreq, dresp, ereq, econ, eresp
  case wretr, wredis, status, weight, act, bck, chkfail, chkdown, lastchg, downtime, qlimit, pid, iid
  case sid, throttle, lbtot, tracked, type, rate, rateLim, rateMax, checkStatus, checkCode
  case checkDuration, hrsp1xx, hrsp2xx, hrsp3xx, hrsp4xx, hrsp5xx, hrspOther, hanafail, reqRate
  case reqRateMax, reqTot, cliAbrt, srvAbrt, compIn, compOut, compByp, compRsp, lastsess, lastChk
  case lastAgt, qtime, ctime, rtime, ttime, agentStatus, agentCode, agentDuration, checkDesc
  case agentDesc, checkRise, checkFall, checkHealth, agentRise, agentFall, agentHealth, addr, cookie
  case mode, algo, connRate, connRateMax, connTot, intercepted, dcon, dses, wrew, connect, reuse
  case cacheLookups, cacheHits, srvIcur, srcIlim, qtimeMax, ctimeMax, rtimeMax, ttimeMax, eint
  case idleConnCur, safeConnCur, usedConnCur, needConnEst, uweight, aggServerStatus
  case aggServerCheckStatus, aggCheckStatus, srid, sessOther, h1sess, h2sess, h3sess, reqOther, h1req
  case h2req, h3req, proto, privIdleCur, reqbin, reqbout, resbin, resbout, cacheHintHits
  case h2HeadersRcvd, h2DataRcvd, h2SettingsRcvd, h2RstStreamRcvd, h2GoawayRcvd
  case h2DetectedConnProtocolErrors, h2DetectedStrmProtocolErrors, h2RstStreamResp, h2GoawayResp
  case h2OpenConnections, h2BackendOpenStreams, h2TotalConnections, h2BackendTotalStreams, sslSess
  case sslReusedSess, sslFailedHandshake, sslOcspStaple, sslFailedOcspStaple, h1OpenConnections
  case h1OpenStreams, h1TotalConnections, h1TotalStreams, h1BytesIn, h1BytesOut, h1SplicedBytesIn
  case h1SplicedBytesOut

  /// The name in the CSV header, in typed output and in JSON.
  var name: StaticString { StatColumn.facts[rawValue].0 }
  /// Origin, nature, scope and persistence, one letter each (management.txt chapter 9.2).
  var tags: StaticString { StatColumn.facts[rawValue].1 }

  private static let facts: [(StaticString, StaticString)] = [
    ("pxname", "KNSV"), ("svname", "KNSV"), ("qcur", "MGPV"), ("qmax", "MMPV"), ("scur", "MGPV"),
    ("smax", "MMPV"), ("slim", "CLPV"), ("stot", "MCPP"), ("bin", "MCPP"), ("bout", "MCPP"),
    ("dreq", "MCPP"), ("dresp", "MCPP"), ("ereq", "MCPP"), ("econ", "MCPP"), ("eresp", "MCPP"),
    ("wretr", "MCPP"), ("wredis", "MCPP"), ("status", "SGPV"), ("weight", "MaPV"), ("act", "SGPV"),
    ("bck", "SGPV"), ("chkfail", "MCPP"), ("chkdown", "MCPP"), ("lastchg", "MAPP"), ("downtime", "MCPV"),
    ("qlimit", "CGSV"), ("pid", "KGPV"), ("iid", "KGSV"), ("sid", "KGSV"), ("throttle", "MaPV"),
    ("lbtot", "MCPP"), ("tracked", "CNSV"), ("type", "CGSV"), ("rate", "MRPP"), ("rate_lim", "CLPV"),
    ("rate_max", "MMPV"), ("check_status", "MOPV"), ("check_code", "MOPV"), ("check_duration", "MDPV"),
    ("hrsp_1xx", "MCPP"), ("hrsp_2xx", "MCPP"), ("hrsp_3xx", "MCPP"), ("hrsp_4xx", "MCPP"),
    ("hrsp_5xx", "MCPP"), ("hrsp_other", "MCPP"), ("hanafail", "MCPP"), ("req_rate", "MRPP"),
    ("req_rate_max", "MMPV"), ("req_tot", "MCPP"), ("cli_abrt", "MCPP"), ("srv_abrt", "MCPP"),
    ("comp_in", "MCPP"), ("comp_out", "MCPP"), ("comp_byp", "MCPP"), ("comp_rsp", "MCPP"),
    ("lastsess", "MAPP"), ("last_chk", "MOPV"), ("last_agt", "MOPV"), ("qtime", "MaPV"), ("ctime", "MaPV"),
    ("rtime", "MaPV"), ("ttime", "MaPV"), ("agent_status", "MOPV"), ("agent_code", "MOPV"),
    ("agent_duration", "MDPV"), ("check_desc", "MOPV"), ("agent_desc", "MOPV"), ("check_rise", "CGSV"),
    ("check_fall", "CGSV"), ("check_health", "CGSV"), ("agent_rise", "CGSV"), ("agent_fall", "CGSV"),
    ("agent_health", "CGSV"), ("addr", "CGSV"), ("cookie", "CNSV"), ("mode", "CGSV"), ("algo", "CGSV"),
    ("conn_rate", "MRPP"), ("conn_rate_max", "MMPV"), ("conn_tot", "MCPP"), ("intercepted", "MCPP"),
    ("dcon", "MCPP"), ("dses", "MCPP"), ("wrew", "MCPP"), ("connect", "MCPP"), ("reuse", "MCPP"),
    ("cache_lookups", "MCPP"), ("cache_hits", "MCPP"), ("srv_icur", "MGPV"), ("src_ilim", "CLPV"),
    ("qtime_max", "MMPV"), ("ctime_max", "MMPV"), ("rtime_max", "MMPV"), ("ttime_max", "MMPV"),
    ("eint", "MCPP"), ("idle_conn_cur", "MGPV"), ("safe_conn_cur", "MGPV"), ("used_conn_cur", "MGPV"),
    ("need_conn_est", "MGPV"), ("uweight", "MaPV"), ("agg_server_status", "MGPV"),
    ("agg_server_check_status", "MGPV"), ("agg_check_status", "MGPV"), ("srid", "MCPV"),
    ("sess_other", "MCPV"), ("h1sess", "MCPP"), ("h2sess", "MCPP"), ("h3sess", "MCPP"),
    ("req_other", "MCPP"), ("h1req", "MCPP"), ("h2req", "MCPP"), ("h3req", "MCPP"), ("proto", "SGPV"),
    ("priv_idle_cur", "MGPV"), ("reqbin", "MCPP"), ("reqbout", "MCPP"), ("resbin", "MCPP"),
    ("resbout", "MCPP"), ("cache_hint_hits", "MCPP"), ("h2_headers_rcvd", "MCPV"),
    ("h2_data_rcvd", "MCPV"), ("h2_settings_rcvd", "MCPV"), ("h2_rst_stream_rcvd", "MCPV"),
    ("h2_goaway_rcvd", "MCPV"), ("h2_detected_conn_protocol_errors", "MCPV"),
    ("h2_detected_strm_protocol_errors", "MCPV"), ("h2_rst_stream_resp", "MCPV"),
    ("h2_goaway_resp", "MCPV"), ("h2_open_connections", "MGPV"), ("h2_backend_open_streams", "MGPV"),
    ("h2_total_connections", "MCPV"), ("h2_backend_total_streams", "MCPV"), ("ssl_sess", "MCPV"),
    ("ssl_reused_sess", "MCPV"), ("ssl_failed_handshake", "MCPV"), ("ssl_ocsp_staple", "MCPV"),
    ("ssl_failed_ocsp_staple", "MCPV"), ("h1_open_connections", "MGPV"), ("h1_open_streams", "MGPV"),
    ("h1_total_connections", "MCPV"), ("h1_total_streams", "MCPV"), ("h1_bytes_in", "MCPV"),
    ("h1_bytes_out", "MCPV"), ("h1_spliced_bytes_in", "MCPV"), ("h1_spliced_bytes_out", "MCPV"),
  ]
}
