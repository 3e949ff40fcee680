public import Base
import COpenSSL

/// A key of JSON Web Encryption (RFC 7518 section 4): an RSA key that opens what was encrypted for it, or one on an
/// elliptic curve that agrees on a secret; owns the library's object.
public final class DecryptionKey: @unchecked Sendable {
  private let pointer: OpaquePointer

  private init(owning pointer: OpaquePointer) { self.pointer = pointer }

  deinit { EVP_PKEY_free(pointer) }

  public enum Kind: Sendable { case rsa, elliptic, other }

  public var kind: Kind {
    switch EVP_PKEY_get_base_id(pointer) {
    case EVP_PKEY_RSA: .rsa
    case EVP_PKEY_EC: .elliptic
    default: .other
    }
  }

  /// The same key as a certificate's.
  public convenience init?(_ key: PrivateKey) {
    guard EVP_PKEY_up_ref(key.pointer) == 1 else { return nil }
    self.init(owning: key.pointer)
  }

  /// The members of an RSA key (RFC 7518 section 6.3), as numbers in big-endian octets.
  public struct RSAParts: Sendable {
    public var modulus, publicExponent, privateExponent: Bytes
    public var primes: (Bytes, Bytes)
    public var exponents: (Bytes, Bytes)
    public var coefficient: Bytes

    public init(
      modulus: Bytes, publicExponent: Bytes, privateExponent: Bytes, primes: (Bytes, Bytes), exponents: (Bytes, Bytes),
      coefficient: Bytes
    ) {
      self.modulus = modulus
      self.publicExponent = publicExponent
      self.privateExponent = privateExponent
      self.primes = primes
      self.exponents = exponents
      self.coefficient = coefficient
    }
  }

  /// nil when the numbers are no key.
  public convenience init?(_ parts: RSAParts) {
    let made = KeyParameters.make("RSA") { parameters in
      parameters.add("n", number: parts.modulus) && parameters.add("e", number: parts.publicExponent)
        && parameters.add("d", number: parts.privateExponent) && parameters.add("rsa-factor1", number: parts.primes.0)
        && parameters.add("rsa-factor2", number: parts.primes.1)
        && parameters.add("rsa-exponent1", number: parts.exponents.0)
        && parameters.add("rsa-exponent2", number: parts.exponents.1)
        && parameters.add("rsa-coefficient1", number: parts.coefficient)
    }
    guard let made else { return nil }
    self.init(owning: made)
  }

  /// Octets of a coordinate on the curves of RFC 7518 section 6.2.1.1.
  private static let curves: [String: (name: StaticString, size: Int)] = [
    "P-256": ("P-256", 32), "P-384": ("P-384", 48), "P-521": ("P-521", 66),
  ]

  /// A key on a curve: a point, and for a private key its number. nil when the point is not on the curve.
  public convenience init?(curve: String, x: Bytes, y: Bytes, privateNumber: Bytes?) {
    guard let (group, size) = DecryptionKey.curves[curve], x.count <= size, y.count <= size else { return nil }
    func padded(_ number: Bytes) -> [UInt8] { [UInt8](repeating: 0, count: size - number.count) + number.array }
    let point = [4] + padded(x) + padded(y)
    let made = KeyParameters.make("EC") { parameters in
      parameters.add("group", text: group) && parameters.add("pub", octets: point)
        && (privateNumber.map { parameters.add("priv", number: $0) } ?? true)
    }
    guard let made else { return nil }
    self.init(owning: made)
  }

  public enum Padding: Sendable { case pkcs1, oaepSHA1, oaepSHA256 }

  /// What was encrypted with RSA; nil when it was not for this key.
  public func decrypt(_ octets: Bytes, _ padding: Padding) -> Bytes? {
    ERR_clear_error()
    defer { ERR_clear_error() }
    guard kind == .rsa, let context = EVP_PKEY_CTX_new(pointer, nil) else { return nil }
    defer { EVP_PKEY_CTX_free(context) }
    guard EVP_PKEY_decrypt_init(context) == 1 else { return nil }
    switch padding {
    case .pkcs1: guard gh_rsa_padding(context, RSA_PKCS1_PADDING) == 1 else { return nil }
    case .oaepSHA1, .oaepSHA256:
      let digest = padding == .oaepSHA1 ? EVP_sha1() : EVP_sha256()
      guard gh_rsa_padding(context, RSA_PKCS1_OAEP_PADDING) == 1, gh_rsa_oaep_md(context, digest) == 1,
        gh_rsa_mgf1_md(context, digest) == 1
      else { return nil }
    }
    var length = Int(EVP_PKEY_get_size(pointer))
    var out = [UInt8](repeating: 0, count: Swift.max(0, length))
    let input = octets.array
    guard EVP_PKEY_decrypt(context, &out, &length, input, input.count) == 1 else { return nil }
    return Bytes(Array(out.prefix(length)))
  }

