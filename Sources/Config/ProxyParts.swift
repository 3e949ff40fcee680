public import Base

public struct ForwardFor: Sendable {
  public var headerName: Bytes
  public var except: [String] = []
  public var ifNone = false
  public init(headerName: Bytes) { self.headerName = headerName }
}

/// `errorfile`, `errorloc*` and `errorfiles` lines, in order; later ones win.
public enum ErrorFileReference: Sendable {
  case file(status: Int, path: Word)
  case location(status: Int, code: Int, url: Bytes)
  /// `errorfiles <section> [codes]`.
  case section(Word, statuses: [Int])
  /// `http-error status ...`.
  case reply(Directive)
}

public struct CompressionSettings: Sendable {
  public enum Direction: String, Sendable { case request, response, both }
  public var direction = Direction.response
  public var requestAlgorithms: [String] = []
  public var responseAlgorithms: [String] = []
  public var types: [Bytes] = []
  public var requestTypes: [Bytes] = []
  public var offload = false
  public var minimumRequestSize = 0
  public var minimumResponseSize = 0
  public init() {}
}

public struct StatsSettings: Sendable {
  public var uri: Bytes = "/haproxy?stats"
  public var realm: Bytes?
  /// user:password pairs.
  public var credentials: [(user: Bytes, password: Bytes)] = []
  public var refresh: Timespan?
  public var hideVersion = false
  public var showNode = false
  public var node: String?
  public var showDescription = false
  public var description: String?
  public var showLegends = false
  public var showModules = false
  public var scopes: [Word] = []
  /// `stats admin if ...` lines.
  public var adminRules: [Directive] = []
  /// `stats http-request ...` lines.
  public var httpRequestRules: [Directive] = []
  public init() {}
}

public struct Balance: Sendable {
  public enum Algorithm: Sendable, Equatable {
    case roundrobin, staticRoundrobin, leastconn, first, source
    case random(draws: Int)
    case uri(length: Int?, depth: Int?, whole: Bool, pathOnly: Bool)
    case urlParameter(Bytes, checkPost: Int?)
    case header(Bytes, useDomainOnly: Bool)
    case rdpCookie(Bytes)
    case hash(String)
    /// `sticky` and `log-hash`, of log backends: the first server, and one by the message.
    case sticky
    case logHash(String)
  }
  public enum HashType: String, Sendable { case mapBased = "map-based", consistent }
  public enum HashFunction: String, Sendable { case sdbm, djb2, wt6, crc32, none }

  public var algorithm: Algorithm = .roundrobin
  public var hashType: HashType = .mapBased
  public var hashFunction: HashFunction = .sdbm
  public var avalanche = false
  public var location: SourceLocation = .none
  public init() {}
}

public struct CookieSettings: Sendable {
  public enum Scheme: Sendable { case insert, rewrite, prefix, none }
  public var name: Bytes
  public var scheme: Scheme = .none
  public var indirect = false
  public var nocache = false
  public var postonly = false
  public var preserve = false
  public var httponly = false
  public var secure = false
  public var domains: [Bytes] = []
  public var maxIdle: Timespan?
  public var maxLife: Timespan?
  public var dynamic = false
  public var attributes: [Bytes] = []
  public init(name: Bytes) { self.name = name }
}
