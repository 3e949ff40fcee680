import Base

/// Where in the life of a stream a sample is asked for (manual 7.3): the 22 columns of keyword listings.
struct SamplePlaces: OptionSet, Sendable {
  let rawValue: UInt32

  static let connection = SamplePlaces(rawValue: 1 << 0)
  static let session = SamplePlaces(rawValue: 1 << 1)
  static let frontendContent = SamplePlaces(rawValue: 1 << 2)
  static let frontendRequest = SamplePlaces(rawValue: 1 << 3)
  static let frontendRequestBody = SamplePlaces(rawValue: 1 << 4)
  static let useBackend = SamplePlaces(rawValue: 1 << 5)
  static let backendContent = SamplePlaces(rawValue: 1 << 6)
  static let backendRequest = SamplePlaces(rawValue: 1 << 7)
  static let backendRequestBody = SamplePlaces(rawValue: 1 << 8)
  static let useServer = SamplePlaces(rawValue: 1 << 9)
  static let serverConnection = SamplePlaces(rawValue: 1 << 10)
  static let backendResponseContent = SamplePlaces(rawValue: 1 << 11)
  static let backendResponse = SamplePlaces(rawValue: 1 << 12)
  static let backendResponseBody = SamplePlaces(rawValue: 1 << 13)
  static let storeRules = SamplePlaces(rawValue: 1 << 14)
  static let frontendResponseContent = SamplePlaces(rawValue: 1 << 15)
  static let frontendResponse = SamplePlaces(rawValue: 1 << 16)
  static let frontendResponseBody = SamplePlaces(rawValue: 1 << 17)
  static let logs = SamplePlaces(rawValue: 1 << 18)
  static let checks = SamplePlaces(rawValue: 1 << 19)
  static let configuration = SamplePlaces(rawValue: 1 << 20)
  static let commandLine = SamplePlaces(rawValue: 1 << 21)

  /// HAProxy's words for a place, as its messages use them.
  var name: String {
    let names = [
      "frontend tcp-request connection rule", "frontend tcp-request session rule",
      "frontend tcp-request content rule", "frontend http-request header rule",
      "frontend http-request body rule",
      "frontend use-backend rule", "backend tcp-request content rule", "backend http-request header rule",
      "backend http-request body rule", "backend use-server, balance or stick-match rule",
      "server source selection", "backend tcp-response content rule", "backend http-response header rule",
      "backend http-response body rule", "backend stick-store rule", "frontend tcp-response content rule",
      "frontend http-response header rule", "frontend http-response body rule", "logs", "tcp-check rule",
      "configuration parser", "CLI parser",
    ]
    let bit = rawValue.trailingZeroBitCount
    return bit < names.count ? names[bit] : "unknown place"
  }

  /// The columns as listings print them.
  var columns: String {
    (0..<22).map { rawValue >> UInt32($0) & 1 == 1 ? "Y" : "." }.joined(separator: " ")
  }

  private static func columns(_ text: StaticString) -> SamplePlaces {
    var value: UInt32 = 0
    text.withUTF8Buffer { for (i, c) in $0.enumerated() where c == 0x59 { value |= 1 << UInt32(i) } }
    return SamplePlaces(rawValue: value)
  }

  static let everywhere = columns("YYYYYYYYYYYYYYYYYYYYYY")
  /// The process' own state.
  static let inner = columns("YYYYYYYYYYYYYYYYYYYY.Y")
  static let frontendSide = columns("YYYYYYYYYYYYYYYYYYY...")
  static let layer4Client = columns("YYYYYYYYYYYYYYYYYYYY..")
  static let layer5Client = columns(".YYYYYYYYYYYYYYYYYY...")
  static let requestData = columns("..YYYYYYYYY...........")
  static let requestLasting = columns("..YYYYYYYYYYYYYYYYY...")
  static let backendSide = columns("......YYYYYYYYYYYYYY..")
  static let serverSide = columns("..........YYYYYYYYYY..")
  static let layer4Server = columns("...........YYYYYYYYY..")
  static let responseData = columns("...........YYYYYYY.Y..")
  static let responseLasting = columns("...........YYYYYYYYY..")
  static let bothData = columns("..YYYYYYYYYYYYYYYY.Y..")
  static let responseEnd = columns(".........YYYYYYYYYY...")
  static let cookieLasting = columns("..YYYYYYYYYYYYYYYY.Y..")
}