  /// The secret that this key and the other side's public key come to (ECDH); nil when they are of different curves.
  public func agree(with peer: DecryptionKey) -> Bytes? {
    ERR_clear_error()
    defer { ERR_clear_error() }
    guard kind == .elliptic, peer.kind == .elliptic, let context = EVP_PKEY_CTX_new(pointer, nil) else { return nil }
    defer { EVP_PKEY_CTX_free(context) }
    var length = 0
    guard EVP_PKEY_derive_init(context) == 1, EVP_PKEY_derive_set_peer(context, peer.pointer) == 1,
      EVP_PKEY_derive(context, nil, &length) == 1, length > 0
    else { return nil }
    var out = [UInt8](repeating: 0, count: length)
    guard EVP_PKEY_derive(context, &out, &length) == 1 else { return nil }
    return Bytes(Array(out.prefix(length)))
  }
}

/// The named parts that the library makes a key of.
private struct KeyParameters {
  private let builder: OpaquePointer
  /// What the builder points to until it is done.
  private let numbers: Numbers

  private final class Numbers {
    var all: [OpaquePointer] = []
    var points: [UnsafeMutableBufferPointer<UInt8>] = []

    deinit {
      for number in all { BN_clear_free(number) }
      for point in points { point.deallocate() }
    }
  }

  static func make(_ kind: String, _ fill: (KeyParameters) -> Bool) -> OpaquePointer? {
    ERR_clear_error()
    defer { ERR_clear_error() }
    guard let builder = OSSL_PARAM_BLD_new() else { return nil }
    defer { OSSL_PARAM_BLD_free(builder) }
    let parameters = KeyParameters(builder: builder, numbers: Numbers())
    guard fill(parameters), let made = OSSL_PARAM_BLD_to_param(builder) else { return nil }
    defer { OSSL_PARAM_free(made) }
    guard let context = EVP_PKEY_CTX_new_from_name(nil, kind, nil) else { return nil }
    defer { EVP_PKEY_CTX_free(context) }
    var key: OpaquePointer?
    guard EVP_PKEY_fromdata_init(context) == 1,
      EVP_PKEY_fromdata(context, &key, Int32(GH_KEYPAIR), made) == 1
    else { return nil }
    return withExtendedLifetime(parameters.numbers) { key }
  }

  /// Bits of the largest number that keys have.
  private static let bound = 16384 / 8

  func add(_ name: StaticString, number octets: Bytes) -> Bool {
    let digits = octets.array
    guard digits.count <= KeyParameters.bound, let number = BN_bin2bn(digits, Int32(digits.count), nil) else {
      return false
    }
    numbers.all.append(number)
    return OSSL_PARAM_BLD_push_BN(builder, characters(name), number) == 1
  }

  func add(_ name: StaticString, text: StaticString) -> Bool {
    OSSL_PARAM_BLD_push_utf8_string(builder, characters(name), characters(text), 0) == 1
  }

  func add(_ name: StaticString, octets: [UInt8]) -> Bool {
    let kept = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: octets.count)
    _ = kept.initialize(from: octets)
    numbers.points.append(kept)
    return OSSL_PARAM_BLD_push_octet_string(builder, characters(name), kept.baseAddress, kept.count) == 1
  }

  /// The builder keeps pointers to names and texts, not copies of them.
  private func characters(_ text: StaticString) -> UnsafePointer<CChar> {
    UnsafeRawPointer(text.utf8Start).assumingMemoryBound(to: CChar.self)
  }
}

/// AES Key Wrap (RFC 3394).
public enum KeyWrap {
  /// The key inside; nil when `key` has not 128, 192 or 256 bits, or it was not wrapped with it.
  public static func unwrap(_ wrapped: Bytes, key: Bytes) -> Bytes? {
    ERR_clear_error()
    defer { ERR_clear_error() }
    let cipher: OpaquePointer? =
      switch key.count {
      case 16: EVP_aes_128_wrap()
      case 24: EVP_aes_192_wrap()
      case 32: EVP_aes_256_wrap()
      default: nil
      }
    guard let cipher, wrapped.count >= 16, let count = Int32(exactly: wrapped.count),
      let context = EVP_CIPHER_CTX_new()
    else { return nil }
    defer { EVP_CIPHER_CTX_free(context) }
    EVP_CIPHER_CTX_set_flags(context, EVP_CIPHER_CTX_FLAG_WRAP_ALLOW)
    let secret = key.array
    guard EVP_DecryptInit_ex(context, cipher, nil, secret, nil) == 1 else { return nil }
    var out = [UInt8](repeating: 0, count: wrapped.count + 16)
    var (length, rest): (Int32, Int32) = (0, 0)
    let input = wrapped.array
    guard EVP_DecryptUpdate(context, &out, &length, input, count) == 1, length > 0 else { return nil }
    let ended = out.withUnsafeMutableBufferPointer { buffer in
      EVP_DecryptFinal_ex(context, buffer.baseAddress.map { $0 + Int(length) }, &rest)
    }
    guard ended == 1 else { return nil }
    return Bytes(Array(out.prefix(Int(length + rest))))
  }
}
