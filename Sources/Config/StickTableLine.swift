import Base

/// The words of a `stick-table` or `table` line.
struct StickTableLine {
  private static let words = [
    "type", "size", "expire", "nopurge", "recv-only", "write-to", "srvkey", "store", "brates-factor", "peers",
  ]
  private static let types = ["ip", "ipv4", "ipv6", "integer", "string", "binary"]
  static let grammar =
    "type <type> size <size> [expire <time>] [nopurge] [recv-only] [write-to <table>] [srvkey { name | addr }] [store <type>[,...]]... [brates-factor <n>] [peers <section>]"
  /// The most elements of an array.
  private static let longestArray = 100

  private var table: StickTableSettings
  private var hasType = false
  private let isOfPeers: Bool

  /// Reads the rest of the line; `isOfPeers` for a `table` line, which has no `peers` of its own.
  static func parse(
    _ table: StickTableSettings, isOfPeers: Bool, _ arguments: inout Arguments, _ context: LoadContext
  ) throws(Refusal) -> StickTableSettings {
    var line = StickTableLine(table: table, isOfPeers: isOfPeers)
    while let word = arguments.next() { try line.option(word, &arguments, context) }
    guard line.table.size > 0 else {
      throw Refusal("\(arguments.keyword): missing size.", at: arguments.endLocation, expected: "size <size>")
    }
    guard line.hasType else {
      throw Refusal("\(arguments.keyword): missing type.", at: arguments.endLocation, expected: "type <type>")
    }
    return line.table
  }

  private init(table: StickTableSettings, isOfPeers: Bool) {
    self.table = table
    self.isOfPeers = isOfPeers
  }

  private mutating func option(_ word: Word, _ arguments: inout Arguments, _ context: LoadContext)
    throws(Refusal)
  {
    let keyword = arguments.keyword
    switch word.text {
    case "type": try type(&arguments)
    case "size":
      let size = try StickTableLine.value(of: word, &arguments)
      guard let number = Quantity.size(size.bytes.span), number <= Int(UInt32.max) else {
        throw Refusal(
          "\(keyword): unexpected character in argument of 'size'.", at: size.location,
          expected: "a number followed by nothing, k, m or g")
      }
      table.size = number
    case "expire":
      let time = try Arguments.time(
        try StickTableLine.value(of: word, &arguments), keyword: "\(keyword) expire")
      table.expire = time > .zero ? time : nil
    case "nopurge": table.refusesToPurge = true
    case "recv-only": table.isReceiveOnly = true
    case "write-to": table.writeTo = try arguments.required("a table's name")
    case "srvkey":
      let kind = try arguments.required("'name' or 'addr'")
      guard kind.text == "name" || kind.text == "addr" else {
        throw Refusal(
          "\(keyword) : unknown server key type '\(kind.text)'.", at: kind.location,
          expected: "'name' or 'addr'")
      }
      table.serverKey = kind.text == "name" ? .name : .address
    case "store": try stores(try arguments.required("a data type"), keyword, context)
    case "brates-factor":
      let factor = try StickTableLine.value(of: word, &arguments)
      guard let number = Quantity.size(factor.bytes.span), (1...1024).contains(number) else {
        throw Refusal(
          "\(keyword): argument 'brates-factor' must be greater than 0 and lower or equal than 1024.",
          at: factor.location, expected: "a number from 1 to 1024")
      }
      table.byteRateFactor = number
    case "peers" where !isOfPeers: table.peers = try StickTableLine.value(of: word, &arguments)
    default:
      let known = isOfPeers ? StickTableLine.words.dropLast() : StickTableLine.words[...]
      throw Refusal(
        "\(keyword): unknown argument '\(word.text)'.", at: word.location, expected: Array(known).oneOf,
        suggestion: Nearest.word(to: word.text, among: known))
    }
  }

  private static func value(of option: Word, _ arguments: inout Arguments) throws(Refusal) -> Word {
    guard let value = arguments.next() else {
      throw Refusal(
        "\(arguments.keyword): missing argument after '\(option.text)'.", at: arguments.endLocation,
        expected: "a value for '\(option.text)'")
    }
    return value
  }

