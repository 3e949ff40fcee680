public import Base
import COpenSSL

/// A public key that verifies signatures of JSON Web Tokens (RFC 7518 section 3); owns the library's object.
public final class VerificationKey: @unchecked Sendable {
  private let pointer: OpaquePointer

  /// What a signature was found to be.
  public enum Outcome: Sendable { case valid, wrong, malformed }

  /// From the first public key or certificate in `pem`; nil when there is none.
  public init?(pem: Bytes) {
    guard let length = Int32(exactly: pem.count) else { return nil }
    let key = pem.withUnsafeBytes { bytes -> OpaquePointer? in
      guard let bio = BIO_new_mem_buf(bytes.baseAddress, length) else { return nil }
      defer { BIO_free(bio) }
      if let key = PEM_read_bio_PUBKEY(bio, nil, nil, nil) { return key }
      guard let again = BIO_new_mem_buf(bytes.baseAddress, length) else { return nil }
      defer { BIO_free(again) }
      guard let certificate = PEM_read_bio_X509(again, nil, nil, nil) else { return nil }
      defer { X509_free(certificate) }
      return X509_get_pubkey(certificate)
    }
    ERR_clear_error()
    guard let key else { return nil }
    pointer = key
  }

  /// The key of a certificate.
  public init?(_ certificate: X509Certificate) {
    guard let key = X509_get_pubkey(certificate.pointer) else { return nil }
    pointer = key
  }

  deinit { EVP_PKEY_free(pointer) }

  /// Whether `signature` over `data` is this key's. `family` is `RS`, `PS` or `ES`.
  public func verify(family: String, _ digest: Digest, _ data: Bytes, _ signature: Bytes) -> Outcome {
    defer { ERR_clear_error() }
    let isElliptic = EVP_PKEY_get_base_id(pointer) == EVP_PKEY_EC
    guard isElliptic == (family == "ES") else { return .wrong }
    guard let octets = family == "ES" ? ecdsa(signature) : signature.array else { return .malformed }
    guard let context = EVP_MD_CTX_new() else { return .wrong }
    defer { EVP_MD_CTX_free(context) }
    var keyContext: OpaquePointer?
    guard EVP_DigestVerifyInit(context, &keyContext, digest.algorithm, nil, pointer) == 1 else {
      return .wrong
    }
    if family == "PS", let keyContext {
      guard gh_rsa_padding(keyContext, RSA_PKCS1_PSS_PADDING) == 1, gh_rsa_pss_saltlen(keyContext, -1) == 1
      else {
        return .wrong
      }
    }
    let result = data.withUnsafeBytes { data in
      octets.withUnsafeBufferPointer { signature in
        EVP_DigestVerify(
          context, signature.baseAddress, signature.count,
          data.baseAddress?.assumingMemoryBound(to: UInt8.self),
          data.count)
      }
    }
    return result == 1 ? .valid : .wrong
  }

  /// JOSE writes r and s one behind the other, OpenSSL wants them in DER; nil when the length is not the curve's.
  private func ecdsa(_ signature: Bytes) -> [UInt8]? {
    let size = (Int(EVP_PKEY_get_bits(pointer)) + 7) / 8
    guard signature.count == 2 * size else { return nil }
    let numbers = integer(signature.prefix(size)) + integer(signature.dropFirst(size))
    return [0x30] + length(numbers.count) + numbers
  }

  private func integer(_ octets: Bytes) -> [UInt8] {
    var digits = Array(octets.array.drop { $0 == 0 })
    if digits.isEmpty || digits[0] >= 0x80 { digits.insert(0, at: 0) }
    return [0x02] + length(digits.count) + digits
  }

  private func length(_ count: Int) -> [UInt8] {
    count < 128 ? [UInt8(truncatingIfNeeded: count)] : [0x81, UInt8(truncatingIfNeeded: count)]
  }
}
