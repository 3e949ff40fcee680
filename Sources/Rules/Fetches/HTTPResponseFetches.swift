import Base
import HTTP

/// The status line of the response.
enum HTTPResponseFetches {
  static let table: [FetchEntry] = [
    FetchEntry("status", .none, .int, .responseLasting, status),
    FetchEntry("txn.status", .none, .int, .responseLasting) { context, _ in
      context.log.status >= 0 ? .int(Int64(context.log.status)) : nil
    },
    FetchEntry("server_status", .none, .int, .responseLasting, status),
    FetchEntry("res.cache_hit", .none, .bool, .serverSide) { context, _ in .bool(context.cacheName != nil)
    },
    FetchEntry("res.cache_name", .none, .string, .serverSide) { context, _ in
      context.cacheName.map(Sample.string)
    },
    FetchEntry("res.comp", .none, .bool, .responseLasting) { context, _ in .bool(context.compression != nil)
    },
    FetchEntry("res.comp_algo", .none, .string, .responseLasting) { context, _ in
      context.compression.map(Sample.string)
    },
    FetchEntry("res.ver", .none, .string, .responseLasting, version),
    FetchEntry("resp_ver", .none, .string, .responseLasting, version),
  ]

  private static let status: FetchBody = { context, _ in
    if let response = context.response { return .int(Int64(response.status)) }
    return context.log.status >= 0 ? .int(Int64(context.log.status)) : nil
  }

  private static let version: FetchBody = { context, _ in
    guard let version = context.response?.version else { return nil }
    return .string(Bytes("\(version.major).\(version.minor)"))
  }
}
