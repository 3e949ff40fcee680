/// What this program says about itself to configurations and tools.
public enum Build {
  /// Our own version.
  public static let version = "0.1.0"
  /// The version that HAProxy's tools see: the level of the language, then ours.
  public static let haproxyVersion = "3.5-gatehouse-\(version)"
  static let languageVersion = LanguageVersion(3, 5)
  /// Day of the release, as HAProxy writes it.
  public static let date = "2026/11/21"

  /// Names for `feature(...)`, as HAProxy spells its build options, without the sign.
  public static let features: [String] = [
    "EPOLL", "THREAD", "OPENSSL", "SSL", "LINUX_TPROXY", "TPROXY", "GETADDRINFO", "ACCEPT4", "NETFILTER", "TFO",
    "SYSTEMD", "CRYPT_H", "LINUX_SPLICE", "LIBCRYPT", "DL", "RT", "SLZ", "PROMEX",
    // Expressions are written in PCRE's syntax; the engine is our own.
    "PCRE2",
  ]
  /// Names that are known and absent; `-vv` lists them with a minus sign.
  public static let absentFeatures: [String] = [
    "51DEGREES", "BACKTRACE", "CPU_AFFINITY", "DEVICEATLAS", "ENGINE", "KQUEUE", "LUA",
    "MEMORY_PROFILING", "NS", "OT", "PCRE", "POLL", "PRCTL", "SHM_OPEN",
    "PCRE2_JIT", "PCRE_JIT", "QUIC", "QUIC_OPENSSL_COMPAT", "STATIC_PCRE", "WURFL", "ZLIB",
    "OPENSSL_AWSLC", "OPENSSL_WOLFSSL",
  ]

  /// All of them by name, each with its sign.
  public static var featureList: String {
    let all = features.map { (name: $0, sign: "+") } + absentFeatures.map { (name: $0, sign: "-") }
    return all.sorted { $0.name < $1.name }.map { $0.sign + $0.name }.joined(separator: " ")
  }

  /// Names for `enabled(...)`.
  static let enabled: Set<String> = [
    "EPOLL", "FAST-FORWARD", "GETADDRINFO", "REUSEPORT", "SPLICE", "SSL-SERVER-VERIFY",
  ]

  public static let tlsLibraryName = "OpenSSL"
  /// Major, minor, patch and letter of the TLS library that the program was built with.
  static let tlsLibraryVersion = [3, 0, 15, 0]
}
