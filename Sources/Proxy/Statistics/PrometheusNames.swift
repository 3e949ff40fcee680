import Base

/// The names that HAProxy's exporter gives to columns of `show stat` and lines of `show info`.
enum PrometheusNames {
  struct Metric: Sendable {
    let column: StatColumn
    let name: StaticString
    /// Which of frontends (F), listeners (L), backends (B) and servers (S) have it.
    let kinds: Set<StatKind>

    init(_ column: StatColumn, _ name: StaticString, _ kinds: StaticString) {
      self.column = column
      self.name = name
      var set: Set<StatKind> = []
      kinds.withUTF8Buffer { letters in
        for letter in letters {
          if letter == UInt8(ascii: "F") { set.insert(.frontend) }
          if letter == UInt8(ascii: "L") { set.insert(.listener) }
          if letter == UInt8(ascii: "B") { set.insert(.backend) }
          if letter == UInt8(ascii: "S") { set.insert(.server) }
        }
      }
      self.kinds = set
    }
  }

  static let proxies: [Metric] = [
    Metric(.qcur, "current_queue", "BS"),
    Metric(.qmax, "max_queue", "BS"),
    Metric(.scur, "current_sessions", "FLBS"),
    Metric(.smax, "max_sessions", "FLBS"),
    Metric(.slim, "limit_sessions", "FLBS"),
    Metric(.stot, "sessions_total", "FLBS"),
    Metric(.bin, "bytes_in_total", "FLBS"),
    Metric(.bout, "bytes_out_total", "FLBS"),
    Metric(.dreq, "requests_denied_total", "FLB"),
    Metric(.dresp, "responses_denied_total", "FLBS"),
    Metric(.ereq, "request_errors_total", "FL"),
    Metric(.econ, "connection_errors_total", "BS"),
    Metric(.eresp, "response_errors_total", "BS"),
    Metric(.wretr, "retry_warnings_total", "BS"),
    Metric(.wredis, "redispatch_warnings_total", "BS"),
    Metric(.status, "status", "FLBS"),
    Metric(.weight, "weight", "BS"),
    Metric(.act, "active_servers", "B"),
    Metric(.act, "active", "S"),
    Metric(.bck, "backup_servers", "B"),
    Metric(.bck, "backup", "S"),
    Metric(.chkfail, "check_failures_total", "S"),
    Metric(.chkdown, "check_up_down_total", "BS"),
    Metric(.lastchg, "check_last_change_seconds", "BS"),
    Metric(.downtime, "downtime_seconds_total", "BS"),
    Metric(.qlimit, "queue_limit", "S"),
    Metric(.throttle, "current_throttle", "S"),
    Metric(.lbtot, "loadbalanced_total", "BS"),
    Metric(.rate, "current_session_rate", "FBS"),
    Metric(.rateLim, "limit_session_rate", "F"),
    Metric(.rateMax, "max_session_rate", "FBS"),
    Metric(.checkStatus, "check_status", "S"),
    Metric(.checkCode, "check_code", "S"),
    Metric(.checkDuration, "check_duration_seconds", "S"),
    Metric(.hrsp1xx, "http_responses_total", "FBS"),
    Metric(.hrsp2xx, "http_responses_total", "FBS"),
    Metric(.hrsp3xx, "http_responses_total", "FBS"),
    Metric(.hrsp4xx, "http_responses_total", "FBS"),
    Metric(.hrsp5xx, "http_responses_total", "FBS"),
    Metric(.hrspOther, "http_responses_total", "FBS"),
    Metric(.reqRateMax, "http_requests_rate_max", "F"),
    Metric(.reqTot, "http_requests_total", "FBS"),
    Metric(.cliAbrt, "client_aborts_total", "BS"),
    Metric(.srvAbrt, "server_aborts_total", "BS"),
    Metric(.compIn, "http_comp_bytes_in_total", "FB"),
    Metric(.compOut, "http_comp_bytes_out_total", "FB"),
    Metric(.compByp, "http_comp_bytes_bypassed_total", "FB"),
    Metric(.compRsp, "http_comp_responses_total", "FB"),
    Metric(.lastsess, "last_session_seconds", "BS"),
    Metric(.qtime, "queue_time_average_seconds", "BS"),
    Metric(.ctime, "connect_time_average_seconds", "BS"),
    Metric(.rtime, "response_time_average_seconds", "BS"),
    Metric(.ttime, "total_time_average_seconds", "BS"),
    Metric(.connRateMax, "connections_rate_max", "F"),
    Metric(.connTot, "connections_total", "F"),
    Metric(.intercepted, "intercepted_requests_total", "F"),
    Metric(.dcon, "denied_connections_total", "FL"),
    Metric(.dses, "denied_sessions_total", "FL"),
    Metric(.wrew, "failed_header_rewriting_total", "FLBS"),
    Metric(.connect, "connection_attempts_total", "BS"),
    Metric(.reuse, "connection_reuses_total", "BS"),
    Metric(.cacheLookups, "http_cache_lookups_total", "FB"),
    Metric(.cacheHits, "http_cache_hits_total", "FB"),
    Metric(.srvIcur, "idle_connections_current", "S"),
    Metric(.srcIlim, "idle_connections_limit", "S"),
    Metric(.qtimeMax, "max_queue_time_seconds", "BS"),
    Metric(.ctimeMax, "max_connect_time_seconds", "BS"),
    Metric(.rtimeMax, "max_response_time_seconds", "BS"),
    Metric(.ttimeMax, "max_total_time_seconds", "BS"),
    Metric(.eint, "internal_errors_total", "FLBS"),
    Metric(.idleConnCur, "unsafe_idle_connections_current", "S"),
    Metric(.safeConnCur, "safe_idle_connections_current", "S"),
    Metric(.usedConnCur, "used_connections_current", "S"),
    Metric(.needConnEst, "need_connections_current", "S"),
    Metric(.uweight, "uweight", "BS"),
    Metric(.aggServerCheckStatus, "agg_server_check_status", "B"),
    Metric(.aggServerStatus, "agg_server_status", "B"),
    Metric(.aggCheckStatus, "agg_check_status", "B"),
    Metric(.privIdleCur, "private_idle_connections_current", "S"),
    Metric(.reqbin, "req_bytes_in_total", "FBS"),
    Metric(.reqbout, "req_bytes_out_total", "FBS"),
    Metric(.resbin, "res_bytes_in_total", "FBS"),
    Metric(.resbout, "res_bytes_out_total", "FBS"),
    Metric(.cacheHintHits, "http_cache_hint_hits_total", "FB"),
  ]

