import Base
import Config
import TLS

/// What a token is opened with.
enum TokenKey: Sendable {
  case secret(Bytes)
  case key(DecryptionKey)

  /// From a JSON Web Key (RFC 7517); nil when it is none of a kind that is known.
  init?(json text: Bytes) {
    switch EncryptedToken.text("$.kty", text)?.string {
    case "oct":
      guard let secret = EncryptedToken.octets("$.k", text) else { return nil }
      self = .secret(secret)
    case "RSA":
      func number(_ name: Bytes) -> Bytes? { EncryptedToken.octets(name, text) }
      guard let n = number("$.n"), let e = number("$.e"), let d = number("$.d"), let p = number("$.p"),
        let q = number("$.q"), let dp = number("$.dp"), let dq = number("$.dq"), let qi = number("$.qi"),
        let key = DecryptionKey(
          .init(
            modulus: n, publicExponent: e, privateExponent: d, primes: (p, q), exponents: (dp, dq), coefficient: qi))
      else { return nil }
      self = .key(key)
    case "EC":
      guard let key = TokenKey.elliptic(text) else { return nil }
      self = .key(key)
    default: return nil
    }
  }

  /// A public or private key on a curve.
  static func elliptic(_ text: Bytes) -> DecryptionKey? {
    guard let curve = EncryptedToken.text("$.crv", text), let x = EncryptedToken.octets("$.x", text),
      let y = EncryptedToken.octets("$.y", text)
    else { return nil }
    var number: Bytes?
    if EncryptedToken.text("$.d", text) != nil {
      guard let d = EncryptedToken.octets("$.d", text) else { return nil }
      number = d
    }
    return DecryptionKey(curve: curve.string, x: x, y: y, privateNumber: number)
  }
}

/// Opens tokens, with the algorithms that the configuration allows.
struct TokenDecryption: Sendable {
  /// `jwt.decrypt_alg_list` and `jwt.decrypt_enc_list`.
  let algorithms: Set<EncryptedToken.KeyAlgorithm>
  let encryptions: Set<EncryptedToken.ContentAlgorithm>

  init(_ global: GlobalSettings) {
    algorithms = Set(global.tokenAlgorithms.compactMap { EncryptedToken.KeyAlgorithm(rawValue: $0) })
    encryptions = Set(global.tokenEncryptions.compactMap { EncryptedToken.ContentAlgorithm(rawValue: $0) })
  }

  /// The content of a token; nil when anything is not as it must be.
  func open(_ text: Bytes, _ key: TokenKey) -> Bytes? {
    guard let token = EncryptedToken(text), algorithms.contains(token.algorithm),
      encryptions.contains(token.encryption), let contentKey = contentKey(token, key)
    else { return nil }
    return token.open(with: contentKey)
  }

  private func contentKey(_ token: EncryptedToken, _ key: TokenKey) -> Bytes? {
    switch (token.algorithm.family, key) {
    case (.direct, .secret(let secret)): return token.key.isEmpty ? secret : nil
    case (.wrapped, .secret(let secret)):
      guard secret.count >= token.algorithm.wrapLength else { return nil }
      return KeyWrap.unwrap(token.key, key: secret.prefix(token.algorithm.wrapLength))
    case (.sealed, .secret(let secret)):
      guard let tag = EncryptedToken.octets("$.tag", token.header), tag.count == SymmetricCipher.tagLength,
        let nonce = EncryptedToken.octets("$.iv", token.header), secret.count >= token.algorithm.wrapLength
      else { return nil }
      let length = token.algorithm.wrapLength
      return SymmetricCipher.gcm.decrypt(
        token.key, bits: length * 8, key: secret.prefix(length), nonce: nonce, additional: nil, tag: tag)
    case (.rsa(let padding), .key(let key)):
      guard !token.key.isEmpty else { return nil }
      // RFC 7516 section 11.5: whoever asks must not learn whether the padding was right.
      let stand = padding == .pkcs1 ? RandomOctets.make(token.encryption.keyLength).map { Bytes($0) } : nil
      return key.decrypt(token.key, padding) ?? stand
    case (.agreed, .key(let key)): return agreedKey(token, key)
    case (.direct, _), (.wrapped, _), (.sealed, _), (.rsa, _), (.agreed, _): return nil
    }
  }

  /// RFC 7518 section 4.6: the key itself, or the one that wraps it.
  private func agreedKey(_ token: EncryptedToken, _ key: DecryptionKey) -> Bytes? {
    guard let other = JSONPath("$.epk")?.find(in: token.header), case .string(let object) = other,
      let peer = TokenKey.elliptic(object), let shared = key.agree(with: peer)
    else { return nil }
    for name: Bytes in ["$.apu", "$.apv"] where EncryptedToken.text(name, token.header) != nil {
      guard EncryptedToken.octets(name, token.header) != nil else { return nil }
    }
    let isDirect = token.algorithm == .ecdh
    let length = isDirect ? token.encryption.keyLength : token.algorithm.wrapLength
    let derived = TokenDecryption.derive(
      shared, length, name: isDirect ? token.encryption.rawValue : token.algorithm.rawValue,
      from: EncryptedToken.octets("$.apu", token.header) ?? .empty,
      to: EncryptedToken.octets("$.apv", token.header) ?? .empty)
    return isDirect ? derived : KeyWrap.unwrap(token.key, key: derived)
  }

  /// The Concat KDF of NIST SP 800-56A with SHA-256.
  static func derive(_ secret: Bytes, _ length: Int, name: String, from: Bytes, to: Bytes) -> Bytes {
    func word(_ n: Int) -> [UInt8] { withUnsafeBytes(of: UInt32(truncatingIfNeeded: n).bigEndian) { Array($0) } }
    func counted(_ octets: Bytes) -> [UInt8] { word(octets.count) + octets.array }
    let information = counted(Bytes(name)) + counted(from) + counted(to) + word(length * 8)
    var out: [UInt8] = []
    var round = 1
    while out.count < length {
      out += Digest.sha256.hash(Bytes(word(round) + secret.array + information))
      round += 1
    }
    return Bytes(Array(out.prefix(length)))
  }
}
