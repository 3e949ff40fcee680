import Base

/// The client's and the server's connection: addresses, ports, the PROXY protocol.
enum ConnectionFetches {
  private static let success = Bytes("Success")

  static let table: [FetchEntry] = [
    FetchEntry("src", .none, .address, .layer4Client) { context, _ in ip(context.source) },
    FetchEntry("src_port", .none, .int, .layer4Client) { context, _ in port(context.source) },
    FetchEntry("dst", .none, .address, .layer4Client) { context, _ in ip(context.destination) },
    FetchEntry("dst_port", .none, .int, .layer4Client) { context, _ in port(context.destination) },
    FetchEntry("fc_src", .none, .address, .layer4Client) { context, _ in ip(context.connection.originalSource)
    },
    FetchEntry("fc_src_port", .none, .int, .layer4Client) { context, _ in
      port(context.connection.originalSource)
    },
    FetchEntry("fc_dst", .none, .address, .layer4Client) { context, _ in
      ip(context.connection.originalDestination)
    },
    FetchEntry("fc_dst_port", .none, .int, .layer4Client) { context, _ in
      port(context.connection.originalDestination)
    },
    FetchEntry("bc_src", .none, .address, .layer4Server) { context, _ in ip(context.serverSide.source)
    },
    FetchEntry("bc_src_port", .none, .int, .layer4Server) { context, _ in
      port(context.serverSide.source)
    },
    FetchEntry("bc_dst", .none, .address, .layer4Server) { context, _ in
      ip(context.serverSide.destination)
    },
    FetchEntry("bc_dst_port", .none, .int, .layer4Server) { context, _ in
      port(context.serverSide.destination)
    },
    FetchEntry("bc_http_major", .none, .int, .layer4Server) { context, _ in
      .int(Int64(context.serverSide.httpMajorVersion))
    },
    FetchEntry("bc_reused", .none, .bool, .layer4Server) { context, _ in
      .bool(context.serverSide.isReused)
    },
    FetchEntry("fc_http_major", .none, .int, .layer4Client) { context, _ in
      .int(Int64(context.connection.httpMajorVersion))
    },
    FetchEntry("fc_rcvd_proxy", .none, .bool, .layer4Client) { context, _ in
      .bool(context.connection.receivedProxyHeader)
    },
    FetchEntry("fc_err", .none, .int, .layer4Client) { context, _ in .int(Int64(context.connection.errorCode))
    },
    FetchEntry("fc_err_str", .none, .string, .layer4Client) { context, _ in
      .string(context.connection.errorText.isEmpty ? success : context.connection.errorText)
    },
    FetchEntry("bc_err", .none, .int, .layer4Server) { context, _ in
      .int(Int64(context.serverSide.errorCode))
    },
    FetchEntry("bc_err_str", .none, .string, .layer4Server) { context, _ in
      .string(context.serverSide.errorText.isEmpty ? success : context.serverSide.errorText)
    },
    FetchEntry("fc_err_name", .none, .string, .layer4Client) { context, _ in
      ConnectionErrors.name(of: context.connection.errorCode).map { .string(Bytes($0)) }
    },
    FetchEntry("bc_err_name", .none, .string, .layer4Server) { context, _ in
      ConnectionErrors.name(of: context.serverSide.errorCode).map { .string(Bytes($0)) }
    },
    FetchEntry("fc_saved_syn", .none, .binary, .layer4Client) { context, _ in
      context.environment.savedSYN(of: context.connection.socket).map(Sample.binary)
    },
    FetchEntry("fc_pp_authority", .none, .string, .layer4Client) { context, _ in
      tlv(2, context).map(Sample.string)
    },
    FetchEntry("fc_pp_unique_id", .none, .string, .layer4Client) { context, _ in
      tlv(5, context).map(Sample.string)
    },
    FetchEntry("fc_pp_tlv", .required(.string), .string, .layer5Client, check: checkTLV) { context, a in
      a.int(0).flatMap { tlv(UInt8(truncatingIfNeeded: $0), context) }.map(Sample.string)
    },
  ]

