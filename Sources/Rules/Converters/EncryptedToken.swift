import Base
import TLS

/// A JSON Web Encryption in its compact form (RFC 7516 section 7.1), taken apart.
struct EncryptedToken {
  /// How the key of the content is protected (`alg`, RFC 7518 section 4).
  enum KeyAlgorithm: String, CaseIterable, Sendable {
    case rsa15 = "RSA1_5"
    case rsaOAEP = "RSA-OAEP"
    case rsaOAEP256 = "RSA-OAEP-256"
    case a128KW = "A128KW"
    case a192KW = "A192KW"
    case a256KW = "A256KW"
    case direct = "dir"
    case ecdh = "ECDH-ES"
    case ecdhA128KW = "ECDH-ES+A128KW"
    case ecdhA192KW = "ECDH-ES+A192KW"
    case ecdhA256KW = "ECDH-ES+A256KW"
    case a128GCMKW = "A128GCMKW"
    case a192GCMKW = "A192GCMKW"
    case a256GCMKW = "A256GCMKW"

    enum Family { case rsa(DecryptionKey.Padding), wrapped, sealed, direct, agreed }

    var family: Family {
      switch self {
      case .rsa15: .rsa(.pkcs1)
      case .rsaOAEP: .rsa(.oaepSHA1)
      case .rsaOAEP256: .rsa(.oaepSHA256)
      case .a128KW, .a192KW, .a256KW: .wrapped
      case .a128GCMKW, .a192GCMKW, .a256GCMKW: .sealed
      case .direct: .direct
      case .ecdh, .ecdhA128KW, .ecdhA192KW, .ecdhA256KW: .agreed
      }
    }

    /// Octets of the AES key that wraps the content's; 0 where none does.
    var wrapLength: Int {
      switch self {
      case .a128KW, .ecdhA128KW, .a128GCMKW: 16
      case .a192KW, .ecdhA192KW, .a192GCMKW: 24
      case .a256KW, .ecdhA256KW, .a256GCMKW: 32
      case .rsa15, .rsaOAEP, .rsaOAEP256, .direct, .ecdh: 0
      }
    }
  }

  /// How the content is encrypted (`enc`, RFC 7518 section 5).
  enum ContentAlgorithm: String, CaseIterable, Sendable {
    case a128CBC = "A128CBC-HS256"
    case a192CBC = "A192CBC-HS384"
    case a256CBC = "A256CBC-HS512"
    case a128GCM = "A128GCM"
    case a192GCM = "A192GCM"
    case a256GCM = "A256GCM"

    /// The digest of the tag; nil for GCM, which has its own.
    var digest: Digest? {
      switch self {
      case .a128CBC: .sha256
      case .a192CBC: .sha384
      case .a256CBC: .sha512
      case .a128GCM, .a192GCM, .a256GCM: nil
      }
    }

    /// Octets of the AES key; with a digest as many of another key stand before it.
    var cipherLength: Int {
      switch self {
      case .a128CBC, .a128GCM: 16
      case .a192CBC, .a192GCM: 24
      case .a256CBC, .a256GCM: 32
      }
    }

    var keyLength: Int { digest == nil ? cipherLength : 2 * cipherLength }
  }

  let algorithm: KeyAlgorithm
  let encryption: ContentAlgorithm
  /// The header as it stands in the token: what the tag covers beside the content.
  let protected: Bytes
  let header: Bytes
  let key: Bytes
  let nonce: Bytes
  let content: Bytes
  let tag: Bytes

  /// nil when it is no such token, or an algorithm is not known.
  init?(_ token: Bytes) {
    var parts: [Bytes] = []
    var start = 0
    for i in 0...token.count where i == token.count || token[i] == 0x2E {
      guard parts.count < 5 else { return nil }
      parts.append(token[start..<i])
      start = i + 1
    }
    let decoded = parts.map { Base64.decode($0, forURLs: true).map { Bytes($0) } }
    guard parts.count == 5, let header = decoded[0], let key = decoded[1], let nonce = decoded[2],
      let content = decoded[3], let tag = decoded[4],
      let algorithm = EncryptedToken.text("$.alg", header).flatMap({ KeyAlgorithm(rawValue: $0.string) }),
      let encryption = EncryptedToken.text("$.enc", header).flatMap({ ContentAlgorithm(rawValue: $0.string) })
    else { return nil }
    self.algorithm = algorithm
    self.encryption = encryption
    protected = parts[0]
    self.header = header
    self.key = key
    self.nonce = nonce
    self.content = content
    self.tag = tag
  }

  /// A string of a JSON object; nil without one.
  static func text(_ path: Bytes, _ object: Bytes) -> Bytes? {
    guard case .string(let text)? = JSONPath(path)?.find(in: object) else { return nil }
    return text
  }

  /// A string in base64 for URLs; nil without one, or when it is none.
  static func octets(_ path: Bytes, _ object: Bytes) -> Bytes? {
    text(path, object).flatMap { Base64.decode($0, forURLs: true) }.map { Bytes($0) }
  }

  // MARK: The content

  /// What the token says, once its key is known; nil when the tag is wrong.
  func open(with key: Bytes) -> Bytes? {
    let bits = encryption.cipherLength * 8
    guard let digest = encryption.digest else {
      guard tag.count == SymmetricCipher.tagLength, key.count >= encryption.keyLength else { return nil }
      return SymmetricCipher.gcm.decrypt(
        content, bits: bits, key: key.prefix(encryption.keyLength), nonce: nonce, additional: protected, tag: tag)
    }
    guard key.count >= encryption.keyLength else { return nil }
    let length = encryption.cipherLength
    // RFC 7518 section 5.2.2.1: a tag over header, nonce, content and the header's length in bits.
    var signed = protected.array + nonce.array + content.array
    withUnsafeBytes(of: (UInt64(protected.count) * 8).bigEndian) { signed += Array($0) }
    let whole = digest.hmac(Bytes(signed), key: key.prefix(length))
    guard tag.count == whole.count / 2, RandomOctets.equalSecrets(tag, Bytes(Array(whole.prefix(tag.count)))) else {
      return nil
    }
    guard nonce.count == 16 else { return nil }
    return SymmetricCipher.cbc.decrypt(
      content, bits: bits, key: key[length..<(2 * length)], nonce: nonce, additional: nil, tag: .empty)
  }
}
