import Base

/// `appsession` of 1.3 to 1.5: an application's cookie holds a client to a server. It becomes a stick table with the
/// `stick` lines that do the same.
enum AppSessionLine {
  static let grammar =
    "<cookie> len <length> timeout <time> [request-learn] [prefix] [mode { path-parameters | query-string }]"

  static func parse(
    _ settings: inout ProxySettings, _ arguments: inout Arguments, _ context: LoadContext
  ) throws(Refusal) {
    let place = arguments.keywordLocation
    let cookie = try arguments.required("a cookie's name")
    var length = 0
    var timeout: Timespan?
    var learns = false
    var separator = ";"
    while let word = arguments.next() {
      switch word.text {
      case "len": length = try arguments.integer("a length", in: 1...16_384)
      case "timeout": timeout = try arguments.time()
      case "request-learn": learns = true
      case "prefix":
        // The characters before the first one that differs are not told apart by what takes its place.
        throw Refusal.notSupported("'appsession ... prefix'", word)
      case "mode":
        let mode = try arguments.required("'path-parameters' or 'query-string'")
        guard mode.text == "path-parameters" || mode.text == "query-string" else {
          throw Refusal.unknownArgument(
            mode, of: "appsession mode", among: ["path-parameters", "query-string"])
        }
        separator = mode.text == "query-string" ? "?" : ";"
      default:
        throw Refusal.unknownArgument(
          word, of: "appsession", among: ["len", "timeout", "request-learn", "prefix", "mode"])
      }
    }
    guard length > 0, let timeout else {
      throw Refusal("'appsession' expects 'len <length>' and 'timeout <time>'.", at: place, expected: grammar)
    }
    if let earlier = settings.stickTable {
      throw Refusal.duplicate(
        "'appsession' cannot stand beside a stick-table.", arguments.line.words[0], earlier.location)
    }
    var table = StickTableSettings(name: settings.name, wireName: settings.name, location: place)
    table.keyType = .string
    table.keyLength = length
    table.size = 1 << 20
    table.expire = timeout
    settings.stickTable = table
    let kind = learns ? "on" : "match"
    let lines = [
      "stick store-response res.cook(\(cookie.text))", "stick \(kind) req.cook(\(cookie.text))",
      "stick \(kind) urlp(\(cookie.text),\(separator))",
    ]
    for line in lines {
      let words = line.split(separator: " ").map { Word(Bytes($0), at: place) }
      settings.rules.append(Directive(words: words, location: arguments.line.location))
    }
    context.diagnostics.warning(
      "'appsession' is gone since 1.6; it runs as a stick table.", at: place,
      replacement: (["stick-table type string len \(length) size 1m expire \(timeout.milliseconds)ms"] + lines)
        .joined(separator: "\n"))
  }
}
