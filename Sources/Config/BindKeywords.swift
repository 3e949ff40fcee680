import Base

/// The options of `bind` lines (manual chapter 5.1).
public enum BindKeywords {
  public static let table = KeywordTable<BindSettings>(general, sockets, tls, versions)

  /// Those that mean something behind `ssl` only.
  static var tlsNames: [String] { (tls + versions).map(\.name) }

  static func octal(_ word: Word) throws(Refusal) -> UInt32 {
    if let mode = UInt32(word.text, radix: 8), mode <= 0o7777 { return mode }
    throw Refusal(
      "'mode' : '\(word.text)' is no octal mode.", at: word.location, expected: "an octal mode such as 660")
  }

  private static func flag(
    _ name: String, _ help: String, _ set: @escaping @Sendable (inout BindSettings) -> Void
  ) -> Keyword<BindSettings> {
    Keyword(name, in: .front, "", help) { settings, _, _ throws(Refusal) in set(&settings) }
  }

  private static func word(
    _ name: String, _ grammar: String, _ help: String,
    _ set: @escaping @Sendable (inout BindSettings, Word) throws(Refusal) -> Void
  ) -> Keyword<BindSettings> {
    Keyword(name, in: .front, grammar, help) { settings, arguments, _ throws(Refusal) in
      try set(&settings, try arguments.requiredOption(name, grammar))
    }
  }

  private static func number(
    _ name: String, _ help: String, in range: ClosedRange<Int> = 0...Int(Int32.max),
    _ set: @escaping @Sendable (inout BindSettings, Int) -> Void
  ) -> Keyword<BindSettings> {
    Keyword(name, in: .front, "<number>", help) { settings, arguments, _ throws(Refusal) in
      set(
        &settings,
        try Arguments.integer(try arguments.requiredOption(name, "<number>"), keyword: name, in: range))
    }
  }

  /// What means something to HAProxy's threads and nothing here: taken, not silently.
  private static func hint(_ name: String, _ grammar: String, _ why: String) -> Keyword<BindSettings> {
    Keyword(name, in: .front, grammar, "Taken, and of no effect: \(why).") { _, arguments, context throws(Refusal) in
      let place = arguments.lastLocation
      _ = try arguments.requiredOption(name, grammar)
      context.diagnostics.advice("'\(name)' has no effect here: \(why)", at: place)
    }
  }

  static let general: [Keyword<BindSettings>] = [
    word("name", "<name>", "The listener's name.") { $0.name = $1.text },
    number("id", "The listener's id.", in: 1...Int(Int32.max)) { $0.id = $1 },
    word("guid-prefix", "<prefix>", "A prefix of unique ids.") { $0.guid = $1.text },
    flag("accept-proxy", "Expect the PROXY protocol.") { $0.acceptProxy = true },
    Keyword("accept-netscaler-cip", in: .front, "<magic number>", "Expect NetScaler's Client IP header.") {
      settings, arguments, _ throws(Refusal) in
      let word = try arguments.requiredOption("accept-netscaler-cip", "<magic number>")
      let text = word.text
      let magic = text.hasPrefix("0x") ? UInt32(text.dropFirst(2), radix: 16) : UInt32(text)
      guard let magic, magic != 0 else {
        throw Refusal(
          "'accept-netscaler-cip' : invalid magic number '\(text)'.", at: word.location,
          expected: "a number from 1 to 4294967295, or 0x and hexadecimal digits")
      }
      settings.netscalerMagic = magic
    },
    number("maxconn", "The most connections of the listener.") { $0.maxConnections = $1 },
    number("backlog", "The kernel's queue of new connections.") { $0.backlog = $1 },
    hint("nice", "<number>", "connections of a thread have their turns in order"),
    word("proto", "{ h1 | h2 | none }", "The protocol, whatever ALPN says.") { settings, word throws(Refusal) in
      settings.proto = try MuxProtocol.parse(word, of: "proto")
    },
    hint("thread", "<set>", "every thread accepts on a socket of its own"),
    hint("process", "<set>", "there is one process, and every thread of it accepts"),
    hint("shards", "<number>", "every thread has a socket of its own already"),
    hint("label", "<name>", "it names counters in shared memory, which there is none of"),
    word("level", "<level>", "user, operator or admin.") { settings, word throws(Refusal) in
      guard ["user", "operator", "admin"].contains(word.text) else {
        throw Refusal.unknownArgument(word, of: "level", among: ["user", "operator", "admin"])
      }
      settings.level = word.text
    },
    word("expose-fd", "listeners", "Let a new process take over the sockets.") {
      settings, word throws(Refusal) in
      guard word.text == "listeners" else {
        throw Refusal.unknownArgument(word, of: "expose-fd", among: ["listeners"])
      }
      settings.exposeListeners = true
    },
    word("severity-output", "<format>", "none, number or string.") { settings, word throws(Refusal) in
      guard ["none", "number", "string"].contains(word.text) else {
        throw Refusal.unknownArgument(word, of: "severity-output", among: ["none", "number", "string"])
      }
      settings.severityOutput = word.text
    },
  ]

