import Base

extension ServerKeywords {
  static let tls: [Keyword<ServerSettings>] = [
    flag("ssl", "Speak TLS to the server.") {
      $0.isTLS = true
      $0.refusesTLS = false
    },
    flag("no-ssl", "Speak no TLS to the server.") {
      $0.preparesTLS = $0.isTLS
      $0.refusesTLS = true
      $0.isTLS = false
    },
    Keyword("verify", in: .back, "none|required", "Whether its certificate is verified.") {
      settings, arguments, _ throws(Refusal) in
      settings.tls.verification = try TLSOptions.verification(&arguments, allowsOptional: false)
    },
    word("verifyhost", "<name>", "The name its certificate must have.") { $0.verifyHost = $1.text },
    word("ca-file", "<file>", "Authorities for its certificate.") { $0.tls.caFile = $1.text },
    word("crl-file", "<file>", "Revoked certificates.") { $0.tls.crlFile = $1.text },
    word("crt", "<file>", "The client certificate.") { $0.certificate = $1 },
    Keyword("sni", in: .back, "<expr>", "The name to ask for.") { settings, arguments, _ throws(Refusal) in
      let word = try arguments.requiredOption("sni", "<expr>")
      settings.sni = Directive(words: [word], location: word.location)
    },
    flag("sni-auto", "Take the name from the Host header.") { $0.sniAuto = true },
    flag("no-sni-auto", "Do not take the name from the Host header.") { $0.sniAuto = false },
    Keyword("alpn", in: .back, "<protocols>", "Protocols in order of preference.") {
      settings, arguments, _ throws(Refusal) in settings.tls.alpn = try TLSOptions.protocols(&arguments)
    },
    noEffect("npn", "<protocols>", "ALPN took its place; write 'alpn'"),
    word("ciphers", "<ciphers>", "Ciphers up to TLS 1.2.") { $0.tls.ciphers = $1.text },
    word("ciphersuites", "<suites>", "Suites of TLS 1.3.") { $0.tls.ciphersuites = $1.text },
    word("curves", "<curves>", "Elliptic curves.") { $0.tls.curves = $1.text },
    word("ecdhe", "<curve>", "An elliptic curve.") { $0.tls.ecdhe = $1.text },
    word("sigalgs", "<algorithms>", "Signature algorithms.") { $0.tls.signatureAlgorithms = $1.text },
    word("client-sigalgs", "<algorithms>", "Our signatures.") { $0.tls.clientSignatureAlgorithms = $1.text },
    Keyword("ssl-min-ver", in: .back, "<version>", "The lowest TLS version.") {
      settings, arguments, _ throws(Refusal) in
      settings.tls.minimumVersion = try TLSOptions.version(&arguments)
    },
    Keyword("ssl-max-ver", in: .back, "<version>", "The highest TLS version.") {
      settings, arguments, _ throws(Refusal) in
      settings.tls.maximumVersion = try TLSOptions.version(&arguments)
    },
    flag("no-tls-tickets", "Take no session tickets.") { $0.tls.noTickets = true },
    flag("tls-tickets", "Take session tickets.") { $0.tls.noTickets = false },
    flag("no-ssl-reuse", "Do not resume sessions.") { $0.tls.noReuse = true },
    flag("ssl-reuse", "Resume sessions.") { $0.tls.noReuse = false },
    flag("renegotiate", "The server may renegotiate, up to TLS 1.2.") { $0.tls.allowsRenegotiation = true },
    flag("no-renegotiate", "The server may not renegotiate.") { $0.tls.allowsRenegotiation = false },
    noEffect("ktls", "on|off", "records are sealed by the library, in user space"),
    flag("allow-0rtt", "Send early data of TLS 1.3.") { $0.tls.allowsEarlyData = true },
  ]

  static let versions: [Keyword<ServerSettings>] = TLSOptions.versionWords.map { name in
    flag(name, "Restrict the TLS version.") { settings in _ = TLSOptions.takeVersionWord(name, &settings.tls)
    }
  }

  static let names: [Keyword<ServerSettings>] = [
    word("init-addr", "<methods>", "How the address is found at start-up.") {
      settings, word throws(Refusal) in
      let methods = word.commaSeparated.map(\.string)
      for method in methods where !["last", "libc", "none"].contains(method) && IPAddress(method) == nil {
        throw Refusal(
          "'init-addr' : unknown method '\(method)'.", at: word.location,
          expected: "'last', 'libc', 'none' or an address")
      }
      settings.initAddr = methods
    },
    word("resolvers", "<section>", "Who resolves its name at run time.") { $0.resolvers = $1.text },
    word("resolve-prefer", "<family>", "ipv4 or ipv6.") { settings, word throws(Refusal) in
      guard word.text == "ipv4" || word.text == "ipv6" else {
        throw Refusal.unknownArgument(word, of: "resolve-prefer", among: ["ipv4", "ipv6"])
      }
      settings.resolvePrefer = word.text
    },
    word("resolve-net", "<networks>", "Preferred networks.") { settings, word throws(Refusal) in
      let networks = word.commaSeparated.map(\.string)
      for network in networks {
        let parts = network.split(separator: "/", maxSplits: 1).map(String.init)
        let bits = parts.count > 1 ? Int(parts[1]) : 0
        guard let first = parts.first, let address = IPAddress(first), let bits, bits >= 0,
          bits <= address.octets.count * 8
        else {
          throw Refusal(
            "'resolve-net' : invalid network '\(network)'.", at: word.location,
            expected: "<address>/<length>, or a list of them")
        }
      }
      settings.resolveNetworks += networks
    },
    word("resolve-opts", "<options>", "allow-dup-ip, ignore-weight, prevent-dup-ip.") {
      settings, word throws(Refusal) in
      let known = ["allow-dup-ip", "ignore-weight", "prevent-dup-ip"]
      for option in word.commaSeparated.map(\.string) where !known.contains(option) {
        throw Refusal(
          "'resolve-opts' : unknown option '\(option)'.", at: word.location, expected: known.oneOf)
      }
      for option in word.commaSeparated.map(\.string) {
        switch option {
        case "allow-dup-ip": settings.allowsDuplicateAddress = true
        case "prevent-dup-ip": settings.allowsDuplicateAddress = false
        default: settings.ignoresServiceWeight = true
        }
      }
    },
  ]
}
