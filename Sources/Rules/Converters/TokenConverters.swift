import Base
import Config
import TLS

/// JSON Web Tokens (RFC 7515, RFC 7519).
enum TokenConverters {
  static let table: [ConverterEntry] = [
    query("jwt_header_query", part: 0), query("jwt_payload_query", part: 1),
    verification("jwt_verify", check: checkVerify), verification("jwt_verify_cert", check: checkCertificate),
    decryption("jwt_decrypt_secret", check: checkSecret) { a, context in
      switch a[0] {
      case .string(let secret): .secret(secret)
      case .variable(let variable):
        variable.get(context).flatMap { Base64.decode($0.text) }.map { .secret(Bytes($0)) }
      default: nil
      }
    },
    decryption("jwt_decrypt_jwk", check: checkKey) { a, context in
      switch a[0] {
      case .tokenKey(let key): key
      case .variable(let variable): variable.get(context).flatMap { TokenKey(json: $0.text) }
      default: nil
      }
    },
    decryption("jwt_decrypt_cert", check: checkOpener) { a, context in
      guard let name = text(a[0], context), let bundle = context.environment.certificate(named: name),
        bundle.parts.servesTokens
      else { return nil }
      return bundle.parts.key.flatMap { DecryptionKey($0) }.map { .key($0) }
    },
  ]

  // MARK: Encryption

  private typealias Check = @Sendable (inout Arguments, CompileScope) throws(RuleError) -> Void

  private static func decryption(
    _ name: String, check: @escaping Check, key: @escaping @Sendable (Arguments, RuleContext) -> TokenKey?
  ) -> ConverterEntry {
    ConverterEntry(
      name, .required(.string), .binary, .binary,
      check: { (arguments: inout Arguments, scope) throws(RuleError) in
        try check(&arguments, scope)
        arguments.list.append(.decryption(scope.shared.tokenDecryption))
      }
    ) { sample, a, context in
      guard case .decryption(let decryption) = a[1], let key = key(a, context) else { return nil }
      return decryption.open(sample.octets, key).map(Sample.binary)
    }
  }

  @Sendable
  private static func checkSecret(_ arguments: inout Arguments, _ scope: CompileScope) throws(RuleError) {
    do throws(RuleError) {
      try EncodedArgument.check(&arguments, 0, scope)
    } catch {
      throw RuleError("failed to parse secret: \(error.message)")
    }
  }

  @Sendable
  private static func checkKey(_ arguments: inout Arguments, _ scope: CompileScope) throws(RuleError) {
    let text = arguments.string(0) ?? .empty
    if EncodedArgument.isVariable(text) {
      arguments.list[0] = .variable(try scope.shared.variables.variable(text))
      return
    }
    guard let kind = EncryptedToken.text("$.kty", text)?.string else {
      throw RuleError("Missing key type (expected 'oct', 'RSA' or 'EC')")
    }
    guard ["oct", "RSA", "EC"].contains(kind) else {
      throw RuleError("Unmanaged key type '\(kind)'", expected: "'oct', 'RSA' or 'EC'")
    }
    guard let key = TokenKey(json: text) else { throw RuleError("Failed to parse \(kind) JWK") }
    arguments.list[0] = .tokenKey(key)
  }

  /// A certificate of a `crt-store` with `jwt on`.
  @Sendable
  private static func checkOpener(_ arguments: inout Arguments, _ scope: CompileScope) throws(RuleError) {
    let name = arguments.string(0) ?? .empty
    if EncodedArgument.isVariable(name) {
      arguments.list[0] = .variable(try scope.shared.variables.variable(name))
      return
    }
    switch scope.configuration.certificateStores.lazy.flatMap(\.loads).first(where: { $0.name == name.string }) {
    case nil: throw RuleError("unknown certificate \(name.string)", expected: "one that a 'crt-store' loads")
    case let load? where !load.servesTokens:
      throw RuleError("unusable certificate \(name.string) (\"jwt\" option not set to \"on\")")
    default: break
    }
  }

  // MARK: Parts

