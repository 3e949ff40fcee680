public import Base

/// A whole configuration as a plain value: what the files said, with the defaults filled in.
///
/// Rules, ACLs, log formats and expressions stay as `Directive`s in the order of the file;
/// `Rules` compiles them. Everything else is typed here.
public struct Configuration: Sendable {
  public var global = GlobalSettings()
  public var proxies: [Boxed<ProxySettings>] = []
  /// `defaults` sections that bear a name, in the order of the files; the last one of each name.
  public var namedDefaults: [Boxed<ProxySettings>] = []
  /// Which kind of proxy first inherited the rules of a `defaults` section, by its place.
  var heirsOfRules: [String: ProxySettings.Kind] = [:]
  public var userlists: [Userlist] = []
  public var httpErrors: [HTTPErrorsSection] = []
  public var certificateStores: [CertificateStore] = []
  public var peers: [PeersSettings] = []
  public var caches: [CacheSettings] = []
  public var rings: [RingSettings] = []
  public var logForwards: [LogForwardSettings] = []
  /// `healthcheck` sections, as backends that have nothing but a check.
  public var healthChecks: [Boxed<ProxySettings>] = []
  public var logProfiles: [LogProfileSettings] = []
  /// With one named `default`, made from /etc/resolv.conf unless a section bears that name.
  public var resolvers: [ResolversSettings] = []
  /// The environment as `setenv`, `presetenv`, `unsetenv` and `resetenv` left it.
  public var environment: [String: String] = [:]

  public init() {}

  public func proxy(named name: String, where matches: (Boxed<ProxySettings>) -> Bool) -> Boxed<ProxySettings>? {
    proxies.first { $0.name == name && matches($0) }
  }
}

public enum Mode: String, Sendable {
  case tcp, http, log

  /// HAProxy's word for it in messages and statistics.
  public var label: String { self == .log ? "syslog" : rawValue }
}

public struct HTTPErrorsSection: Sendable {
  public var name: String
  public var location: SourceLocation
  public var files: [ErrorFileReference] = []
  public init(name: String, location: SourceLocation) {
    self.name = name
    self.location = location
  }
}

public struct Userlist: Sendable {
  public struct User: Sendable {
    public var name: Bytes
    /// A crypt(3) hash, or the clear text when `isClear`.
    public var password: Bytes
    public var isClear: Bool
    public var groups: [Bytes] = []
    public init(name: Bytes, password: Bytes, isClear: Bool) {
      self.name = name
      self.password = password
      self.isClear = isClear
    }
  }
  public var name: String
  public var location: SourceLocation
  public var users: [User] = []
  public var groups: [(name: Bytes, users: [Bytes])] = []
  public init(name: String, location: SourceLocation) {
    self.name = name
    self.location = location
  }
}

public struct CertificateStore: Sendable {
  public var name: String
  public var location: SourceLocation
  public var loads: [CertificateLoad] = []
  public var certificateBase: String?
  public var keyBase: String?
  public init(name: String, location: SourceLocation) {
    self.name = name
    self.location = location
  }
}
