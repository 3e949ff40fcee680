import Base

/// Proxies and servers, by name or of the stream.
enum ProxyFetches {
  static let table: [FetchEntry] =
    backends + frontends + servers + [
      FetchEntry("fe_id", .none, .int, .frontendSide) { context, _ in .int(Int64(context.frontend.id)) },
      FetchEntry("fe_name", .none, .string, .frontendSide) { context, _ in .string(context.frontend.name) },
      FetchEntry("fe_defbe", .none, .string, .frontendSide) { context, _ in
        context.frontend.defaultBackendName.isEmpty ? nil : .string(context.frontend.defaultBackendName)
      },
      FetchEntry("be_id", .none, .int, .backendSide) { context, _ in .int(Int64(backend(of: context).id)) },
      FetchEntry("be_name", .none, .string, .backendSide) { context, _ in .string(backend(of: context).name) },
      FetchEntry("srv_id", .none, .int, .serverSide) { context, _ in context.server.map { .int(Int64($0.id)) }
      },
      FetchEntry("srv_name", .none, .string, .serverSide) { context, _ in
        context.server.map { .string($0.name) }
      },
      FetchEntry("so_id", .none, .int, .frontendSide) { context, _ in
        .int(Int64(context.connection.listenerID))
      },
      FetchEntry("so_name", .none, .string, .frontendSide) { context, _ in
        context.connection.listenerName.isEmpty ? nil : .string(context.connection.listenerName)
      },
      FetchEntry("internal.strm.is_htx", .none, .bool, .inner, volatile: true) { context, _ in
        .bool(context.isHTTPStream)
      },
      FetchEntry("dst_conn", .none, .int, .frontendSide, volatile: true) { context, _ in
        .int(Int64(context.environment.listenerConnections(context.connection)))
      },
    ] + timeouts

  /// The frontend stands in for the backend until one is chosen.
  private static func backend(of context: RuleContext) -> ProxyFacts {
    context.backend.name.isEmpty ? context.frontend : context.backend
  }

  private typealias Milliseconds = @Sendable (RuleContext) -> Int

  private static let timeouts: [FetchEntry] = [
    timeout("fe_client_timeout", .frontendSide) { $0.frontend.clientTimeout },
    timeout("fe_tarpit_timeout", .frontendSide) { $0.frontend.tarpitTimeout },
    timeout("be_server_timeout", .backendSide) { $0.backend.serverTimeout },
    timeout("be_tunnel_timeout", .backendSide) { $0.backend.tunnelTimeout },
    timeout("be_connect_timeout", .backendSide) { $0.backend.connectTimeout },
    timeout("be_queue_timeout", .backendSide) { $0.backend.queueTimeout },
    timeout("be_tarpit_timeout", .backendSide) { $0.backend.tarpitTimeout },
    timeout("be_max_retries", .backendSide) { $0.backend.retries },
    timeout("cur_max_retries", .backendSide) { $0.retries ?? $0.backend.retries },
    timeout("cur_client_timeout", .frontendSide) {
      current($0.timeoutChanges.client, $0.frontend.clientTimeout)
    },
    timeout("cur_server_timeout", .backendSide) {
      current($0.timeoutChanges.server, $0.backend.serverTimeout)
    },
    timeout("cur_tunnel_timeout", .backendSide) {
      current($0.timeoutChanges.tunnel, $0.backend.tunnelTimeout)
    },
    timeout("cur_connect_timeout", .backendSide) {
      current($0.timeoutChanges.connect, $0.backend.connectTimeout)
    },
    timeout("cur_queue_timeout", .backendSide) { current($0.timeoutChanges.queue, $0.backend.queueTimeout) },
    timeout("cur_tarpit_timeout", .layer4Client) {
      current($0.timeoutChanges.tarpit, $0.frontend.tarpitTimeout)
    },
  ]

  private static func current(_ changed: Timespan?, _ configured: Int) -> Int {
    changed.map { Int($0.milliseconds) } ?? configured
  }

  private static func timeout(_ name: String, _ places: SamplePlaces, _ pick: @escaping Milliseconds)
    -> FetchEntry
  {
    FetchEntry(name, .none, .int, places, volatile: true) { context, _ in .int(Int64(pick(context))) }
  }

  private static let backends: [FetchEntry] = [
    backend("nbsrv", .usableServers), backend("connslots", .connectionSlots), backend("queue", .queue),
    backend("avg_queue", .averageQueue), backend("be_conn", .connections),
    backend("be_conn_free", .freeConnections), backend("be_sess_rate", .sessionRate),
  ]

  private static let frontends: [FetchEntry] = [
    frontend("fe_conn", .connections), frontend("fe_req_rate", .requestRate),
    frontend("fe_sess_rate", .sessionRate),
  ]

  private static let servers: [FetchEntry] = [
    server("srv_conn", .connections), server("srv_conn_free", .freeConnections), server("srv_queue", .queue),
    server("srv_sess_rate", .sessionRate), server("srv_weight", .weight),
    server("srv_iweight", .initialWeight),
    server("srv_uweight", .userWeight),
    FetchEntry("srv_is_up", .required(.server), .bool, .inner, volatile: true) { context, a in
      guard case .server(let server, let backend) = a[0] else { return nil }
      return .bool(context.environment.serverCount(.isUp, of: server, in: backend) != 0)
    },
  ]

  private static func backend(_ name: String, _ query: BackendQuery) -> FetchEntry {
    FetchEntry(name, .required(.backend), .int, .inner, volatile: true) { context, a in
      guard case .proxy(_, let proxy) = a[0] else { return nil }
      return .int(Int64(context.environment.backendCount(query, of: proxy)))
    }
  }

  private static func frontend(_ name: String, _ query: FrontendQuery) -> FetchEntry {
    FetchEntry(name, .required(.frontend), .int, .inner, volatile: true) { context, a in
      guard case .proxy(_, let proxy) = a[0] else { return nil }
      return .int(Int64(context.environment.frontendCount(query, of: proxy)))
    }
  }

  private static func server(_ name: String, _ query: ServerQuery) -> FetchEntry {
    FetchEntry(name, .required(.server), .int, .inner, volatile: true) { context, a in
      guard case .server(let server, let backend) = a[0] else { return nil }
      return .int(Int64(context.environment.serverCount(query, of: server, in: backend)))
    }
  }
}
