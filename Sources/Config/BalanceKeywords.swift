import Base

extension ProxyKeywords {
  static let balancing: [Keyword<ProxySettings>] = [
    Keyword("balance", in: .back, "<algorithm> [<arguments>]", "How servers are chosen.", parse: balance),
    Keyword(
      "hash-type", in: .back, "<method> [<function> [avalanche]]", "How hashes find servers.", parse: hashType
    ),
    number(
      "hash-balance-factor", in: .back, "Percent of the mean load that a server may have.", range: 0...65535
    ) {
      $0.hashBalanceFactor = $1
    },
    word(
      "hash-preserve-affinity", in: .back, "{ always | maxconn | maxqueue }",
      "When the hash's server is kept."
    ) {
      settings, word throws(Refusal) in
      guard ["always", "maxconn", "maxqueue"].contains(word.text) else {
        throw Refusal.unknownArgument(
          word, of: "hash-preserve-affinity", among: ["always", "maxconn", "maxqueue"])
      }
      settings.hashPreserveAffinity = word.text
    },
    word("http-reuse", in: .proxy, "{ never | safe | aggressive | always }", "Who shares idle connections.") {
      settings, word throws(Refusal) in
      guard let reuse = HTTPReuse(rawValue: word.text) else {
        throw Refusal.unknownArgument(
          word, of: "http-reuse", among: ["never", "safe", "aggressive", "always"])
      }
      settings.reuse = reuse
    },
  ]

  private static func balance(
    _ settings: inout ProxySettings, _ arguments: inout Arguments, _ context: LoadContext
  ) throws(Refusal) {
    settings.balance.location = arguments.keywordLocation
    guard let word = arguments.next() else {
      // Very old files say just "balance".
      settings.balance.algorithm = .roundrobin
      return
    }
    settings.balance.algorithm = try algorithm(word, &arguments)
    try arguments.end()
  }

  private static func algorithm(_ word: Word, _ arguments: inout Arguments) throws(Refusal)
    -> Balance.Algorithm
  {
    switch word.text {
    case "roundrobin": return .roundrobin
    case "static-rr": return .staticRoundrobin
    case "leastconn": return .leastconn
    case "first": return .first
    case "source": return .source
    case "random": return .random(draws: 2)
    case "uri": return try uri(&arguments)
    case "url_param": return try urlParameter(&arguments)
    case "rdp-cookie": return .rdpCookie("mstshash")
    case "hash": return .hash(try arguments.required("a sample expression").text)
    case "sticky": return .sticky
    case "log-hash": return .logHash(try arguments.required("a list of converters").text)
    default: break
    }
    if let name = argument(of: "hdr", word.bytes) {
      return .header(name, useDomainOnly: arguments.take("use_domain_only"))
    }
    if let name = argument(of: "rdp-cookie", word.bytes) { return .rdpCookie(name) }
    if let draws = argument(of: "random", word.bytes) {
      guard let number = Int(draws.string), number > 0 else {
        throw Refusal("'balance random' : draws must be at least 1.", at: word.location)
      }
      return .random(draws: number)
    }
    let known = [
      "roundrobin", "static-rr", "leastconn", "first", "source", "uri", "url_param", "hdr(name)", "random",
      "rdp-cookie", "hash", "log-hash", "sticky",
    ]
    throw Refusal(
      "'balance' only supports \(known.oneOf), not '\(word.text)'.", at: word.location, expected: known.oneOf,
      suggestion: Nearest.word(to: word.text, among: known))
  }

  /// `name(argument)`.
  private static func argument(of name: String, _ word: Bytes) -> Bytes? {
    guard word.starts(with: Bytes(name + "(")), word.ends(with: ")") else { return nil }
    return word[(name.utf8.count + 1)..<(word.count - 1)]
  }

  private static func uri(_ arguments: inout Arguments) throws(Refusal) -> Balance.Algorithm {
    var length: Int?
    var depth: Int?
    var whole = false
    var pathOnly = false
    while let word = arguments.next() {
      switch word.text {
      case "len": length = try arguments.integer(in: 1...Int(Int32.max))
      case "depth": depth = try arguments.integer(in: 1...Int(Int32.max))
      case "whole": whole = true
      case "path-only": pathOnly = true
      default:
        throw Refusal.unknownArgument(word, of: "balance uri", among: ["len", "depth", "whole", "path-only"])
      }
    }
    return .uri(length: length, depth: depth, whole: whole, pathOnly: pathOnly)
  }

  private static func urlParameter(_ arguments: inout Arguments) throws(Refusal) -> Balance.Algorithm {
    let name = try arguments.required("a parameter's name").bytes
    guard arguments.take("check_post") else { return .urlParameter(name, checkPost: nil) }
    return .urlParameter(name, checkPost: arguments.isAtEnd ? 48 : try arguments.integer())
  }

  private static func hashType(
    _ settings: inout ProxySettings, _ arguments: inout Arguments, _ context: LoadContext
  ) throws(Refusal) {
    let method = try arguments.required("'map-based' or 'consistent'")
    guard let type = Balance.HashType(rawValue: method.text) else {
      throw Refusal.unknownArgument(method, of: "hash-type", among: ["map-based", "consistent"])
    }
    settings.balance.hashType = type
    settings.balance.avalanche = false
    guard let function = arguments.next() else {
      // The plain hash of keys that are alike would put them side by side on the ring.
      settings.balance.avalanche = type == .consistent
      return
    }
    if function.text == "avalanche" {
      settings.balance.avalanche = true
    } else {
      guard let known = Balance.HashFunction(rawValue: function.text) else {
        throw Refusal.unknownArgument(
          function, of: "hash-type", among: ["sdbm", "djb2", "wt6", "crc32", "none"])
      }
      settings.balance.hashFunction = known
      settings.balance.avalanche = arguments.take("avalanche")
    }
    try arguments.end()
  }
}
