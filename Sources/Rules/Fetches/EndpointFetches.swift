import Base

/// The ends of a stream and its work, as only the owner of the stream knows them.
enum EndpointFetches {
  static let table: [FetchEntry] =
    side(.client, stream: "fs.", connection: "fc_", .layer5Client, idType: .string)
    + side(.server, stream: "bs.", connection: "bc_", .layer4Server, idType: .int)
    + [
      count("fc_nb_streams", .client, .layer4Client, \.openStreams),
      count("bc_nb_streams", .server, .layer4Server, \.openStreams),
      FetchEntry("fc_glitches", .none, .int, .layer4Client, volatile: true) { context, _ in
        .int(Int64(context.connection.glitches))
      },
      count("bc_glitches", .server, .layer4Server, \.glitches),
    ]
    + efforts.map { name, pick in
      FetchEntry(name, .none, .int, .inner, volatile: true) { context, _ in
        context.keeper?.effort.map { .int(Int64(pick($0))) }
      }
    }

  private static func side(
    _ side: StreamSide, stream: String, connection: String, _ places: SamplePlaces, idType: SampleType
  ) -> [FetchEntry] {
    [
      FetchEntry(stream + "id", .none, idType, places) { context, _ in
        context.keeper?.endpoint(side).map { .int(Int64($0.id)) }
      },
      FetchEntry(stream + "aborted", .none, .int, places, volatile: true) { context, _ in
        context.keeper.map { .bool($0.endpoint(side)?.isAborted ?? false) }
      },
      FetchEntry(stream + "rst_code", .none, .int, places, volatile: true) { context, _ in
        context.keeper?.endpoint(side)?.resetCode.map { .int(Int64($0)) }
      },
      FetchEntry(stream + "debug_str", .optional(.integer), .string, places, volatile: true) { context, a in
        context.keeper?.endpoint(side).map { .string(Bytes(words($0, parts: a.int(0) ?? 0))) }
      },
      count(connection + "settings_streams_limit", side, places, \.streamLimit),
    ]
  }

  /// `parts`: 1 for the stream, 2 and above for the connection; 0 for all.
  private static func words(_ facts: EndpointFacts, parts: Int64) -> String {
    let wanted = parts == 0 ? ~0 : parts
    return [wanted & 1 != 0 ? facts.streamWords : "", wanted & ~1 != 0 ? facts.connectionWords : ""]
      .filter { !$0.isEmpty }.joined(separator: " ")
  }

  private static func count(
    _ name: String, _ side: StreamSide, _ places: SamplePlaces,
    _ part: any KeyPath<EndpointFacts, Int> & Sendable
  ) -> FetchEntry {
    FetchEntry(name, .none, .int, places, volatile: true) { context, _ in
      context.keeper?.endpoint(side).map { .int(Int64($0[keyPath: part])) }
    }
  }

  private static let efforts: [(String, @Sendable (StreamEffort) -> Int)] = [
    ("cpu_calls", { $0.calls }), ("cpu_ns_tot", { $0.worked }),
    ("cpu_ns_avg", { $0.calls > 0 ? $0.worked / $0.calls : 0 }), ("lat_ns_tot", { $0.waited }),
    ("lat_ns_avg", { $0.calls > 0 ? $0.waited / $0.calls : 0 }),
  ]
}
