public import Base
import Synchronization

/// Cryptography that expressions need and this layer does not have: the owner of the TLS library sets it once
/// at start-up, before anything is compiled. What is nil makes its keywords "not supported".
public struct CryptographyHooks: Sendable {
  /// The digest of some octets by OpenSSL's name of the algorithm; nil for an unknown one.
  public var digest: (@Sendable (_ algorithm: String, _ data: Bytes) -> Bytes?)?
  public var hmac: (@Sendable (_ algorithm: String, _ key: Bytes, _ data: Bytes) -> Bytes?)?
  /// Whether `password` is the one behind a crypt(3) hash.
  public var verifyPassword: (@Sendable (_ password: Bytes, _ hash: Bytes) -> Bool)?

  public init() {}

  private static let installed = Mutex(CryptographyHooks())

  public static var current: CryptographyHooks {
    get { installed.withLock { $0 } }
    set { installed.withLock { $0 = newValue } }
  }
}