  static let sockets: [Keyword<BindSettings>] = [
    word("interface", "<interface>", "Listen on this interface only.") { $0.interface = $1.text },
    word("mode", "<mode>", "The unix socket's mode.") { settings, word throws(Refusal) in
      settings.mode = try octal(word)
    },
    number("uid", "The unix socket's owner.") { $0.uid = UInt32(truncatingIfNeeded: $1) },
    number("gid", "The unix socket's group.") { $0.gid = UInt32(truncatingIfNeeded: $1) },
    Keyword("user", in: .front, "<user>", "The unix socket's owner.") {
      settings, arguments, context throws(Refusal) in
      let name = try arguments.requiredOption("user", "<user>")
      guard let id = context.io.userID(name.text) else {
        throw Refusal("'user' : no such user '\(name.text)'.", at: name.location, expected: "a user of this system")
      }
      settings.uid = id
    },
    Keyword("group", in: .front, "<group>", "The unix socket's group.") {
      settings, arguments, context throws(Refusal) in
      let name = try arguments.requiredOption("group", "<group>")
      guard let id = context.io.groupID(name.text) else {
        throw Refusal(
          "'group' : no such group '\(name.text)'.", at: name.location, expected: "a group of this system")
      }
      settings.gid = id
    },
    flag("transparent", "Accept connections to foreign addresses.") { $0.transparent = true },
    flag("v4v6", "IPv4 too on an IPv6 socket.") { $0.v4v6 = true },
    flag("v6only", "No IPv4 on an IPv6 socket.") { $0.v6only = true },
    flag("defer-accept", "Wake up when data has arrived.") { $0.deferAccept = true },
    flag("tfo", "TCP Fast Open.") { $0.tcpFastOpen = true },
    Keyword("tcp-ut", in: .front, "<time>", "TCP's user timeout.") { settings, arguments, _ throws(Refusal) in
      settings.tcpUserTimeout = try Arguments.time(
        try arguments.requiredOption("tcp-ut", "<time>"), keyword: "tcp-ut")
    },
    number("mss", "TCP's segment size.", in: -65535...65535) { $0.maxSegmentSize = $1 },
    number("tcp-ss", "Keep the IP and TCP headers of SYN packets, and with 2 the Ethernet header.", in: 0...2) {
      $0.savedSYN = $1
    },
    word("namespace", "<name>", "A network namespace.") { _, word throws(Refusal) in
      throw Refusal.notSupported("'namespace'", word)
    },
    word("cc", "<algorithm>", "How TCP controls congestion: cubic, reno, bbr...") { $0.congestionControl = $1 },
    Keyword("tcp-md5sig", in: .front, "<password>", "Segments are signed (RFC 2385).") {
      settings, arguments, _ throws(Refusal) in
      settings.segmentPassword = try SocketWords.password(&arguments)
    },
    Keyword("idle-ping", in: .front, "<time>", "How often an idle HTTP/2 client is asked whether it is there.") {
      settings, arguments, _ throws(Refusal) in
      settings.idlePing = try Arguments.time(
        try arguments.requiredOption("idle-ping", "<time>"), keyword: "idle-ping")
    },
    .refused("nbconn", in: .front, "it belongs to reverse HTTP, which is not supported"),
    .refused("quic-socket", in: .front, "QUIC is not supported"),
  ]

