import Base
import TLS

/// AES encryption and decryption; keys, nonces and tags are given in base64, as text or in variables.
enum CipherConverters {
  static let table: [ConverterEntry] = [
    encryption("aes_cbc_enc", .atLeast(3, .integer, .string, .string, .string), .cbc),
    decryption("aes_cbc_dec", .atLeast(3, .integer, .string, .string, .string), .cbc),
    encryption("aes_gcm_enc", .atLeast(4, .integer, .string, .string, .string, .string), .gcm),
    ConverterEntry("x509_v_err_str", .none, .int, .string) { sample, _, _ in
      guard let code = sample.integer else { return nil }
      return .string(Bytes(VerifyErrorNames.name(of: Int32(truncatingIfNeeded: code)) ?? String(code)))
    },
    decryption("aes_gcm_dec", .atLeast(4, .integer, .string, .string, .string, .string), .gcm),
  ]

  private static func encryption(
    _ name: String, _ grammar: ArgumentGrammar, _ mode: SymmetricCipher
  ) -> ConverterEntry {
    ConverterEntry(
      name, grammar, .binary, .binary,
      check: { (arguments: inout Arguments, scope) throws(RuleError) in
        try check(&arguments, scope, tagIsVariable: mode == .gcm)
      }
    ) { sample, a, context in
      let extra = mode == .gcm ? 4 : 3
      guard let keys = Keys(a, context, extra: extra),
        let sealed = mode.encrypt(
          sample.octets, bits: keys.bits, key: keys.key, nonce: keys.nonce, additional: keys.additional)
      else { return nil }
      if mode == .gcm, case .variable(let variable) = a[3] {
        variable.set(.string(Bytes(Base64.encode(sealed.tag))), context)
      }
      return .binary(sealed.octets)
    }
  }

  private static func decryption(
    _ name: String, _ grammar: ArgumentGrammar, _ mode: SymmetricCipher
  ) -> ConverterEntry {
    ConverterEntry(
      name, grammar, .binary, .binary,
      check: { (arguments: inout Arguments, scope) throws(RuleError) in
        try check(&arguments, scope, tagIsVariable: false)
      }
    ) { sample, a, context in
      let extra = mode == .gcm ? 4 : 3
      guard let keys = Keys(a, context, extra: extra) else { return nil }
      let tag = mode == .gcm ? Keys.octets(a[3], context) : Bytes.empty
      guard let tag else { return nil }
      return mode.decrypt(
        sample.octets, bits: keys.bits, key: keys.key, nonce: keys.nonce, additional: keys.additional,
        tag: tag
      ).map(Sample.binary)
    }
  }

  private struct Keys {
    let bits: Int
    let nonce: Bytes
    let key: Bytes
    let additional: Bytes?

    init?(_ arguments: Arguments, _ context: RuleContext, extra: Int) {
      guard let bits = arguments.int(0), let nonce = Keys.octets(arguments[1], context),
        let key = Keys.octets(arguments[2], context)
      else { return nil }
      self.bits = Int(truncatingIfNeeded: bits)
      self.nonce = nonce
      self.key = key
      if case .none = arguments[extra] {
        additional = nil
      } else {
        guard let octets = Keys.octets(arguments[extra], context) else { return nil }
        additional = octets
      }
    }

    static func octets(_ argument: Argument, _ context: RuleContext) -> Bytes? {
      switch argument {
      case .string(let octets): octets
      case .variable(let variable): variable.get(context).flatMap { Base64.decode($0.text).map { Bytes($0) } }
      default: nil
      }
    }
  }

  private static func check(
    _ arguments: inout Arguments, _ scope: CompileScope, tagIsVariable: Bool
  ) throws(RuleError) {
    guard [128, 192, 256].contains(arguments.int(0) ?? 0) else {
      throw RuleError("key size must be 128, 192 or 256 (bits)")
    }
    for index in 1..<arguments.count {
      let text = arguments.string(index) ?? .empty
      if index == 3, tagIsVariable {
        arguments.list[index] = .variable(try scope.shared.variables.variable(text))
        continue
      }
      try EncodedArgument.check(&arguments, index, scope)
    }
  }
}

/// Arguments that are a variable's name or base64.
enum EncodedArgument {
  static func isVariable(_ text: Bytes) -> Bool {
    Variable.Scope.allCases.contains { text.starts(with: Bytes($0.rawValue + ".")) }
  }

  static func check(_ arguments: inout Arguments, _ index: Int, _ scope: CompileScope) throws(RuleError) {
    let text = arguments.string(index) ?? .empty
    if isVariable(text) {
      arguments.list[index] = .variable(try scope.shared.variables.variable(text))
    } else if let octets = Base64.decode(text) {
      arguments.list[index] = .string(Bytes(octets))
    } else {
      throw RuleError("failed to parse '\(text.string)' as a variable or as base64")
    }
  }
}
