import Base

/// The TLS layer of the client's (`ssl_fc`, `ssl_c`, `ssl_f`) and of the server's connection (`ssl_bc`, `ssl_s`).
enum TLSFetches {
  static let table: [FetchEntry] =
    side("ssl_fc", .layer5Client) { $0.connection.tls }
    + side("ssl_bc", .layer4Server) { $0.serverSide.tls }
    + client
    + certificate("ssl_c") { $0.connection.tls?.clientCertificate }
    + certificate("ssl_f") { $0.connection.tls?.localCertificate }
    + certificate("ssl_s") { $0.serverSide.tls?.localCertificate }
    + [
      FetchEntry("ssl_c_r_dn", .optional(.string, .integer, .string), .string, .layer5Client) { context, a in
        context.connection.tls.flatMap { DistinguishedName.text($0.rootSubject, a) }
      },
      FetchEntry("ssl_c_policies", .optional(.string), .string, .layer5Client) { context, a in
        guard let policies = context.connection.tls?.clientCertificate?.policies, !policies.isEmpty else { return nil }
        if let wanted = a.string(0), !wanted.isEmpty { return policies.contains(wanted) ? .string(wanted) : nil }
        return .string(Bytes(policies.map(\.string).joined(separator: ", ")))
      },
      FetchEntry("ssl_c_san", .none, .string, .layer5Client) { context, _ in
        string(context.connection.tls?.clientCertificate?.alternativeNames)
      },
      FetchEntry("ssl_c_chain_der", .none, .binary, .layer5Client) { context, _ in
        binary(context.connection.tls?.clientCertificate?.chainDER)
      },
      FetchEntry("ssl_s_chain_der", .none, .binary, .layer5Client) { context, _ in
        binary(context.serverSide.tls?.localCertificate?.chainDER)
      },
    ]

  private typealias Pick = @Sendable (RuleContext) -> TLSFacts?
  private typealias PickCertificate = @Sendable (RuleContext) -> CertificateFacts?

  private static func string(_ bytes: Bytes?) -> Sample? {
    guard let bytes, !bytes.isEmpty else { return nil }
    return .string(bytes)
  }

  private static func binary(_ bytes: Bytes?) -> Sample? {
    guard let bytes, !bytes.isEmpty else { return nil }
    return .binary(bytes)
  }

  private static func side(_ name: String, _ places: SamplePlaces, _ facts: @escaping Pick) -> [FetchEntry] {
    [
      FetchEntry(name, .none, .bool, places) { context, _ in .bool(facts(context) != nil) },
      FetchEntry(name + "_protocol", .none, .string, places) { context, _ in string(facts(context)?.version)
      },
      FetchEntry(name + "_cipher", .none, .string, places) { context, _ in string(facts(context)?.cipher) },
      FetchEntry(name + "_use_keysize", .none, .int, places) { context, _ in
        facts(context).map { .int(Int64($0.cipherBits)) }
      },
      FetchEntry(name + "_alg_keysize", .none, .int, places) { context, _ in
        facts(context).map { .int(Int64($0.cipherAlgorithmBits)) }
      },
      FetchEntry(name + "_alpn", .none, .string, places) { context, _ in string(facts(context)?.alpn) },
      FetchEntry(name + "_npn", .none, .string, places) { context, _ in string(facts(context)?.nextProtocol) },
      FetchEntry(name + "_curve", .none, .string, places) { context, _ in string(facts(context)?.curve) },
      FetchEntry(name + "_sni", .none, .string, places) { context, _ in string(facts(context)?.serverName) },
      FetchEntry(name + "_is_resumed", .none, .bool, places) { context, _ in
        .bool(facts(context)?.isResumed ?? false)
      },
      FetchEntry(name + "_session_id", .none, .binary, places) { context, _ in
        binary(facts(context)?.identifiers?.sessionID)
      },
      FetchEntry(name + "_session_key", .none, .binary, places) { context, _ in
        binary(facts(context)?.identifiers?.sessionKey)
      },
      FetchEntry(name + "_client_random", .none, .binary, places) { context, _ in
        binary(facts(context)?.identifiers?.clientRandom)
      },
      FetchEntry(name + "_server_random", .none, .binary, places) { context, _ in
        binary(facts(context)?.identifiers?.serverRandom)
      },
      FetchEntry(name + "_unique_id", .none, .binary, places) { context, _ in
        binary(facts(context)?.identifiers?.uniqueID)
      },
      FetchEntry(name + "_err", .none, .int, places) { context, _ in
        facts(context).map { .int(Int64(truncatingIfNeeded: $0.errorCode)) }
      },
      FetchEntry(name + "_err_str", .none, .string, places) { context, _ in string(facts(context)?.errorText)
      },
    ]
  }

