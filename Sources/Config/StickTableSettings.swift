public import Base

/// A `stick-table` line of a proxy, or a `table` line of a `peers` section (manual chapter 11.1).
public struct StickTableSettings: Sendable {
  public enum KeyType: Sendable {
    case ipv4, ipv6, integer, string, binary

    /// HAProxy's name, as `show table` prints it.
    public var name: String {
      switch self {
      case .ipv4: "ip"
      case .ipv6: "ipv6"
      case .integer: "integer"
      case .string: "string"
      case .binary: "binary"
      }
    }
  }

  public enum ServerKey: Sendable { case name, address }

  public struct Store: Sendable {
    public var type: StickDataType
    /// How many values an array has; 1 for what is none.
    public var count: Int
    /// Milliseconds over which a rate is measured; 0 for what is none.
    public var period: UInt32
    public init(type: StickDataType, count: Int = 1, period: UInt32 = 0) {
      self.type = type
      self.count = count
      self.period = period
    }
  }

  /// The proxy's name, or `<peers section>/<table>`.
  public var name: String
  /// What peers call it.
  public var wireName: String
  public var location: SourceLocation
  public var keyType = KeyType.ipv4
  /// Octets of a key at most.
  public var keyLength = 4
  /// The most entries.
  public var size = 0
  public var expire: Timespan?
  public var refusesToPurge = false
  public var isReceiveOnly = false
  public var serverKey = ServerKey.name
  public var writeTo: Word?
  /// The `peers` section that shares the table.
  public var peers: Word?
  public var stores: [Store] = []
  public var byteRateFactor = 1

  public init(name: String, wireName: String, location: SourceLocation) {
    self.name = name
    self.wireName = wireName
    self.location = location
  }

  public func stores(_ type: StickDataType) -> Bool { stores.contains { $0.type == type } }
}