  private mutating func type(_ arguments: inout Arguments) throws(Refusal) {
    let word = try arguments.required("a type")
    switch word.text {
    case "ip", "ipv4": (table.keyType, table.keyLength) = (.ipv4, 4)
    case "ipv6": (table.keyType, table.keyLength) = (.ipv6, 16)
    case "integer": (table.keyType, table.keyLength) = (.integer, 4)
    // The octet behind a string counts where no length is given.
    case "string": (table.keyType, table.keyLength) = (.string, 31)
    case "binary": (table.keyType, table.keyLength) = (.binary, 32)
    default:
      throw Refusal(
        "\(arguments.keyword): unknown type '\(word.text)'.", at: word.location,
        expected: StickTableLine.types.oneOf,
        suggestion: Nearest.word(to: word.text, among: StickTableLine.types))
    }
    hasType = true
    guard table.keyType == .string || table.keyType == .binary, arguments.take("len") else { return }
    let length = try arguments.required("a length")
    guard let number = Int(length.text), (1...16_384).contains(number) else {
      throw Refusal(
        "'len' expects a positive integer argument.", at: length.location,
        expected: "a number from 1 to 16384")
    }
    table.keyLength = number
  }

  // MARK: Data

  /// `name`, `name(period)`, `name(count)` and `name(count,period)`, separated by commas.
  private mutating func stores(_ word: Word, _ keyword: String, _ context: LoadContext) throws(Refusal) {
    for item in try StickTableLine.split(word, keyword) {
      guard let type = StickDataType.named(item.name) else {
        throw Refusal(
          "\(keyword): unknown store option '\(item.name)'.", at: word.location,
          expected: StickDataType.allNames.oneOf,
          suggestion: Nearest.word(to: item.name, among: StickDataType.allNames))
      }
      if table.stores(type) {
        context.diagnostics.warning(
          "\(keyword): store option '\(item.name)' already enabled, ignored.", at: word.location)
        continue
      }
      table.stores.append(try StickTableLine.store(type, item.arguments, keyword, word))
    }
    try refuseTwins(.gpt, [.gpt0], "'gpt' and 'gpt0'", keyword, word)
    try refuseTwins(.gpc, [.gpc0, .gpc1], "'gpc' and 'gpc[0/1]'", keyword, word)
    try refuseTwins(.gpcRate, [.gpc0Rate, .gpc1Rate], "'gpc_rate' and 'gpc[0/1]_rate'", keyword, word)
  }

  private func refuseTwins(
    _ array: StickDataType, _ single: [StickDataType], _ names: String, _ keyword: String, _ word: Word
  ) throws(Refusal) {
    guard table.stores(array), single.contains(where: table.stores) else { return }
    throw Refusal(
      "\(keyword): simultaneous usage of \(names) in a same table is not permitted as the array overrides the other.",
      at: word.location)
  }

  private static func split(_ word: Word, _ keyword: String) throws(Refusal) -> [(
    name: String, arguments: [String]?
  )] {
    var items: [(name: String, arguments: [String]?)] = []
    var rest = Substring(word.text)
    while !rest.isEmpty {
      let name = rest.prefix { $0 != "," && $0 != "(" }
      rest = rest[name.endIndex...]
      var arguments: [String]?
      if rest.first == "(" {
        guard let close = rest.firstIndex(of: ")") else {
          throw Refusal(
            "\(keyword): missing closing parenthesis after store option '\(name)'.", at: word.location,
            expected: "')'")
        }
        arguments = rest[rest.index(after: rest.startIndex)..<close].split(
          separator: ",", omittingEmptySubsequences: false
        ).map(String.init)
        rest = rest[rest.index(after: close)...].drop { $0 != "," }
      }
      items.append((String(name), arguments))
      rest = rest.dropFirst()
    }
    return items
  }

  private static func store(
    _ type: StickDataType, _ words: [String]?, _ keyword: String, _ word: Word
  ) throws(Refusal) -> StickTableSettings.Store {
    var store = StickTableSettings.Store(type: type)
    var arguments = (words ?? [])[...]
    func refusal(_ message: String, _ expected: String) -> Refusal {
      Refusal("\(keyword): \(message) store option '\(type.name)'.", at: word.location, expected: expected)
    }
    let usage = type.isArray ? type.kind == .rate ? "(<count>,<period>)" : "(<count>)" : "(<period>)"
    if type.isArray {
      guard let text = arguments.popFirst() else { throw refusal("missing argument to", type.name + usage) }
      guard let count = Int(text), (1...longestArray).contains(count) else {
        throw refusal(
          "array size is out of allowed range (1-\(longestArray)) for", "a number from 1 to \(longestArray)")
      }
      store.count = count
    }
    if type.kind == .rate {
      guard let text = arguments.popFirst() else { throw refusal("missing argument to", type.name + usage) }
      guard case .value(let span) = Quantity.time(Bytes(text).span, defaultUnit: .milliseconds(1)),
        span.milliseconds > 0
      else { throw refusal("error when processing", "a period such as 10s") }
      store.period = UInt32(clamping: span.milliseconds)
    }
    if !arguments.isEmpty { throw refusal("unexpected argument to", type.name) }
    return store
  }
}