  private static let client: [FetchEntry] = [
    FetchEntry("ssl_fc_crtname", .none, .string, .layer5Client) { context, _ in
      string(context.connection.tls?.certificateName)
    },
    FetchEntry("ssl_fc_has_crt", .none, .bool, .layer5Client) { context, _ in
      .bool(context.connection.tls?.hasClientCertificate ?? false)
    },
    FetchEntry("ssl_fc_has_sni", .none, .bool, .layer5Client) { context, _ in
      .bool(context.connection.tls?.serverName != nil)
    },
    FetchEntry("ssl_fc_has_early", .none, .bool, .layer5Client) { context, _ in
      .bool(context.connection.tls?.hasEarlyData ?? false)
    },
    FetchEntry("ssl_fc_early_rcvd", .none, .bool, .layer5Client) { context, _ in
      .bool(context.connection.tls?.receivedEarlyData ?? false)
    },
    FetchEntry("ssl_c_used", .none, .bool, .layer5Client) { context, _ in
      .bool(context.connection.tls?.isClientCertificateUsed ?? false)
    },
    FetchEntry("ssl_c_verify", .none, .int, .layer5Client) { context, _ in
      context.connection.tls.map { .int(Int64($0.verifyResult)) }
    },
    FetchEntry("ssl_c_err", .none, .int, .layer5Client) { context, _ in
      context.connection.tls.map { .int(Int64($0.clientCertificateError)) }
    },
    FetchEntry("ssl_c_ca_err", .none, .int, .layer5Client) { context, _ in
      context.connection.tls.map { .int(Int64($0.caVerifyError)) }
    },
    FetchEntry("ssl_c_ca_err_depth", .none, .int, .layer5Client) { context, _ in
      context.connection.tls.map { .int(Int64($0.caVerifyDepth)) }
    },
  ]

  private static func certificate(_ name: String, _ facts: @escaping PickCertificate) -> [FetchEntry] {
    let nameArguments = ArgumentGrammar.optional(.string, .integer, .string)
    return [
      FetchEntry(name + "_s_dn", nameArguments, .string, .layer5Client) { context, a in
        facts(context).flatMap { DistinguishedName.text($0.subject, a) }
      },
      FetchEntry(name + "_i_dn", nameArguments, .string, .layer5Client) { context, a in
        facts(context).flatMap { DistinguishedName.text($0.issuer, a) }
      },
      FetchEntry(name + "_der", .none, .binary, .layer5Client) { context, _ in binary(facts(context)?.der) },
      FetchEntry(name + "_serial", .none, .binary, .layer5Client) { context, _ in
        binary(facts(context)?.serial)
      },
      FetchEntry(name + "_sha1", .none, .binary, .layer5Client) { context, _ in binary(facts(context)?.sha1)
      },
      FetchEntry(name + "_notbefore", .none, .string, .layer5Client) { context, _ in
        string(facts(context)?.notBefore)
      },
      FetchEntry(name + "_notafter", .none, .string, .layer5Client) { context, _ in
        string(facts(context)?.notAfter)
      },
      FetchEntry(name + "_key_alg", .none, .string, .layer5Client) { context, _ in
        string(facts(context)?.keyAlgorithm)
      },
      FetchEntry(name + "_sig_alg", .none, .string, .layer5Client) { context, _ in
        string(facts(context)?.signatureAlgorithm)
      },
      FetchEntry(name + "_version", .none, .int, .layer5Client) { context, _ in
        facts(context).map { .int(Int64($0.version)) }
      },
    ]
  }
}

/// Distinguished names as `/C=FR/O=...`, or one attribute of them by name and occurrence.
enum DistinguishedName {
  static func text(_ entries: [(name: Bytes, value: Bytes)], _ arguments: Arguments) -> Sample? {
    if arguments.string(2) == "rfc2253" { return .string(reversed(entries)) }
    guard let wanted = arguments.string(0), !wanted.isEmpty else {
      if entries.isEmpty { return nil }
      var out: [UInt8] = []
      for entry in entries {
        out.append(ASCII.slash)
        out.append(entry.name)
        out.append(0x3D)
        out.append(entry.value)
      }
      return .string(Bytes(out))
    }
    let matching = entries.filter { $0.name == wanted }
    let occurrence = Int(truncatingIfNeeded: arguments.int(1) ?? 1)
    let index = occurrence < 0 ? matching.count &+ occurrence : max(0, occurrence - 1)
    return matching.indices.contains(index) ? .string(matching[index].value) : nil
  }

  private static func reversed(_ entries: [(name: Bytes, value: Bytes)]) -> Bytes {
    var out: [UInt8] = []
    for entry in entries.reversed() {
      if !out.isEmpty { out.append(0x2C) }
      out.append(entry.name)
      out.append(0x3D)
      for i in 0..<entry.value.count {
        let c = entry.value[i]
        if [0x2C, 0x2B, 0x22, 0x5C, 0x3C, 0x3E, 0x3B].contains(c) { out.append(0x5C) }
        out.append(c)
      }
    }
    return Bytes(out)
  }
}
