import Base

/// Timers, sizes and states that otherwise only log aliases tell.
enum LogFetches {
  static let table: [FetchEntry] = [
    number("req.timer.idle", .requestData) { $0.idleTime },
    number("req.timer.hdr", .requestData) { $0.requestTime },
    number("req.timer.tq", .requestData) {
      $0.requestTime < 0 ? -1 : $0.requestTime &+ max(0, $0.idleTime) &+ $0.handshakeTime
    },
    number("req.timer.queue", .layer4Server) { $0.queueTime },
    number("res.timer.hdr", .responseData) { $0.responseTime },
    number("res.timer.data", .responseEnd) { $0.dataTime },
    number("bc.timer.connect", .layer4Server) { $0.connectTime },
    number("fc.timer.handshake", .layer4Client) { $0.handshakeTime },
    number("fc.timer.total", .frontendSide) { $0.totalTime },
    number("txn.timer.total", .requestLasting) { $0.activeTime },
    number("txn.timer.user", .requestLasting) { $0.totalTime &- max(0, $0.idleTime) },
    number("bytes_in", .requestLasting) { $0.bytesIn },
    number("req.bytes_in", .requestLasting) { $0.bytesIn },
    number("bytes_out", .responseEnd) { $0.bytesOut },
    number("res.bytes_in", .responseEnd) { $0.bytesOut },
    number("res.bytes_out", .responseEnd) { $0.bytesOut },
    number("req.bytes_out", .requestLasting) { $0.bytesToServer },
    number("txn.conn_retries", .layer4Server) { $0.retries },
    FetchEntry("txn.redispatched", .none, .bool, .layer4Server, volatile: true) { context, _ in
      .bool(context.log.isRedispatched)
    },
    FetchEntry("txn.sess_term_state", .none, .string, .inner, volatile: true) { context, _ in
      .string(Bytes([context.log.termination.0, context.log.termination.1]))
    },
    FetchEntry("txn.id32", .none, .int, .inner) { context, _ in
      .int(Int64(context.log.requestCounter & 0xFFFF_FFFF))
    },
  ]

  private static func number(
    _ name: String, _ places: SamplePlaces, _ pick: @escaping @Sendable (LogFacts) -> Int
  ) -> FetchEntry {
    FetchEntry(name, .none, .int, places, volatile: true) { context, _ in .int(Int64(pick(context.log))) }
  }
}
