import Base

/// JSON Web Tokens (RFC 7515, RFC 7519).
enum TokenConverters {
  static let table: [ConverterEntry] = [
    query("jwt_header_query", part: 0), query("jwt_payload_query", part: 1),
    ConverterEntry("jwt_verify", .required(.string, .string), .binary, .int, check: checkVerify) {
      sample, a, context in
      guard let verify = CryptographyHooks.current.verifySignature,
        let algorithm = text(a[0], context)?.string,
        let key = text(a[1], context)
      else { return nil }
      let parts = split(sample.octets)
      guard parts.count == 3, parts[0].count > 0 else { return .int(-2) }
      guard let signature = Base64.decode(parts[2], forURLs: true) else { return .int(-2) }
      let signed = sample.octets.prefix(parts[0].count + 1 + parts[1].count)
      guard let isRight = verify(algorithm, key, signed, Bytes(signature)) else { return .int(-1) }
      return .int(isRight ? 1 : 0)
    },
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

  @Sendable
  private static func checkVerify(_ arguments: inout Arguments, _ scope: CompileScope) throws(RuleError) {
    guard CryptographyHooks.current.verifySignature != nil else {
      throw RuleError("converter 'jwt_verify' is not supported yet in this build")
    }
    let algorithm = arguments.string(0) ?? .empty
    if algorithm.firstIndex(of: 0x2E) != nil {
      arguments.list[0] = .variable(try scope.shared.variables.variable(algorithm))
    }
    let key = arguments.string(1) ?? .empty
    let scopes = Variable.Scope.allCases.map { Bytes($0.rawValue + ".") }
    if scopes.contains(where: { key.starts(with: $0) }) {
      arguments.list[1] = .variable(try scope.shared.variables.variable(key))
    } else if !algorithm.starts(with: "HS") {
      // Public keys are named by their file; shared secrets stand here by themselves.
      arguments.list[1] = .string(try scope.shared.file(key.string, kind: "key"))
    }
  }
}
