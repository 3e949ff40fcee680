/// What an entry of a stick table may keep beside its key (manual chapter 11.1, `store`).
///
/// The raw values are the bit numbers of the peers protocol, and the order in which tables are shown.
public enum StickDataType: Int, CaseIterable, Sendable {
  case serverID, gpt0, gpc0, gpc0Rate, connectionCount, connectionRate, currentConnections
  case sessionCount, sessionRate, requestCount, requestRate, errorCount, errorRate
  case bytesIn, bytesInRate, bytesOut, bytesOutRate, gpc1, gpc1Rate, serverKey, failureCount, failureRate
  case gpt, gpc, gpcRate, glitchCount, glitchRate

  /// How a value is kept.
  public enum Kind: Sendable {
    case signed, unsigned, wide
    /// Events over a sliding period.
    case rate
    /// The name or address of a server.
    case text

    /// Octets of one value in an entry.
    public var size: Int {
      switch self {
      case .signed, .unsigned, .text: 4
      case .wide: 8
      case .rate: 12
      }
    }
  }

  public var name: String { StickDataType.names[rawValue] }

  private static let names = [
    "server_id", "gpt0", "gpc0", "gpc0_rate", "conn_cnt", "conn_rate", "conn_cur", "sess_cnt", "sess_rate",
    "http_req_cnt", "http_req_rate", "http_err_cnt", "http_err_rate", "bytes_in_cnt", "bytes_in_rate",
    "bytes_out_cnt", "bytes_out_rate", "gpc1", "gpc1_rate", "server_key", "http_fail_cnt", "http_fail_rate",
    "gpt", "gpc", "gpc_rate", "glitch_cnt", "glitch_rate",
  ]

  public static func named(_ name: String) -> StickDataType? {
    names.firstIndex(of: name).flatMap(StickDataType.init(rawValue:))
  }

  public static var allNames: [String] { names }

  public var kind: Kind {
    switch self {
    case .serverID: .signed
    case .bytesIn, .bytesOut: .wide
    case .serverKey: .text
    case .gpc0Rate, .connectionRate, .sessionRate, .requestRate, .errorRate, .bytesInRate, .bytesOutRate,
      .gpc1Rate, .failureRate, .gpcRate, .glitchRate:
      .rate
    default: .unsigned
    }
  }

  public var isArray: Bool { self == .gpt || self == .gpc || self == .gpcRate }
  /// Not learned from peers, unless the table only receives.
  public var isLocal: Bool { self == .currentConnections }
  /// Never calculated with: may be copied to the table that `write-to` names.
  public var isAsIs: Bool { self == .serverID || self == .serverKey || self == .gpt0 || self == .gpt }
  public var isByteRate: Bool { self == .bytesInRate || self == .bytesOutRate }
}
