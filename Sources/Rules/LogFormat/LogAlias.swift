import Base

/// The names behind `%` (manual 8.2.6); the raw value is the name.
enum LogAlias: String, CaseIterable, Sendable {
  case bytesRead = "B"
  case requestCookie = "CC"
  case responseCookie = "CS"
  case hostName = "H"
  case method = "HM"
  case path = "HP"
  case pathOnly = "HPO"
  case query = "HQ"
  case uri = "HU"
  case version = "HV"
  case uniqueID = "ID"
  case origin = "OG"
  case status = "ST"
  case acceptDateUTC = "T"
  case activeTime = "Ta"
  case connectTime = "Tc"
  case dataTime = "Td"
  case handshakeTime = "Th"
  case idleTime = "Ti"
  case acceptDateLocal = "Tl"
  case requestTime = "TR"
  case totalRequestTime = "Tq"
  case responseTime = "Tr"
  case requestDateUTC = "trg"
  case requestDateLocal = "trl"
  case acceptSeconds = "Ts"
  case totalTime = "Tt"
  case userTime = "Tu"
  case queueTime = "Tw"
  case bytesUploaded = "U"
  case activeConnections = "ac"
  case backend = "b"
  case backendConnections = "bc"
  case backendIP = "bi"
  case backendPort = "bp"
  case backendQueue = "bq"
  case clientIP = "ci"
  case clientPort = "cp"
  case frontend = "f"
  case frontendConnections = "fc"
  case frontendIP = "fi"
  case frontendPort = "fp"
  case frontendTransport = "ft"
  case requestHeaders = "hr"
  case requestHeaderList = "hrl"
  case responseHeaders = "hs"
  case responseHeaderList = "hsl"
  case logCounter = "lc"
  case milliseconds = "ms"
  case pid = "pid"
  case requestLine = "r"
  case retries = "rc"
  case requestCounter = "rt"
  case server = "s"
  case serverConnections = "sc"
  case serverIP = "si"
  case serverPort = "sp"
  case serverQueue = "sq"
  case cipher = "sslc"
  case tlsVersion = "sslv"
  case acceptDate = "t"
  case requestDate = "tr"
  case termination = "ts"
  case terminationWithCookies = "tsc"

  /// Whether it needs an HTTP transaction, so that TCP mode deserves a warning.
  var needsHTTP: Bool {
    switch self {
    case .requestCookie, .responseCookie, .method, .path, .pathOnly, .query, .uri, .version, .status,
      .requestLine,
      .requestDateUTC, .requestDateLocal, .requestDate, .activeTime, .idleTime, .requestTime,
      .totalRequestTime,
      .responseTime, .requestHeaders, .requestHeaderList, .responseHeaders, .responseHeaderList,
      .terminationWithCookies:
      true
    default: false
    }
  }
}
