import Base

/// `cookie <name> ...` (manual chapter 4.2).
enum CookieLine {
  private static let options = [
    "rewrite", "insert", "prefix", "indirect", "nocache", "postonly", "preserve", "httponly", "secure",
    "domain",
    "maxidle", "maxlife", "dynamic", "attr",
  ]

  static func parse(
    _ settings: inout ProxySettings, _ arguments: inout Arguments, _ context: LoadContext
  ) throws(Refusal) {
    let name = try arguments.required("a cookie's name")
    var cookie = CookieSettings(name: name.bytes)
    while let word = arguments.next() { try option(word, &cookie, &arguments) }
    if cookie.scheme == .prefix, cookie.indirect {
      throw Refusal("'cookie' : 'prefix' and 'indirect' cannot be used together.", at: name.location)
    }
    settings.cookie = cookie
  }

  private static func option(_ word: Word, _ cookie: inout CookieSettings, _ arguments: inout Arguments)
    throws(Refusal)
  {
    switch word.text {
    case "rewrite": try setScheme(.rewrite, &cookie, word)
    case "insert": try setScheme(.insert, &cookie, word)
    case "prefix": try setScheme(.prefix, &cookie, word)
    case "indirect": cookie.indirect = true
    case "nocache": cookie.nocache = true
    case "postonly": cookie.postonly = true
    case "preserve": cookie.preserve = true
    case "httponly": cookie.httponly = true
    case "secure": cookie.secure = true
    case "dynamic": cookie.dynamic = true
    case "domain": cookie.domains.append(try arguments.requiredOption("domain", "<domain>").bytes)
    case "attr": cookie.attributes.append(try arguments.requiredOption("attr", "<attribute>").bytes)
    case "maxidle": cookie.maxIdle = try time("maxidle", &arguments)
    case "maxlife": cookie.maxLife = try time("maxlife", &arguments)
    default: throw Refusal.unknownArgument(word, of: "cookie", among: options)
    }
  }

  private static func setScheme(_ scheme: CookieSettings.Scheme, _ cookie: inout CookieSettings, _ word: Word)
    throws(Refusal)
  {
    guard cookie.scheme == .none || cookie.scheme == scheme else {
      throw Refusal("'cookie' supports only one of 'rewrite', 'insert' and 'prefix'.", at: word.location)
    }
    cookie.scheme = scheme
  }

  private static func time(_ name: String, _ arguments: inout Arguments) throws(Refusal) -> Timespan {
    try Arguments.time(
      try arguments.requiredOption(name, "<time>"), keyword: "cookie \(name)", unit: .seconds(1))
  }
}

/// `compression ...` lines (manual chapter 4.2).
enum CompressionLine {
  private static let subjects = [
    "algo", "algo-req", "algo-res", "type", "type-req", "type-res", "offload", "direction", "minsize-req",
    "minsize-res",
  ]
  private static let algorithms = ["identity", "gzip", "deflate", "raw-deflate"]

  static func parse(
    _ settings: inout ProxySettings, _ arguments: inout Arguments, _ context: LoadContext
  ) throws(Refusal) {
    var compression = settings.compression ?? CompressionSettings()
    let what = try arguments.required(subjects.oneOf)
    switch what.text {
    case "algo", "algo-res": compression.responseAlgorithms += try names(&arguments)
    case "algo-req": compression.requestAlgorithms = try names(&arguments)
    case "type", "type-res": compression.types += arguments.rest().map(\.bytes)
    case "type-req": compression.requestTypes += arguments.rest().map(\.bytes)
    case "offload": compression.offload = true
    case "minsize-req": compression.minimumRequestSize = try arguments.size()
    case "minsize-res": compression.minimumResponseSize = try arguments.size()
    case "direction":
      let word = try arguments.required("'request', 'response' or 'both'")
      guard let direction = CompressionSettings.Direction(rawValue: word.text) else {
        throw Refusal.unknownArgument(
          word, of: "compression direction", among: ["request", "response", "both"])
      }
      compression.direction = direction
    default: throw Refusal.unknownArgument(what, of: "compression", among: subjects)
    }
    try arguments.end()
    settings.compression = compression
  }

  private static func names(_ arguments: inout Arguments) throws(Refusal) -> [String] {
    try arguments.requireMore("an algorithm")
    let words = arguments.rest()
    for word in words where !algorithms.contains(word.text) {
      throw Refusal.unknownArgument(word, of: "compression algo", among: algorithms)
    }
    return words.map(\.text)
  }
}