  static let tls: [Keyword<BindSettings>] = [
    flag("ssl", "Speak TLS.") { $0.isTLS = true },
    word("crt", "<file|directory>", "Certificates and keys.") { $0.certificateSources.append(($1, .file)) },
    word("crt-list", "<file>", "A list of certificates.") { $0.certificateSources.append(($1, .list)) },
    word("default-crt", "<file>", "A certificate for unknown names.") {
      $0.certificateSources.append(($1, .byDefault))
    },
    word("ca-file", "<file>", "Authorities for client certificates.") { $0.tls.caFile = $1.text },
    word("ca-verify-file", "<file>", "Further authorities, not told to clients.") {
      $0.tls.caVerifyFile = $1.text
    },
    word("crl-file", "<file>", "Revoked certificates.") { $0.tls.crlFile = $1.text },
    Keyword("verify", in: .front, "none|optional|required", "Whether clients need a certificate.") {
      settings, arguments, _ throws(Refusal) in
      settings.tls.verification = try TLSOptions.verification(&arguments, allowsOptional: true)
    },
    Keyword("alpn", in: .front, "<protocols>", "Protocols in order of preference.") {
      settings, arguments, _ throws(Refusal) in settings.tls.alpn = try TLSOptions.protocols(&arguments)
    },
    flag("no-alpn", "Do not announce protocols.") { $0.tls.alpn = [] },
    hint("npn", "<protocols>", "ALPN took its place; write 'alpn'"),
    word("ciphers", "<ciphers>", "Ciphers up to TLS 1.2.") { $0.tls.ciphers = $1.text },
    word("ciphersuites", "<suites>", "Suites of TLS 1.3.") { $0.tls.ciphersuites = $1.text },
    word("curves", "<curves>", "Elliptic curves.") { $0.tls.curves = $1.text },
    word("ecdhe", "<curve>", "An elliptic curve.") { $0.tls.ecdhe = $1.text },
    word("sigalgs", "<algorithms>", "Signature algorithms.") { $0.tls.signatureAlgorithms = $1.text },
    word("client-sigalgs", "<algorithms>", "Signatures of clients.") {
      $0.tls.clientSignatureAlgorithms = $1.text
    },
    word("ca-ignore-err", "<errors>", "Verification errors of authorities to ignore.") {
      $0.tls.caIgnoreErrors = $1.text
    },
    word("crt-ignore-err", "<errors>", "Verification errors to ignore.") { $0.tls.crtIgnoreErrors = $1.text },
    hint("tls-ticket-keys", "<file>", "each process makes keys of its own, so tickets hold as long as it runs"),
    Keyword("ssl-min-ver", in: .front, "<version>", "The lowest TLS version.") {
      settings, arguments, _ throws(Refusal) in
      settings.tls.minimumVersion = try TLSOptions.version(&arguments)
    },
    Keyword("ssl-max-ver", in: .front, "<version>", "The highest TLS version.") {
      settings, arguments, _ throws(Refusal) in
      settings.tls.maximumVersion = try TLSOptions.version(&arguments)
    },
    flag("no-tls-tickets", "Do not hand out session tickets.") { $0.tls.noTickets = true },
    flag("tls-tickets", "Hand out session tickets.") { $0.tls.noTickets = false },
    flag("prefer-client-ciphers", "The client's order of ciphers counts.") {
      $0.tls.preferClientCiphers = true
    },
    flag("allow-0rtt", "Take early data of TLS 1.3.") { $0.tls.allowsEarlyData = true },
    flag("strict-sni", "Refuse unknown names.") { $0.strictSNI = true },
    flag("no-strict-sni", "Serve unknown names.") { $0.strictSNI = false },
    flag("no-ca-names", "Do not tell clients the authorities.") { $0.tls.noCANames = true },
    flag("generate-certificates", "Make certificates for unknown names.") { $0.generateCertificates = true },
    word("ca-sign-file", "<file>", "The authority that signs them, with its key.") { $0.signer = $1 },
    hint("ktls", "on|off", "records are sealed by the library, in user space"),
    .refused("ca-sign-pass", in: .front, "keep the key of 'ca-sign-file' in clear, readable by root only"),
  ]

  static let versions: [Keyword<BindSettings>] = TLSOptions.versionWords.map { name in
    flag(name, "Restrict the TLS version.") { settings in _ = TLSOptions.takeVersionWord(name, &settings.tls)
    }
  }
}

extension Arguments {
  /// The value of an option of a `bind` or `server` line.
  mutating func requiredOption(_ name: String, _ what: String) throws(Refusal) -> Word {
    guard let word = next() else {
      throw Refusal("'\(keyword)' : '\(name)' : missing value \(what).", at: endLocation, expected: what)
    }
    return word
  }
}