  private static func query(_ name: String, part: Int) -> ConverterEntry {
    ConverterEntry(name, .optional(.string, .string), .binary, .any, check: checkPath) { sample, a, _ in
      let parts = split(sample.octets)
      guard parts.count >= 2, let decoded = Base64.decode(parts[part], forURLs: true) else { return nil }
      guard case .path(let path) = a[0] else { return .string(Bytes(decoded)) }
      guard let value = path.find(in: Bytes(decoded)) else { return nil }
      return a.int(1) == 1 ? value.cast(to: .int) : value
    }
  }

  private static func split(_ token: Bytes) -> [Bytes] {
    var parts: [Bytes] = []
    var start = 0
    for i in 0...token.count where i == token.count || token[i] == 0x2E {
      parts.append(token[start..<i])
      start = i + 1
    }
    return parts
  }

  private static func text(_ argument: Argument, _ context: RuleContext) -> Bytes? {
    switch argument {
    case .string(let text): text
    case .variable(let variable): variable.get(context)?.text
    default: nil
    }
  }

  @Sendable
  private static func checkPath(_ arguments: inout Arguments, _ scope: CompileScope) throws(RuleError) {
    guard let text = arguments.string(0), !text.isEmpty else { return }
    guard let path = JSONPath(text) else {
      throw RuleError("not a valid json path '\(text.string)'; it starts with '$.'")
    }
    arguments.list[0] = .path(path)
    guard let type = arguments.string(1)?.string, !type.isEmpty else { return }
    guard type == "int" else { throw RuleError("output_type only supports \"int\" as argument") }
    arguments.list[1] = .int(1)
  }

  private static func verification(
    _ name: String, check: @escaping @Sendable (inout Arguments, CompileScope) throws(RuleError) -> Void
  ) -> ConverterEntry {
    ConverterEntry(name, .required(.string, .string), .binary, .int, check: check) { sample, a, context in
      guard let algorithm = text(a[0], context) else { return nil }
      guard let outcome = TokenSignature.verify(sample.octets, algorithm.string, a[1], context) else {
        return nil
      }
      return .int(outcome.rawValue)
    }
  }

  /// The algorithm by its name or in a variable.
  private static func checkAlgorithm(_ arguments: inout Arguments, _ scope: CompileScope) throws(RuleError) {
    let name = arguments.string(0) ?? .empty
    if EncodedArgument.isVariable(name) {
      arguments.list[0] = .variable(try scope.shared.variables.variable(name))
    } else if TokenSignature.Algorithm(name.string) == nil {
      throw RuleError(
        "unsupported JWT algorithm: \(name.string)", expected: "HS256, RS256, ES256, PS256, ... or none")
    }
  }

  @Sendable
  private static func checkVerify(_ arguments: inout Arguments, _ scope: CompileScope) throws(RuleError) {
    try checkAlgorithm(&arguments, scope)
    let key = arguments.string(1) ?? .empty
    if EncodedArgument.isVariable(key) {
      arguments.list[1] = .variable(try scope.shared.variables.variable(key))
    } else {
      // A file of a public key, or else a secret that stands here by itself.
      let pem = scope.shared.readFile(key.string).flatMap { VerificationKey(pem: Bytes($0)) }
      arguments.list[1] = .key(pem, key)
    }
  }

  /// A certificate that is loaded for this, of a `crt-store`, or in a variable the name of one of these.
  @Sendable
  private static func checkCertificate(_ arguments: inout Arguments, _ scope: CompileScope) throws(RuleError) {
    if let name = arguments.string(0)?.string, case .secret? = TokenSignature.Algorithm(name) {
      throw RuleError("HMAC-signed tokens can't be processed by this converter")
    }
    try checkAlgorithm(&arguments, scope)
    let path = arguments.string(1) ?? .empty
    if EncodedArgument.isVariable(path) {
      arguments.list[1] = .certificateVariable(try scope.shared.variables.variable(path))
      return
    }
    if scope.configuration.certificateStores.contains(where: { $0.loads.contains { $0.name == path.string } }) {
      arguments.list[1] = .certificate(nil, path)
      return
    }
    guard let key = VerificationKey(pem: try scope.shared.file(path.string, kind: "certificate")) else {
      throw RuleError("no certificate in '\(path.string)'")
    }
    scope.shared.tokenCertificates.insert(path.string)
    arguments.list[1] = .certificate(key, path)
  }
}

