import Base
import Rules
import TLS

/// Lends the TLS library's digests to expressions.
enum Cryptography {
  /// Call once, before rules are compiled.
  static func install() {
    var hooks = CryptographyHooks()
    hooks.digest = { name, data in Digest(rawValue: normalized(name)).map { Bytes($0.hash(data)) } }
    hooks.hmac = { name, key, data in Digest(rawValue: normalized(name)).map { Bytes($0.hmac(data, key: key)) } }
    CryptographyHooks.current = hooks
  }

  /// `SHA-256` and `sha256` are one name to OpenSSL.
  private static func normalized(_ name: String) -> String { name.lowercased().replacing("-", with: "") }
}
