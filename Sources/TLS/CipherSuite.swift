import COpenSSL

/// Names of cipher suites.
public enum CipherSuite {
  /// A session that is never used: the library wants one to look a suite up.
  private struct Index: @unchecked Sendable {
    let ssl: OpaquePointer?

    init() {
      let context = SSL_CTX_new(TLS_method())
      defer { SSL_CTX_free(context) }
      ssl = context.flatMap { SSL_new($0) }
    }
  }
  private static let index = Index()

  /// The library's name of the suite with this number on the wire; nil when it does not know it.
  public static func name(of number: UInt16) -> String? {
    guard let ssl = index.ssl else { return nil }
    let wire = [UInt8(number >> 8), UInt8(truncatingIfNeeded: number)]
    guard let cipher = SSL_CIPHER_find(ssl, wire), let name = SSL_CIPHER_get_name(cipher) else { return nil }
    return String(cString: name)
  }
}
