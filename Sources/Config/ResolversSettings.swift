public import Base

/// A `resolvers` section (manual chapter 5.3.2).
public struct ResolversSettings: Sendable {
  public struct Nameserver: Sendable {
    public var name: String
    public var location: SourceLocation
    public var address: SocketAddress
    /// Asked over TCP only.
    public var isStream = false
    public init(name: String, location: SourceLocation, address: SocketAddress) {
      self.name = name
      self.location = location
      self.address = address
    }
  }

  /// For how long the last good answer outweighs a bad one, by the kind of the latter.
  public struct Hold: Sendable {
    /// How long an answer may be given again (`do-resolve`).
    public var valid = Timespan.seconds(10)
    public var noSuchName = Timespan.seconds(30)
    public var refused = Timespan.seconds(30)
    public var timeout = Timespan.seconds(30)
    public var other = Timespan.seconds(30)
    /// How long a record is kept that answers do not hold any more.
    public var obsolete = Timespan.zero
    public init() {}
  }

  public var name: String
  public var location: SourceLocation
  public var nameservers: [Nameserver] = []
  public var hold = Hold()
  /// `timeout resolve`: between two resolutions of a name.
  public var interval = Timespan.seconds(1)
  /// `timeout retry`: how long an answer is waited for.
  public var retryInterval = Timespan.seconds(1)
  /// Questions asked before a resolution fails.
  public var attempts = 3
  /// The largest answer, in octets.
  public var payloadSize = 512

  public init(name: String, location: SourceLocation) {
    self.name = name
    self.location = location
  }
}

/// `dns-accept-family`: which kinds of addresses are asked for.
public enum AddressFamilies: Sendable, Equatable {
  /// IPv4, and IPv6 where there is a route to the rest of the world.
  case automatic
  case only(four: Bool, six: Bool)
}