/// One sample fetch: its name, grammar, type, where it can be used, and what it does.
struct FetchEntry: Sendable {
  let name: String
  let arguments: ArgumentGrammar
  let type: SampleType
  let places: SamplePlaces
  /// Turns checked arguments into what the function wants; throws what is wrong with them.
  var check: (@Sendable (inout Arguments, CompileScope) throws(RuleError) -> Void)?
  let body: FetchBody
  var each: FetchEach?
  /// Two evaluations in a row may differ.
  var isVolatile = false
  /// Whether it needs an HTTP message, so that TCP mode deserves a warning.
  var needsHTTP: Bool { places == .requestData || places == .responseData }

  init(
    _ name: String, _ arguments: ArgumentGrammar = .none, _ type: SampleType, _ places: SamplePlaces,
    volatile: Bool = false,
    check: (@Sendable (inout Arguments, CompileScope) throws(RuleError) -> Void)? = nil,
    each: FetchEach? = nil, _ body: @escaping FetchBody
  ) {
    self.name = name
    self.arguments = arguments
    self.type = type
    self.places = places
    self.check = check
    self.each = each
    self.body = body
    isVolatile = volatile
  }

  /// The same under another name.
  func alias(_ name: String) -> FetchEntry {
    FetchEntry(
      name, arguments, type, places, volatile: isVolatile, check: check, each: each, body)
  }
}

/// One converter: its name, grammar, the types it takes and gives, and what it does.
struct ConverterEntry: Sendable {
  let name: String
  let arguments: ArgumentGrammar
  let input: SampleType
  let output: SampleType
  var check: (@Sendable (inout Arguments, CompileScope) throws(RuleError) -> Void)?
  let body: ConverterBody

  init(
    _ name: String, _ arguments: ArgumentGrammar = .none, _ input: SampleType, _ output: SampleType,
    check: (@Sendable (inout Arguments, CompileScope) throws(RuleError) -> Void)? = nil,
    _ body: @escaping ConverterBody
  ) {
    self.name = name
    self.arguments = arguments
    self.input = input
    self.output = output
    self.check = check
    self.body = body
  }
}

/// All fetches and converters by name.
enum SampleKeywords {
  static let fetches: [String: FetchEntry] = table(
    ConstantFetches.table + ProcessFetches.table + ProxyFetches.table + ConnectionFetches.table
      + ConnectionFetches.transport
      + EndpointFetches.table + TLSFetches.table + TLSOfferFetches.table + DistccFetches.table + PayloadFetches.table
      + HTTPRequestFetches.table + HTTPHeaderFetches.table
      + CookieFetches.table + BodyFetches.table + HTTPResponseFetches.table + AuthenticationFetches.table
      + LogFetches.table + VariableFetches.table + CounterFetches.table)

  static let converters: [String: ConverterEntry] = {
    var table: [String: ConverterEntry] = [:]
    let entries =
      StreamConverters.table + ArithmeticConverters.table + TextConverters.table + EncodingConverters.table
      + HashConverters.table
      + DateConverters.table + MapConverters.table + JSONConverters.table + AddressConverters.table
      + VariableConverters.table + TokenConverters.table + TableConverters.table + CipherConverters.table
      + MessageConverters.table + PacketConverters.table
    for entry in entries { table[entry.name] = entry }
    return table
  }()

  private static func table(_ entries: [FetchEntry]) -> [String: FetchEntry] {
    var table: [String: FetchEntry] = [:]
    for entry in entries { table[entry.name] = entry }
    return table
  }
}