/// The signature of a token in its compact form.
enum TokenSignature {
  /// HAProxy's numbers.
  enum Outcome: Int64 {
    case wrong = 0
    case valid = 1
    case unknownAlgorithm = -1
    case invalidToken = -3
    case unknownKey = -5
    case unavailableKey = -7
  }

  enum Algorithm {
    case none
    case secret(Digest)
    case key(family: String, Digest)

    init?(_ name: String) {
      if name == "none" {
        self = .none
        return
      }
      let digest: Digest
      switch name.suffix(3) {
      case "256": digest = .sha256
      case "384": digest = .sha384
      case "512": digest = .sha512
      default: return nil
      }
      guard name.count == 5 else { return nil }
      switch name.prefix(2) {
      case "HS": self = .secret(digest)
      case "RS", "ES", "PS": self = .key(family: String(name.prefix(2)), digest)
      default: return nil
      }
    }
  }

  private struct Missing: Error {
    var outcome: Outcome?
  }

  /// The key of an argument; the failure says what comes of its absence.
  private static func lookUp(_ argument: Argument, _ context: RuleContext) -> Result<VerificationKey, Missing> {
    let (name, spare): (Bytes, VerificationKey?)
    switch argument {
    case .key(let key?, _): return .success(key)
    case .certificate(let key, let path): (name, spare) = (path, key)
    case .certificateVariable(let variable):
      guard let text = variable.get(context)?.text else { return .failure(Missing(outcome: nil)) }
      (name, spare) = (text, nil)
    default: return .failure(Missing(outcome: .unknownKey))
    }
    guard let bundle = context.environment.certificate(named: name) else {
      return spare.map { .success($0) } ?? .failure(Missing(outcome: .unknownKey))
    }
    guard bundle.parts.servesTokens else { return .failure(Missing(outcome: .unavailableKey)) }
    guard let key = bundle.parts.certificate.flatMap({ VerificationKey($0) }) else {
      return .failure(Missing(outcome: .unknownKey))
    }
    return .success(key)
  }

  /// nil when the key is in a variable that is not set.
  static func verify(_ token: Bytes, _ name: String, _ key: Argument, _ context: RuleContext) -> Outcome? {
    guard let algorithm = Algorithm(name) else { return .unknownAlgorithm }
    var dots: [Int] = []
    for i in 0..<token.count where token[i] == 0x2E { dots.append(i) }
    guard dots.count == 2 else { return .invalidToken }
    let encoded = token.dropFirst(dots[1] + 1)
    if case .none = algorithm { return encoded.isEmpty ? .valid : .wrong }
    guard !encoded.isEmpty, encoded.count % 4 != 1, let decoded = Base64.decode(encoded, forURLs: true) else {
      return .invalidToken
    }
    let signed = token.prefix(dots[1])
    switch algorithm {
    case .none: return .valid
    case .secret(let digest):
      let secret: Bytes
      switch key {
      case .key(_, let text): secret = text
      case .variable(let variable):
        guard let text = variable.get(context)?.octets else { return nil }
        secret = text
      default: return nil
      }
      let isRight = SecureCompare.equal(Bytes(digest.hmac(signed, key: secret)), Bytes(decoded))
      if !isRight, decoded.count != digest.hmac(.empty, key: secret).count { return .invalidToken }
      return isRight ? .valid : .wrong
    case .key(let family, let digest):
      let found: VerificationKey
      switch lookUp(key, context) {
      case .success(let key): found = key
      case .failure(let missing): return missing.outcome
      }
      switch found.verify(family: family, digest, signed, Bytes(decoded)) {
      case .valid: return .valid
      case .wrong: return .wrong
      case .malformed: return .invalidToken
      }
    }
  }
}
