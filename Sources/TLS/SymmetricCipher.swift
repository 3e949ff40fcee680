public import Base
import COpenSSL

/// AES in the two modes that expressions use (`aes_cbc_enc`, `aes_gcm_dec`, ...).
public enum SymmetricCipher: Sendable {
  case cbc, gcm

  /// The tag of GCM: 16 octets.
  public static let tagLength = 16

  /// The result of an encryption; `tag` is empty in CBC mode.
  public struct Sealed: Sendable {
    public var octets: Bytes
    public var tag: Bytes
  }

  /// Encrypts `octets` with a key of 128, 192 or 256 bits; nil when key or nonce do not fit.
  public func encrypt(_ octets: Bytes, bits: Int, key: Bytes, nonce: Bytes, additional: Bytes?) -> Sealed? {
    guard let (out, tag) = run(octets, bits, key, nonce, additional, nil) else { return nil }
    return Sealed(octets: Bytes(out), tag: Bytes(tag))
  }

  /// Decrypts; nil when anything does not fit or the tag is not that of the octets.
  public func decrypt(
    _ octets: Bytes, bits: Int, key: Bytes, nonce: Bytes, additional: Bytes?, tag: Bytes
  ) -> Bytes? {
    run(octets, bits, key, nonce, additional, tag).map { Bytes($0.octets) }
  }

  private func algorithm(_ bits: Int) -> OpaquePointer? {
    switch (self, bits) {
    case (.cbc, 128): EVP_aes_128_cbc()
    case (.cbc, 192): EVP_aes_192_cbc()
    case (.cbc, 256): EVP_aes_256_cbc()
    case (.gcm, 128): EVP_aes_128_gcm()
    case (.gcm, 192): EVP_aes_192_gcm()
    case (.gcm, 256): EVP_aes_256_gcm()
    default: nil
    }
  }

  /// One pass; `tag` nil encrypts.
  private func run(
    _ octets: Bytes, _ bits: Int, _ key: Bytes, _ nonce: Bytes, _ additional: Bytes?, _ tag: Bytes?
  ) -> (octets: [UInt8], tag: [UInt8])? {
    defer { ERR_clear_error() }
    guard let algorithm = algorithm(bits), key.count * 8 == bits, let context = EVP_CIPHER_CTX_new(),
      let count = Int32(exactly: octets.count), nonce.count > 0, nonce.count <= 64
    else { return nil }
    defer { EVP_CIPHER_CTX_free(context) }
    let direction: Int32 = tag == nil ? 1 : 0
    guard EVP_CipherInit_ex(context, algorithm, nil, nil, nil, direction) == 1 else { return nil }
    if self == .gcm {
      guard EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_IVLEN, Int32(nonce.count), nil) == 1 else {
        return nil
      }
    }
    let keyOctets = key.array
    // What a block lacks is zero.
    let nonceOctets = nonce.array + [UInt8](repeating: 0, count: Swift.max(0, 16 - nonce.count))
    guard EVP_CipherInit_ex(context, nil, nil, keyOctets, nonceOctets, direction) == 1 else { return nil }
    var written: Int32 = 0
    if self == .gcm, let additional, !additional.isEmpty {
      let text = additional.array
      guard EVP_CipherUpdate(context, nil, &written, text, Int32(clamping: text.count)) == 1 else {
        return nil
      }
    }
    var out = [UInt8](repeating: 0, count: octets.count + 32)
    let input = octets.array
    guard EVP_CipherUpdate(context, &out, &written, input, count) == 1 else { return nil }
    var total = Int(written)
    if self == .gcm, var tag = tag?.array {
      guard tag.count == SymmetricCipher.tagLength,
        EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, Int32(tag.count), &tag) == 1
      else { return nil }
    }
    let ended = out.withUnsafeMutableBufferPointer { buffer in
      EVP_CipherFinal_ex(context, buffer.baseAddress.map { $0 + total }, &written)
    }
    guard ended == 1 else { return nil }
    total += Int(written)
    var made: [UInt8] = []
    if self == .gcm, tag == nil {
      made = [UInt8](repeating: 0, count: SymmetricCipher.tagLength)
      guard EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, Int32(made.count), &made) == 1 else {
        return nil
      }
    }
    return (Array(out.prefix(total)), made)
  }
}
