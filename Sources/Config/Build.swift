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
    "EPOLL", "THREAD", "OPENSSL", "SSL", "LINUX_SPLICE", "LINUX_TPROXY", "TPROXY", "GETADDRINFO", "ACCEPT4",
    "NETFILTER", "PRCTL", "TFO", "NS", "SYSTEMD", "CRYPT_H", "LIBCRYPT", "DL", "RT", "SHM_OPEN", "BACKTRACE",
    "CPU_AFFINITY", "POLL", "SLZ",
  ]
  /// Names that are known and absent; `-vv` lists them with a minus sign.
  public static let absentFeatures: [String] = [
    "51DEGREES", "DEVICEATLAS", "ENGINE", "KQUEUE", "LUA", "MEMORY_PROFILING", "OT", "PCRE", "PCRE2",
    "PCRE2_JIT", "PCRE_JIT", "PROMEX", "QUIC", "QUIC_OPENSSL_COMPAT", "STATIC_PCRE", "WURFL", "ZLIB",
    "OPENSSL_AWSLC", "OPENSSL_WOLFSSL",
  ]

  /// Names for `enabled(...)`.
  static let enabled: Set<String> = [
    "EPOLL", "SPLICE", "FAST-FORWARD", "GETADDRINFO", "REUSEPORT", "SSL-SERVER-VERIFY",
  ]

  public static let tlsLibraryName = "OpenSSL"
  /// Major, minor, patch and letter of the TLS library that the program was built with.
  static let tlsLibraryVersion = [3, 0, 15, 0]
}
