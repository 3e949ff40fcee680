public import Base
import COpenSSL

/// Message digests.
public enum Digest: String, CaseIterable, Sendable {
  case md5, sha1, sha224, sha256, sha384, sha512

  /// The digest of `octets`; empty only when the library refuses the algorithm (MD5 under FIPS).
  public func hash(_ octets: borrowing Span<UInt8>) -> [UInt8] {
    octets.withUnsafeBytes { hash($0) }
  }

  public func hash(_ octets: Bytes) -> [UInt8] { octets.withUnsafeBytes { hash($0) } }

  func hash(_ octets: UnsafeRawBufferPointer) -> [UInt8] {
    var length: UInt32 = 0
    var out = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
    let ok = EVP_Digest(octets.baseAddress, octets.count, &out, &length, algorithm, nil)
    ERR_clear_error()
    return ok == 1 ? Array(out.prefix(Int(length))) : []
  }

  /// The keyed digest of RFC 2104.
  public func hmac(_ octets: Bytes, key: Bytes) -> [UInt8] {
    var length: UInt32 = 0
    var out = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
    let done = key.withUnsafeBytes { key in
      octets.withUnsafeBytes { octets in
        // HMAC needs a key pointer even for an empty key.
        withUnsafeBytes(of: 0 as UInt8) { empty in
          HMAC(
            algorithm, key.baseAddress ?? empty.baseAddress, Int32(clamping: key.count),
            octets.baseAddress?.assumingMemoryBound(to: UInt8.self), octets.count, &out, &length) != nil
        }
      }
    }
    ERR_clear_error()
    return done ? Array(out.prefix(Int(length))) : []
  }

  var algorithm: OpaquePointer? {
    switch self {
    case .md5: EVP_md5()
    case .sha1: EVP_sha1()
    case .sha224: EVP_sha224()
    case .sha256: EVP_sha256()
    case .sha384: EVP_sha384()
    case .sha512: EVP_sha512()
    }
  }
}

/// Octets that nobody can guess.
public enum RandomOctets {
  /// Nil when the system gives no entropy.
  public static func make(_ count: Int) -> [UInt8]? {
    var out = [UInt8](repeating: 0, count: Swift.max(0, count))
    guard RAND_bytes(&out, Int32(clamping: out.count)) == 1 else { return nil }
    return out
  }

  /// Whether two secrets are equal, in time that depends on their length only.
  public static func equalSecrets(_ a: Bytes, _ b: Bytes) -> Bool {
    guard a.count == b.count else { return false }
    var difference: UInt8 = 0
    for i in 0..<a.count { difference |= a[i] ^ b[i] }
    return difference == 0
  }
}
