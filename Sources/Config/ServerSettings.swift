public import Base

public struct SourceSettings: Sendable {
  public var address: SocketAddress
  public var interface: String?
  /// `usesrc`: the address that connections seem to come from.
  public enum Foreign: Sendable, Equatable {
    case client
    case clientAddress
    /// The occurrence of a header, from 1, or from the last with negative numbers.
    case header(Bytes, occurrence: Int)
    case address(SocketAddress)
  }
  public var foreign: Foreign?
  /// The ports to use, when more than any one.
  public var ports: ClosedRange<UInt16>?
  public init(address: SocketAddress) { self.address = address }
}

/// How a backend probes its servers (`option httpchk` and its kin).
public struct CheckSettings: Sendable {
  public enum Kind: Sendable, Equatable {
    case connection
    /// `option httpchk`'s own words; `http-check` lines add to them.
    case http(method: Bytes, uri: Bytes, version: Bytes, headers: Bytes)
    case tcp
    case ldap
    case mysql(user: Bytes?, MySQLLogin)
    case pgsql(user: Bytes)
    case redis
    case smtp(greeting: Bytes)
    case tlsHello
    case spop
    case external
  }
  public var kind: Kind = .connection
  public var isHTTP: Bool { if case .http = kind { true } else { false } }
  public var location: SourceLocation = .none
  public init() {}
}

/// One `server` line, with `default-server` applied.
public struct ServerSettings: Sendable {
  public enum OnError: String, Sendable {
    case fastinter, failCheck = "fail-check", suddenDeath = "sudden-death", markDown = "mark-down"
  }
  public enum Observe: String, Sendable { case none, layer4, layer7 }

  public var name: String
  public var location: SourceLocation
  public var id: Int?
  /// `id` was given, not counted.
  public var isIDForced = false
  public var guid: String?
  /// Some of it comes from a `default-server` line.
  public var hasDefaults = false
  /// The address as written: `host[:port]`, `unix@path`, `:port` (same as the client's), `+n`, `-n`.
  public var host: String
  public var port: UInt16?
  /// `+n` and `-n`: added to the port that the client reached.
  public var portOffset: Int?
  public var isUnix = false
  /// `udp@`: only servers of log backends may be.
  public var isDatagram = false
  /// `log-proto octet-count`: messages go behind their length, not before a line end.
  public var countsOctets = false
  /// `log-bufsize`
  public var logBufferSize: Int?
  /// Filled when the host was resolved at start-up.
  public var address: SocketAddress = .none
  /// The word that gave the address.
  public var addressLocation: SourceLocation = .none
  public var initAddr: [String] = []
  /// What a state file says of it.
  public var saved: SavedServerState?
  /// The name did not resolve and need not: the server waits in maintenance for an address.
  public var startsUnresolved = false
  /// `init-state`: up, down, fully-up or fully-down.
  public var initState = "up"
  /// `hash-key`: what consistent hashing hashes.
  public var hashKey = "id"
  /// `ws`: auto, h1 or h2.
  public var webSocketProtocol = "auto"
  public var poolConnectionName: Directive?
  public var sniAuto: Bool?
  public var checkSNIAuto: Bool?
  public var weight = 1
  public var isBackup = false
  public var isDisabled = false
  public var maxConnections: Int?
  public var minConnections: Int?
  public var maxQueue: Int?
  public var cookie: Bytes?
  public var redirect: Bytes?
  public var proto: String?
  public var isTLS = false
  /// `no-ssl` was written, and whether it undid an `ssl`: then TLS is ready and may be switched on at run time.
  public var refusesTLS = false
  public var preparesTLS = false
  public var tls = TLSSettings()
  /// What `ssl-default-server-*` said when the line was read.
  public var tlsDefaults: TLSSettings?
  /// `sni <expression>` as words.
  public var sni: Directive?
  public var verifyHost: String?
  public var certificate: Word?
  public var sendProxy: ProxyVersion?
  public var proxyV2Options: [String] = []
  public var setProxyTLVs: [Directive] = []
  public var checksEnabled = false
  /// `healthcheck <section>`
  public var healthCheck: Word?
  public var agentEnabled = false
  public var checkTLS: Bool?
  public var checkPort: UInt16?
  public var checkAddress: String?
  public var checkSNI: Bytes?
  public var checkALPN: [String]?
  public var checkProto: String?
  public var checkSendProxy = false
  public var checkViaSocks = false
  public var interval: Timespan = .seconds(2)
  public var fastInterval: Timespan?
  public var downInterval: Timespan?
  public var rise = 2
  public var fall = 3
  public var agentInterval: Timespan?
  public var agentPort: UInt16?
  public var agentAddress: String?
  public var agentSend: Bytes?
  public var track: Word?
  public var observe: Observe = .none
  public var onError: OnError = .failCheck
  public var errorLimit = 10
  public var shutdownSessionsWhenDown = false
  public var shutdownBackupSessionsWhenUp = false
  public var slowStart: Timespan?
  public var nonStick = false
  /// `shard`: which part of the tables' keys a peer is told; nil for all.
  public var shard: Int?
  public var source: SourceSettings?
  public var tcpUserTimeout: Timespan?
  /// Between the PINGs of an idle HTTP/2 connection; zero for none.
  public var idlePing = Timespan.zero
  public var tcpFastOpen = false
  /// `cc`: the algorithm of congestion control.
  public var congestionControl: Word?
  /// `tcp-md5sig`: what segments are signed with.
  public var segmentPassword: Bytes?
  public var poolMaximum: Int?
  public var poolLowConnections = 0
  public var poolPurgeDelay: Timespan = .seconds(5)
  public var maxReuse: Int?
  public var namespace: String?
  public var socks4: SocketAddress?
  /// `resolvers`: the section that resolves its name at run time.
  public var resolvers: String?
  public var resolvePrefer: String?
  /// `resolve-net`: networks whose addresses are taken first, as `<address>/<length>`.
  public var resolveNetworks: [String] = []
  /// `resolve-opts`.
  public var allowsDuplicateAddress = false
  public var ignoresServiceWeight = false

  /// `max-reuse`: whether a connection may carry its request number `count`, from 1.
  public func allows(_ count: Int) -> Bool { maxReuse.map { count <= $0 + 1 } ?? true }

  /// Its address was given as a name.
  public var isNamed: Bool { !isUnix && !host.isEmpty && host != "*" && IPAddress(host) == nil }
  /// Its name is one of SRV records.
  public var isService: Bool { host.hasPrefix("_") }

  public init(name: String, host: String, location: SourceLocation) {
    self.name = name
    self.host = host
    self.location = location
  }
}

public enum ProxyVersion: Int, Sendable { case v1 = 1, v2 }

/// How far `option mysql-check` goes along with newer servers.
public enum MySQLLogin: String, CaseIterable, Sendable {
  case pre41 = "pre-41"
  case post41 = "post-41"
  case post80 = "post-80"
}