  /// Columns that proxies have in HTTP mode only.
  static let httpOnly: Set<StatColumn> = [
    .hrsp1xx, .hrsp2xx, .hrsp3xx, .hrsp4xx, .hrsp5xx, .hrspOther, .reqRateMax, .reqTot, .intercepted,
    .cacheLookups, .cacheHits, .cacheHintHits, .compIn, .compOut, .compByp, .compRsp,
  ]
  /// Columns of servers that are left out, not shown as no number, where there is nothing to tell.
  static let checkOnly: Set<StatColumn> = [.checkStatus, .checkCode, .checkDuration]

  /// Lines of `show info` that are exported.
  static let process: [(item: StaticString, name: StaticString)] = [
    ("Nbthread", "nbthread"),
    ("Nbproc", "nbproc"),
    ("Process_num", "relative_process_id"),
    ("Uptime_sec", "uptime_seconds"),
    ("Start_time_sec", "start_time_seconds"),
    ("Memmax_bytes", "max_memory_bytes"),
    ("PoolAlloc_bytes", "pool_allocated_bytes"),
    ("PoolUsed_bytes", "pool_used_bytes"),
    ("PoolFailed", "pool_failures_total"),
    ("Ulimit-n", "max_fds"),
    ("Maxsock", "max_sockets"),
    ("Maxconn", "max_connections"),
    ("Hard_maxconn", "hard_max_connections"),
    ("CurrConns", "current_connections"),
    ("CumConns", "connections_total"),
    ("CumReq", "requests_total"),
    ("MaxSslConns", "max_ssl_connections"),
    ("CurrSslConns", "current_ssl_connections"),
    ("CumSslConns", "ssl_connections_total"),
    ("Maxpipes", "max_pipes"),
    ("PipesUsed", "pipes_used_total"),
    ("PipesFree", "pipes_free_total"),
    ("ConnRate", "current_connection_rate"),
    ("ConnRateLimit", "limit_connection_rate"),
    ("MaxConnRate", "max_connection_rate"),
    ("SessRate", "current_session_rate"),
    ("SessRateLimit", "limit_session_rate"),
    ("MaxSessRate", "max_session_rate"),
    ("SslRate", "current_ssl_rate"),
    ("SslRateLimit", "limit_ssl_rate"),
    ("MaxSslRate", "max_ssl_rate"),
    ("SslFrontendKeyRate", "current_frontend_ssl_key_rate"),
    ("SslFrontendMaxKeyRate", "max_frontend_ssl_key_rate"),
    ("SslFrontendSessionReuse_pct", "frontend_ssl_reuse"),
    ("SslBackendKeyRate", "current_backend_ssl_key_rate"),
    ("SslBackendMaxKeyRate", "max_backend_ssl_key_rate"),
    ("SslCacheLookups", "ssl_cache_lookups_total"),
    ("SslCacheMisses", "ssl_cache_misses_total"),
    ("CompressBpsIn", "http_comp_bytes_in_total"),
    ("CompressBpsOut", "http_comp_bytes_out_total"),
    ("CompressBpsRateLim", "limit_http_comp"),
    ("ZlibMemUsage", "current_zlib_memory"),
    ("MaxZlibMemUsage", "max_zlib_memory"),
    ("Tasks", "current_tasks"),
    ("Run_queue", "current_run_queue"),
    ("Idle_pct", "idle_time_percent"),
    ("node", "node"),
    ("description", "description"),
    ("Stopping", "stopping"),
    ("Jobs", "jobs"),
    ("Unstoppable Jobs", "unstoppable_jobs"),
    ("Listeners", "listeners"),
    ("ActivePeers", "active_peers"),
    ("ConnectedPeers", "connected_peers"),
    ("DroppedLogs", "dropped_logs_total"),
    ("BusyPolling", "busy_polling_enabled"),
    ("FailedResolutions", "failed_resolutions"),
    ("TotalBytesOut", "bytes_out_total"),
    ("TotalSplicedBytesOut", "spliced_bytes_out_total"),
    ("BytesOutRate", "bytes_out_rate"),
    ("CumRecvLogs", "recv_logs_total"),
    ("Build info", "build_info"),
    ("TotalWarnings", "total_warnings"),
    ("PatternsAdded", "patterns_added_total"),
    ("PatternsFreed", "patterns_freed_total"),
    ("NbThreadGroups", "nb_thread_groups"),
  ]
}