  /// Addresses that are this machine's own, and places in queues.
  private static let places: [FetchEntry] = [
    local("src_is_local") { $0.connection.source }, local("dst_is_local") { $0.connection.destination },
    local("fc_src_is_local") { $0.connection.originalSource },
    local("fc_dst_is_local") { $0.connection.originalDestination },
    FetchEntry("bc_be_queue", .none, .int, .layer4Server) { context, _ in .int(Int64(context.log.backendQueue)) },
    FetchEntry("bc_srv_queue", .none, .int, .layer4Server) { context, _ in .int(Int64(context.log.serverQueue)) },
  ]

  private static func local(
    _ name: String, _ address: @escaping @Sendable (RuleContext) -> SocketAddress
  ) -> FetchEntry {
    FetchEntry(name, .none, .bool, .layer4Client) { context, _ in
      address(context).ip.map { .bool(context.environment.isLocal($0)) }
    }
  }

  /// What the kernel knows of the connections.
  static let transport: [FetchEntry] =
    places
    + times.map { name, query, side in
      FetchEntry(name, .optional(.string), .int, .layer4Client, check: checkUnit) { context, a in
        guard let value = information(query, side, context) else { return nil }
        return .int(a.int(0) == 1 ? value : (value + 500) / 1000)
      }
    }
    + counts.map { name, query in
      // One argument is taken and means nothing, as for HAProxy.
      FetchEntry(name, .optional(.string), .int, .layer4Client) { context, _ in
        information(query, .client, context).map(Sample.int)
      }
    }

  private static let times: [(String, TransportQuery, StreamSide)] = [
    ("fc_rtt", .roundTrip, .client), ("fc_rttvar", .roundTripVariation, .client),
    ("bc_rtt", .roundTrip, .server), ("bc_rttvar", .roundTripVariation, .server),
  ]

  private static let counts: [(String, TransportQuery)] = [
    ("fc_unacked", .unacknowledged), ("fc_sacked", .selectivelyAcknowledged), ("fc_lost", .lost),
    ("fc_retrans", .retransmitted), ("fc_fackets", .forwardAcknowledged), ("fc_reordering", .reordering),
  ]

  private static func information(_ query: TransportQuery, _ side: StreamSide, _ context: RuleContext)
    -> Int64?
  {
    let socket = side == .client ? context.connection.socket : context.serverSide.socket
    return context.environment.transport(query, of: socket)
  }

  /// `us`, or `ms` as without one.
  @Sendable
  private static func checkUnit(_ arguments: inout Arguments, _ scope: CompileScope) throws(RuleError) {
    guard let unit = arguments.string(0) else { return }
    guard unit == "us" || unit == "ms" else {
      throw RuleError("expects 'us' or 'ms', got '\(unit.string)'", expected: "'us' or 'ms'")
    }
    arguments.list = [.int(unit == "us" ? 1 : 0)]
  }

  private static func ip(_ address: SocketAddress) -> Sample? { address.ip.map(Sample.ip) }
  private static func port(_ address: SocketAddress) -> Sample? { address.port.map { .int(Int64($0)) } }

  private static func tlv(_ type: UInt8, _ context: RuleContext) -> Bytes? {
    context.connection.proxyTLVs.first { $0.type == type }?.value
  }

  private static let tlvTypes: [String: Int64] = [
    "ALPN": 0x01, "AUTHORITY": 0x02, "CRC32C": 0x03, "NOOP": 0x04, "UNIQUE_ID": 0x05, "SSL": 0x20,
    "NETNS": 0x30,
  ]

  @Sendable
  private static func checkTLV(_ arguments: inout Arguments, _ scope: CompileScope) throws(RuleError) {
    let text = (arguments.string(0) ?? .empty).string
    let value =
      tlvTypes[text] ?? (text.hasPrefix("0x") ? Int64(text.dropFirst(2), radix: 16) : Numbers.integer(text))
    guard let value, (0...255).contains(value) else {
      throw RuleError(
        "invalid TLV type '\(text)'", expected: "a number from 0 to 255 or a name such as AUTHORITY")
    }
    arguments.list[0] = .int(value)
  }
}
