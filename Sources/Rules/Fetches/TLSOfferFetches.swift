import Base
import TLS

/// What a client offers in its ClientHello (`tune.ssl.capture-buffer-size`), and the secrets that both sides agreed
/// on (`tune.ssl.keylog`).
enum TLSOfferFetches {
  static let table: [FetchEntry] =
    [
      list("ssl_fc_cipherlist_bin", .string, \.ciphers),
      list("ssl_fc_extlist_bin", .string, \.extensions), list("ssl_fc_eclist_bin", .string, \.groups),
      list("ssl_fc_supported_versions_bin", .binary, \.supportedVersions),
      list("ssl_fc_sigalgs_bin", .binary, \.signatureAlgorithms),
      FetchEntry("ssl_fc_ecformats_bin", .none, .string, .layer5Client) { context, _ in
        hello(context).map { .binary($0.pointFormats) }
      },
      FetchEntry("ssl_fc_cipherlist_hex", .optional(.integer), .binary, .layer5Client) { context, a in
        hello(context).map { .binary(Bytes(Hexadecimal.encode(filtered($0.ciphers, a)))) }
      },
      FetchEntry("ssl_fc_cipherlist_str", .optional(.integer), .string, .layer5Client) { context, a in
        hello(context).map { .string(names(filtered($0.ciphers, a))) }
      },
      FetchEntry("ssl_fc_cipherlist_xxh", .none, .int, .layer5Client) { context, _ in
        hello(context).map { .int(Int64(bitPattern: $0.cipherHash)) }
      },
      FetchEntry("ssl_fc_protocol_hello_id", .none, .int, .layer5Client) { context, _ in
        hello(context).map { .int(Int64($0.version)) }
      },
    ]
    + secrets.flatMap { name, secret in
      [
        FetchEntry("ssl_fc_" + name, .none, .string, .layer5Client) { context, _ in
          context.connection.tls?.secrets[secret].map(Sample.string)
        },
        FetchEntry("ssl_bc_" + name, .none, .string, .layer5Client) { context, _ in
          context.serverSide.tls?.secrets[secret].map(Sample.string)
        },
      ]
    }

  private static let secrets: [(String, TLSSecret)] = [
    ("client_early_traffic_secret", .clientEarlyTraffic),
    ("client_handshake_traffic_secret", .clientHandshakeTraffic),
    ("server_handshake_traffic_secret", .serverHandshakeTraffic),
    ("client_traffic_secret_0", .clientTraffic), ("server_traffic_secret_0", .serverTraffic),
    ("exporter_secret", .exporter), ("early_exporter_secret", .earlyExporter),
  ]

  private static func hello(_ context: RuleContext) -> CapturedHello? { context.connection.tls?.hello }

  /// `(1)` leaves out the values of RFC 8701.
  private static func filtered(_ list: Bytes, _ arguments: Arguments) -> Bytes {
    (arguments.int(0) ?? 0) == 0 ? list : CapturedHello.withoutGrease(list)
  }

  private static func list(
    _ name: String, _ type: SampleType, _ part: any KeyPath<CapturedHello, Bytes> & Sendable
  ) -> FetchEntry {
    FetchEntry(name, .optional(.integer), type, .layer5Client) { context, a in
      hello(context).map { .binary(filtered($0[keyPath: part], a)) }
    }
  }

  private static func names(_ list: Bytes) -> Bytes {
    var out: [String] = []
    var at = 0
    while at + 1 < list.count {
      let number = UInt16(list[at]) << 8 | UInt16(list[at + 1])
      out.append(CipherSuite.name(of: number) ?? "UNKNOWN(\(fourDigits(number)))")
      at += 2
    }
    return Bytes(out.joined(separator: ","))
  }

  private static func fourDigits(_ number: UInt16) -> String {
    let digits = String(number, radix: 16)
    return String(repeating: "0", count: 4 - digits.count) + digits
  }
}
