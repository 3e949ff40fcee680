import Base
import TLS

/// JSON Web Tokens (RFC 7515, RFC 7519).
enum TokenConverters {
  static let table: [ConverterEntry] = [
    query("jwt_header_query", part: 0), query("jwt_payload_query", part: 1),
    verification("jwt_verify", check: checkVerify), verification("jwt_verify_cert", check: checkCertificate),
  ]

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

  @Sendable
  private static func checkCertificate(_ arguments: inout Arguments, _ scope: CompileScope) throws(RuleError) {
    try checkAlgorithm(&arguments, scope)
    let path = arguments.string(1) ?? .empty
    if EncodedArgument.isVariable(path) {
      throw RuleError("certificates named by variables are not supported yet; give a file")
    }
    guard let key = VerificationKey(pem: try scope.shared.file(path.string, kind: "certificate")) else {
      throw RuleError("no certificate in '\(path.string)'")
    }
    arguments.list[1] = .key(key, path)
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
      guard case .key(let pem?, _) = key else { return .unknownKey }
      switch pem.verify(family: family, digest, signed, Bytes(decoded)) {
      case .valid: return .valid
      case .wrong: return .wrong
      case .malformed: return .invalidToken
      }
    }
  }
}
